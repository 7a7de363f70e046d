//! Text: a pointer and a length.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;

use crate::failure::{Failure, invalid};

/// The length of text that ends with a NUL; cbindgen.toml has it for C.
pub const TASKMGR_NUL: usize = usize::MAX;

/// Text in UTF-8.
///
/// Given to the library: `len` bytes at `data`, or up to a NUL if `len` is `TASKMGR_NUL`;
/// `{NULL, 0}` is absent text, which is the same as an empty one. `TASKMGR_STR("…")` makes it
/// of a C string. The library copies what it keeps: text is borrowed for the call only.
///
/// Given by the library: `data` is never null, has `len` bytes and a NUL behind them, so that
/// it can be printed; it belongs to the object that it was asked of, and lives as long. Text
/// with a NUL inside is possible in error messages alone. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_str<'a> {
    data: *const c_char,
    len: usize,
    /// Only C makes one of raw parts, and promises that they are valid for so long.
    _text: PhantomData<&'a CStr>,
}

impl<'a> taskmgr_str<'a> {
    pub(crate) const EMPTY: taskmgr_str<'static> = taskmgr_str::literal(c"");

    pub(crate) const fn literal(text: &'static CStr) -> taskmgr_str<'static> {
        taskmgr_str {
            data: text.as_ptr(),
            len: text.count_bytes(),
            _text: PhantomData,
        }
    }

    /// Text whose NUL is the last byte.
    pub(crate) fn of_terminated(text: &'a [u8]) -> Self {
        debug_assert_eq!(text.last(), Some(&0));
        Self {
            data: text.as_ptr().cast(),
            len: text.len() - 1,
            _text: PhantomData,
        }
    }

    /// Text that lives for longer than the borrow that it was made of: its owner is kept, and
    /// what it owns on the heap stays where it is. Nothing here reads it any more.
    #[cfg(feature = "http")]
    pub(crate) fn lasting<'b>(self) -> taskmgr_str<'b> {
        taskmgr_str {
            data: self.data,
            len: self.len,
            _text: PhantomData,
        }
    }

    pub(crate) fn as_ptr(self) -> *const c_char {
        self.data
    }

    /// The text; an absent one is empty. `what` names the argument.
    #[inline(always)]
    pub(crate) fn get(self, what: &str) -> Result<&'a str, Failure> {
        if self.data.is_null() && self.len == 0 {
            return Ok("");
        }
        match self.bytes() {
            // SAFETY: ASCII is UTF-8. Most text is that, and little is done to it.
            Some(bytes) if is_ascii(bytes) => Ok(unsafe { std::str::from_utf8_unchecked(bytes) }),
            Some(bytes) => in_utf8(bytes, what),
            None => Err(self.no_text(what)),
        }
    }

    #[inline(always)]
    fn bytes(self) -> Option<&'a [u8]> {
        match self.len {
            _ if self.data.is_null() => None,
            // SAFETY: with this length the C program promises that a NUL ends the text, and
            // that nobody changes it during the call, which is how long 'a is.
            TASKMGR_NUL => Some(unsafe { CStr::from_ptr(self.data) }.to_bytes()),
            len if len > isize::MAX as usize => None,
            // SAFETY: the C program promises `len` readable bytes that nobody changes during
            // the call; no object of C is longer than `isize::MAX`.
            len => Some(unsafe { std::slice::from_raw_parts(self.data.cast(), len) }),
        }
    }

    #[cold]
    fn no_text(self, what: &str) -> Failure {
        let len = self.len;
        invalid(match (self.data.is_null(), len) {
            (true, TASKMGR_NUL) => {
                format!("{what} is a null pointer; absent text is TASKMGR_NO_STR")
            }
            (true, _) => {
                format!("{what} is a null pointer of length {len}; absent text has the length 0")
            }
            (false, _) => format!(
                "{what} has a length of {len} bytes, more than memory has; \
                 for text that ends with a NUL it is TASKMGR_NUL"
            ),
        })
    }

    #[cfg(test)]
    pub(crate) fn to_test(self) -> String {
        self.get("text").unwrap().to_owned()
    }
}

#[cold]
fn in_utf8<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| {
        invalid(format!(
            "{what} is not UTF-8: byte {} of {} does not fit; give text in UTF-8",
            error.valid_up_to(),
            bytes.len()
        ))
    })
}

/// The standard library's goes byte by byte through what names are: a few bytes.
#[inline(always)]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let ends = |ends: [u64; 2]| (ends[0] | ends[1]) & HIGH == 0;
    match bytes.len() {
        17.. => bytes.is_ascii(),
        8.. => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => ends([first, last].map(|it| u64::from_le_bytes(*it))),
            _ => unreachable!("8 bytes are there"),
        },
        4.. => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                ends([first, last].map(|it| u32::from_le_bytes(*it).into()))
            }
            _ => unreachable!("4 bytes are there"),
        },
        _ => bytes.iter().all(u8::is_ascii),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(data: *const c_char, len: usize) -> taskmgr_str<'static> {
        taskmgr_str {
            data,
            len,
            _text: PhantomData,
        }
    }

    #[test]
    fn text_comes_by_length_or_by_nul() {
        assert_eq!(raw(c"abc".as_ptr(), TASKMGR_NUL).to_test(), "abc");
        assert_eq!(raw(c"abc".as_ptr(), 2).to_test(), "ab");
        assert_eq!(raw(c"abc".as_ptr(), 0).to_test(), "");
        assert_eq!(raw(std::ptr::null(), 0).to_test(), "");
        assert_eq!(taskmgr_str::of_terminated(b"abc\0").to_test(), "abc");
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_found_wherever_it_is() {
        for len in 0..40 {
            let mut bytes = vec![b'a'; len];
            assert!(is_ascii(&bytes));
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{at} of {len}");
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (text, wanted) in [
            (raw(std::ptr::null(), 3), "null pointer"),
            (raw(std::ptr::null(), TASKMGR_NUL), "TASKMGR_NO_STR"),
            (raw(c"a".as_ptr(), usize::MAX - 1), "TASKMGR_NUL"),
            (raw(c"ab\xff".as_ptr(), TASKMGR_NUL), "byte 2 of 3"),
        ] {
            let failure = text.get("the name").unwrap_err();
            assert!(failure.message().contains(wanted), "{}", failure.message());
            assert!(failure.message().starts_with("the name"));
        }
    }
}
