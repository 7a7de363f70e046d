//! Threads that are joined by the system's own means, which tell when a thread is gone.

use std::ffi::{c_int, c_void};
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::thread::JoinHandleExt;

type Begin = extern "C" fn(*mut c_void) -> *mut c_void;
/// An address or a number of that size, on every system that Rust's `std` knows.
type Thread = usize;

unsafe extern "C" {
    fn pthread_create(
        thread: *mut Thread,
        attributes: *const c_void,
        begin: Begin,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_detach(thread: Thread) -> c_int;
    fn pthread_join(thread: Thread, result: *mut *mut c_void) -> c_int;
    #[cfg(target_os = "linux")]
    fn pthread_tryjoin_np(thread: Thread, result: *mut *mut c_void) -> c_int;
}

/// A thread that nobody else joins or detaches; dropped, it goes on alone.
#[derive(Debug)]
pub(in crate::sync) struct Joinable(Thread);

/// Begins a thread; in a forked child past `std`.
pub(in crate::sync) fn begin(
    name: &str,
    f: impl FnOnce() + Send + 'static,
) -> io::Result<Joinable> {
    if super::fork_depth() != 0 {
        return begin_past_std(Box::new(f));
    }
    let builder = std::thread::Builder::new().name(name.to_owned());
    let thread = builder.spawn(f)?;
    Ok(Joinable(thread.into_pthread_t() as Thread))
}

fn begin_past_std(f: Box<dyn FnOnce() + Send>) -> io::Result<Joinable> {
    extern "C" fn begin(f: *mut c_void) -> *mut c_void {
        // SAFETY: the address is that of the box below, which is this thread's by now.
        let f = unsafe { Box::from_raw(f.cast::<Box<dyn FnOnce() + Send>>()) };
        // The panic hook has told of it, and nobody asks what came of the thread.
        if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
            crate::sync::discard_panic(payload);
        }
        std::ptr::null_mut()
    }

    let f = Box::into_raw(Box::new(f));
    let mut thread: Thread = 0;
    // SAFETY: there is room for the thread's name, no attributes are those of every thread,
    // and the function is of the type that POSIX asks for, does not unwind, and owns its
    // argument.
    let error = unsafe { pthread_create(&raw mut thread, std::ptr::null(), begin, f.cast()) };
    if error != 0 {
        // SAFETY: there is no thread that it could have gone to.
        drop(unsafe { Box::from_raw(f) });
        return Err(io::Error::from_raw_os_error(error));
    }
    Ok(Joinable(thread))
}

impl Joinable {
    /// Sleeps until it is gone. Not for the thread itself.
    pub(in crate::sync) fn join(self) {
        let thread = ManuallyDrop::new(self).0;
        // SAFETY: the thread has begun, and as this was its only owner it is neither joined
        // nor detached elsewhere; what it returned is not asked for.
        let _ = unsafe { pthread_join(thread, std::ptr::null_mut()) };
    }

    /// Joins it if it is gone, and sleeps in no case.
    #[cfg(target_os = "linux")]
    pub(in crate::sync) fn try_join(self) -> Result<(), Self> {
        let this = ManuallyDrop::new(self);
        // SAFETY: as above; the name stays good if this says that the thread is still there.
        match unsafe { pthread_tryjoin_np(this.0, std::ptr::null_mut()) } {
            0 => Ok(()),
            _ => Err(ManuallyDrop::into_inner(this)),
        }
    }

    /// Whether it is gone cannot be told here: it goes alone.
    #[cfg(not(target_os = "linux"))]
    pub(in crate::sync) fn try_join(self) -> Result<(), Self> {
        Ok(())
    }
}

impl Drop for Joinable {
    fn drop(&mut self) {
        // SAFETY: the thread has begun, and is neither joined nor detached elsewhere.
        let _ = unsafe { pthread_detach(self.0) };
    }
}
