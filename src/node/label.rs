//! Entities: short texts of which most tasks that have one have their own. They lie beside
//! the slots, so that they cost neither an allocation nor a block of extras.

use crate::arena::Pooled;
use crate::sync::{AllAtomic, AtomicU64, Ordering, sized};
use crate::view::Name;

/// Loom lets each word be as old as it may.
const WORDS: usize = sized(7, 1);
const BYTES: usize = 8 * WORDS;
const SPACES: u64 = u64::MAX / 255 * b' ' as u64;
const LAST: usize = WORDS - 1;
/// Where the length is.
const LENGTH: usize = BYTES - 1;

/// Whether a label can hold the text: at most 55 printable ASCII characters. One that begins with
/// a blank may have nothing else, and is for others to look at.
#[inline]
pub(crate) fn fits(text: &str) -> bool {
    text.len() <= LENGTH
        && text.as_bytes().first() != Some(&b' ')
        && words(text).fold(0, |odd, word| odd | not_printable(word)) == 0
}

/// The text in words, the last one filled up with spaces. It goes from where it lies to where
/// it stays in registers: bytes that were put together in memory would be waited for.
#[inline(always)]
fn words(text: &str) -> impl Iterator<Item = u64> {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let full = words.iter().map(|word| u64::from_le_bytes(*word));
    let tail = (!rest.is_empty()).then(|| match text.as_bytes().last_chunk() {
        Some(last) => {
            let shift = 8 * rest.len() as u32;
            u64::from_le_bytes(*last) >> (64 - shift) | SPACES << shift
        }
        None => rest
            .iter()
            .rev()
            .fold(SPACES, |word, byte| word << 8 | u64::from(*byte)),
    });
    full.chain(tail)
}

/// A text as a label has it, by value. Its last byte is its length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text([u64; WORDS]);

impl Text {
    pub(crate) fn is_empty(&self) -> bool {
        self.0[LAST] >> 56 == 0
    }

    pub(crate) fn name(&self) -> Name {
        let mut bytes = [0; BYTES];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = word.to_le_bytes();
        }
        let text = bytes.get(..usize::from(bytes[LENGTH])).unwrap_or_default();
        // Who reads another tenant's, or a mixture, drops it.
        Name::from(std::str::from_utf8(text).unwrap_or_default())
    }
}

/// Not 0 if any of the eight bytes is no printable ASCII character.
#[inline]
fn not_printable(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // A subtraction borrows from a high bit that was not set where a byte is below.
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = word ^ (ONES * 0x7f);
    let delete = delete.wrapping_sub(ONES) & !delete;
    (word | control | delete) & HIGH
}

/// A slot's, made when a tenant first needs one.
#[repr(align(64))]
#[derive(Debug)]
pub(crate) struct Label {
    words: [AtomicU64; WORDS],
}

impl Label {
    /// The text has to [fit](fits).
    #[inline(always)]
    pub(crate) fn set(&self, text: &str) {
        let mut last = 0;
        for (at, word) in words(text).enumerate() {
            match at == LAST {
                false => self.words[at].store(word, Ordering::Relaxed),
                true => last = word << 8 >> 8,
            }
        }
        let length = (text.len() as u64) << 56;
        self.words[LAST].store(last | length, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Text {
        let mut text = Text::default();
        for (text, word) in text.0.iter_mut().zip(&self.words) {
            *text = word.load(Ordering::Relaxed);
        }
        text
    }
}

impl Pooled for Label {
    fn new(_: u32) -> Self {
        Self {
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

// SAFETY: it is an array of atomics.
#[allow(unsafe_code)]
unsafe impl AllAtomic for Label {
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self) {
        self.words
            .iter()
            .for_each(|word| word.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_comes_back_as_it_was(texts in proptest::collection::vec("([!-~][ -~]{0,54})?", 1..4)) {
            let label = Label::new(0);
            for text in texts {
                prop_assert!(fits(&text));
                label.set(&text);
                prop_assert_eq!(&*label.get().name(), &text);
                prop_assert_eq!(label.get().is_empty(), text.is_empty());
            }
        }

        #[test]
        fn what_is_no_printable_ascii_is_for_others(text in "\\PC{0,60}|[\0-~\x7f]{0,60}") {
            let plain = text.len() <= 55 && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            prop_assert_eq!(fits(&text), plain && !text.starts_with(' '));
        }
    }

    #[test]
    fn each_byte_is_looked_at_wherever_it_stands() {
        for length in [1, 2, 7, 8, 9, 15, 16, 17, 31, 48, 54, 55, 56] {
            for at in 0..length {
                for byte in 0..0x80_u8 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let text = String::from_utf8(text).unwrap();
                    let plain = (0x20..0x7f).contains(&byte) && !(at == 0 && byte == b' ');
                    assert_eq!(fits(&text), plain && length <= 55, "{byte:#x} at {at}");
                }
            }
        }
        for text in ["é", "abcdefgé", "abcdefghijklmné", "é234567890"] {
            assert!(!fits(text), "{text}");
        }
    }

    #[test]
    fn a_label_is_a_line() {
        assert_eq!(size_of::<Label>(), 64);
    }
}
