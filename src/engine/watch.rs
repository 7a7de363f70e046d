//! Who waits for virtual tasks, so that a close can tell them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, Stage};
use crate::error::Error;
use crate::node::extras::DoneCallback;
use crate::sync::Lock;

/// The completion callbacks that wait for a provider's word.
#[derive(Debug, Default)]
pub(super) struct Watches(Lock<Open>);

#[derive(Debug, Default)]
struct Open {
    /// One for each callback: 64 bits outlast the manager.
    last: u64,
    callbacks: HashMap<u64, DoneCallback>,
}

impl Engine {
    /// Remembers a callback until it has run or is cancelled; its number.
    pub(crate) fn watch(&self, callback: &DoneCallback) -> u64 {
        let number = {
            let mut open = self.watches.0.lock();
            open.last += 1;
            let number = open.last;
            open.callbacks.insert(number, Arc::clone(callback));
            number
        };
        if self.stage() >= Stage::Overdue {
            self.end_watches();
        }
        number
    }

    pub(crate) fn unwatch(&self, number: u64) {
        let removed = self.watches.0.lock().callbacks.remove(&number);
        drop(removed);
    }

    /// The manager is closed: whoever still waits is told.
    pub(super) fn end_watches(&self) {
        let callbacks = std::mem::take(&mut self.watches.0.lock().callbacks);
        self.call_all(callbacks.into_values(), &Err(Error::closed("the manager")));
    }
}
