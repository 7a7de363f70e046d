//! Calls of the C ABI.
//!
//! What is undefined behaviour in C is left out, and nothing else: a handle is used until it is
//! freed, a pointer is null or leads to what it should. What would sleep for ever is left out,
//! too: waiting without end for what has not ended, a checkpoint of a task that is asked to
//! suspend.

// C's functions take and give raw pointers.
#![allow(unsafe_code)]

mod callbacks;
mod given;
mod http;
mod look;
mod managers;
mod pool;
mod provider;
mod run;
mod shared;
mod small;
mod tasks;
mod threads;

use std::mem::MaybeUninit;

use taskmgr_c::code::TASKMGR_OK;
use taskmgr_c::id::{taskmgr_id, taskmgr_id_parse};

use run::Run;

/// Makes the calls that the bytes say.
///
/// # Panics
///
/// If the library does what it must not.
pub fn operations(data: &[u8]) {
    let mut run = Run::new(data);
    run.calls();
    run.end();
}

/// An id as C reads it, or the message of its refusal.
pub(crate) fn parse_id(text: &str) -> Result<[u8; 16], String> {
    let mut id = MaybeUninit::new(taskmgr_id { bytes: [0; 16] });
    let given = given::Text::of(text);
    match taskmgr_id_parse(given.str(), Some(&mut id)) {
        // SAFETY: it was written when it was made.
        TASKMGR_OK => Ok(unsafe { id.assume_init() }.bytes),
        _ => Err(shared::last_message().unwrap_or_default()),
    }
}
