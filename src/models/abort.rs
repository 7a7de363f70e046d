//! The reach of an abort.

use loom::thread;

use super::{Host, check, slot_of};
use crate::tree::abort;
use crate::{State, Task};

/// life_4. Fails if `Word::start` does not look for the abort.
#[test]
fn abort_vs_start_never_runs_once_aborted() {
    check(2, || {
        let host = Host::new();
        let task = host
            .repair
            .task("repair")
            .abortable()
            .user_task()
            .create()
            .unwrap();
        let observer = task.observe();
        let aborter = {
            let observer = observer.clone();
            thread::spawn(move || {
                observer.abort("too late").unwrap();
                slot_of(&observer).word.load().state()
            })
        };
        let started = task.start();
        let aborted = aborter.join().unwrap();
        match started {
            Ok(()) => {
                assert_ne!(aborted, State::Created, "it was aborted before it ran");
                assert!(task.check_abort().unwrap_err().is_aborted());
                assert!(task.finish().unwrap_err().is_aborted());
            }
            Err(error) => {
                assert!(error.is_aborted());
                let status = observer.status().unwrap();
                assert_eq!((status.state, status.start_time), (State::Failed, None));
            }
        }
        let status = observer.status().unwrap();
        assert_eq!(status.error.as_deref(), Some("aborted: too late"));
        assert_eq!(status.abort.unwrap().reason, "too late");
    });
}

/// life_4. Fails if `Word::finish` does not look for the abort.
#[test]
fn abort_vs_finish_never_done_once_aborted() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let observer = task.observe();
        let owner = thread::spawn(move || task.finish());
        observer.abort("too slow").unwrap();
        let had_ended = observer.is_terminal().unwrap();
        let finished = owner.join().unwrap();
        let status = observer.status().unwrap();
        match finished {
            Ok(()) => {
                assert!(had_ended, "it was aborted before it ended");
                assert_eq!((status.state, status.error), (State::Done, None));
            }
            Err(error) => {
                assert!(error.is_aborted());
                assert_eq!(status.state, State::Failed);
                assert_eq!(status.error.as_deref(), Some("aborted: too slow"));
                assert_eq!(status.abort.unwrap().reason, "too slow");
            }
        }
    });
}

/// abort_2. Fails if a new handle starts with the epoch that its tree has by then.
#[test]
fn abort_vs_new_child_none_escapes() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let observer = root.observe();
        let aborter = thread::spawn(move || observer.abort("all of it").unwrap());
        let child = root.child("part").start();
        aborter.join().unwrap();
        match child {
            Ok(child) => {
                assert!(child.abort_requested());
                assert!(child.finish().unwrap_err().is_aborted());
            }
            Err(error) => assert!(error.is_aborted()),
        }
        assert!(root.child("part").start().unwrap_err().is_aborted());
    });
}

/// abort_2. Fails if `Seen::look` reads the epoch that it remembers after its climb.
#[test]
fn abort_epoch_vs_check_of_a_newborn() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let sibling = root.child("part").start().unwrap();
        sibling.abort("this part").unwrap();
        let child = root.child("part").start().unwrap();
        let observer = root.observe();
        let aborter = thread::spawn(move || observer.abort("all of it").unwrap());
        // Born after one abort and during another, it climbs, and may be too early.
        let early = child.check_abort();
        aborter.join().unwrap();
        assert!(early.is_ok() || early.unwrap_err().is_aborted());
        assert!(child.check_abort().unwrap_err().is_aborted());
    });
}

/// abort_2. Fails if `Seen::nothing_yet` does not look for `SETTLED`, or looks for it before
/// it reads the epoch.
#[test]
fn late_handle_vs_next_tree_in_the_same_block() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let reporter = child.reporter();
        root.abort("all of it").unwrap();
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            assert!(child.finish().unwrap_err().is_aborted());
            assert!(root.finish().unwrap_err().is_aborted());
            repair.task("next").start().unwrap()
        });
        let late = reporter.reporter();
        assert!(late.abort_requested());
        let next = owner.join().unwrap();
        assert!(std::ptr::eq(late.task.tree, next.task.tree));
        assert!(late.abort_requested() && !next.abort_requested());
        next.finish().unwrap();
    });
}

/// abort_2. Fails if the climb stops at the parent.
#[test]
fn abort_reaches_below_a_task_that_has_ended() {
    check(3, || {
        let host = Host::new();
        let root = host.kept_root();
        let child = root.child("part").start().unwrap();
        let leaf = child.child("piece").start().unwrap();
        let observer = root.observe();
        root.finish().unwrap();
        let aborter = {
            let observer = observer.clone();
            thread::spawn(move || observer.abort("the rest").unwrap())
        };
        child.finish().ok();
        aborter.join().unwrap();
        assert!(leaf.check_abort().unwrap_err().is_aborted());
        assert!(leaf.finish().unwrap_err().is_aborted());
        let status = observer.status().unwrap();
        assert_eq!((status.state, status.settled), (State::Done, true));
        assert_eq!(status.first_error.as_deref(), Some("aborted: the rest"));
    });
}

/// abort_3. Fails if a second abort writes its reason over the first.
#[test]
fn abort_vs_abort_first_reason_wins() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root();
        let (one, two) = (task.observe(), task.observe());
        let reason = |observer: &crate::Observer| observer.status().unwrap().abort.unwrap().reason;
        let aborter = thread::spawn(move || {
            one.abort("one").unwrap();
            reason(&one)
        });
        two.abort("two").unwrap();
        let told = reason(&two);
        assert_eq!(aborter.join().unwrap(), told);
        let error = task.finish().unwrap_err().to_string();
        assert!(error.contains(&told), "{error:?} does not name {told:?}");
    });
}

/// A chain, deep enough for a climb to leave what it finds.
fn chain(host: &Host) -> [Task; 4] {
    let root = host.root();
    let a = root.child("a").start().unwrap();
    let b = a.child("b").start().unwrap();
    let c = b.child("c").start().unwrap();
    [root, a, b, c]
}

/// abort_2. Fails if what a climb leaves holds at a later epoch, or if it reads the epoch that it
/// leaves after its climb.
#[test]
fn abort_vs_a_climb_that_leaves_that_there_was_none() {
    check(2, || {
        let host = Host::new();
        let [root, a, b, c] = chain(&host);
        // From here on whoever looks climbs.
        let beside = root.child("beside").start().unwrap();
        beside.abort("this part").unwrap();
        let observer = root.observe();
        let aborter = thread::spawn(move || observer.abort("all of it").unwrap());
        let early = c.check_abort();
        aborter.join().unwrap();
        assert!(early.is_ok() || early.unwrap_err().is_aborted());
        let late = c.check_abort().unwrap_err().to_string();
        assert_eq!(late, "aborted: all of it");
        drop((c, b, a, beside, root));
    });
}

/// abort_2. Fails if a climb leaves what it finds without a reference to the ancestor, or looks
/// whether its task has settled before it reads the ancestor's generation.
#[test]
fn late_climb_vs_next_tree_in_the_same_slots() {
    check(1, || {
        let host = Host::new();
        let [root, a, b, c] = chain(&host);
        root.abort("all of it").unwrap();
        let late = c.reporter();
        let owner = thread::spawn(move || {
            drop((c, b, a, root));
            (chain(&host), host)
        });
        assert!(late.abort_requested());
        let ([_root, _a, _b, c], _host) = owner.join().unwrap();
        let (slot, tree, realm) = (c.task.slot, c.task.tree, c.task.realm());
        assert!(abort::find_mark(slot, tree, realm).is_none());
    });
}
