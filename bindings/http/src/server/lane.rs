//! Lanes to the pool: one job of a lane runs at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::response::Response;

/// At most one thread of the pool, so that what is slow in one lane delays no other.
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
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let job = tokio::task::spawn_blocking(move || {
            // The lane is taken for as long as the job runs, also when its caller is gone.
            let _turn = turn;
            job()
        });
        job.await
            .map_err(|_| Response::error(500, "the handler of this request panicked"))
    }
}
