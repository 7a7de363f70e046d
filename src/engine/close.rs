//! Closing modules and managers.

use std::collections::HashSet;
use std::time::Duration;

use super::{Engine, Gate, ModuleCore, Stage, TaskRef};
use crate::arena::{Held, Numbered};
use crate::error::{Error, Result};
use crate::index::Tombstones;
use crate::names::Group;
use crate::node::callback;
use crate::node::word::{KIDS, SETTLED, WATCHED};
use crate::snapshot;
use crate::sync::{Deadline, Ordering, fence};
use crate::view::{CloseReport, Stats};

/// What a close is about.
#[derive(Clone, Copy)]
enum Reach {
    Module(&'static Group),
    Everything,
}

impl Reach {
    fn covers(self, held: &Held, engine: &'static Engine) -> bool {
        match self {
            Self::Everything => true,
            Self::Module(group) => std::ptr::eq(held.slot().names(engine.realm).group, group),
        }
    }

    fn reason(self) -> String {
        match self {
            Self::Everything => "the manager is closed".to_owned(),
            Self::Module(group) => format!("the module {:?} is closed", &*group.name),
        }
    }
}

impl Engine {
    /// Closes one registration of a module.
    pub(crate) fn close_module(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
        timeout: Duration,
    ) -> Result<CloseReport> {
        self.check()?;
        let closed = || Error::closed(&format!("module {:?}", &*module.group.name));
        if module.registration.load(Ordering::SeqCst) != registration {
            return Err(closed());
        }
        {
            let _modules = self.modules.lock();
            match self.settle_gate(module) {
                Gate::Closed => return Err(closed()),
                Gate::Open => module.group.set_gate(Gate::Closing),
                // The deadline of an earlier close has passed: wait on.
                Gate::Closing => {}
            }
        }
        let still_running = self.shut(&[module], Reach::Module(module.group), timeout);
        self.realm.check_fork()?;
        self.drain(module.group);
        self.settle_gate(module);
        Ok(CloseReport { still_running })
    }

    /// Closes the manager.
    pub(crate) fn close(&'static self, timeout: Duration) -> Result<CloseReport> {
        self.check()?;
        let modules = self.shut_all_gates();
        let still_running = self.shut(&modules, Reach::Everything, timeout);
        self.realm.check_fork()?;
        if still_running.is_empty() {
            self.end();
        } else {
            self.set_stage(Stage::Overdue);
            self.wake_everybody();
            self.end_watches();
            for module in modules {
                self.drain(module.group);
            }
        }
        Ok(CloseReport { still_running })
    }

    /// The last manager is dropped: everything is told to abort, and nobody waits for it.
    pub(crate) fn abandon(&'static self) {
        if self.realm.is_forked() || self.stage() == Stage::Closed {
            return;
        }
        let modules = self.shut_all_gates();
        self.pass_gates(&modules);
        for held in self.unsettled().filter(|held| held.slot().is_root()) {
            self.abort_regardless(TaskRef::of(&held), "the manager is gone");
        }
        if !self.realm.is_forked() {
            self.end();
        }
    }

    fn shut_all_gates(&'static self) -> Vec<&'static ModuleCore> {
        let modules = self.modules.lock();
        self.set_stage(Stage::Closing);
        for module in modules.iter() {
            if module.group.gate() == Gate::Open {
                module.group.set_gate(Gate::Closing);
            }
        }
        modules.clone()
    }

    fn end(&'static self) {
        self.set_stage(Stage::Closed);
        let modules = self.modules.lock().clone();
        for module in modules {
            module.group.set_gate(Gate::Closed);
            // What the host's providers own is dropped under no lock.
            let providers = std::mem::take(&mut *module.providers.lock());
            drop(providers);
            if self.realm.is_forked() {
                return;
            }
            self.drain(module.group);
        }
        *self.tombstones.lock() = Tombstones::new(0);
        self.stop_reaper();
        self.end_watches();
    }

    /// After this, every task that was made while the gates were open can be seen, and
    /// whoever makes another sees them shut. Gates are shut already.
    fn pass_gates(&'static self, modules: &[&'static ModuleCore]) {
        fence(Ordering::SeqCst);
        for module in modules {
            drop(module.roots.lock());
        }
        for (slot, _) in self.slots() {
            // An operation on the word, so that a first child's mark comes before it, and is
            // seen, or after, and then its maker sees the gate.
            if slot.word.mark(0).has(KIDS)
                && let Some(kids) = slot.kids(self.realm)
            {
                kids.pass();
            }
        }
    }

    /// Aborts what is covered, waits for it, and says what is left.
    fn shut(
        &'static self,
        modules: &[&'static ModuleCore],
        reach: Reach,
        timeout: Duration,
    ) -> Vec<Stats> {
        let (deadline, _) = Deadline::after(timeout).begin();
        self.pass_gates(modules);
        let running: Vec<Held> = self
            .unsettled()
            .filter(|held| reach.covers(held, self))
            .collect();
        let reason = reach.reason();
        let covered: HashSet<u32> = running.iter().map(|held| held.slot().number()).collect();
        for held in &running {
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
        // Inside a callback nobody can be waited for; what runs is named.
        let patient = !callback::is_inside();
        running
            .iter()
            .filter(|held| !(patient && self.wait_settled(TaskRef::of(held), &deadline)))
            .filter(|held| !held.slot().word.load().has(SETTLED))
            .map(|held| snapshot::stats(held, self))
            .collect()
    }

    /// Whether the task has settled by the deadline.
    fn wait_settled(&'static self, task: TaskRef, deadline: &Deadline) -> bool {
        let has_settled = || task.slot.word.load().has(SETTLED) && Engine::is_over(task);
        if has_settled() {
            return true;
        }
        task.slot.word.mark(WATCHED);
        self.realm.sleep(task.slot, deadline, has_settled)
    }

    /// Whoever waits for a task that did not end in time is told that it is over.
    fn wake_everybody(&'static self) {
        for held in self.unsettled() {
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

    /// Opens the way for a new module of this name once the last task of a closing one has
    /// ended: asked by whoever wants to know, so that no task's end pays for it.
    pub(super) fn settle_gate(&'static self, module: &'static ModuleCore) -> Gate {
        let gate = module.group.gate();
        if gate != Gate::Closing {
            return gate;
        }
        let reach = Reach::Module(module.group);
        if self.unsettled().any(|held| reach.covers(&held, self)) {
            return Gate::Closing;
        }
        let providers = std::mem::take(&mut *module.providers.lock());
        drop(providers);
        module.group.set_gate(Gate::Closed);
        Gate::Closed
    }
}
