//! A wait that is parked until its task has ended: no thread, one callback.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use taskmgr::{DoneGuard, Error, Manager, Status, Uuid};
use taskmgr_wire::TaskStatus;

use crate::response::Response;
use crate::view::FromView;

/// A `wait_task` whose task has not ended yet.
///
/// It costs no thread: [`on_ready`](Waiting::on_ready) tells when there is something to send,
/// and [`into_response`](Waiting::into_response) makes it, on the host's own thread. Dropping
/// it frees the wait at once.
///
/// ```
/// use taskmgr_http::{Api, ApiConfig, Outcome, Request};
///
/// let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?;
/// let api = Api::new(manager, ApiConfig::new());
///
/// let request = Request::new("GET", &format!("/task_manager/wait_task/{}", task.id()));
/// let Outcome::Waiting(waiting) = api.handle(&request) else { panic!("it has not ended") };
/// let (sender, receiver) = std::sync::mpsc::channel();
/// waiting.on_ready(move || sender.send(()).unwrap());
/// task.finish()?;
/// receiver.recv()?;
/// assert_eq!(waiting.into_response().status, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it frees the wait"]
pub struct Waiting {
    id: Uuid,
    deadline: Option<Instant>,
    /// Declared before `_counted`: a wait is counted until its callback is gone.
    guard: Option<DoneGuard>,
    cell: Arc<Cell>,
    _counted: Counted,
}

#[derive(Default)]
struct Cell(Mutex<State>);

#[derive(Default)]
struct State {
    result: Option<Result<Status, Error>>,
    wake: Option<Box<dyn FnOnce() + Send>>,
}

impl Cell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status is rendered later, by whoever waits: this runs on the thread that ends
    /// the task.
    fn complete(&self, result: Result<Status, Error>) {
        let wake = {
            let mut state = self.lock();
            state.result = Some(result);
            state.wake.take()
        };
        if let Some(wake) = wake {
            wake();
        }
    }
}

impl Waiting {
    pub(crate) fn park(
        manager: &Manager,
        id: Uuid,
        deadline: Option<Instant>,
        pending: &Arc<AtomicUsize>,
    ) -> Result<Self, Error> {
        let counted = Counted::new(pending);
        let cell = Arc::new(Cell::default());
        let theirs = Arc::clone(&cell);
        let complete = move |result| theirs.complete(result);
        // A provider has no longer than the client.
        let guard = match deadline {
            None => manager.on_done(id, complete)?,
            Some(deadline) => {
                let left = || deadline.saturating_duration_since(Instant::now());
                let observer = manager.observe_within(id, left())?;
                observer.on_done_within(left(), complete)?
            }
        };
        Ok(Self {
            id,
            deadline,
            guard: Some(guard),
            cell,
            _counted: counted,
        })
    }

    /// Until when the client wants to wait; `None` for as long as it takes.
    ///
    /// ```
    /// # fn sleep(waiting: &taskmgr_http::Waiting) -> Option<std::time::Duration> {
    /// let left = waiting.deadline()?.saturating_duration_since(std::time::Instant::now());
    /// # Some(left)
    /// # }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether there is a result to send.
    ///
    /// ```
    /// # fn look(waiting: &taskmgr_http::Waiting) {
    /// if !waiting.is_ready() {
    ///     println!("still waiting");
    /// }
    /// # }
    /// ```
    pub fn is_ready(&self) -> bool {
        self.cell.lock().result.is_some()
    }

    /// Calls `wake` once when the task has ended, on the thread that ends it, or at once if
    /// it has already. It must not block. A second call replaces the first.
    ///
    /// ```
    /// # fn park(waiting: &taskmgr_http::Waiting) {
    /// let thread = std::thread::current();
    /// waiting.on_ready(move || thread.unpark());
    /// # }
    /// ```
    pub fn on_ready(&self, wake: impl FnOnce() + Send + 'static) {
        {
            let mut state = self.cell.lock();
            if state.result.is_none() {
                state.wake = Some(Box::new(wake));
                return;
            }
        }
        wake();
    }

    /// The final status, or a 408 if the task has not ended by now; so this is also what to
    /// call when the [`deadline`](Waiting::deadline) has passed.
    ///
    /// ```
    /// # fn late(waiting: taskmgr_http::Waiting) {
    /// assert_eq!(waiting.into_response().status, 408);
    /// # }
    /// ```
    pub fn into_response(mut self) -> Response {
        // Waits for a callback that is under way, so that its result is not missed.
        self.guard = None;
        let result = self.cell.lock().result.take();
        match result {
            Some(Ok(status)) => Response::json(&TaskStatus::from_view(&status)),
            Some(Err(error)) => Response::from_error(&error),
            None => Response::error(
                408,
                format!("task {} had not ended when the timeout had passed", self.id),
            ),
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("id", &self.id)
            .field("deadline", &self.deadline)
            .field("is_ready", &self.is_ready())
            .finish()
    }
}

/// One of the waits that are parked now.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(pending: &Arc<AtomicUsize>) -> Self {
        pending.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pending))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
