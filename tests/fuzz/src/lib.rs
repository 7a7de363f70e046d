//! Interpreters of arbitrary bytes. Each does with the library what the bytes say, and panics
//! if the library does what it must not.
//!
//! - [`operations`]: calls of the C ABI, in any order and with any values but those that are
//!   undefined behaviour in C.
//! - [`requests`]: requests to the REST API, one a line.
//! - [`texts`]: one text in the place of a name, an id, a TTL, a query or an error.
//!
//! `tests/replay.rs` runs them over the committed corpus, `run` under libFuzzer.

mod bytes;
mod operations;
mod requests;
mod texts;

pub use operations::operations;
pub use requests::requests;
pub use texts::texts;
