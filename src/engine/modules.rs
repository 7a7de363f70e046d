//! The modules of a manager, and one registration of a name after another.
//!
//! 1. A registration and its gate change under the modules' lock alone, and only forwards: see
//!    [`Standing`](crate::names::Standing).
//! 2. What is collected while a registration is in force belongs to it, as what was made in one
//!    before is over. So whoever acts for a registration collects first, looks whether it is
//!    still in force, and then acts on what was collected.
//! 3. A name is free once nothing of it runs and no close of it is under way. So a registration
//!    does not change under a close; and nothing of it is kept then, as what settles after a close
//!    has gone through what is kept sees the gate shut. Then the module is spare: see
//!    [`SpareModules`](super::SpareModules) for who may still lead to it.
//! 4. What the host owns is dropped after the lock is released.

use std::sync::Arc;

use super::registration::{Modules, Registered, Removed};
use super::{Engine, ModuleCore, Registration, Stage};
use crate::error::{Error, ErrorCode, Result};
use crate::names::{Gate, Group, check_name};
use crate::provider::Hosted;
use crate::sync::{Deadline, Ordering};

impl Engine {
    /// Registers a module.
    pub(crate) fn register_module(&'static self, name: &str) -> Result<Registration> {
        /// 61 bits of them outlast the process.
        static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

        self.check()?;
        check_name("module name", name, true)?;
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        if self.stage() != Stage::Open {
            return Err(Error::closed("the manager"));
        }
        if let Some(known) = modules.find(name) {
            match self.settle(&mut modules, known.core, &mut removed) {
                Gate::Open => return Err(taken(name, "registered")),
                Gate::Closing | Gate::Overdue => return Err(taken(name, STILL_CLOSING)),
                Gate::Closed | Gate::Abandoned => {}
            }
        }
        if modules.present.len() >= self.max_modules() {
            // Some may be over, and nobody has asked for them since.
            self.settle_all(&mut modules, &mut removed);
            if modules.present.len() >= self.max_modules() {
                return Err(too_many(name, self.max_modules()));
            }
        }
        let module = self.realm.spare_modules.take(name);
        // All of it before the gate opens, and after it was shut: nobody numbers a root meanwhile.
        module.group.roots.begin_anew();
        module.manager.store(self.uid(), Ordering::SeqCst);
        let name = module.group.call(name);
        let number = LAST.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let registration = Registration {
            core: module,
            number,
            name,
            uid: self.uid(),
            abandoned: Arc::default(),
        };
        modules.enter(registration.clone());
        module.group.renew(number);
        Ok(registration)
    }

    /// The module of this name, if it is registered or still closing.
    pub(crate) fn module(&'static self, name: &str) -> Result<Registration> {
        self.check()?;
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        if let Some(known) = modules.find(name)
            && !self
                .settle(&mut modules, known.core, &mut removed)
                .is_over()
        {
            return Ok(known);
        }
        // The gates of a manager that is closed are shut after its stage says so.
        self.check()?;
        Err(unknown_module(name, &modules))
    }

    /// Those that are registered or still closing, in order of registration.
    pub(crate) fn modules(&'static self) -> Vec<Registration> {
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        self.settle_all(&mut modules, &mut removed);
        modules.not_over().collect()
    }

