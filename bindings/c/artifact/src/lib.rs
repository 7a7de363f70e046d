//! `libtaskmgr.so` and `libtaskmgr.a`: the functions of `taskmgr-c`, and nothing else.

// Without a use of it the crate, and so its exports, would not be linked.
use taskmgr_c as _;
