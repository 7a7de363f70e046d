//! One registration of a module against the next of its name, and closes against each other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use loom::thread;

use super::{Count, Data, Host, TTL, check};
use crate::names::Gate;
use crate::{
    BoxError, CloseReport, Completion, ErrorCode, Filter, Manager, Module, Provider, Stats, Status,
    Task, Uuid,
};

const NOW: Duration = Duration::ZERO;

/// Registers the name anew, if the registration before is over by now.
fn register_again(manager: &Manager) -> Option<Module> {
    match manager.register_module("repair") {
        Ok(module) => Some(module),
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::ModuleExists);
            None
        }
    }
}

/// A module of the name, with one root that runs and one that is kept.
fn begin_anew(module: &Module) -> (Task, Uuid) {
    let kept = module.task("repair").user_task().start().unwrap();
    let id = kept.id();
    kept.finish().unwrap();
    (module.task("repair").start().unwrap(), id)
}

/// mod_1. Fails if a close aborts what it has collected, or drains it, without another look at
/// the registration.
#[test]
fn close_by_an_old_handle_vs_registering_anew() {
    check(3, || {
        let host = Host::new();
        let (repair, old) = (host.repair.clone(), host.repair.clone());
        repair.close(NOW).unwrap();
        let closer = thread::spawn(move || old.close(NOW).unwrap());
        let module = register_again(&host.manager).expect("its close has returned");
        let (running, kept) = begin_anew(&module);
        assert!(closer.join().unwrap().is_complete());
        assert!(running.check_abort().is_ok());
        assert!(host.manager.status(kept).is_ok());
        assert_eq!(host.manager.modules().unwrap(), ["repair"]);
    });
}

/// mod_1. The same of a close that has begun, and that another one overtakes.
#[test]
fn close_under_way_vs_close_and_registering_anew() {
    check(3, || {
        let host = Host::new();
        let slow = host.repair.clone();
        let closer = thread::spawn(move || slow.close(NOW).unwrap());
        assert!(host.repair.close(NOW).unwrap().is_complete());
        let module = register_again(&host.manager);
        let begun = module.as_ref().map(begin_anew);
        assert!(closer.join().unwrap().is_complete());
        let Some((running, kept)) = begun else {
            assert!(
                register_again(&host.manager).is_some(),
                "no close is under way"
            );
            return;
        };
        assert!(running.check_abort().is_ok());
        assert!(host.manager.status(kept).is_ok());
        assert_eq!(module.unwrap().list(&Filter::new()).unwrap().len(), 2);
    });
}

/// mod_1. Fails if a name is free while a close of it runs the host's code: the callback of an
/// abort ends the last task, and finds the name taken. Fails if a complete close does not wait
/// for another that runs such a callback.
#[test]
fn close_in_a_callback_vs_close_the_name_is_taken_until_both_have_returned() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let mine = Arc::new(Mutex::new(None));
        let (theirs, manager, taken) = (Arc::clone(&mine), host.manager.clone(), Count::default());
        let counted = taken.clone();
        let callback = move || {
            let task: Option<Task> = theirs.lock().unwrap().take();
            drop(task);
            if register_again(&manager).is_none() {
                counted.add();
            }
        };
        task.on_abort(callback).unwrap().forget();
        *mine.lock().unwrap() = Some(task);
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        assert!(host.repair.close(Duration::MAX).unwrap().is_complete());
        assert_eq!(taken.get(), 1);
        assert!(register_again(&host.manager).is_some(), "all is over");
        closer.join().unwrap();
    });
}

/// mod_1. Fails if a name is free before the close that shut its gate has drained what is kept.
#[test]
fn registering_anew_vs_close_finds_nothing_kept() {
    check(2, || {
        let host = Host::new();
        let kept = host.kept_root();
        let id = kept.id();
        kept.finish().unwrap();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        if let Some(module) = register_again(&host.manager) {
            assert_eq!(module.list(&Filter::new()).unwrap(), []);
        }
        assert!(closer.join().unwrap().is_complete());
        assert!(host.manager.status(id).unwrap_err().is_gone());
    });
}

/// mod_1. Fails if a list does not look at the registration again.
#[test]
fn list_by_an_old_handle_vs_registering_anew() {
    check(3, || {
        let host = Host::new();
        let old = host.repair.clone();
        let lister = thread::spawn(move || old.list(&Filter::new()));
        assert!(host.repair.close(NOW).unwrap().is_complete());
        let module = register_again(&host.manager).expect("nothing runs");
        let running = module.task("repair").start().unwrap();
        match lister.join().unwrap() {
            Ok(listed) => assert!(listed.is_empty(), "{listed:?}"),
            Err(error) => assert!(error.is_closed()),
        }
        assert_eq!(module.list(&Filter::new()).unwrap().len(), 1);
        drop(running);
    });
}

