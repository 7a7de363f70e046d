//! Structs that carry their size, and grow at their end from version to version.

use std::mem::MaybeUninit;
use std::ops::Deref;

use crate::failure::{Failure, invalid, null};

/// A struct of C whose first field is its own size.
///
/// # Safety
///
/// `repr(C)`, its first field is `size: usize`, and whatever bytes a C program puts into the
/// others are values of their types: integers, pointers of C, `taskmgr_str`. Padding is
/// spelled out, as what is behind the known fields is compared with zero; so are its last
/// `RESERVED` bytes, which are integers.
pub(crate) unsafe trait Versioned: Copy {
    /// Its name in C.
    const NAME: &'static str;
    /// Its sizes in the released versions, oldest first; the last is today's.
    const SIZES: &'static [usize];
    /// How many bytes at its end have no meaning yet. A later version may give them one.
    const RESERVED: usize;

    /// What the fields are that an older version did not have.
    fn defaults() -> Self;

    /// Takes what is the library's even if the rest is refused: user data, to be destroyed.
    fn refused(&self) {}
}

/// A struct that was given: read where it is, if it is of this version.
pub(crate) enum Given<'a, T> {
    Today(&'a T),
    Other(T),
}

impl<T> Deref for Given<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Today(given) => given,
            Self::Other(read) => read,
        }
    }
}

/// The most that a struct of a later version is taken to have.
const FAR_TOO_LARGE: usize = 4096;

/// Reads a struct of this, an older or a later version.
///
/// Of a later one only what this version knows is read, and the rest has to be zero: what it
/// asks for cannot be done.
///
/// # Safety
///
/// `given` is null, or points to as many readable bytes as the `size` says that it begins with,
/// which nobody changes for as long as 'a is.
#[inline]
pub(crate) unsafe fn read<'a, T: Versioned>(
    given: *const T,
    what: &str,
) -> Result<Given<'a, T>, Failure> {
    if given.is_null() {
        return Err(null(what));
    }
    // SAFETY: every versioned struct begins with its size.
    let size = unsafe { given.cast::<usize>().read_unaligned() };
    if size == size_of::<T>() && given.is_aligned() {
        // SAFETY: of today's size, so that all of it is readable, and valid as the trait
        // demands; the C program changes nothing of it during the call.
        let given = unsafe { &*given };
        return match not_zero(reserved(given)) {
            None => Ok(Given::Today(given)),
            Some(at) => Err(unknown(given, size - T::RESERVED + at)),
        };
    }
    // SAFETY: promised by the caller.
    unsafe { read_other(given, size) }.map(Given::Other)
}

/// The same of another version's.
///
/// # Safety
///
/// `given` points to `size` readable bytes.
#[cold]
unsafe fn read_other<T: Versioned>(given: *const T, size: usize) -> Result<T, Failure> {
    check_size::<T>(size)?;
    let known = size.min(size_of::<T>());
    let mut read = MaybeUninit::new(T::defaults());
    // SAFETY: `known` bytes are readable at `given` and writable at `read`, which is a local,
    // so they do not overlap; bytes from C are valid for all fields, as the trait demands.
    let read = unsafe {
        std::ptr::copy_nonoverlapping(given.cast::<u8>(), read.as_mut_ptr().cast::<u8>(), known);
        read.assume_init()
    };
    // SAFETY: the caller promises `size` readable bytes, and `known` is no more than that.
    let rest = unsafe { std::slice::from_raw_parts(given.cast::<u8>().add(known), size - known) };
    let reserved = not_zero(reserved(&read)).map(|at| size_of::<T>() - T::RESERVED + at);
    match reserved.or(not_zero(rest).map(|at| known + at)) {
        None => Ok(read),
        Some(at) => Err(unknown(&read, at)),
    }
}

/// The bytes at the end that have no meaning yet.
#[inline]
fn reserved<T: Versioned>(given: &T) -> &[u8] {
    let at = size_of::<T>() - T::RESERVED;
    // SAFETY: the last bytes of a value, which are integers, as the trait demands.
    unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(given).cast::<u8>().add(at), T::RESERVED)
    }
}

