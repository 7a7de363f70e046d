//! Modules that nobody has registered: the next that is registered in the process takes one of
//! them, whatever its manager and its name, so that there are as many as there ever were at once.
//!
//! Handles and tasks of earlier registrations may still lead to one.
//! 1. A handle acts under the lock of its own manager's modules, and only while its registration is
//!    in force. A number of a registration is never given twice in a process, and a module comes
//!    here under that same lock, with its gate shut. So where the number is the handle's, the
//!    module is its manager's, and stays so until the lock is released; and where it is not, nothing
//!    is done. Who collects without the lock looks at the number again afterwards.
//! 2. A task that has not settled keeps its module from coming here, and so does a root that has
//!    yet to leave the list of those that are registered. What has settled asks its module for
//!    nothing: what it is called lies in its own set of names.
//! 3. Who asks for a set of names on behalf of a registration that is over may get one of the next,
//!    and finds the gate shut under the lock under which its task would be born.

use std::collections::BTreeMap;

use super::ModuleCore;
use crate::names::Group;
use crate::sync::Lock;
use crate::view::Name;

#[derive(Debug, Default)]
pub(crate) struct SpareModules(Lock<Spare>);

#[derive(Debug, Default)]
struct Spare {
    /// By their last names: who has such a name again finds its sets of names, too.
    named: BTreeMap<(Name, u64), &'static ModuleCore>,
    /// The same in the order in which they came.
    names: BTreeMap<u64, Name>,
    last: u64,
}

/// So many that still have a root are passed over.
const TRIES: usize = 4;

impl SpareModules {
    pub(super) fn give(&self, module: &'static ModuleCore) {
        let name = module.group.name();
        let mut spare = self.0.lock();
        spare.last += 1;
        let last = spare.last;
        spare.names.insert(last, name.clone());
        spare.named.insert((name, last), module);
    }

    /// One of this name, or else the one that has been here for the longest, or a new one: nobody's,
    /// with its gate shut.
    pub(super) fn take(&self, name: &str) -> &'static ModuleCore {
        for at in 0..TRIES {
            let found = self.0.lock().take(name, at == 0);
            let Some(module) = found else {
                break;
            };
            if module.group.roots.are_none() {
                return module;
            }
            self.give(module);
        }
        Box::leak(Box::new(ModuleCore::new(Box::leak(Box::new(Group::new())))))
    }
}

impl Spare {
    fn take(&mut self, name: &str, of_this_name: bool) -> Option<&'static ModuleCore> {
        let first = (Name::from(name), 0);
        let same = self.named.range(first..).next().filter(|_| of_this_name);
        let key = match same {
            Some(((same, number), _)) if same == name => (same.clone(), *number),
            _ => {
                let (number, name) = self.names.first_key_value()?;
                (name.clone(), *number)
            }
        };
        self.names.remove(&key.1);
        self.named.remove(&key)
    }
}
