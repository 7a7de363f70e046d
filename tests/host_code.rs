//! Every place in which the library runs something of the host's: callbacks and what they own,
//! providers, what those answer and panic with, errors, results, and data of threads. The whole
//! manager may be called there, as no lock is held: one that is held is a deadlock, which ends
//! the test. What panics there hurts nobody else.

mod common;
#[path = "host_code/stage.rs"]
mod stage;

use std::cell::RefCell;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use common::{PATIENCE, watched};
use stage::{Answers, Host, Stage, VIRTUAL};
use taskmgr::{BoxError, ErrorCode, Filter, State, Status, Task};

/// Once with destructors that come back, and once with some that panic.
fn on_stages(play: impl Fn(&Stage) + Send + 'static) {
    watched(move || {
        for panics in [false, true] {
            play(&Stage::new(panics));
        }
    });
}

/// What is given back to the host may panic there, as what it was told by a panic may.
fn guarded<T>(work: impl FnOnce() -> T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(work()))) {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    }
}

#[test]
fn abort_4_callbacks_and_what_they_own() {
    on_stages(|stage| {
        let ends: [fn(Task); 6] = [
            |task| task.finish().unwrap(),
            |task| task.fail("disk full").unwrap(),
            drop,
            |task| task.share().finish().unwrap(),
            |task| assert!(task.run(|_| Err::<(), _>("no".into())).is_err()),
            |task| assert!(task.abort("enough").is_ok()),
        ];
        for (at, end) in ends.into_iter().enumerate() {
            for of_root in [false, true] {
                let (root, child) = stage.tree();
                let (id, observer) = match of_root {
                    true => (root.id(), root.observe()),
                    false => (child.id(), child.observe()),
                };
                let task = if of_root { &root } else { &child };
                let owned = [(); 3].map(|()| stage.host(id));
                let [dropped, kept, forgotten] = owned.map(|host| move || host.runs());
                drop(task.on_abort(dropped).unwrap());
                stage.expect("its guard is dropped");
                let guard = task.on_abort(kept).unwrap();
                task.on_abort(forgotten).unwrap().forget();
                let late = task.reporter();
                match of_root {
                    true => drop((child, end(root))),
                    false => drop((end(child), root)),
                }
                stage.expect(&format!("end {at}"));
                let host = stage.host(id);
                late.on_abort(move || host.runs()).unwrap().forget();
                stage.expect("its task has ended");
                drop((guard, late));
                assert!(observer.wait().unwrap().state.is_terminal());
            }
        }
    });
}

#[test]
fn abort_4_callbacks_that_an_abort_runs() {
    on_stages(|stage| {
        let aborts: [fn(&Stage, &Task); 4] = [
            |_, root| root.abort("enough").unwrap(),
            |_, root| root.observe().abort("enough").unwrap(),
            |stage, _| drop(stage.node.module.close(Duration::ZERO).unwrap()),
            |stage, _| drop(stage.node.manager.close(Duration::ZERO).unwrap()),
        ];
        for abort in aborts {
            let stage = Stage::new(stage.panics);
            let (root, child) = stage.tree();
            let host = stage.host(child.id());
            child.on_abort(move || host.runs()).unwrap().forget();
            abort(&stage, &root);
            stage.expect("it is reached");
            let host = stage.host(root.id());
            root.on_abort(move || host.runs()).unwrap().forget();
            stage.expect("it is called at once");
            assert!(child.abort_requested());
            assert!(child.finish().unwrap_err().is_aborted());
            assert!(root.finish().unwrap_err().is_aborted());
        }
    });
}

#[test]
fn wait_3_callbacks_and_what_they_own() {
    on_stages(|stage| {
        let (root, child) = stage.tree();
        let observers = [root.observe(), child.observe()];
        for observer in &observers {
            let owned = [(); 3].map(|()| stage.host(observer.id()));
            let [dropped, kept, forgotten] = owned.map(|host| move |_| host.runs());
            drop(observer.on_done(dropped).unwrap());
            stage.expect("its guard is dropped");
            std::mem::forget(observer.on_done(kept).unwrap());
            observer.on_done(forgotten).unwrap().forget();
        }
        // The parent ends first, and settles with its child.
        root.finish().unwrap();
        stage.expect("the root ends");
        let host = stage.host(observers[0].id());
        observers[0].on_done(move |_| host.runs()).unwrap().forget();
        stage.expect("the root has ended");
        child.finish().unwrap();
        stage.expect("the child ends");
        let (root, _child) = stage.tree();
        let host = stage.host(root.id());
        let observer = root.observe();
        observer.on_done(move |_| host.runs()).unwrap().forget();
        stage.node.manager.close(Duration::ZERO).unwrap();
        stage.expect("the manager is closed");
    });
}

