//! Providers under load, late ones, and those that do what they should not.

mod common;
#[path = "common/fake.rs"]
mod fake;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

use common::{Node, PATIENCE, node_with, seconds, until, watched};
use fake::{Fake, ID};
use taskmgr::{BoxError, Completion, ErrorCode, Filter, State, Uuid, nonblocking};

/// A manager with one provider, which has this long.
fn stage(deadline: Duration) -> (Node, Fake) {
    let node = node_with(|builder| builder.provider_deadline(deadline));
    let fake = Fake::new();
    node.module.register_provider(fake.clone()).unwrap();
    (node, fake)
}

/// Long enough for a machine that is slow, and short enough to be waited for.
const A_WHILE: Duration = Duration::from_secs(1);

fn at_once<R: Send>(threads: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|n| {
                let (barrier, f) = (&barrier, &f);
                scope.spawn(move || {
                    barrier.wait();
                    f(n)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn virt_1_however_many_ask_a_healthy_provider_each_has_its_turn() {
    let (node, fake) = stage(PATIENCE);
    fake.trouble(|| {
        // What it takes, not what is waited for.
        std::thread::sleep(Duration::from_millis(2));
        Ok(())
    });
    let failures: usize = at_once(32, |_| {
        let round = |_: &usize| {
            let listed = node.module.list(&Filter::new()).unwrap();
            let found = node.manager.status(ID);
            listed.len() != 1 || found.is_err()
        };
        (0..5).filter(round).count()
    })
    .into_iter()
    .sum();
    assert_eq!(failures, 0);
    assert!(fake.most() <= 16, "{} at once", fake.most());
}

#[test]
fn virt_1_one_that_hangs_takes_a_bounded_number_of_threads_and_nobody_longer_than_the_deadline() {
    let (node, fake) = stage(Duration::from_millis(100));
    fake.0.gate.shut();
    for _ in 0..3 {
        let begun = Instant::now();
        for answer in at_once(24, |_| node.manager.status(ID)) {
            assert_eq!(answer.unwrap_err().code(), ErrorCode::Provider);
        }
        assert!(begun.elapsed() < PATIENCE / 2);
    }
    assert!(fake.most() <= 16, "{} at once", fake.most());
    fake.0.gate.open();
    until("it is asked again", || node.manager.status(ID).is_ok());
    until("all have come back", || fake.now() == 0);
}

#[test]
fn virt_1_one_that_let_a_call_pass_is_asked_by_one_at_a_time() {
    let (node, fake) = stage(A_WHILE);
    fake.0.gate.shut();
    let begun = Instant::now();
    let error = node.manager.status(ID).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider);
    assert!(begun.elapsed() >= A_WHILE, "it had its time");
    assert_eq!(fake.now(), 1, "the call that was given up");

    let begun = Instant::now();
    let answers = std::thread::scope(|scope| {
        let askers = scope.spawn(|| at_once(8, |_| node.manager.status(ID).is_ok()));
        until("one asks", || fake.now() >= 2);
        for _ in 0..1_000 {
            std::thread::yield_now();
            let now = fake.now();
            // Once its deadline has passed it is another's turn.
            if begun.elapsed() >= A_WHILE {
                break;
            }
            assert_eq!(now, 2);
        }
        fake.0.gate.open();
        askers.join().unwrap()
    });
    let is_slow = begun.elapsed() >= A_WHILE;
    assert!(
        answers.contains(&true) || is_slow,
        "those who had waited are answered"
    );
    until("it is healthy", || node.manager.status(ID).is_ok());
}

#[test]
fn virt_1_lists_skip_one_that_is_late_and_have_it_back_when_it_answers() {
    let (node, fake) = stage(A_WHILE);
    fake.0.gate.shut();
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 0);
    let (late, begun) = (fake.calls(), Instant::now());
    for _ in 0..20 {
        assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 0);
    }
    assert!(begun.elapsed() < A_WHILE * 10, "they do not wait");
    assert!(
        fake.calls() == late || begun.elapsed() >= A_WHILE,
        "nor do they ask"
    );
    fake.0.gate.open();
    until("its call comes back", || fake.now() == 0);
    until("it is listed", || {
        node.module.list(&Filter::new()).unwrap().len() == 1
    });
}

/// Its lost call never comes back, and nobody asks for one of its tasks.
#[test]
fn virt_1_lists_find_out_themselves_that_a_late_one_answers_again() {
    let (node, fake) = stage(Duration::from_millis(20));
    let (never, is_first) = (Arc::new(fake::Gate::default()), AtomicBool::new(true));
    never.shut();
    let theirs = Arc::clone(&never);
    fake.trouble(move || {
        if is_first.swap(false, Ordering::SeqCst) {
            theirs.pass();
        }
        Ok(())
    });
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 0);
    until("it is listed", || {
        node.module.list(&Filter::new()).unwrap().len() == 1
    });
    assert_eq!(fake.now(), 1, "its first call is lost");
    never.open();
}

