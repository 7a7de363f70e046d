//! What a manager or a module has left goes to the next, against those who still have handles of it.

use std::time::Duration;

use loom::thread;

use super::{Host, check};
use crate::{Clock, Filter, Manager, ManualClock, Module, Task};

const NOW: Duration = Duration::ZERO;

/// A manager that follows, with a task of its own.
struct Next {
    manager: Manager,
    module: Module,
    task: Task,
}

impl Next {
    fn begin(clock: &ManualClock) -> Self {
        let builder = Manager::builder().clock(Clock::Manual(clock.clone()));
        let manager = builder.reaper(false).node("next").build().unwrap();
        let module = manager.register_module("next").unwrap();
        let task = module.task("next").start().unwrap();
        Self {
            manager,
            module,
            task,
        }
    }

    fn is_in_the_shell_of(&self, module: &Module) -> bool {
        std::ptr::eq(self.module.engine, module.engine)
    }

    /// That nobody else's is among its own, and that nobody did anything to it.
    fn check(self) {
        assert!(self.task.check_abort().is_ok());
        assert_eq!(self.manager.modules().unwrap(), ["next"]);
        let listed = self.module.list(&Filter::new()).unwrap();
        assert_eq!(listed.len(), 1);
        let status = self.task.status().unwrap();
        assert_eq!((&*status.module, status.sequence_number), ("next", 1));
        drop(self.task);
        assert!(self.manager.close(NOW).unwrap().is_complete());
    }
}

/// life_7. Fails if a shell goes to the next manager though a slot leads to it that lives.
#[test]
fn last_handle_of_a_task_vs_the_next_manager() {
    check(3, || {
        let host = Host::with(|builder| builder.node("before"));
        let task = host.root();
        task.child("part").start().unwrap().finish().unwrap();
        let observer = task.observe();
        task.finish().unwrap();
        drop(host.manager);
        let holder = thread::spawn(move || {
            let status = observer.status().unwrap();
            assert_eq!(&*status.module, "repair");
            assert_eq!(&*status.children[0].node, "before");
        });
        let next = Next::begin(&host.clock);
        holder.join().unwrap();
        next.check();
        let third = Next::begin(&host.clock);
        third.check();
    });
}

/// life_7. Fails if a shell or a module goes to the next manager while something of it runs.
#[test]
fn end_of_a_task_of_a_manager_that_is_gone_vs_the_next_manager() {
    check(2, || {
        let host = Host::new();
        let task = host.root();
        drop(host.manager);
        let owner = thread::spawn(move || {
            assert_eq!(&*task.status().unwrap().module, "repair");
            assert!(task.finish().unwrap_err().is_aborted());
        });
        let next = Next::begin(&host.clock);
        owner.join().unwrap();
        next.check();
    });
}

/// mod_1. Fails if a root is born without a look at its registration under the lock of its module's
/// roots, as the module and the shell are the next manager's by then.
#[test]
fn root_by_a_handle_of_a_manager_that_is_gone_vs_the_next_manager() {
    check(2, || {
        let host = Host::new();
        let (old, clock) = (host.repair.clone(), host.clock.clone());
        let maker = thread::spawn(move || {
            if let Err(error) = old.task("repair").create() {
                assert!(error.is_closed(), "{error}");
            }
        });
        drop(host.manager);
        let next = Next::begin(&clock);
        maker.join().unwrap();
        assert!(host.repair.drain().unwrap_err().is_closed());
        next.check();
    });
}

/// mod_1. Fails if a close, a drain or a list by a handle of an earlier manager does not look at the
/// registration before it does anything, and again afterwards.
#[test]
fn close_by_a_handle_of_a_manager_that_is_gone_vs_the_next_manager() {
    check(2, || {
        let host = Host::new();
        let (old, clock) = (host.repair.clone(), host.clock.clone());
        drop(host.manager);
        let closer = thread::spawn(move || {
            assert!(old.list(&Filter::new()).unwrap_err().is_closed());
            assert!(old.drain().unwrap_err().is_closed());
            assert!(old.close(NOW).unwrap_err().is_closed());
        });
        let next = Next::begin(&clock);
        assert!(next.is_in_the_shell_of(&host.repair));
        closer.join().unwrap();
        next.check();
    });
}
