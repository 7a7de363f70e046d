//! Our own side through the C ABI, in loops compiled by the C compiler.

use std::ffi::{CString, c_char, c_void};
use std::hint::black_box;

use crate::ours::Names;

// The functions that `cpp/c_abi.c` calls.
use taskmgr_c as _;

mod raw {
    #[repr(C)]
    pub struct Host {
        opaque: [u8; 0],
    }
}

// SAFETY: the signatures are those of cpp/c_abi.c; each function wants a live host, and
// `Host` holds one.
unsafe extern "C" {
    fn c_host_new(
        lengths: bool,
        type_: *const c_char,
        scope: *const c_char,
        keyspace: *const c_char,
        table: *const c_char,
    ) -> *mut raw::Host;
    fn c_host_free(host: *mut raw::Host);
    fn c_host_life_cycles(host: *mut raw::Host, count: usize);
    fn c_host_advances(host: *mut raw::Host, count: usize);
    fn c_host_reporter_advances(host: *mut raw::Host, count: usize);
    fn c_host_abort_checks(host: *mut raw::Host, count: usize);
    fn c_host_calls(host: *mut raw::Host, count: usize);
}

/// What a call from C into Rust costs by itself.
#[unsafe(no_mangle)]
extern "C" fn rivals_call(handle: *const c_void, n: u64) -> u64 {
    black_box(n) & u64::from(handle.is_null())
}

/// A manager with a root task, as a host in C has them.
#[derive(Debug)]
pub struct Host {
    host: *mut raw::Host,
    _texts: [CString; 4],
}

macro_rules! loops {
    ($(#[doc = $doc:literal] $name:ident, $c:ident;)*) => {$(
        #[doc = $doc]
        pub fn $name(&mut self, count: usize) {
            // SAFETY: a live host, which this thread alone uses.
            unsafe { $c(self.host, count) }
        }
    )*};
}

impl Host {
    /// With the names that every row uses; each call is told their lengths, or looks for the
    /// NUL.
    pub fn new(lengths: bool) -> Self {
        let Names {
            type_,
            scope,
            keyspace,
            table,
        } = Names::given();
        let texts = [type_, scope, keyspace, table]
            .map(|text| CString::new(text).expect("names have no NUL"));
        let [type_, scope, keyspace, table] = texts.each_ref().map(|text| text.as_ptr());
        Self {
            // SAFETY: texts that are kept for as long as the host is.
            host: unsafe { c_host_new(lengths, type_, scope, keyspace, table) },
            _texts: texts,
        }
    }

    loops! {
        #[doc = "Start, advance once, finish and free, of a child."]
        life_cycles, c_host_life_cycles;
        #[doc = "Advances by the root's owner."]
        advances, c_host_advances;
        #[doc = "Advances by a reporter of the root."]
        reporter_advances, c_host_reporter_advances;
        #[doc = "Checks of the root for an abort."]
        abort_checks, c_host_abort_checks;
        #[doc = "Calls of a function that does nothing."]
        calls, c_host_calls;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: made by `c_host_new`, freed once.
        unsafe { c_host_free(self.host) }
    }
}