#[test]
fn virt_1_a_question_about_one_providers_task_does_not_wait_for_another_provider() {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    let (hangs, answers) = (Fake::new(), Fake::new());
    hangs.0.gate.shut();
    // The one that hangs comes first.
    node.module.register_provider(hangs.clone()).unwrap();
    let other = node.manager.register_module("other").unwrap();
    other.register_provider(answers).unwrap();
    let begun = Instant::now();
    for _ in 0..40 {
        assert_eq!(&*node.manager.status(ID).unwrap().module, "other");
        assert_eq!(other.list(&Filter::new()).unwrap().len(), 1);
        assert!(begun.elapsed() < PATIENCE / 2);
    }
    assert!(hangs.most() <= 16);
    hangs.0.gate.open();
}

/// What it comes to, and how to bring it about.
type Trouble = (&'static str, fn(&Fake));

/// What a provider may come to instead of an answer.
fn troubles() -> [Trouble; 3] {
    [
        ("fails", |fake| fake.trouble(|| Err("no quorum".into()))),
        ("panics", |fake| {
            fake.trouble(|| std::panic::resume_unwind(Box::new("no quorum")));
        }),
        ("hangs", |fake| fake.0.gate.shut()),
    ]
}

#[test]
fn id_1_an_id_that_a_provider_could_not_be_asked_about_is_refused_and_nothing_is_changed() {
    for (what, trouble) in troubles() {
        let (node, fake) = stage(Duration::from_millis(50));
        fake.away(true);
        let parent = node.module.task("parent").start().unwrap();
        trouble(&fake);
        let refused = |code| {
            let root = node.module.task("root").id(ID).start();
            assert_eq!(root.unwrap_err().code(), code, "{what}");
            let child = parent.child("child").id(ID).start();
            assert_eq!(child.unwrap_err().code(), code, "{what}");
        };
        refused(ErrorCode::Provider);
        let calls = fake.calls();
        nonblocking(|| refused(ErrorCode::WouldDeadlock));
        assert_eq!(fake.calls(), calls, "it is not asked inside");
        let status = parent.status().unwrap();
        assert_eq!(status.child_counts, Default::default(), "{what}");
        assert_eq!((status.progress.completed, status.progress.total), (0, 1));

        fake.no_trouble();
        fake.0.gate.open();
        let create = || node.module.task("root").id(ID).start();
        until("it answers", || match create() {
            Ok(root) => {
                assert_eq!(root.status().unwrap().sequence_number, 2, "{what}");
                true
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Provider, "{what}: {error}");
                false
            }
        });
        fake.away(false);
        let taken = parent.child("child").id(ID).start().unwrap_err();
        assert_eq!(taken.code(), ErrorCode::IdInUse, "{what}");
    }
}

#[test]
fn id_1_what_is_gone_hides_no_virtual_task() {
    let (node, fake) = stage(Duration::from_millis(50));
    fake.away(true);
    node.manager.set_task_ttl(Duration::ZERO).unwrap();
    let root = node.module.task("root").id(ID).start().unwrap();
    root.finish().unwrap();
    assert!(node.manager.status(ID).unwrap_err().is_gone());
    let inside = nonblocking(|| node.manager.status(ID)).unwrap_err();
    assert_eq!(inside.code(), ErrorCode::WouldDeadlock, "who knows");
    // Of what is gone more is known than of what a provider cannot say.
    for (what, trouble) in troubles() {
        trouble(&fake);
        for _ in 0..2 {
            let error = node.manager.status(ID).unwrap_err();
            assert!(error.is_gone(), "{what}: {error}");
        }
        fake.no_trouble();
        fake.0.gate.open();
        until("its calls come back", || fake.now() == 0);
    }
    fake.away(false);
    until("it is shown", || {
        node.manager
            .status(ID)
            .is_ok_and(|status| status.type_ == "fake")
    });

    // The same of a child that is a part of its parent.
    let (node, fake) = stage(PATIENCE);
    fake.away(true);
    let root = node.module.task("root").start().unwrap();
    root.child("child")
        .id(ID)
        .start()
        .unwrap()
        .finish()
        .unwrap();
    assert!(node.manager.status(ID).unwrap_err().is_gone());
    fake.away(false);
    assert_eq!(&*node.manager.status(ID).unwrap().type_, "fake");
}