/// mod_1. Fails if a drain does not look at the registration again.
#[test]
fn drain_by_an_old_handle_vs_registering_anew() {
    check(3, || {
        let host = Host::new();
        let old = host.repair.clone();
        let drainer = thread::spawn(move || old.drain());
        assert!(host.repair.close(NOW).unwrap().is_complete());
        let module = register_again(&host.manager).expect("nothing runs");
        let (_running, kept) = begin_anew(&module);
        match drainer.join().unwrap() {
            Ok(drained) => assert_eq!(drained, 0),
            Err(error) => assert!(error.is_closed()),
        }
        assert!(host.manager.status(kept).is_ok());
    });
}

/// mod_1. Fails if a close that is under way lets go of the name: a root that was born meanwhile by
/// an old handle is found in the next registration.
#[test]
fn root_by_an_old_handle_vs_two_closes_and_registering_anew() {
    check(2, || {
        let host = Host::new();
        let (old, manager) = (host.repair.clone(), host.manager.clone());
        let maker = thread::spawn(move || old.task("repair").create());
        let registrar = thread::spawn(move || {
            let module = register_again(&manager)?;
            let listed = module.list(&Filter::new()).unwrap();
            assert!(listed.is_empty(), "{listed:?}");
            Some(module)
        });
        let report = host.repair.close(NOW).unwrap();
        match maker.join().unwrap() {
            Ok(root) => {
                assert_eq!(report.still_running.len(), 1);
                assert!(root.check_abort().unwrap_err().is_aborted());
            }
            Err(error) => assert!(error.is_closed(), "{error}"),
        }
        let _module = registrar.join().unwrap();
    });
}

/// mod_1. Fails if a child's birth does not look at the registration under the family's lock.
#[test]
fn child_by_an_old_handle_vs_registering_anew() {
    check(2, || {
        let host = Host::new();
        let others = host.manager.register_module("others").unwrap();
        let root = others.task("root").start().unwrap();
        let _first = root.child("part").start().unwrap();
        let manager = host.manager.clone();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || {
            let report = repair.close(NOW).unwrap();
            let module = register_again(&manager)?;
            Some((report, module))
        });
        let child = root.child("part").module(&host.repair).create();
        let anew = closer.join().unwrap();
        match child {
            Err(error) => assert!(error.is_closed(), "{error}"),
            Ok(child) => {
                assert!(child.check_abort().unwrap_err().is_aborted());
                assert!(anew.is_none(), "it runs, so the name is taken");
            }
        }
    });
}

/// A provider that nobody asks anything.
struct Unasked(#[allow(dead_code)] Data);

impl Provider for Unasked {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

/// mod_1. Fails if a provider is registered without a look at the gate under the modules' lock.
#[test]
fn register_provider_vs_close_and_registering_anew() {
    check(3, || {
        let host = Host::new();
        let (old, dropped) = (host.repair.clone(), Count::default());
        let data = Data(dropped.clone());
        let provider = thread::spawn(move || old.register_provider(Unasked(data)));
        assert!(host.repair.close(NOW).unwrap().is_complete());
        let module = register_again(&host.manager).expect("nothing runs");
        if let Err(error) = provider.join().unwrap() {
            assert!(error.is_closed());
        }
        assert_eq!(dropped.get(), 1, "whether it was refused or closed");
        assert!(module.registration.core.providers.lock().is_empty());
    });
}

/// mod_1. Fails if what runs is only what has not settled: a root that is about to be kept when
/// its module's name is registered anew stays there.
#[test]
fn finish_vs_close_and_registering_anew_leaves_no_root_behind() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        let (repair, manager) = (host.repair.clone(), host.manager.clone());
        let closer = thread::spawn(move || {
            // As it is, and for loom: what is read as the root settles is written, so that this is
            // tried right before.
            manager.set_user_task_ttl(TTL).unwrap();
            let report = repair.close(NOW).unwrap();
            let module = register_again(&manager);
            assert!(module.is_some() || !report.is_complete());
            module
        });
        let _ = task.finish();
        let _module = closer.join().unwrap();
        assert!(host.manager.status(id).unwrap_err().is_gone());
    });
}

/// mod_1. Fails if a close that is not complete takes the stage back: whoever is told that all has ended is told
/// Closed from then on.
#[test]
fn two_closes_of_a_manager_the_stage_only_grows() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let id = task.id();
        let manager = host.manager.clone();
        let closer = thread::spawn(move || manager.close(NOW).unwrap());
        drop(task);
        let mine = host.manager.close(NOW).unwrap();
        let theirs = closer.join().unwrap();
        assert!([mine, theirs].iter().any(CloseReport::is_complete));
        assert!(host.manager.status(id).unwrap_err().is_closed());
        assert!(host.manager.module("repair").unwrap_err().is_closed());
    });
}

