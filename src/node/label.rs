//! Entities: short texts of which most tasks that have one have their own. They lie beside
//! the slots, so that they cost neither an allocation nor a block of extras.

use crate::arena::Pooled;
use crate::sync::{AtomicU64, Ordering};
use crate::view::Name;

const WORDS: usize = 7;
const BYTES: usize = 8 * WORDS;

/// A text of at most 55 printable ASCII characters, by value. Its first byte is its length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text([u64; WORDS]);

impl Text {
    /// `None` for one that is longer, or has other characters.
    #[inline]
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut bytes = [b' '; BYTES];
        bytes
            .get_mut(1..=text.len())?
            .copy_from_slice(text.as_bytes());
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        if words.iter().fold(0, |odd, word| odd | not_printable(*word)) != 0 {
            return None;
        }
        words[0] = words[0] & !0xff | text.len() as u64;
        Some(Self(words))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0[0] & 0xff == 0
    }

    pub(crate) fn name(&self) -> Name {
        let mut bytes = [0; BYTES];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = word.to_le_bytes();
        }
        let text = bytes.get(1..=usize::from(bytes[0])).unwrap_or_default();
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
    number: u32,
}

impl Label {
    #[inline]
    pub(crate) fn set(&self, text: &Text) {
        for (word, text) in self.words.iter().zip(text.0) {
            word.store(text, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Text {
        let mut text = Text::default();
        for (text, word) in text.0.iter_mut().zip(&self.words) {
            *text = word.load(Ordering::Relaxed);
        }
        text
    }
}

impl Pooled for Label {
    fn new(number: u32) -> Self {
        Self {
            words: std::array::from_fn(|_| AtomicU64::new(0)),
            number,
        }
    }

    fn number(&self) -> u32 {
        self.number
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_comes_back_as_it_was(text in "[ -~]{0,55}") {
            prop_assert_eq!(&*Text::new(&text).unwrap().name(), text);
        }

        #[test]
        fn what_is_no_printable_ascii_is_for_others(text in "\\PC{0,60}|[\0-~\x7f]{0,60}") {
            let fits = text.len() <= 55 && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            prop_assert_eq!(Text::new(&text).is_some(), fits);
        }
    }

    #[test]
    fn a_label_is_a_line() {
        assert_eq!(size_of::<Label>(), 64);
    }
}
