//! Texts of a result, one after another, each with a NUL behind it.

use crate::text::taskmgr_str;

/// All texts of one result; they move no more once it is made. It begins with an empty one.
pub(crate) struct Texts(Vec<u8>);

impl Default for Texts {
    fn default() -> Self {
        Self(vec![0])
    }
}

/// One of them; by default the empty one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    start: usize,
    len: usize,
}

impl Texts {
    pub(crate) fn add(&mut self, text: &str) -> Span {
        self.add_bytes(text.as_bytes())
    }

    /// A body, which is text for those who wrote it.
    pub(crate) fn add_bytes(&mut self, text: &[u8]) -> Span {
        let start = self.0.len();
        self.0.extend_from_slice(text);
        self.0.push(0);
        Span {
            start,
            len: text.len(),
        }
    }

    /// The same, where the text is often the one that this column had before.
    pub(crate) fn add_or(&mut self, last: Span, text: &str) -> Span {
        match self.bytes(last) == text.as_bytes() {
            true => last,
            false => self.add(text),
        }
    }

    fn bytes(&self, span: Span) -> &[u8] {
        &self.0[span.start..span.start + span.len]
    }

    pub(crate) fn get(&self, span: Span) -> taskmgr_str<'_> {
        taskmgr_str::of_terminated(&self.0[span.start..=span.start + span.len])
    }

    pub(crate) fn one(text: &str) -> (Self, Span) {
        let mut texts = Self::default();
        let span = texts.add(text);
        (texts, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_terminated_and_kept_once_in_a_row() {
        let mut texts = Texts::default();
        let ks = texts.add_or(Span::default(), "ks");
        let again = texts.add_or(ks, "ks");
        let other = texts.add_or(again, "other");
        let none = texts.add_or(Span::default(), "");
        assert_eq!(texts.get(ks).to_test(), "ks");
        assert_eq!(texts.get(again).to_test(), "ks");
        assert_eq!(texts.get(other).to_test(), "other");
        assert_eq!(texts.get(none).to_test(), "");
        assert_eq!(texts.0, b"\0ks\0other\0");
    }
}
