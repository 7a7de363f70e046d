//! The owner of a task: runs it and ends it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};
use taskmgr::{ErrorCode, SharedTask};
use uuid::Uuid;

use crate::args::{Amount, Id};
use crate::error::{OrRaise, message};
use crate::fastcall::Counter;
use crate::guard::{self, Guard};
use crate::module::Module;
use crate::observer::Observer;
use crate::reporter::Reporter;
use crate::spec::{self, Spec};
use crate::track::{Track, Worker};
use crate::{gate, views, wait};

/// The owner of a task, for any number of threads. As a context manager it starts the task, and
/// ends it with the block: done, or failed with the exception's type and message, which goes on.
/// A block whose task was told to abort raises `Aborted` at its end. When the last reference goes
/// before the end, the task has failed.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Task {
    /// Until it is dropped.
    owner: Option<SharedTask>,
    /// Set when this handle has seen the end: what is dropped then waits for nobody.
    has_ended: AtomicBool,
}

impl Task {
    #[inline]
    pub(crate) fn new(task: taskmgr::Task) -> Self {
        Self {
            owner: Some(task.share()),
            has_ended: AtomicBool::new(false),
        }
    }

    pub(crate) fn has_total(&self) -> bool {
        self.owner().has_total()
    }

    #[inline]
    pub(crate) fn owner(&self) -> &SharedTask {
        self.owner.as_ref().expect("it has not been dropped")
    }

    /// Ends the task; attached where nobody has to be waited for, as a thread that lets go of
    /// the GIL gets it back only when the others have had their turns. It waits for an abort
    /// callback that runs on another thread: where a signal is heard, if one is running.
    fn end(
        &self,
        py: Python<'_>,
        end: impl FnOnce(&SharedTask) -> taskmgr::Result<()> + Send + 'static,
    ) -> PyResult<taskmgr::Result<()>> {
        let owner = self.owner();
        let ended = if !gate::has_abort_callbacks() {
            taskmgr::nonblocking(|| end(owner))
        } else if gate::is_busy() {
            let owner = SharedTask::clone(owner);
            wait::interruptible(py, move || end(&owner))?
        } else {
            py.detach(|| end(owner))
        };
        let forked = matches!(&ended, Err(error) if error.code() == ErrorCode::Forked);
        self.has_ended.store(!forked, Ordering::Relaxed);
        self.told(py, ended)
    }

    /// Who comes too late hears of it once the task has ended, and waits for that detached: who
    /// ends it may need the GIL.
    fn told(&self, py: Python<'_>, answer: taskmgr::Result<()>) -> PyResult<taskmgr::Result<()>> {
        let is_late = matches!(&answer, Err(error) if error.code() == ErrorCode::AlreadyFinished);
        if is_late && !gate::is_inside() {
            let observer = self.owner().observe();
            if observer.wait_timeout(Duration::ZERO).is_err() {
                let _ = wait::interruptible(py, move || observer.wait())?;
            }
        }
        Ok(answer)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let owner = self.owner.take();
        if *self.has_ended.get_mut() {
            return;
        }
        if gate::is_shut() {
            // Nobody will ask any more, and a callback on another thread may stand still.
            std::mem::forget(owner);
            return;
        }
        if !gate::has_abort_callbacks() {
            drop(owner);
            return;
        }
        let _ = Python::try_attach(|py| py.detach(|| drop(owner)));
    }
}

impl Counter for Task {
    #[inline]
    fn count(&self, n: u64) {
        self.owner().advance(n);
    }
}

// `advance` is in `fastcall`.
#[pymethods]
impl Task {
    /// The task's id.
    #[getter]
    fn id(&self) -> Uuid {
        self.owner().id()
    }

    /// Starts the task, and returns it. `Aborted` if it was told to abort: it has failed then;
    /// `AlreadyStarted`.
    fn start(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let (task, py) = (slf.get(), slf.py());
        // One that was told to abort ends here.
        let started = match gate::has_abort_callbacks() {
            false => taskmgr::nonblocking(|| task.owner().start()),
            true => py.detach(|| task.owner().start()),
        };
        task.told(py, started)?.or_raise(py)?;
        Ok(slf)
    }

