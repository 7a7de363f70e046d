//! Threads that can be joined, where that is left to whoever runs them.

use std::io;

use super::{Builder, JoinHandle};

/// A thread; dropped, it goes on alone.
pub(super) struct Joinable(JoinHandle<()>);

pub(super) fn begin(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<Joinable> {
    let builder = Builder::new().name(name.to_owned());
    builder.spawn(f).map(Joinable)
}

impl Joinable {
    /// Sleeps until it is gone.
    pub(super) fn join(self) {
        let _ = self.0.join();
    }

    /// Whether it is gone cannot be told.
    pub(super) fn try_join(self) -> Result<(), Self> {
        Err(self)
    }
}

impl std::fmt::Debug for Joinable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joinable")
    }
}
