//! The parts of an operation: tasks that wait for their turn, and the workers that take them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;
use taskmgr::{BoxError, Task};

/// How an operation, or a part of it, went.
pub type Outcome = Result<(), BoxError>;

/// Runs `work` for each of `parts`, up to `workers` of them at once.
///
/// A part that fails does not keep the others from being tried; `parent` then fails in the end, and
/// says how many of its parts did. What went wrong is kept with the part.
pub fn run<T: Send>(
    parent: &Task,
    noun: &str,
    parts: Vec<(Task, T)>,
    workers: usize,
    work: impl Fn(&Task, T) -> Outcome + Sync,
) -> Outcome {
    let all = parts.len();
    let failed = AtomicUsize::new(0);
    let queue = Mutex::new(parts.into_iter());
    let next = || queue.lock().next();
    thread::scope(|scope| {
        for _ in 0..workers.min(all) {
            scope.spawn(|| {
                while let Some((task, part)) = next() {
                    if task.run(|task| work(task, part)).is_err() {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    parent.check_abort()?;
    match failed.into_inner() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {all} {noun} failed").into()),
    }
}