    /// Ends the task as done. `Aborted` if it was told to abort: it has failed then;
    /// `AlreadyFinished` for all but the one that ends it, once it has.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py, SharedTask::finish)?.or_raise(py)
    }

    /// Ends the task as failed, with a text or with the exception's type and message.
    fn fail(&self, py: Python<'_>, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = match error.cast::<PyString>() {
            Ok(text) => text.to_cow()?.into_owned(),
            Err(_) if error.is_instance_of::<pyo3::exceptions::PyBaseException>() => {
                message(py, &PyErr::from_value(error.clone()))
            }
            Err(_) => {
                return Err(pyo3::exceptions::PyTypeError::new_err(format!(
                    "a task fails with a text or an exception, not {}",
                    error.get_type().name()?
                )));
            }
        };
        self.end(py, |owner| owner.fail(text))?.or_raise(py)
    }

    /// Sets what this handle has counted; never lowers it.
    fn set_completed(&self, n: Amount) {
        self.owner().set_completed(n.0);
    }

    /// Tells how many units there are.
    fn set_total(&self, total: Amount) {
        self.owner().set_total(total.0);
    }

    /// Whether the task was told to abort.
    #[getter]
    fn abort_requested(&self) -> bool {
        self.owner().abort_requested()
    }

    /// Raises `Aborted`, with the reason, if the task was told to abort.
    fn check_abort(&self, py: Python<'_>) -> PyResult<()> {
        self.owner().check_abort().or_raise(py)
    }

    /// Raises `Aborted` if the task was told to abort; sleeps as long as it is suspended.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        // Only who is to sleep needs another thread to look for signals.
        match taskmgr::nonblocking(|| self.owner().checkpoint()) {
            Err(error) if error.code() == ErrorCode::WouldDeadlock => {
                let owner = SharedTask::clone(self.owner());
                wait::interruptible(py, move || owner.checkpoint())?.or_raise(py)
            }
            over => over.or_raise(py),
        }
    }

    /// Makes a child of the task, of its module and on its shard unless told otherwise.
    #[pyo3(signature = (r#type, *, scope = "", keyspace = "", table = "", entity = "", shard = None, total = None, units = "", abortable = false, internal = false, user_task = false, id = None, module = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn child(
        &self,
        py: Python<'_>,
        r#type: &str,
        scope: &str,
        keyspace: &str,
        table: &str,
        entity: &str,
        shard: Option<i64>,
        total: Option<Amount>,
        units: &str,
        abortable: bool,
        internal: bool,
        user_task: bool,
        id: Option<Id>,
        module: Option<&Bound<'_, Module>>,
    ) -> PyResult<Self> {
        let shard = spec::shard(py, shard)?;
        let spec = Spec {
            scope,
            keyspace,
            table,
            entity,
            shard,
            total,
            units,
            abortable,
            internal,
            user_task,
            id,
        };
        let builder = spec.fill(self.owner().child(r#type));
        match module {
            Some(module) => spec::create(py, builder.module(&module.get().inner)),
            None => spec::create(py, builder),
        }
    }

    /// A handle that can look, wait and ask for an abort, for other threads.
    fn observe(&self) -> Observer {
        Observer(self.owner().observe())
    }

    /// One more handle for a further worker, which counts in a cell of its own.
    fn reporter(&self, py: Python<'_>) -> PyResult<Reporter> {
        let owner = self.owner();
        // In a forked child nobody would ever see what it counts.
        owner.observe().is_terminal().or_raise(py)?;
        Ok(Reporter::new(owner.reporter()))
    }

    /// How the task is.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let owner = self.owner();
        views::status(py, &owner.status().or_raise(py)?)
    }

    /// Tells the task and all below it to abort.
    #[pyo3(signature = (reason = "asked for by its owner"))]
    fn abort(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let owner = self.owner();
        py.detach(|| owner.abort(reason)).or_raise(py)
    }

    /// Calls `callback` when the task is told to abort, at once if it was.
    fn on_abort(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<Guard> {
        let callback = guard::aborted(guard::callable(callback)?);
        let owner = self.owner();
        let guard = py.detach(|| owner.on_abort(callback)).or_raise(py)?;
        Ok(Guard::abort(guard))
    }

    /// Goes through the work: counts each item, and looks for an abort before each.
    #[pyo3(signature = (iterable, *, total = None, units = None))]
    fn track(
        slf: &Bound<'_, Self>,
        iterable: &Bound<'_, PyAny>,
        total: Option<Amount>,
        units: Option<&str>,
    ) -> PyResult<Track> {
        Track::new(Worker::Task(slf.clone().unbind()), iterable, total, units)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        Self::start(slf)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _type: &Bound<'_, PyAny>,
        exception: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let ended = if exception.is_none() {
            self.end(py, SharedTask::finish)?
        } else {
            let text = message(py, &PyErr::from_value(exception.clone()));
            // The exception goes on, and says more than that the task was told to abort.
            self.end(py, |owner| owner.fail(text))?.or(Ok(()))
        };
        match ended {
            // The block has ended the task itself.
            Err(error) if error.code() == ErrorCode::AlreadyFinished => Ok(()),
            ended => ended.or_raise(py),
        }
    }

    fn __repr__(&self) -> String {
        format!("Task(id={})", self.owner().id())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Task"))
    }
}
