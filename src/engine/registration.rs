//! A module's registrations, one after another, and the table of those that are present.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::arena::Held;
use crate::error::{Error, Result};
use crate::names::{Group, Standing};
use crate::node::callback;
use crate::provider::Hosted;
use crate::sync::{AtomicBool, AtomicU32, Lock, Ordering};
use crate::view::Name;

/// A module: of one manager for as long as it is registered, and of another by and by.
pub(crate) struct ModuleCore {
    pub(crate) group: &'static Group,
    /// The manager of the registration that is in force, or was the last.
    pub(super) manager: AtomicU32,
    pub(crate) providers: Lock<Vec<Hosted>>,
}

/// One registration, as who acts for it knows it.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) core: &'static ModuleCore,
    /// None has the same in this process.
    pub(crate) number: u64,
    pub(crate) name: Name,
    /// The manager's.
    pub(crate) uid: u32,
    /// Whether it was open when the last manager was dropped.
    pub(super) abandoned: Arc<AtomicBool>,
}

/// What the modules' lock guards.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Those that are not known to be over, by their numbers: in order of registration.
    pub(super) present: BTreeMap<u64, Registered>,
    /// The same by their names.
    named: HashMap<Name, u64>,
    /// Closes of the manager, and its drop, that have not returned.
    pub(super) closes: usize,
}

#[derive(Debug)]
pub(super) struct Registered {
    pub(super) registration: Registration,
    /// Closes of it that have not returned.
    pub(super) closes: usize,
}

/// Providers that were taken off their module, and tasks that were held. Declared before the
/// modules' lock is had, so that it goes after that: what the host's code does in a destructor may
/// need the lock.
#[derive(Default)]
pub(super) struct Removed {
    providers: Vec<Hosted>,
    pub(super) tasks: Vec<Held>,
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
        self.present
            .values()
            .map(|registered| registered.registration.core)
    }

    pub(super) fn not_over(&self) -> impl Iterator<Item = Registration> {
        let present = self.present.values();
        let present = present.map(|registered| &registered.registration);
        present
            .filter(|registration| !registration.core.group.gate().is_over())
            .cloned()
    }

    pub(super) fn find(&self, name: &str) -> Option<Registration> {
        let number = *self.named.get(name)?;
        Some(self.present.get(&number)?.registration.clone())
    }

    /// The youngest from here on.
    pub(super) fn enter(&mut self, registration: Registration) {
        let number = registration.number;
        self.named.insert(registration.name.clone(), number);
        let registered = Registered {
            registration,
            closes: 0,
        };
        self.present.insert(number, registered);
    }

    /// It is over, and its name free.
    pub(super) fn leave(&mut self, number: u64) -> Option<&'static ModuleCore> {
        let Registration { core, name, .. } = self.present.remove(&number)?.registration;
        self.named.remove(&name);
        if self.named.is_empty() {
            // As much as there once were is of no use any more.
            self.named = HashMap::new();
            self.present = BTreeMap::new();
        }
        Some(core)
    }

    /// The module, if this registration of it is in force.
    pub(super) fn in_force(
        &mut self,
        module: &ModuleCore,
        registration: u64,
    ) -> Option<&mut Registered> {
        if module.registration() != registration {
            return None;
        }
        self.present.get_mut(&registration)
    }
}

impl Registration {
    /// For one who closes it: an error if it was open when the last manager was dropped.
    pub(crate) fn check_not_abandoned(&self) -> Result<()> {
        match self.abandoned.load(Ordering::SeqCst) {
            true => Err(Error::closed("the manager")),
            false => Ok(()),
        }
    }

    pub(super) fn is_in_force(&self) -> bool {
        self.core.registration() == self.number
    }

    /// That it takes tasks and providers.
    pub(super) fn check(&self) -> Result<()> {
        match self.core.is_open(self.number) {
            true => Ok(()),
            false => Err(self.closed()),
        }
    }

    /// The error for who acts for it once it is over. The module may have another name by now.
    pub(super) fn closed(&self) -> Error {
        let which = match self.is_in_force() {
            true => "",
            false => "this registration of ",
        };
        Error::closed(&format!("{which}module {:?}", &*self.name))
    }
}

impl ModuleCore {
    /// Nobody's, until it is registered.
    pub(super) fn new(group: &'static Group) -> Self {
        Self {
            group,
            manager: AtomicU32::new(0),
            providers: Lock::default(),
        }
    }

    /// That it is a module of this manager, for a handle of this registration.
    pub(super) fn check_manager(&self, uid: u32, registration: u64) -> Result<()> {
        // Both may be another's by now where the handle is of a manager that is gone. Who registers
        // a module says whose it is first: where the number is the handle's, so is the manager.
        let manager = self.manager.load(Ordering::SeqCst);
        if self.registration() != registration {
            return Err(self.closed(registration));
        }
        if manager == uid {
            return Ok(());
        }
        self.check(registration)?;
        Err(Error::invalid("the module belongs to another manager"))
    }

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
            false => Err(self.closed(registration)),
        }
    }

    /// The error for a task of a registration that is over. It has no name of its own, as births are
    /// to be cheap, and the module may have another by now.
    pub(super) fn closed(&self, registration: u64) -> Error {
        match self.registration() == registration {
            true => self.group.closed(),
            false => Error::closed("this registration of the module"),
        }
    }
}