    /// The modules as their tasks see them: all of which anything may be registered.
    pub(crate) fn groups(&'static self) -> Vec<&'static Group> {
        self.modules
            .lock()
            .iter()
            .map(|module| module.group)
            .collect()
    }

    /// All providers, each with its module's registration.
    pub(super) fn providers(&'static self) -> Vec<(Hosted, Registration)> {
        let mut removed = Removed::default();
        let mut providers = Vec::new();
        let mut modules = self.modules.lock();
        self.settle_all(&mut modules, &mut removed);
        for registration in modules.not_over() {
            let theirs = registration.core.providers.lock();
            let theirs = theirs.iter().cloned();
            providers.extend(theirs.map(|theirs| (theirs, registration.clone())));
        }
        providers
    }

    /// The providers of this registration, if it is open, or closing with tasks that run.
    pub(crate) fn providers_of(&'static self, of: &Registration) -> Result<Vec<Hosted>> {
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        self.check_registered(&mut modules, of, &mut removed)?;
        let providers = of.core.providers.lock().clone();
        Ok(providers)
    }

    pub(crate) fn add_provider(&'static self, of: &Registration, provider: Hosted) -> Result<()> {
        let _modules = self.modules.lock();
        // Under the lock, so that a close that shuts the gate finds it.
        of.check()?;
        of.core.providers.lock().push(provider);
        Ok(())
    }

    /// Unregisters all settled roots of a registration; how many there were.
    pub(crate) fn drain_module(&'static self, of: &Registration) -> Result<usize> {
        {
            let mut removed = Removed::default();
            let mut modules = self.modules.lock();
            self.check_registered(&mut modules, of, &mut removed)?;
        }
        self.drain_registration(of)
    }

    fn check_registered(
        &'static self,
        modules: &mut Modules,
        of: &Registration,
        removed: &mut Removed,
    ) -> Result<()> {
        let is_over = self.settle(modules, of.core, removed).is_over();
        match of.is_in_force() && !is_over {
            true => Ok(()),
            false => Err(of.closed()),
        }
    }

    /// That this registration is in force still, for one who has collected what is its own.
    pub(crate) fn check_in_force(&'static self, of: &Registration) -> Result<()> {
        match of.is_in_force() {
            true => Ok(()),
            false => Err(of.closed()),
        }
    }

    /// Says that a closing module is closed, once nothing of it runs and no close of it is under
    /// way: asked by whoever wants to know, so that no task's end pays for it.
    fn settle(
        &'static self,
        modules: &mut Modules,
        module: &'static ModuleCore,
        removed: &mut Removed,
    ) -> Gate {
        let standing = module.group.standing();
        let (gate, number) = (standing.gate(), standing.registration());
        if !matches!(gate, Gate::Closing | Gate::Overdue) {
            return gate;
        }
        // One that has left may be another manager's by now.
        let Some(registered) = modules.present.get(&number) else {
            return gate;
        };
        let closes = registered.closes;
        if closes + modules.closes > 0 {
            return gate;
        }
        let groups = modules.iter().map(|module| module.group);
        if self.runs_anything(module.group, groups, &mut removed.tasks) {
            return gate;
        }
        removed.take(module);
        module.group.raise_gate(Gate::Closed);
        self.give_up(modules, number);
        Gate::Closed
    }

    /// The registration is over, and its module spare.
    fn give_up(&'static self, modules: &mut Modules, number: u64) {
        if let Some(module) = modules.leave(number) {
            self.realm.spare_modules.give(module);
        }
    }

    /// Gives the modules of a manager up that was closed or dropped, once nothing of it runs any
    /// more and nobody goes through them; whether it has none left.
    pub(crate) fn give_up_modules(&'static self) -> bool {
        let mut modules = self.modules.lock();
        if self.stage() != Stage::Closed || modules.closes > 0 {
            return false;
        }
        // Whoever works is registered below a root, and all gates are shut.
        let is_idle = |registered: &Registered| {
            registered.closes == 0 && registered.registration.core.group.roots.are_none()
        };
        if !modules.present.values().all(is_idle) {
            return false;
        }
        while let Some((number, registered)) = modules.present.first_key_value() {
            let (number, registration) = (*number, &registered.registration);
            let is_abandoned = registration.core.group.gate() == Gate::Abandoned;
            registration.abandoned.store(is_abandoned, Ordering::SeqCst);
            self.give_up(&mut modules, number);
        }
        true
    }

    fn settle_all(&'static self, modules: &mut Modules, removed: &mut Removed) {
        let is_closing = |module: &&ModuleCore| module.group.gate() != Gate::Open;
        let closing: Vec<_> = modules.iter().filter(is_closing).collect();
        for module in closing {
            self.settle(modules, module, removed);
        }
    }

    /// Shuts a module's gate, and keeps its name taken until [`let_go_of_name`]; `false`, and
    /// neither, if this registration is over.
    ///
    /// [`let_go_of_name`]: Self::let_go_of_name
    pub(super) fn shut_gate(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
    ) -> Result<bool> {
        let mut modules = self.modules.lock();
        let Some(registered) = modules.in_force(module, registration) else {
            return Ok(false);
        };
        match module.group.gate() {
            Gate::Open => module.group.raise_gate(Gate::Closing),
            Gate::Closing | Gate::Overdue => {}
            Gate::Closed => return Ok(false),
            Gate::Abandoned => return Err(Error::closed("the manager")),
        }
        registered.closes += 1;
        Ok(true)
    }

    /// A close of the present registration is about to return, in time or not: nobody is kept
    /// waiting for virtual tasks any more.
    pub(super) fn say_overdue(&'static self, module: &'static ModuleCore) {
        let _modules = self.modules.lock();
        module.group.raise_gate(Gate::Overdue);
    }

    /// A close of this registration is about to return. What it takes to register the name anew
    /// has come about if the close was complete: others that have found as much return, too.
    pub(super) fn let_go_of_name(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
        patience: &Deadline,
    ) {
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        if let Some(registered) = modules.in_force(module, registration) {
            registered.closes -= 1;
            if registered.closes == 0 {
                self.closes_returned.notify_all();
            }
        }
        let is_held = |modules: &mut Modules| {
            let registered = modules.in_force(module, registration);
            registered.is_some_and(|registered| registered.closes > 0)
        };
        while is_held(&mut modules) && !patience.has_passed() {
            modules = self.closes_returned.wait(modules, patience);
        }
        self.settle(&mut modules, module, &mut removed);
    }
}

const STILL_CLOSING: &str = "closing: tasks of it still run, or a close of it has not returned";

fn taken(name: &str, state: &str) -> Error {
    Error::new(
        ErrorCode::ModuleExists,
        format!("the module {name:?} is {state}; a name is one module's at a time"),
    )
}

fn too_many(name: &str, most: usize) -> Error {
    Error::new(
        ErrorCode::Exhausted,
        format!(
            "the module {name:?} is one too many: {most} are registered or closing, and \
             max_modules allows no more; close some, or build the manager with more"
        ),
    )
}

fn unknown_module(name: &str, modules: &Modules) -> Error {
    /// More would hide the name that was asked for.
    const SHOWN: usize = 16;

    let open = |registered: &&Registered| registered.registration.core.group.gate() == Gate::Open;
    let known = || modules.present.values().filter(open);
    let shown: Vec<&str> = known()
        .take(SHOWN)
        .map(|registered| registered.registration.name.as_str())
        .collect();
    let more = match known().count().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Error::new(
        ErrorCode::UnknownModule,
        format!("no module is named {name:?}; registered are {shown:?}{more}"),
    )
}