#[test]
fn wait_3_callbacks_of_virtual_tasks_and_what_they_own() {
    on_stages(|stage| {
        let (remote, watches) = stage.remote(Answers::Truly);
        stage.node.module.register_provider(remote).unwrap();
        let observer = stage.node.manager.observe(VIRTUAL).unwrap();
        let watch = || {
            let host = stage.host(VIRTUAL);
            let guard = observer.on_done(move |_| host.runs()).unwrap();
            stage.runs.store(0, Ordering::SeqCst);
            (guard, watches.lock().unwrap().pop().unwrap())
        };
        let (guard, completion) = watch();
        drop(guard);
        stage.expect("its guard is dropped");
        drop(completion);
        let (guard, completion) = watch();
        completion.complete(Ok(Status::new(VIRTUAL, "remote")));
        stage.expect("the task ends");
        drop(guard);
        let (guard, completion) = watch();
        drop(completion);
        stage.expect("the provider has lost it");
        drop(guard);
        let (guard, completion) = watch();
        stage.node.manager.close(Duration::ZERO).unwrap();
        stage.expect("the manager is closed");
        drop((guard, completion));
    });
}

/// What is asked of a provider; whether it was answered.
type Question = fn(&Stage) -> Result<(), ErrorCode>;
const QUESTIONS: [Question; 7] = [
    |stage| told(stage.node.manager.status(VIRTUAL)),
    |stage| told(stage.node.manager.status_tree(VIRTUAL)),
    |stage| told(stage.node.manager.abort(VIRTUAL, "enough")),
    |stage| {
        told(stage.node.manager.wait_timeout(VIRTUAL, Duration::ZERO)).or_else(|code| match code {
            ErrorCode::Timeout => Ok(()),
            other => Err(other),
        })
    },
    |stage| told(stage.node.manager.on_done(VIRTUAL, drop)),
    |stage| {
        let local = stage.node.module.task("t").parent_id(VIRTUAL);
        told(local.start().and_then(Task::finish)).and(Err(ErrorCode::Provider))
    },
    |stage| {
        let taken = stage.node.module.task("t").id(VIRTUAL).start();
        assert_eq!(taken.unwrap_err().code(), ErrorCode::IdInUse);
        Err(ErrorCode::Provider)
    },
];

fn told<T>(answer: taskmgr::Result<T>) -> Result<(), ErrorCode> {
    answer.map(drop).map_err(|error| error.code())
}

#[test]
fn virt_1_providers_and_what_they_answer() {
    on_stages(|stage| {
        for answers in [Answers::Truly, Answers::WithAnError, Answers::WithAPanic] {
            let stage = Stage::new(stage.panics);
            let (remote, _watches) = stage.remote(answers);
            stage.node.module.register_provider(remote).unwrap();
            for (at, question) in QUESTIONS.iter().enumerate() {
                // The two that only ask whose the task is are told, whatever it answers.
                let expected = match answers == Answers::Truly && at < 5 {
                    true => Ok(()),
                    false => Err(ErrorCode::Provider),
                };
                assert_eq!(question(&stage), expected, "{at}, {answers:?}");
                stage.expect("the provider is asked");
            }
            let listed = stage.node.module.list(&Filter::new()).unwrap();
            let is_listed = listed.iter().any(|stats| stats.id == VIRTUAL);
            assert_eq!(is_listed, answers == Answers::Truly);
        }
    });
}

/// How it comes out that the last task of a closing module has ended.
const LOOKS: [fn(&Stage); 6] = [
    |stage| assert!(stage.node.manager.modules().unwrap().is_empty()),
    |stage| assert!(stage.node.manager.module("m").is_err()),
    |stage| drop(stage.node.module.list(&Filter::new())),
    |stage| drop(stage.node.module.drain()),
    |stage| drop(stage.node.module.close(Duration::ZERO)),
    |stage| drop(stage.node.manager.close(Duration::ZERO).unwrap()),
];

#[test]
fn virt_1_providers_that_go_with_their_module() {
    on_stages(|stage| {
        for (at, look) in LOOKS.iter().enumerate() {
            let stage = Stage::new(stage.panics);
            let (remote, _watches) = stage.remote(Answers::Truly);
            stage.node.module.register_provider(remote).unwrap();
            let task = stage.node.module.task("t").start().unwrap();
            let report = stage.node.module.close(Duration::ZERO).unwrap();
            assert!(!report.is_complete());
            let (remote, _watches) = stage.remote(Answers::Truly);
            guarded(|| assert!(stage.node.module.register_provider(remote).is_err()));
            stage.expect("it is refused");
            drop(task);
            look(&stage);
            stage.wait_for(&format!("look {at}"));
            if stage.node.manager.modules().is_ok() {
                stage.node.manager.register_module("m").unwrap();
            }
        }
        for close in [
            |stage: &Stage| drop(stage.node.module.close(PATIENCE).unwrap()),
            |stage: &Stage| drop(stage.node.manager.close(PATIENCE).unwrap()),
        ] {
            let stage = Stage::new(stage.panics);
            let (remote, _watches) = stage.remote(Answers::Truly);
            stage.node.module.register_provider(remote).unwrap();
            close(&stage);
            stage.wait_for("all is over with the close");
            assert!(stage.node.manager.module("m").is_err());
        }
    });
}

