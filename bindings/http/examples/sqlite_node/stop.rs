//! Ctrl-C, and what else asks the host to stop.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What the shell reports of a program that was stopped by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Tells the main thread, and it alone, to stop.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on, the first Ctrl-C (or SIGTERM) asks the calling thread to stop, and the second
    /// one ends the process as it is: sample data then stays where it was made.
    pub fn on_signal() -> Result<Stop, ctrlc::Error> {
        let asked = Arc::new(AtomicBool::new(false));
        let stop = Stop(Arc::clone(&asked));
        let main = thread::current();
        ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::SeqCst) {
                process::exit(INTERRUPTED);
            }
            main.unpark();
        })?;
        Ok(stop)
    }

    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Sleeps for `time`, or less when asked to stop.
    pub fn pause(&self, time: Duration) {
        if !self.requested() {
            thread::park_timeout(time);
        }
    }

    /// Sleeps until asked to stop.
    pub fn wait(&self) {
        while !self.requested() {
            thread::park();
        }
    }
}
