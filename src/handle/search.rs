//! A look-up that waits for nobody.

use std::fmt;
use std::time::Instant;

use uuid::Uuid;

use super::Observer;
use super::ours::Ours;
use crate::arena::Held;
use crate::engine::{Engine, Question, Sought};
use crate::error::Result;
use crate::node::callback;
use crate::provider::Limit;

/// A look-up of a task by its id that waits for no provider: see
/// [`Manager::search`](crate::Manager::search). Dropped, it asks no further.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let task = manager.register_module("repair")?.task("repair").start()?;
/// let search = manager.search(task.id(), None);
/// assert!(search.is_ready(), "no provider has to be asked");
/// assert_eq!(search.into_result()?.id(), task.id());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[must_use = "dropping it gives the look-up up"]
pub struct Search {
    id: Uuid,
    engine: &'static Engine,
    state: State,
}

enum State {
    Over(Box<Result<Observer>>),
    Asking(Ours<Question>),
}

impl Search {
    pub(crate) fn begin(engine: &'static Engine, id: Uuid, limit: Limit) -> Self {
        let state = match engine.seek(id) {
            Ok(Sought::Regular(held)) => State::Over(Box::new(
                Held::check_room(held.slot()).map(|()| Observer::regular(held)),
            )),
            Ok(Sought::Unknown(unasked)) => {
                State::Asking(Ours::new(unasked.ask(limit), engine.realm))
            }
            Err(error) => State::Over(Box::new(Err(error))),
        };
        Self { id, engine, state }
    }

    /// Whether there is an answer, or a provider has to be waited for.
    ///
    /// See [`Search`] for an example.
    pub fn is_ready(&self) -> bool {
        match &self.state {
            State::Over(_) => true,
            State::Asking(_) if self.engine.realm.is_forked() => true,
            State::Asking(question) => question.asked.is_ready(),
        }
    }

    /// When the time that providers have is over; `None` if nobody is asked.
    ///
    /// ```
    /// # fn left(search: &taskmgr::Search) -> Option<std::time::Duration> {
    /// Some(search.deadline()?.saturating_duration_since(std::time::Instant::now()))
    /// # }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Over(_) => None,
            State::Asking(question) => question.asked.until(),
        }
    }

    /// Calls `wake` once when there is an answer, on a provider's thread, or at once if there is
    /// one already. It must not block. A second call replaces the first.
    ///
    /// ```
    /// # fn park(search: &taskmgr::Search) {
    /// let thread = std::thread::current();
    /// search.on_ready(move || thread.unpark());
    /// # }
    /// ```
    pub fn on_ready(&self, wake: impl FnOnce() + Send + 'static) {
        match &self.state {
            State::Asking(question) if !self.engine.realm.is_forked() => {
                question.asked.on_ready(wake);
            }
            _ => {
                callback::shelter(wake);
            }
        }
    }

    /// What has come of it by now.
    ///
    /// # Errors
    /// As [`Manager::observe`](crate::Manager::observe); a provider that has not answered yet has
    /// taken too long, or, if less time was given, the time has run out:
    /// [`Timeout`](crate::ErrorCode::Timeout).
    ///
    /// See [`Search`] for an example.
    pub fn into_result(self) -> Result<Observer> {
        self.engine.realm.check_fork()?;
        match self.state {
            State::Over(result) => *result,
            State::Asking(question) => {
                let found = question.take().found()?;
                Ok(Observer::of(found, self.id, self.engine))
            }
        }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({})", self.id)
    }
}