#[test]
fn life_3_errors_and_panics_of_the_work() {
    on_stages(|stage| {
        let failed_with = |what: &str, end: &dyn Fn(Task, Host)| {
            let (root, child) = stage.tree();
            let (id, observer) = (child.id(), child.observe());
            let host = stage.host(id);
            // What the host is given back may panic as it is dropped.
            guarded(|| end(child, host));
            stage.expect(what);
            assert_eq!(observer.wait().unwrap().state, State::Failed, "{what}");
            root.finish().unwrap();
        };
        failed_with("fail", &|task, host| task.fail(&host).unwrap());
        failed_with("fail of one that is shared", &|task, host| {
            task.share().fail(&host).unwrap();
        });
        failed_with("an error of the work", &|task, host| {
            let error = task
                .run(|_| Err::<(), BoxError>(Box::new(host)))
                .unwrap_err();
            assert!(error.source().is_some());
        });
        failed_with("a panic of the work", &|task, host| {
            drop(task.run::<()>(|_| resume_unwind(Box::new(host))));
        });
        failed_with("an error of a thread", &|task, host| {
            let spawned = task.spawn(|_| Err::<(), BoxError>(Box::new(host))).unwrap();
            drop(spawned.join());
        });
        failed_with("a panic of a thread", &|task, host| {
            let spawned = task.spawn::<()>(|_| resume_unwind(Box::new(host))).unwrap();
            assert_eq!(spawned.join().unwrap_err().code(), ErrorCode::TaskFailed);
        });
    });
}

#[test]
fn life_3_results_that_nobody_takes() {
    on_stages(|stage| {
        let (root, child) = stage.tree();
        let (id, observer) = (child.id(), child.observe());
        let host = stage.host(id);
        let spawned = child.spawn(|_| Ok(host)).unwrap();
        observer.wait().unwrap();
        guarded(|| spawned);
        stage.wait_for("it is dropped");
        root.finish().unwrap();
    });
}

/// Handles that callbacks own are dropped where those are.
#[test]
fn life_7_handles_that_callbacks_own() {
    on_stages(|stage| {
        for how in 0..3 {
            let (root, child) = stage.tree();
            let (own, other) = (stage.tree(), stage.node.module.task("t").start().unwrap());
            let observers = [
                root.observe(),
                own.0.observe(),
                own.1.observe(),
                other.observe(),
            ];
            let guards = (
                child.on_abort(|| {}).unwrap(),
                child.observe().on_done(drop).unwrap(),
                other.on_abort(|| {}).unwrap(),
            );
            let owned = (
                child.reporter(),
                child.observe(),
                own,
                other.share(),
                guards,
            );
            let (manager, sibling) = (stage.node.manager.clone(), root.child("c").start().unwrap());
            let host = stage.host(child.id());
            let owned = Mutex::new((owned, manager, sibling, host));
            let guard = child.on_abort(move || drop(owned)).unwrap();
            match how {
                0 => drop(guard),
                1 => child.abort("enough").unwrap(),
                _ => guard.forget(),
            }
            drop(child);
            stage.expect("it is dropped");
            drop(root);
            for observer in observers {
                let status = observer.wait_timeout(PATIENCE).unwrap();
                assert_eq!(status.state, State::Failed);
            }
        }
    });
}

#[test]
fn life_7_what_a_thread_owns_may_go_after_what_the_library_has_of_it() {
    thread_local! {
        static OWNED: RefCell<Option<(Task, Host, Task)>> = const { RefCell::new(None) };
    }
    watched(|| {
        let stage = Stage::new(false);
        let (sender, told) = mpsc::channel();
        let root = stage.tree();
        let host = stage.host(root.1.id());
        let module = stage.node.module.clone();
        let worker = std::thread::spawn(move || {
            // Known to the thread before anything of the library's is.
            OWNED.with(|owned| assert!(owned.borrow().is_none()));
            let task = module.task("t").start().unwrap();
            sender
                .send([root.0.observe(), root.1.observe(), task.observe()])
                .unwrap();
            OWNED.set(Some((root.1, host, task)));
            drop(root.0.finish());
        });
        worker.join().unwrap();
        stage.expect("it is dropped");
        for observer in told.recv().unwrap() {
            assert!(observer.wait().unwrap().state.is_terminal());
        }
    });
}
