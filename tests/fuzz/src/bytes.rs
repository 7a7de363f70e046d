//! Decisions, read from the input one by one.

/// What is left of the input. When nothing is, every decision is the first choice.
pub(crate) struct Bytes<'a>(&'a [u8]);

/// Numbers at which something changes.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    7,
    60,
    255,
    1_000,
    65_535,
    i32::MAX as u64,
    u32::MAX as u64,
    u32::MAX as u64 + 1,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    // 100 years, in seconds, and in milliseconds.
    3_153_600_000,
    3_153_600_001,
    3_153_600_000_000,
    3_153_600_000_001,
    i64::MAX as u64,
    i64::MAX as u64 + 1,
    u64::MAX / 1_000,
    u64::MAX / 1_000 + 1,
    u64::MAX - 1,
    u64::MAX,
];

impl<'a> Bytes<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// From 0 to `n - 1`; `n` is at most 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n.max(1)
    }

    /// True for one byte in `n`, and never for want of bytes.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        match from.len() {
            0 => None,
            len => from.get(self.below(len.min(256))).copied(),
        }
    }

    /// A number that is small, or at a bound, or any.
    pub(crate) fn number(&mut self) -> u64 {
        let choice = self.byte();
        match choice {
            0..=127 => u64::from(choice % 16),
            128..=239 => NUMBERS[usize::from(choice) % NUMBERS.len()],
            _ => {
                let mut word = [0; 8];
                let given = self.take(8);
                word[..given.len()].copy_from_slice(given);
                u64::from_le_bytes(word)
            }
        }
    }
}
