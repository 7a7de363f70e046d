//! `advance`, which work calls for each unit, as a plain method of CPython's.
//!
//! What pyo3 puts before a method (keywords, a count of attachments, a net for panics) costs more
//! than counting does. Here a number that is in order goes straight to the counter; whatever else
//! is given is looked at in [`amount`]. The one file with unsafe code.
#![expect(unsafe_code, reason = "a method of CPython's takes raw pointers")]

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::{Borrowed, PyClass};

use crate::args::Amount;

/// What counts.
pub(crate) trait Counter: PyClass<Frozen = True> + Sync {
    /// Counts. It must not panic: no net is under it, and the process would end.
    fn count(&self, n: u64);
}

const DOC: &CStr = c"advance($self, n=1)\n--\n\nCounts `n` units more, from 0 to 2**53.";

/// Gives a class its method `advance`.
pub(crate) fn install<T: Counter>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<T>();
    // A descriptor points to its definition for as long as it lives.
    let method = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"advance".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: advance::<T>,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: DOC.as_ptr(),
    }));
    // SAFETY: the thread is attached, as `py` shows; `class` is a type, and `method` is complete,
    // its function is of the kind that its flags tell, and it is never freed. What comes back is
    // a new reference, or null with an exception set.
    let descriptor = unsafe {
        let made = ffi::PyDescr_NewMethod(class.as_ptr().cast(), method);
        Bound::from_owned_ptr_or_err(py, made)?
    };
    class.setattr("advance", descriptor)
}

unsafe extern "C" fn advance<T: Counter>(
    this: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    len: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls a method on a thread that is attached, and keeps `this` and the
    // arguments alive meanwhile. The descriptor has seen to it that `this` is a `T`, which is
    // frozen, so that nobody has it exclusively. `args` has `len` values.
    unsafe {
        let given = match (len, names.is_null()) {
            (0, true) => 1,
            // What is below 0, or was refused, has its highest bits set.
            (1, true) => match ffi::PyLong_AsLong(*args) as u64 {
                given if given < Amount::CAP => given,
                _ => return advance_slowly::<T>(this, args, 1, null_mut()),
            },
            _ => return advance_slowly::<T>(this, args, len, names),
        };
        let this = Borrowed::from_ptr(Python::assume_attached(), this);
        this.cast_unchecked::<T>().get().count(given);
        ffi::Py_NewRef(ffi::Py_None())
    }
}

/// # Safety
///
/// That of a method with keywords: see [`advance`].
#[cold]
#[inline(never)]
unsafe fn advance_slowly<T: Counter>(
    this: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    len: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as in `advance`; behind the `len` values of `args` is one for each name in the
    // tuple `names`, unless that is null. Null is returned with an exception set, `None` without.
    Python::attach(|py| unsafe {
        ffi::PyErr_Clear();
        let names = Borrowed::from_ptr_or_opt(py, names);
        let first = || Borrowed::from_ptr(py, *args);
        match amount(len as usize, names, first) {
            Ok(amount) => {
                let this = Borrowed::from_ptr(py, this);
                this.cast_unchecked::<T>().get().count(amount.0);
                ffi::Py_NewRef(ffi::Py_None())
            }
            Err(error) => {
                error.restore(py);
                null_mut()
            }
        }
    })
}

/// The amount that is given by its place or as `n`, with an error if it is none.
fn amount<'a, 'py: 'a>(
    by_place: usize,
    names: Option<Borrowed<'a, 'py, PyAny>>,
    first: impl FnOnce() -> Borrowed<'a, 'py, PyAny>,
) -> PyResult<Amount> {
    let by_name = names.map_or(Ok(0), |names| names.len())?;
    match (by_place, by_name, names) {
        (1, 0, _) => first().extract(),
        (0, 1, Some(names)) if names.get_item(0)?.eq("n")? => first().extract(),
        (0, 1, Some(names)) => Err(PyTypeError::new_err(format!(
            "advance() got an unexpected keyword argument {}; it takes n",
            names.get_item(0)?.repr()?
        ))),
        _ => Err(PyTypeError::new_err(format!(
            "advance() takes one argument at most, n, but {} were given",
            by_place + by_name
        ))),
    }
}
