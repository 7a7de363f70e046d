//! The C ABI of [`taskmgr`]: `extern "C"` functions, one file for each type of C.
//!
//! What a C program sees of this is `include/taskmgr.h`, which is made of the comments here;
//! the package `libtaskmgr` makes the libraries. `README.md` beside this crate has the rules
//! of ownership, threads and errors.
//!
//! Handles come in as `Option<&T>` and `Option<Box<T>>`, which are what a pointer that may be
//! null is in C: that such a pointer is valid is the promise of the C program, and nothing
//! here has to be unsafe for it. What remains is in `handle.rs`, `text.rs`, `versioned.rs` and
//! `callback.rs`. What keeps a failure for C to ask of is in `failure.rs`, `last_error.rs` and
//! `guard.rs`, which no export stands in; those that tell it are in `error.rs`.

// The names of the C types, and exports, each of which the compiler calls unsafe.
#![allow(non_camel_case_types, unsafe_code)]
// What the C program has to see to is in the comment of each function, for all pointers alike.
#![allow(clippy::missing_safety_doc)]

// In the order of the header.
pub mod version;

pub mod code;

pub mod code_name;

pub mod error;

pub mod text;

pub mod id;

pub mod state;

pub mod time;

pub mod callback;

pub mod clock;

pub mod manager;

pub mod manager_tasks;

pub mod module;

pub mod filter;

pub mod task_spec;

pub mod owner;

pub mod task;

pub mod reporter;

pub mod observer;

pub mod status;

pub mod status_fields;

pub mod stats;

pub mod strings;

pub mod close_report;

pub mod virtual_task;

pub mod provider;

#[cfg(feature = "http")]
pub mod http;

mod failure;
mod guard;
mod handle;
mod last_error;
mod texts;
mod versioned;
