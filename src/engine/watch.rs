//! Who waits for virtual tasks, so that a close can tell them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, ModuleCore, Registration, Stage};
use crate::error::Error;
use crate::names::{Gate, Standing};
use crate::node::extras::DoneCallback;
use crate::sync::Lock;

/// The completion callbacks that wait for a provider's word.
#[derive(Debug, Default)]
pub(super) struct Watches(Lock<Open>);

#[derive(Debug, Default)]
struct Open {
    /// One for each callback: 64 bits outlast the manager.
    last: u64,
    watches: HashMap<u64, Watch>,
}

#[derive(Debug)]
struct Watch {
    /// Whose task it is.
    module: &'static ModuleCore,
    registration: u64,
    callback: DoneCallback,
}

impl Engine {
    /// Remembers a callback until it has run or is cancelled; its number. It is told at once if
    /// the deadline of a close has passed: a close says so, and then takes who waits off the list
    /// under its lock, so that one of them sees the other.
    pub(crate) fn watch(&self, of: &Registration, callback: &DoneCallback) -> u64 {
        let number = {
            let mut open = self.watches.0.lock();
            open.last += 1;
            let number = open.last;
            let watch = Watch {
                module: of.core,
                registration: of.number,
                callback: Arc::clone(callback),
            };
            open.watches.insert(number, watch);
            number
        };
        if let Some(error) = self.keeps_nobody(of)
            && self.take_watch(number)
        {
            callback.run(Err(error));
        }
        number
    }

    /// What those who wait for virtual tasks of this registration are told, if a close keeps them
    /// waiting no more: also where its provider, which goes with a close, takes their watches along.
    pub(crate) fn keeps_nobody(&self, of: &Registration) -> Option<Error> {
        if self.is_overdue() || self.stage() == Stage::Closed {
            return Some(Error::closed("the manager"));
        }
        let overdue = Standing::new(of.number, Gate::Overdue);
        (of.core.group.standing() >= overdue).then(|| of.closed())
    }

    pub(crate) fn unwatch(&self, number: u64) {
        self.take_watch(number);
    }

    /// Whether it was waiting still.
    fn take_watch(&self, number: u64) -> bool {
        let removed = self.watches.0.lock().watches.remove(&number);
        removed.is_some()
    }

    /// Those who wait for virtual tasks of this registration, to be told that it is closed.
    pub(super) fn watches_of(
        &self,
        module: &'static ModuleCore,
        registration: u64,
    ) -> Vec<DoneCallback> {
        let of = |watch: &Watch| {
            std::ptr::eq(watch.module, module) && watch.registration == registration
        };
        let mut open = self.watches.0.lock();
        let taken = open.watches.extract_if(|_, watch| of(watch));
        taken.map(|(_, watch)| watch.callback).collect()
    }

    /// The manager is closed: whoever still waits is told.
    pub(super) fn end_watches(&self) {
        let watches = std::mem::take(&mut self.watches.0.lock().watches);
        let callbacks = watches.into_values().map(|watch| watch.callback);
        self.call_all(callbacks, &Err(Error::closed("the manager")));
    }
}
