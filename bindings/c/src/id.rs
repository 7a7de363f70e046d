//! Ids of tasks.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use taskmgr::Uuid;

use crate::failure::invalid;
use crate::guard;
use crate::handle::{ValuePlace, write_array};
use crate::text::taskmgr_str;

/// The id of a task, a UUID: 16 bytes in the order in which they are written as text. All
/// zero is the nil id, which no task has: it stands for none. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct taskmgr_id {
    /// The bytes.
    pub bytes: [u8; 16],
}

/// The length of an id as text with its NUL.
pub const TASKMGR_ID_TEXT: usize = 37;

impl taskmgr_id {
    pub(crate) const NIL: Self = Self { bytes: [0; 16] };

    pub(crate) fn uuid(self) -> Uuid {
        Uuid::from_bytes(self.bytes)
    }

    /// None for the nil id, where that stands for none.
    pub(crate) fn given(self) -> Option<Uuid> {
        Some(self.uuid()).filter(|id| !id.is_nil())
    }
}

impl From<Uuid> for taskmgr_id {
    fn from(id: Uuid) -> Self {
        Self {
            bytes: id.into_bytes(),
        }
    }
}

/// Reads an id from text, as `taskmgr_id_format` writes it; capitals will do, and so will
/// text without hyphens.
///
/// `*id` is a plain value; nil after an error. Threads: any.
/// Errors: INVALID_ARGUMENT for text that is no id. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_id_parse(
    text: taskmgr_str<'_>,
    id: Option<&mut MaybeUninit<taskmgr_id>>,
) -> crate::code::taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::new(id, taskmgr_id::NIL, "id")?;
        let text = text.get("the id")?;
        let parsed = Uuid::try_parse(text).map_err(|error| {
            invalid(format!(
                "{text:?} is no id: {error}; an id is 32 hexadecimal digits, \
                 in groups of 8-4-4-4-12"
            ))
        })?;
        place.give(parsed.into());
        Ok(())
    })
}

/// Writes an id as text of 36 characters and a NUL, e.g.
/// "67e55044-10b1-426f-9247-bb680e5fe0c8", and returns `text`, so that it can be printed.
///
/// `text` has room for `TASKMGR_ID_TEXT` characters. Threads: any.
/// Errors: none but a null `text`, for which it returns NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_id_format(id: taskmgr_id, text: *mut c_char) -> *const c_char {
    guard::value(std::ptr::null(), || {
        let mut buffer = [0; TASKMGR_ID_TEXT];
        id.uuid().hyphenated().encode_lower(&mut buffer);
        // SAFETY: the C program promises room for that many characters.
        unsafe { write_array(text, buffer.map(|byte| byte as c_char), "text") }?;
        Ok(text.cast_const())
    })
}

/// Whether two ids are the same.
///
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_id_equal(one: taskmgr_id, other: taskmgr_id) -> bool {
    guard::value(false, || Ok(one == other))
}

/// Whether an id is the nil id, which stands for none.
///
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_id_is_nil(id: taskmgr_id) -> bool {
    guard::value(true, || Ok(id == taskmgr_id::NIL))
}

/// Draws a random id, for a task that gets one from its host.
///
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_id_random() -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || Ok(Uuid::new_v4().into()))
}