#[inline]
fn not_zero(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte != 0)
}

#[cold]
fn unknown<T: Versioned>(given: &T, at: usize) -> Failure {
    given.refused();
    let name = T::NAME;
    invalid(format!(
        "{name} has a field at byte {at} that this version of the library does not know, \
         and it is not zero; initialize it with the macro of its name in capitals, \
         or use a newer libtaskmgr"
    ))
}

fn check_size<T: Versioned>(size: usize) -> Result<(), Failure> {
    let today = size_of::<T>();
    if T::SIZES.contains(&size) || (today..FAR_TOO_LARGE).contains(&size) {
        return Ok(());
    }
    let name = T::NAME;
    Err(invalid(format!(
        "{name} has the size {size}; it should be sizeof({name}), which is {today} here: \
         initialize it with the macro of its name in capitals"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Old {
        size: usize,
        first: u64,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Today {
        size: usize,
        first: u64,
        second: u32,
        reserved: [u8; 4],
    }

    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    struct Later {
        size: usize,
        first: u64,
        second: u32,
        reserved: [u8; 4],
        third: u64,
    }

    // SAFETY: integers without padding behind the size.
    unsafe impl Versioned for Today {
        const NAME: &'static str = "today";
        const SIZES: &'static [usize] = &[size_of::<Old>(), size_of::<Self>()];
        const RESERVED: usize = 4;
        fn defaults() -> Self {
            Self {
                size: size_of::<Self>(),
                first: 10,
                second: 20,
                reserved: [0; 4],
            }
        }
    }

    fn given<T>(value: &T) -> Result<Today, Failure> {
        // SAFETY: tests give values that are as large as they say, or a size that is refused.
        let read = unsafe { read(std::ptr::from_ref(value).cast::<Today>(), "config") }?;
        Ok(*read)
    }

    #[test]
    fn fields_that_an_older_version_lacks_have_their_defaults() {
        let size = size_of::<Old>();
        let read = given(&Old { size, first: 1 }).unwrap();
        assert_eq!((read.first, read.second), (1, 20));
    }

    #[test]
    fn a_later_version_is_read_if_it_asks_for_nothing_new() {
        let later = |third| Later {
            size: size_of::<Later>(),
            first: 1,
            second: 2,
            reserved: [0; 4],
            third,
        };
        let read = given(&later(0)).unwrap();
        assert_eq!((read.first, read.second), (1, 2));
        let refused = given(&later(1 << 8)).unwrap_err();
        assert!(
            refused.message().contains("at byte 25"),
            "{}",
            refused.message()
        );
    }

    #[test]
    fn what_is_reserved_has_to_be_zero() {
        let today = |reserved| Today {
            reserved,
            ..Today::defaults()
        };
        assert_eq!(given(&today([0; 4])).unwrap(), Today::defaults());
        let refused = given(&today([0, 0, 1, 0])).unwrap_err();
        assert!(
            refused.message().contains("at byte 22"),
            "{}",
            refused.message()
        );
        let later = Later {
            size: size_of::<Later>(),
            first: 1,
            second: 2,
            reserved: [1, 0, 0, 0],
            third: 1,
        };
        let refused = given(&later).unwrap_err();
        assert!(
            refused.message().contains("at byte 20"),
            "{}",
            refused.message()
        );
    }

    #[test]
    fn sizes_of_no_version_are_refused() {
        for size in [0, 8, 17, 23, FAR_TOO_LARGE, usize::MAX] {
            let refused = given(&Old { size, first: 1 }).unwrap_err();
            assert!(refused.message().contains("sizeof(today)"), "{size}");
        }
        // SAFETY: null is what is asked about.
        let refused = unsafe { read::<Today>(std::ptr::null(), "config") };
        assert!(refused.is_err_and(|refused| refused.message().contains("null")));
    }
}
