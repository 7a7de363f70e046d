//! Lanes to the pool: one job of a lane runs at a time.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use taskmgr::ProviderId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::response::Response;

/// At most one thread of the pool, so that what is slow in one lane delays no other.
#[derive(Clone)]
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Runs a job. A caller that goes away leaves the queue, or lets a job that is under
    /// way run to its end without it.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Response> {
        let turn = self.turn().await;
        run(turn, job).await
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// For whose answers a job waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    Provider(ProviderId),
    /// All providers of a module, for a list.
    Module(String),
    Others,
}

/// Lanes that may be kept waiting at a time: further ones wait for one of these.
pub(super) const MOST_LANES_AT_WORK: usize = 15;

/// A lane for each provider, so that a question to one is not kept waiting by another.
pub(super) struct Lanes {
    /// Those in use.
    lanes: Mutex<HashMap<Of, Lane>>,
    room: Arc<Semaphore>,
}

/// Leave to run a job of a lane.
pub(super) struct Turn {
    _lane: Option<OwnedSemaphorePermit>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            lanes: Mutex::default(),
            room: Arc::new(Semaphore::new(MOST_LANES_AT_WORK)),
        }
    }

    /// Waits for a turn in the lane.
    pub(super) async fn turn(&self, of: Of) -> Turn {
        let lane = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            // A turn that is waited for or had holds its lane.
            lanes.retain(|_, lane| Arc::strong_count(&lane.0) > 1);
            lanes.entry(of).or_insert_with(Lane::new).clone()
        };
        let turn = lane.turn().await;
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        Turn {
            _lane: turn,
            _room: room,
        }
    }
}

/// Runs a job on the pool. It has its turn for as long as it runs, also when its caller is gone.
pub(super) async fn run<T: Send + 'static, R: Send + 'static>(
    turn: T,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Response> {
    let job = tokio::task::spawn_blocking(move || {
        let done = catch_unwind(AssertUnwindSafe(job)).map_err(discard);
        drop(turn);
        done
    });
    match job.await {
        Ok(Ok(done)) => Ok(done),
        _ => Err(Response::error(500, "the handler of this request panicked")),
    }
}

/// What a panic of the host's carries may panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
