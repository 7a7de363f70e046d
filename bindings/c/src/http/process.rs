//! Which process a handle is of.

use taskmgr::{Error, ErrorCode};

use crate::failure::Failure;

/// The process that made a handle, whose threads and waits a forked child does not have.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn this() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.0 == std::process::id() {
            return Ok(());
        }
        Err(Failure::Core(Error::new(
            ErrorCode::Forked,
            "the process was forked since this was made; make one in the child",
        )))
    }
}
