//! Closing modules and managers.

use std::collections::HashSet;
use std::time::Duration;

use super::registration::Removed;
use super::{Engine, ModuleCore, Stage, TaskRef};
use crate::arena::{Held, Numbered};
use crate::error::{Error, Result};
use crate::index::Tombstones;
use crate::names::{Gate, Group};
use crate::node::callback;
use crate::node::word::{SETTLED, WATCHED};
use crate::snapshot;
use crate::sync::{Deadline, Ordering};
use crate::view::{CloseReport, Stats};

/// What a close is about.
#[derive(Clone, Copy)]
enum Reach {
    Module(&'static Group),
    Everything,
}

impl Reach {
    fn group(self) -> Option<&'static Group> {
        match self {
            Self::Everything => None,
            Self::Module(group) => Some(group),
        }
    }

    fn reason(self) -> String {
        match self {
            Self::Everything => "the manager is closed".to_owned(),
            Self::Module(group) => format!("the module {:?} is closed", &*group.name()),
        }
    }
}

/// Nobody can be waited for inside a callback.
fn check_patience(what: &str, timeout: Duration) -> Result<()> {
    match callback::is_inside() && !timeout.is_zero() {
        true => Err(Error::would_deadlock(what)),
        false => Ok(()),
    }
}

const NOTHING_RUNS: CloseReport = CloseReport {
    still_running: Vec::new(),
};

impl Engine {
    /// Closes one registration of a module. One that is over is closed already.
    pub(crate) fn close_module(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
        timeout: Duration,
    ) -> Result<CloseReport> {
        self.realm.check_fork()?;
        check_patience("closing a module with a deadline", timeout)?;
        if !self.shut_gate(module, registration)? {
            return Ok(NOTHING_RUNS);
        }
        let (deadline, _) = Deadline::after(timeout).begin();
        let reach = Reach::Module(module.group);
        let running = self.running(reach.group());
        let still_running = self.stop(&running, reach, &deadline);
        drop(running);
        self.realm.check_fork()?;
        self.drain(module.group);
        self.say_overdue(module);
        let watches = self.watches_of(module, registration);
        self.call_all(watches.into_iter(), &Err(module.group.closed()));
        self.realm.check_fork()?;
        let patience = match still_running.is_empty() {
            true => deadline,
            false => Deadline::Now,
        };
        self.let_go_of_name(module, registration, &patience);
        Ok(CloseReport { still_running })
    }

    /// Closes the manager. One that is closed has nothing that runs.
    pub(crate) fn close(&'static self, timeout: Duration) -> Result<CloseReport> {
        self.realm.check_fork()?;
        check_patience("closing a manager with a deadline", timeout)?;
        let (deadline, _) = Deadline::after(timeout).begin();
        let modules = self.shut_all_gates(Gate::Closing, 1);
        let running = self.running(None);
        let still_running = self.stop(&running, Reach::Everything, &deadline);
        drop(running);
        self.realm.check_fork()?;
        if still_running.is_empty() {
            self.shut_all_gates(Gate::Closed, 0);
            self.end(&modules);
        } else {
            self.overdue.store(true, Ordering::SeqCst);
            self.let_reaper_go();
            self.wake_everybody();
            self.end_watches();
            for module in modules {
                self.drain(module.group);
            }
        }
        self.realm.check_fork()?;
        self.modules.lock().closes -= 1;
        // Those of which nothing runs are closed from here on.
        drop(self.modules());
        self.give_up_modules();
        self.wait_for_threads(&deadline);
        Ok(CloseReport { still_running })
    }

    /// Until no thread is left that served this manager, or, if none is open any more, any; save
    /// those that the host's code keeps. Inside a callback nobody waits: it may run on one of them.
    fn wait_for_threads(&'static self, deadline: &Deadline) {
        if callback::is_inside() || self.realm.is_forked() {
            return;
        }
        let is_last = || self.realm.open_managers.load(Ordering::SeqCst) == 0;
        let of = || (!is_last()).then_some(self.uid());
        self.realm.roster.wait(of, deadline);
    }

    /// The last manager is dropped: everything is told to abort, and nobody waits for it.
    pub(crate) fn abandon(&'static self) {
        if self.realm.is_forked() {
            return;
        }
        if self.stage() != Stage::Closed {
            self.abandon_all();
        }
        if !self.realm.is_forked() {
            self.leave();
        }
    }

