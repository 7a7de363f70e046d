//! The extension module `taskmgr._taskmgr`; `python/taskmgr/` is the package around it.
//!
//! A class of Python has a file of its own. No lock is held while Python code runs, and every
//! call that may wait, for a task or for a callback on another thread, is made detached from
//! the interpreter. `gate` is the way from foreign threads into Python, `wait` the one place
//! that sleeps, `fastcall` the one with unsafe code.

mod args;
mod clock;
mod error;
mod fastcall;
mod gate;
mod guard;
mod manager;
mod module;
mod observer;
mod provider;
mod reporter;
mod routes;
mod server;
mod spec;
mod task;
mod track;
mod views;
mod wait;

use pyo3::prelude::*;

/// The part of the package that is written in Rust; use `taskmgr`.
// No state of ours relies on the GIL: classes are frozen, what changes is atomic or locked.
#[pymodule(gil_used = false)]
mod _taskmgr {
    #[pymodule_export]
    use super::clock::ManualClock;
    #[pymodule_export]
    use super::gate::nonblocking;
    #[pymodule_export]
    use super::guard::Guard;
    #[pymodule_export]
    use super::manager::Manager;
    #[pymodule_export]
    use super::module::Module;
    #[pymodule_export]
    use super::observer::Observer;
    #[pymodule_export]
    use super::provider::Completion;
    #[pymodule_export]
    use super::reporter::Reporter;
    #[pymodule_export]
    use super::routes::Request;
    #[pymodule_export]
    use super::server::Server;
    #[pymodule_export]
    use super::task::Task;
    #[pymodule_export]
    use super::track::Track;
    #[pymodule_export]
    use super::views::draw;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::fastcall::install::<Task>(module.py())?;
        super::fastcall::install::<Reporter>(module.py())?;
        super::gate::install(module.py())
    }
}