/// mod_1. Fails if a close takes the stage of a closed manager back, for however short a time.
#[test]
fn close_of_a_closed_manager_vs_look_up_closed_all_the_while() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let id = task.id();
        drop(task);
        assert!(host.manager.close(NOW).unwrap().is_complete());
        let manager = host.manager.clone();
        let asker = thread::spawn(move || manager.status(id).unwrap_err());
        assert!(host.manager.close(NOW).unwrap().is_complete());
        assert!(asker.join().unwrap().is_closed());
    });
}

/// A kept root is asked for while its manager is closed.
fn close_of_a_manager_vs_question<T>(
    ask: impl Fn(&Manager, Uuid) -> crate::Result<T> + Send + Sync + 'static,
) {
    check(1, move || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        task.finish().unwrap();
        let manager = host.manager.clone();
        let closer = thread::spawn(move || manager.close(NOW).unwrap());
        if let Err(error) = ask(&host.manager, id) {
            assert!(error.is_gone() || error.is_closed(), "{error}");
        }
        assert!(closer.join().unwrap().is_complete());
    });
}

/// mod_1, ttl_5. Fails if a look-up that finds nothing does not look at the stage again where no
/// provider may know the task, nor where it asks why.
#[test]
fn close_of_a_manager_vs_look_up_closed_and_never_unknown() {
    close_of_a_manager_vs_question(Manager::status);
}

/// mod_1, ttl_5. Fails if who has found a task that goes before it is taken does not look at the
/// stage again.
#[test]
fn close_of_a_manager_vs_take_status_closed_and_never_unknown() {
    close_of_a_manager_vs_question(Manager::take_status);
}

/// mod_1. The same of a module's name.
#[test]
fn close_of_a_manager_vs_module_closed_and_never_unknown() {
    check(3, || {
        let host = Host::new();
        let manager = host.manager.clone();
        let closer = thread::spawn(move || manager.close(NOW).unwrap());
        if let Err(error) = host.manager.module("repair") {
            assert!(error.is_closed(), "{error}");
        }
        closer.join().unwrap();
    });
}

/// mod_1. Fails if waiters look for one stage: it has moved on when they look.
#[test]
fn close_and_drop_of_a_manager_vs_wait_nobody_sleeps_for_ever() {
    check(0, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let manager = host.manager;
        let waiter = thread::spawn(move || observer.wait());
        assert_eq!(manager.close(NOW).unwrap().still_running.len(), 1);
        drop(manager);
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
        drop(task);
    });
}

/// mod_1. The same of a second close, which ends nobody's wait before its time.
#[test]
fn two_closes_of_a_manager_vs_wait_nobody_sleeps_for_ever() {
    check(0, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let waiter = thread::spawn(move || observer.wait());
        for _ in 0..2 {
            assert_eq!(host.manager.close(NOW).unwrap().still_running.len(), 1);
        }
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
        drop(task);
    });
}

/// mod_1. The same of completion callbacks.
#[test]
fn close_and_drop_of_a_manager_vs_on_done_told_once() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let (observer, called) = (task.observe(), Count::default());
        let counted = called.clone();
        let manager = host.manager;
        let registrar = thread::spawn(move || {
            let call = move |status: crate::Result<Status>| {
                assert!(status.unwrap_err().is_closed());
                counted.add();
            };
            observer.on_done(call).unwrap().forget();
        });
        manager.close(NOW).unwrap();
        drop(manager);
        registrar.join().unwrap();
        assert_eq!(called.get(), 1);
        drop(task);
    });
}

/// mod_1. Fails if who waits for a virtual task enters the list without a look at its module.
#[test]
fn close_of_a_module_vs_watch_told_once() {
    check(3, || {
        let host = Host::new();
        let module = host.repair.clone();
        let called = Count::default();
        let counted = called.clone();
        let watcher = thread::spawn(move || {
            let callback = crate::node::callback::Callback::new(move |status| {
                let status: crate::Result<Status> = status;
                assert!(status.unwrap_err().is_closed());
                counted.add();
            });
            let engine = module.engine;
            engine.watch(&module.registration, &std::sync::Arc::new(callback));
        });
        host.repair.close(NOW).unwrap();
        watcher.join().unwrap();
        assert_eq!(called.get(), 1);
        assert!(host.repair.registration.core.group.gate() >= Gate::Overdue);
    });
}