    fn abandon_all(&'static self) {
        let modules = self.shut_all_gates(Gate::Abandoned, 1);
        // Who makes a root after this sees the gate shut; a child's maker finds the abort.
        for root in self.roots().or_end() {
            self.abort_regardless(TaskRef::of(&root), "the manager is gone");
        }
        if !self.realm.is_forked() {
            self.end(&modules);
        }
        if !self.realm.is_forked() {
            self.modules.lock().closes -= 1;
        }
    }

    /// Shuts all gates so far, but leaves those closing that are to be abandoned; all modules.
    /// `closes` are under way from here on.
    fn shut_all_gates(&'static self, to: Gate, closes: usize) -> Vec<&'static ModuleCore> {
        let mut modules = self.modules.lock();
        self.raise_stage(match to {
            Gate::Closed => Stage::Closed,
            _ => Stage::Closing,
        });
        for module in modules.iter() {
            if to != Gate::Abandoned || module.group.is_open() {
                module.group.raise_gate(to);
            }
        }
        modules.closes += closes;
        modules.iter().collect()
    }

    fn end(&'static self, modules: &[&'static ModuleCore]) {
        self.raise_stage(Stage::Closed);
        for module in modules {
            let mut removed = Removed::default();
            removed.take(module);
            drop(removed);
            if self.realm.is_forked() {
                return;
            }
            self.drain(module.group);
        }
        *self.tombstones.lock() = Tombstones::new(0);
        self.let_reaper_go();
        self.end_watches();
        if self.realm.may_give_back() {
            // Other managers may use what is free at this moment again: for them it is a look. What
            // somebody looks at meanwhile goes at the next look of a later manager.
            let nobody_else = self.realm.open_managers.load(Ordering::SeqCst) == 0;
            self.realm.give_back(nobody_else);
        }
    }

    /// Aborts what runs, waits for it, and says what is left.
    fn stop(&'static self, running: &[Held], reach: Reach, deadline: &Deadline) -> Vec<Stats> {
        let reason = reach.reason();
        let covered: HashSet<u32> = running.iter().map(|held| held.slot().number()).collect();
        for held in running {
            // Where the parent is covered too, its abort reaches this one.
            let parent = held.slot().parent_place();
            if parent.is_none_or(|parent| !covered.contains(&parent.slot)) {
                self.abort_regardless(TaskRef::of(held), &reason);
            }
        }
        if self.realm.is_forked() {
            // In an abort's callback: the child waits for nobody.
            return Vec::new();
        }
        let late = |held: &&Held| !self.wait_settled(TaskRef::of(held), deadline);
        let late: Vec<&Held> = running.iter().filter(late).collect();
        if !late.is_empty() {
            // A root whose end was held up for longer than its TTL goes now, and runs no more. One
            // that is entered after this sees that its gate is shut.
            self.sweep();
        }
        late.into_iter()
            .filter(|held| !Engine::has_settled(TaskRef::of(held)))
            .map(|held| snapshot::stats(held, self))
            .collect()
    }

    /// Whether the task has settled by the deadline.
    fn wait_settled(&'static self, task: TaskRef, deadline: &Deadline) -> bool {
        let has_settled = || Engine::has_settled(task);
        if has_settled() || matches!(deadline, Deadline::Now) {
            return has_settled();
        }
        task.slot.word.mark(WATCHED);
        self.realm.sleep(task.slot, deadline, has_settled)
    }

    /// Whoever waits for a task that did not end in time is told that it is over.
    fn wake_everybody(&'static self) {
        // One that has settled is about to tell them itself.
        let unsettled = |held: &&Held| !held.slot().word.load().has(SETTLED);
        for held in self.running(None).iter().filter(unsettled) {
            if self.realm.is_forked() {
                return;
            }
            self.realm.wake(held.slot());
            let Some(extras) = held.slot().extras(self.realm) else {
                continue;
            };
            let callbacks = std::mem::take(&mut extras.lock().done);
            let callbacks = callbacks.into_iter().map(|(_, callback)| callback);
            self.call_all(callbacks, &Err(Error::closed("the manager")));
        }
    }
}
