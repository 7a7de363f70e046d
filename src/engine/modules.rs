//! The modules of a manager, and one registration of a name after another.
//!
//! 1. A registration and its gate change under the modules' lock alone, and only forwards: see
//!    [`Standing`](crate::names::Standing).
//! 2. What is collected while a registration is in force belongs to it, as what was made in one
//!    before is over. So whoever acts for a registration collects first, looks whether it is
//!    still in force, and then acts on what was collected.
//! 3. A name is free once nothing of it runs and no close of it is under way. So a registration
//!    does not change under a close; and nothing of it is kept then, as what settles after a close
//!    has gone through what is kept sees the gate shut.
//! 4. What the host owns is dropped after the lock is released.

use std::collections::{BTreeMap, HashMap};

use super::{Engine, Stage};
use crate::arena::Held;
use crate::error::{Error, ErrorCode, Result};
use crate::names::{Gate, Group, Standing, check_name};
use crate::node::callback;
use crate::provider::Hosted;
use crate::sync::{Deadline, Lock};

/// A module, for as long as its manager's shell lives: one that is registered again under
/// its name goes on with the names of its tasks.
pub(crate) struct ModuleCore {
    pub(crate) group: &'static Group,
    /// The manager that it belongs to.
    pub(super) manager: u32,
    pub(crate) providers: Lock<Vec<Hosted>>,
}

/// What the modules' lock guards.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// All that ever were.
    named: HashMap<&'static str, Registered>,
    /// Those that are not known to be over, in order of registration.
    present: BTreeMap<u64, &'static ModuleCore>,
    /// How often one was registered.
    registered: u64,
    /// Closes of the manager that have not returned.
    pub(super) closes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Registered {
    module: &'static ModuleCore,
    /// Its place among those that are present, of its last registration.
    place: u64,
    /// Closes of the present registration that have not returned.
    closes: usize,
}

/// Providers that were taken off their module, and tasks that were held. Declared before the
/// modules' lock is had, so that it goes after that: what the host's code does in a destructor may
/// need the lock.
#[derive(Default)]
pub(super) struct Removed {
    providers: Vec<Hosted>,
    tasks: Vec<Held>,
}

impl Removed {
    pub(super) fn take(&mut self, module: &ModuleCore) {
        self.providers.append(&mut module.providers.lock());
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        while let Some(provider) = self.providers.pop() {
            if !callback::shelter(move || drop(provider)).is_ours() {
                // Left alone in a forked child, as a handle is.
                return std::mem::forget(std::mem::take(&mut self.providers));
            }
        }
    }
}

impl Modules {
    /// Those that are not known to be over, in order of registration.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static ModuleCore> {
        self.present.values().copied()
    }

    /// The youngest from here on.
    fn enter(&mut self, module: &'static ModuleCore) {
        self.registered += 1;
        let registered = Registered {
            module,
            place: self.registered,
            closes: 0,
        };
        self.named.insert(module.group.name.as_str(), registered);
        self.present.insert(self.registered, module);
    }

    fn of(&self, module: &ModuleCore) -> Option<Registered> {
        self.named.get(&*module.group.name).copied()
    }

    /// The module, if this registration of it is in force.
    fn in_force(&mut self, module: &ModuleCore, registration: u64) -> Option<&mut Registered> {
        if module.registration() != registration {
            return None;
        }
        self.named.get_mut(&*module.group.name)
    }
}

impl ModuleCore {
    pub(crate) fn registration(&self) -> u64 {
        self.group.standing().registration()
    }

    /// Whether this registration of the module takes tasks.
    #[inline]
    pub(crate) fn is_open(&self, registration: u64) -> bool {
        self.group.standing() == Standing::open(registration)
    }

    /// The same as a result.
    pub(crate) fn check(&self, registration: u64) -> Result<()> {
        match self.is_open(registration) {
            true => Ok(()),
            false if self.registration() == registration => Err(self.group.closed()),
            false => Err(self.closed(registration)),
        }
    }

    /// The error for a handle whose registration is over.
    pub(super) fn closed(&self, registration: u64) -> Error {
        let name = &*self.group.name;
        match self.registration() == registration {
            true => self.group.closed(),
            false => Error::closed(&format!("this registration of module {name:?}")),
        }
    }
}