#[test]
fn wait_2_a_wait_for_a_virtual_task_takes_no_longer_than_its_timeout() {
    let (node, fake) = stage(PATIENCE);
    let observer = node.manager.observe(ID).unwrap();
    let in_time = |what: &str| {
        for timeout in [Duration::ZERO, Duration::from_millis(10)] {
            let begun = Instant::now();
            for error in [
                node.manager.wait_timeout(ID, timeout).unwrap_err(),
                observer.wait_timeout(timeout).unwrap_err(),
            ] {
                assert!(error.is_timeout(), "{what}: {error}");
            }
            assert!(begun.elapsed() < PATIENCE / 2, "{what}");
        }
    };
    in_time("it runs");
    let hang = Arc::new(fake::Gate::default());
    hang.shut();
    let theirs = Arc::clone(&hang);
    fake.on_watch(move |done| {
        theirs.pass();
        drop(done);
        Ok(())
    });
    in_time("its watch hangs");
    fake.0.gate.shut();
    in_time("it hangs");
    hang.open();
    fake.0.gate.open();
}

#[test]
fn wait_2_a_wait_of_zero_finds_a_virtual_task_that_has_ended() {
    let (node, fake) = stage(PATIENCE);
    fake.end();
    fake.trouble(|| {
        // What it takes to answer.
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    });
    // It has 50 ms, which a machine that is slow may need more than once.
    until("it is found", || {
        node.manager
            .wait_timeout(ID, Duration::ZERO)
            .is_ok_and(|status| status.state == State::Done)
    });
    assert_eq!(node.manager.wait(ID).unwrap().state, State::Done);
}

#[test]
fn wait_2_a_wait_for_ever_outlasts_the_deadline() {
    let (node, fake) = stage(PATIENCE);
    let waiter = {
        let manager = node.manager.clone();
        std::thread::spawn(move || manager.wait(ID))
    };
    until("it watches", || !fake.0.kept.lock().unwrap().is_empty());
    fake.end();
    assert_eq!(waiter.join().unwrap().unwrap().state, State::Done);
}

/// Counts its calls, and that it is dropped.
fn counted() -> (
    Arc<AtomicUsize>,
    impl FnOnce(taskmgr::Result<taskmgr::Status>) + Send + 'static,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&calls);
    (calls, move |_| {
        theirs.fetch_add(1, Ordering::SeqCst);
    })
}

fn is_never_called(calls: &Arc<AtomicUsize>, what: &str) {
    assert_eq!(calls.load(Ordering::SeqCst), 0, "{what}");
    assert_eq!(Arc::strong_count(calls), 1, "{what}: it is dropped");
}

#[test]
fn virt_1_a_callback_that_was_refused_is_never_called() {
    let (node, fake) = stage(PATIENCE);
    let keeps = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&keeps);
    fake.on_watch(move |done| {
        kept.lock().unwrap().push(done);
        Err("not watched".into())
    });
    let (calls, callback) = counted();
    let error = node.manager.on_done(ID, callback).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider);
    is_never_called(&calls, "it kept the completion and failed");
    let done: Completion = keeps.lock().unwrap().pop().unwrap();
    assert!(done.is_cancelled());
    done.complete(Ok(fake.status()));
    is_never_called(&calls, "it completed later");

    fake.on_watch(|_| Err("not watched".into()));
    let (calls, callback) = counted();
    node.manager.on_done(ID, callback).unwrap_err();
    is_never_called(&calls, "it dropped the completion and failed");

    fake.on_watch(|done| {
        let _done = done;
        std::panic::resume_unwind(Box::new("not watched"))
    });
    let (calls, callback) = counted();
    node.manager.on_done(ID, callback).unwrap_err();
    is_never_called(&calls, "it panicked");

    let ended = fake.status();
    fake.on_watch(move |done| {
        done.complete(Ok(ended.clone()));
        Err("not watched".into())
    });
    let (calls, callback) = counted();
    let guard = node.manager.on_done(ID, callback);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(guard.is_ok(), "who was called was not refused");

    fake.on_watch(|done| {
        drop(done);
        Ok(())
    });
    let (sender, told) = mpsc::channel();
    let callback = move |status| drop(sender.send(status));
    node.manager.on_done(ID, callback).unwrap().forget();
    let lost = told.recv_timeout(PATIENCE).expect("it is told");
    let lost = lost.unwrap_err();
    assert_eq!(lost.code(), ErrorCode::Provider, "it is told of the loss");
    assert!(told.recv().is_err(), "once");
}

#[test]
fn virt_1_a_callback_is_not_called_by_a_watch_beyond_the_deadline() {
    let (node, fake) = stage(Duration::from_millis(50));
    let hang = Arc::new(fake::Gate::default());
    let (sender, over) = mpsc::channel();
    let (theirs, ended) = (Arc::clone(&hang), fake.status());
    fake.on_watch(move |done| {
        theirs.pass();
        assert!(done.is_cancelled());
        done.complete(Ok(ended.clone()));
        sender.send(()).unwrap();
        Ok(())
    });
    let observer = node.manager.observe(ID).unwrap();
    hang.shut();
    let (calls, callback) = counted();
    let error = observer.on_done(callback).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider);
    is_never_called(&calls, "it hangs");
    hang.open();
    over.recv().unwrap();
    is_never_called(&calls, "it completed beyond the deadline");
}

