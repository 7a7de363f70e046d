//! Children of a test: processes that are forked from it.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it
#![allow(unsafe_code)] // there is no fork without it

use std::ffi::c_int;

use taskmgr::ErrorCode;

/// Tells the parent what the child is at, so that a hang has a name.
pub struct Steps(c_int);

impl Steps {
    /// Said before each call.
    pub fn at(&self, call: &str) {
        let line = format!("{call}\n");
        // SAFETY: the bytes outlive the call. What is lost of them names no hang, but makes none.
        unsafe { libc::write(self.0, line.as_ptr().cast(), line.len()) };
    }
}

/// Both ends of a pipe: to read from, and to write to.
fn pipe() -> [c_int; 2] {
    let mut ends = [0; 2];
    // SAFETY: there is room for both ends.
    let error = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
    assert_eq!(error, 0);
    ends
}

/// Runs `child` in a forked process, which has no other thread of this one; what it panics
/// with is a failure, and a child that hangs is ended by its alarm. What `child` owns is
/// given back, as the parent still has it.
pub fn in_child<F: FnOnce(&Steps)>(child: F) -> F {
    // SAFETY: the child runs only this library's code and the test's assertions before it
    // ends by `_exit`. What it allocates is safe after a fork: glibc's malloc sees to it.
    in_child_of(|| unsafe { libc::fork() }, child)
}

/// The same in a process of another making.
pub fn in_child_of<F: FnOnce(&Steps)>(fork: impl FnOnce() -> libc::pid_t, child: F) -> F {
    let [from, to] = pipe();
    let pid = fork();
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        set_alarm();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| child(&Steps(to))));
        exit(result.is_ok());
    }
    // SAFETY: the end is this function's, and nobody uses it afterwards.
    unsafe { libc::close(to) };
    let said = read_all(from);
    let last = said.lines().last().unwrap_or("its first step");
    ended_well(pid, last);
    child
}

/// A child that hangs is ended by its alarm.
pub fn set_alarm() {
    // SAFETY: an alarm has no precondition; its default action ends the process.
    unsafe { libc::alarm(60) };
}

/// Ends a child at once, without the destructors of its dead threads.
pub fn exit(well: bool) -> ! {
    // SAFETY: `_exit` has no precondition.
    unsafe { libc::_exit(i32::from(!well)) }
}

/// Waits for a child, and fails if that has.
pub fn ended_well(pid: libc::pid_t, last: &str) {
    let mut status = 0;
    // SAFETY: `pid` is this process's own child, and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert!(!libc::WIFSIGNALED(status), "the child hung in {last}");
    assert_eq!(status, 0, "the child failed in {last}");
}

/// All that comes until nobody writes any more, which closes the pipe.
fn read_all(from: c_int) -> String {
    use std::io::Read;
    use std::os::fd::FromRawFd;
    // SAFETY: the end is the caller's, who leaves it to the file.
    let mut file = unsafe { std::fs::File::from_raw_fd(from) };
    let mut said = String::new();
    file.read_to_string(&mut said).unwrap();
    said
}

pub fn forked<T>(result: taskmgr::Result<T>) {
    assert_eq!(result.map(drop).unwrap_err().code(), ErrorCode::Forked);
}
