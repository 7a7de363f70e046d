//! Strings that are shown.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use arcstr::ArcStr;

/// A string that is cheap to clone: most names of tasks repeat, and are kept once.
///
/// ```
/// use taskmgr::Name;
/// let name = Name::from("major compaction");
/// assert_eq!(&*name, "major compaction");
/// assert!(Name::default().is_empty());
/// ```
pub struct Name(Text);

/// Two words, as a listing of many tasks is mostly names: a counted text whose length lies
/// with it fits beside the pointer that is no text's.
enum Text {
    Static(&'static str),
    Shared(ArcStr),
}

impl Name {
    pub(crate) const EMPTY: Name = Name(Text::Static(""));

    /// A name that lasts as long as the process.
    ///
    /// ```
    /// const RANGES: taskmgr::Name = taskmgr::Name::from_static("ranges");
    /// ```
    pub const fn from_static(text: &'static str) -> Self {
        Self(Text::Static(text))
    }

    /// Out of the way of the others: a view of a task has many names, and seldom such a one.
    #[cold]
    fn share(text: &ArcStr) -> Self {
        Self(Text::Shared(ArcStr::clone(text)))
    }

    /// The text.
    ///
    /// ```
    /// assert_eq!(taskmgr::Name::from("ks").as_str(), "ks");
    /// ```
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl Clone for Name {
    #[inline]
    fn clone(&self) -> Self {
        match &self.0 {
            Text::Static(text) => Self(Text::Static(text)),
            Text::Shared(text) => Self::share(text),
        }
    }
}

impl Default for Name {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            Self::EMPTY
        } else {
            Self(Text::Shared(text.into()))
        }
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Whether two texts are equal. Most are short: two words of each, which overlap, tell it
/// without a call.
#[inline(always)]
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        4..8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        0..4 => a.iter().zip(b).all(|(a, b)| a == b),
        _ => std::ptr::eq(a, b) || a == b,
    }
}

/// What a character is that does not show, or shows others elsewhere than they are: two names
/// that look the same are the same. Joiners are among them, which some scripts write with: an
/// operator who types such a name would not find it.
pub(crate) fn not_printable(c: char) -> Option<&'static str> {
    Some(match c {
        _ if c.is_control() => "control character",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "bidirectional control"
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}' => "invisible character",
        '\u{fdd0}'..='\u{fdef}' => "noncharacter",
        _ if u32::from(c) & 0xfffe == 0xfffe => "noncharacter",
        _ => return None,
    })
}

impl PartialEq for Name {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        same_text(self, other)
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        same_text(self, other)
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        same_text(self, other)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_two_words() {
        assert_eq!(size_of::<Name>(), 16);
    }
}
