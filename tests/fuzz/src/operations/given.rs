//! What goes into calls: texts, ids and structs, right ones and wrong ones.

use std::ffi::c_char;

use taskmgr_c::id::taskmgr_id;
use taskmgr_c::text::{TASKMGR_NUL, taskmgr_str};

use crate::bytes::Bytes;

/// A `taskmgr_str` as C sees it.
#[repr(C)]
struct RawStr {
    data: *const c_char,
    len: usize,
}

pub(super) fn raw_str<'a>(data: *const c_char, len: usize) -> taskmgr_str<'a> {
    // SAFETY: the same two fields in the same order; both are `repr(C)`.
    unsafe { std::mem::transmute::<RawStr, taskmgr_str<'a>>(RawStr { data, len }) }
}

/// The pointer and the length of a text that the library gave.
pub(super) fn parts(text: taskmgr_str<'_>) -> (*const c_char, usize) {
    // SAFETY: as above.
    let raw = unsafe { std::mem::transmute::<taskmgr_str<'_>, RawStr>(text) };
    (raw.data, raw.len)
}

/// A text to give, with a NUL behind it.
#[derive(Clone)]
pub(super) struct Text {
    bytes: Vec<u8>,
    len: Len,
}

#[derive(Clone, Copy)]
enum Len {
    Right,
    UpToNul,
    Absent,
    /// A null pointer with a length.
    OfNothing(usize),
    /// More than memory has.
    FarTooLong(usize),
}

const PLAIN: [&str; 8] = [
    "repair",
    "ks",
    "table",
    "test",
    "a",
    "127.0.0.1",
    "",
    "é/\u{202e}",
];

impl Text {
    pub(super) fn new(bytes: &mut Bytes<'_>) -> Self {
        let choice = bytes.byte();
        let (text, len): (Vec<u8>, Len) = match choice {
            0..=159 => (PLAIN[usize::from(choice) % 6].into(), Len::Right),
            160..=191 => (PLAIN[usize::from(choice) % 6].into(), Len::UpToNul),
            192..=199 => (PLAIN[usize::from(choice) % 8].into(), Len::Right),
            200..=207 => (Vec::new(), Len::Absent),
            208..=211 => (Vec::new(), Len::OfNothing(3)),
            212..=213 => (Vec::new(), Len::OfNothing(TASKMGR_NUL)),
            214..=215 => (vec![b'a'], Len::FarTooLong(isize::MAX as usize + 1)),
            216..=217 => (vec![b'a'], Len::FarTooLong(usize::MAX - 1)),
            218..=219 => (vec![b'n'; 255], Len::Right),
            220..=221 => (vec![b'n'; 256], Len::UpToNul),
            222 => (vec![b'n'; 70_000], Len::Right),
            223..=225 => (b"ab\xff".to_vec(), Len::UpToNul),
            226..=228 => (b"a\0b".to_vec(), Len::Right),
            229..=231 => (b"line\nfeed\x1b[31m".to_vec(), Len::Right),
            _ => {
                let len = bytes.below(32);
                (bytes.take(len).to_vec(), Len::Right)
            }
        };
        let mut bytes = text;
        bytes.push(0);
        Self { bytes, len }
    }

    pub(super) fn of(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        Self {
            bytes,
            len: Len::Right,
        }
    }

    pub(super) fn str(&self) -> taskmgr_str<'_> {
        let data = self.bytes.as_ptr().cast();
        match self.len {
            Len::Right => raw_str(data, self.bytes.len() - 1),
            Len::UpToNul => raw_str(data, TASKMGR_NUL),
            Len::Absent => raw_str(std::ptr::null(), 0),
            Len::OfNothing(len) => raw_str(std::ptr::null(), len),
            Len::FarTooLong(len) => raw_str(data, len),
        }
    }
}

pub(super) const VIRTUAL: [taskmgr_id; 3] = [
    taskmgr_id { bytes: [0xa0; 16] },
    taskmgr_id { bytes: [0xa1; 16] },
    taskmgr_id { bytes: [0xa2; 16] },
];

pub(super) const NIL: taskmgr_id = taskmgr_id { bytes: [0; 16] };

/// An id: one of the library's, the host's, a virtual task's, the nil id, or any.
pub(super) fn id(bytes: &mut Bytes<'_>, known: &[taskmgr_id]) -> taskmgr_id {
    match bytes.below(16) {
        0..=6 => bytes.pick(known).unwrap_or(NIL),
        7..=9 => bytes.pick(&VIRTUAL).unwrap_or(NIL),
        10..=12 => host_id(bytes),
        13 => NIL,
        14 => {
            // One that was given, but for a bit.
            let mut id = bytes.pick(known).unwrap_or(NIL);
            let bit = bytes.below(128);
            id.bytes[bit / 8] ^= 1 << (bit % 8);
            id
        }
        _ => {
            let mut id = NIL;
            let given = bytes.take(16);
            id.bytes[..given.len()].copy_from_slice(given);
            id
        }
    }
}

pub(super) fn host_id(bytes: &mut Bytes<'_>) -> taskmgr_id {
    taskmgr_id {
        bytes: [1 + bytes.byte() % 4; 16],
    }
}

/// A struct that carries its size, with room behind it: the caller of a later version has more
/// fields than the library knows.
#[repr(C)]
pub(super) struct Sized<T> {
    pub(super) given: T,
    behind: [u64; 8],
    null: bool,
    /// Whether what is in it can be seen by the library.
    pub(super) readable: bool,
}

impl<T> Sized<T> {
    /// `size` gives the field; `defaults` says whether a null pointer stands for defaults.
    pub(super) fn new(bytes: &mut Bytes<'_>, given: T, size: fn(&mut T) -> &mut usize) -> Self {
        let today = size_of::<T>();
        let mut this = Self {
            given,
            behind: [0; 8],
            null: false,
            readable: true,
        };
        let (wanted, readable) = match bytes.byte() {
            0..=223 => (today, true),
            224..=227 => (today + 8, true),
            228..=229 => (today + 64, true),
            230..=233 => {
                this.behind[bytes.below(8)] = 1 << bytes.below(64);
                (today + 64, true)
            }
            234..=236 => (today - 1, false),
            237..=238 => (0, false),
            239 => (8, false),
            240..=241 => (4_096, false),
            242..=244 => (usize::MAX, false),
            _ => {
                this.null = true;
                (today, false)
            }
        };
        *size(&mut this.given) = wanted;
        this.readable = readable;
        this
    }

    pub(super) fn as_ptr(&self) -> *const T {
        match self.null {
            true => std::ptr::null(),
            // Of the whole, so that what lies behind may be read too.
            false => std::ptr::from_ref(self).cast(),
        }
    }
}

pub(super) fn tail<const N: usize>(bytes: &mut Bytes<'_>) -> [u8; N] {
    let mut reserved = [0; N];
    if bytes.one_in(32) {
        reserved[bytes.below(N)] = 1 + bytes.byte() % 255;
    }
    reserved
}