impl Engine {
    /// Registers a module, or opens one again whose last registration is over; the number of
    /// the registration.
    pub(crate) fn register_module(&'static self, name: &str) -> Result<(&'static ModuleCore, u64)> {
        self.check()?;
        check_name("module name", name, true)?;
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        if self.stage() != Stage::Open {
            return Err(Error::closed("the manager"));
        }
        let known = modules.named.get(name).map(|known| known.module);
        if let Some(module) = known {
            match self.settle(&mut modules, module, &mut removed) {
                Gate::Open => return Err(taken(name, "registered")),
                Gate::Closing | Gate::Overdue => return Err(taken(name, STILL_CLOSING)),
                Gate::Closed | Gate::Abandoned => {}
            }
        }
        if modules.present.len() >= self.config.max_modules {
            // Some may be over, and nobody has asked for them since.
            self.settle_all(&mut modules, &mut removed);
            if modules.present.len() >= self.config.max_modules {
                return Err(too_many(name, self.config.max_modules));
            }
        }
        let Some(module) = known else {
            let module: &'static ModuleCore = Box::leak(Box::new(ModuleCore {
                group: Box::leak(Box::new(Group::new(name))),
                manager: self.uid,
                providers: Lock::default(),
            }));
            modules.enter(module);
            return Ok((module, module.registration()));
        };
        // A module that is registered again is listed as the newest.
        modules.enter(module);
        // Before the gate opens, and after it was shut: nobody numbers a root meanwhile.
        module.group.roots.begin_anew();
        Ok((module, module.group.renew()))
    }

    /// The module of this name, if it is registered or still closing, and its registration.
    pub(crate) fn module(&'static self, name: &str) -> Result<(&'static ModuleCore, u64)> {
        self.check()?;
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        let known = modules.named.get(name).map(|known| known.module);
        if let Some(module) = known
            && !self.settle(&mut modules, module, &mut removed).is_over()
        {
            return Ok((module, module.registration()));
        }
        // The gates of a manager that is closed are shut after its stage says so.
        self.check()?;
        Err(unknown_module(name, &modules))
    }

    /// Those that are registered or still closing, in order of registration.
    pub(crate) fn modules(&'static self) -> Vec<&'static ModuleCore> {
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        self.settle_all(&mut modules, &mut removed);
        let is_over = |module: &&ModuleCore| module.group.gate().is_over();
        modules.iter().filter(|module| !is_over(module)).collect()
    }

    /// The modules as their tasks see them: all of which anything may be registered.
    pub(crate) fn groups(&'static self) -> Vec<&'static Group> {
        self.modules
            .lock()
            .iter()
            .map(|module| module.group)
            .collect()
    }

    /// All providers, each with its module and its registration.
    pub(super) fn providers(&'static self) -> Vec<(Hosted, &'static ModuleCore, u64)> {
        let mut removed = Removed::default();
        let mut providers = Vec::new();
        let mut modules = self.modules.lock();
        self.settle_all(&mut modules, &mut removed);
        for module in modules
            .iter()
            .filter(|module| !module.group.gate().is_over())
        {
            let theirs = module.providers.lock();
            let theirs = theirs.iter().cloned();
            providers.extend(theirs.map(|theirs| (theirs, module, module.registration())));
        }
        providers
    }

    /// The providers of this registration, if it is open, or closing with tasks that run.
    pub(crate) fn providers_of(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
    ) -> Result<Vec<Hosted>> {
        let mut removed = Removed::default();
        let mut modules = self.modules.lock();
        self.check_registered(&mut modules, module, registration, &mut removed)?;
        let providers = module.providers.lock().clone();
        Ok(providers)
    }

    pub(crate) fn add_provider(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
        provider: Hosted,
    ) -> Result<()> {
        let _modules = self.modules.lock();
        // Under the lock, so that a close that shuts the gate finds it.
        module.check(registration)?;
        module.providers.lock().push(provider);
        Ok(())
    }

    /// Unregisters all settled roots of a registration; how many there were.
    pub(crate) fn drain_module(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
    ) -> Result<usize> {
        {
            let mut removed = Removed::default();
            let mut modules = self.modules.lock();
            self.check_registered(&mut modules, module, registration, &mut removed)?;
        }
        self.drain_registration(module, registration)
    }

    fn check_registered(
        &'static self,
        modules: &mut Modules,
        module: &'static ModuleCore,
        registration: u64,
        removed: &mut Removed,
    ) -> Result<()> {
        let is_over = self.settle(modules, module, removed).is_over();
        match module.registration() == registration && !is_over {
            true => Ok(()),
            false => Err(module.closed(registration)),
        }
    }

    /// That this registration is in force still, for one who has collected what is its own.
    pub(crate) fn check_in_force(
        &'static self,
        module: &'static ModuleCore,
        registration: u64,
    ) -> Result<()> {
        match module.registration() == registration {
            true => Ok(()),
            false => Err(module.closed(registration)),
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
        let gate = module.group.gate();
        if !matches!(gate, Gate::Closing | Gate::Overdue) {
            return gate;
        }
        let registered = modules.of(module);
        let closes = registered.map_or(0, |registered| registered.closes);
        if closes + modules.closes > 0 {
            return gate;
        }
        let groups = modules.iter().map(|module| module.group);
        if self.runs_anything(module.group, groups, &mut removed.tasks) {
            return gate;
        }
        removed.take(module);
        module.group.raise_gate(Gate::Closed);
        if let Some(registered) = registered {
            modules.present.remove(&registered.place);
        }
        Gate::Closed
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

    let open = |module: &&ModuleCore| module.group.gate() == Gate::Open;
    let known = || modules.iter().filter(open);
    let shown: Vec<&str> = known()
        .take(SHOWN)
        .map(|module| module.group.name.as_str())
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