#[test]
fn virt_1_a_callback_whose_turn_never_came_is_never_called() {
    let (node, fake) = stage(Duration::from_millis(100));
    let observer = node.manager.observe(ID).unwrap();
    let watches = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&watches);
    fake.on_watch(move |_| {
        theirs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    fake.0.gate.shut();
    // As many as may be under way, and never come back.
    while fake.now() < 16 {
        drop(at_once(16, |_| observer.status()));
    }
    let (calls, callback) = counted();
    observer.on_done(callback).unwrap_err();
    is_never_called(&calls, "it never had its turn");
    assert_eq!(watches.load(Ordering::SeqCst), 0);
    fake.0.gate.open();
    until("all have come back", || fake.now() == 0);
    assert_eq!(watches.load(Ordering::SeqCst), 0, "it was withdrawn");
}

#[test]
fn virt_1_with_everything_at_once_each_callback_is_called_or_refused() {
    watched(|| {
        let (node, fake) = stage(Duration::from_millis(20));
        let (called, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let called = Arc::new(called);
        let turn = AtomicUsize::new(0);
        let ended = fake.status();
        fake.on_watch(move |done| match turn.fetch_add(1, Ordering::SeqCst) % 5 {
            0 => {
                done.complete(Ok(ended.clone()));
                Ok(())
            }
            1 => Err("not watched".into()),
            2 => {
                let ended = ended.clone();
                std::thread::spawn(move || done.complete(Ok(ended)));
                Err("watched all the same".into())
            }
            3 => {
                // Around the deadline.
                std::thread::sleep(Duration::from_millis(20));
                done.complete(Ok(ended.clone()));
                Ok(())
            }
            _ => {
                drop(done);
                Ok(())
            }
        });
        let observer = loop {
            if let Ok(observer) = node.manager.observe(ID) {
                break observer;
            }
        };
        at_once(8, |_| {
            for _ in 0..25 {
                let theirs = Arc::clone(&called);
                let callback = move |_| {
                    theirs.fetch_add(1, Ordering::SeqCst);
                };
                if let Ok(guard) = observer.on_done(callback) {
                    taken.fetch_add(1, Ordering::SeqCst);
                    guard.forget();
                }
            }
        });
        let taken = taken.into_inner();
        until("all that were taken are called", || {
            called.load(Ordering::SeqCst) >= taken
        });
        until("all have come back", || fake.now() == 0);
        assert_eq!(called.load(Ordering::SeqCst), taken);
    });
}

#[test]
fn wait_5_inside_nothing_is_asked_of_a_provider() {
    let (node, fake) = stage(PATIENCE);
    let observer = node.manager.observe(ID).unwrap();
    let (calls, callback) = counted();
    let before = fake.calls();
    let codes = nonblocking(|| {
        let id = Uuid::from_u128(7);
        [
            node.manager.status(ID).unwrap_err(),
            node.manager.status(id).unwrap_err(),
            observer.status().unwrap_err(),
            observer.status_tree().unwrap_err(),
            observer.is_terminal().unwrap_err(),
            observer.wait_timeout(Duration::ZERO).unwrap_err(),
            observer.wait_timeout(seconds(1)).unwrap_err(),
            observer.wait().unwrap_err(),
            observer.abort("inside").unwrap_err(),
            observer.on_done(callback).unwrap_err(),
            node.module.list(&Filter::new()).unwrap_err(),
            node.module.task("t").id(id).start().unwrap_err(),
            node.module.task("t").parent_id(id).start().unwrap_err(),
        ]
        .map(|error| error.code())
    });
    assert_eq!(codes, [ErrorCode::WouldDeadlock; 13]);
    assert_eq!(fake.calls(), before);
    is_never_called(&calls, "it was refused");
    let first = node.module.task("t").start().unwrap();
    assert_eq!(first.status().unwrap().sequence_number, 1);
}

/// A provider inside which a call needs another provider, or the same.
#[test]
fn wait_5_a_provider_asks_no_provider() {
    let (node, fake) = stage(PATIENCE);
    let (manager, told) = (node.manager.clone(), Arc::new(Mutex::new(None)));
    let theirs = Arc::clone(&told);
    fake.trouble(move || -> Result<(), BoxError> {
        let code = manager.status(Uuid::from_u128(7)).unwrap_err().code();
        *theirs.lock().unwrap() = Some(code);
        Ok(())
    });
    node.manager.status(ID).unwrap();
    assert_eq!(*told.lock().unwrap(), Some(ErrorCode::WouldDeadlock));
    // It holds a manager, which holds it.
    fake.no_trouble();
}
