//! Folding: the order in which a tree ends, and who looks at it meanwhile.

use loom::thread;

use super::{Host, check, slot_of};
use crate::node::word::SETTLED;
use crate::{ChildCounts, GoneReason, State};

/// fold_3. Fails if `publish` looks at `family.live` and lets the lock go before it ends
/// the task.
#[test]
fn child_finish_vs_parent_finish_exactly_one_folds_it() {
    check(3, || {
        let host = Host::new();
        let root = host.kept_root();
        let parent = root.child("part").start().unwrap();
        let child = parent.child("piece").start().unwrap();
        let finisher = thread::spawn(move || child.finish());
        parent.fail("no space").unwrap();
        finisher.join().unwrap().unwrap();
        let counts = ChildCounts {
            failed: 1,
            ..ChildCounts::default()
        };
        let status = root.status().unwrap();
        assert_eq!(status.child_counts, counts);
        assert_eq!(status.children.len(), 1);
        root.finish().unwrap();
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// fold_3. Fails if `publish` looks at `family.live` and lets the lock go before it ends
/// the task.
#[test]
fn child_finish_vs_root_finish_exactly_one_settles_it() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let observer = root.observe();
        let child = root.child("part").start().unwrap();
        let finisher = thread::spawn(move || child.fail("no space"));
        root.finish().unwrap();
        finisher.join().unwrap().unwrap();
        let status = observer.status().unwrap();
        assert_eq!((status.state, status.settled), (State::Done, true));
        assert_eq!(status.first_error.as_deref(), Some("no space"));
        let gone = host.manager.status(observer.id()).unwrap_err().gone();
        assert_eq!(gone, Some((GoneReason::Expired, State::Done)));
    });
}

/// fold_3. Fails if `fold` asks whether it was the last in another critical section.
#[test]
fn the_last_two_children_of_a_finished_parent_at_once() {
    check(3, || {
        let host = Host::new();
        let root = host.kept_root();
        let parent = root.child("part").start().unwrap();
        let one = parent.child("piece").start().unwrap();
        let two = parent.child("piece").start().unwrap();
        parent.finish().unwrap();
        let finisher = thread::spawn(move || one.finish());
        two.finish().unwrap();
        finisher.join().unwrap().unwrap();
        // Nobody holds the parent: whoever comes to its block again finds it given back.
        let counts = root.status().unwrap().child_counts;
        assert_eq!((counts.live, counts.succeeded), (0, 1));
        root.finish().unwrap();
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// fold_2, prog_3. Fails if `unlink` does not tell the readers who have not come so far, or
/// tells those as well who have passed.
#[test]
fn fold_vs_reader_never_twice_never_missing() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").total(2, "ranges").start().unwrap();
        child.advance(2);
        let observer = root.observe();
        let finisher = thread::spawn(move || child.finish());
        let status = observer.status().unwrap();
        assert_eq!((status.progress.completed, status.progress.total), (2, 2));
        assert_eq!(status.children.len(), 1);
        assert_eq!(status.child_counts.live + status.child_counts.succeeded, 1);
        finisher.join().unwrap().unwrap();
    });
}

/// prog_3. Fails if a reader that goes into a child reads its kids twice over, or if a
/// fold empties the child that the reader holds.
#[test]
fn fold_of_a_parent_vs_reader_never_twice_never_missing() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let leaf = child.child("piece").total(2, "ranges").start().unwrap();
        leaf.advance(2);
        let observer = root.observe();
        let finisher = thread::spawn(move || {
            leaf.finish().unwrap();
            child.finish().unwrap();
        });
        let status = observer.status().unwrap();
        assert_eq!((status.progress.completed, status.progress.total), (2, 2));
        assert_eq!(status.children.len(), 1);
        finisher.join().unwrap();
    });
}

/// fold_5, prog_3. Fails if a walk looks at the kept children before the live ones, or at
/// the sums after them.
#[test]
fn fold_vs_walk_each_once() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").total(2, "ranges").start().unwrap();
        child.advance(2);
        let id = child.id();
        let observer = root.observe();
        let finisher = thread::spawn(move || child.finish());
        let tree = observer.status_tree().unwrap();
        let ids: Vec<_> = tree.iter().map(|status| status.id).collect();
        assert_eq!(ids, [observer.id(), id]);
        assert_eq!(tree[1].parent_id, Some(observer.id()));
        let shown = &tree[0].progress;
        assert_eq!((shown.completed, shown.total), (2, 2));
        finisher.join().unwrap().unwrap();
    });
}

/// fold_3. Fails if `close` looks for further families before it has gone through the first
/// one's lock, if it leaves those open, or if they are put into use without that lock, or
/// though that family is closed.
#[test]
fn birth_in_a_further_family_vs_the_end_of_the_parent_refused_or_waited_for() {
    check(3, || {
        let host = Host::new();
        let root = host.kept_root();
        let observer = root.observe();
        let worker = root.reporter();
        root.child("part").start().unwrap().finish().unwrap();
        let maker = thread::spawn(move || {
            let kids = worker.task.slot.kids(worker.task.realm()).unwrap();
            kids.stripe();
            worker.child("part").start()
        });
        root.finish().unwrap();
        let made = maker.join().unwrap();
        assert_eq!(observer.status().unwrap().settled, made.is_err());
        drop(made);
        assert!(observer.status().unwrap().settled);
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// fold_3. Fails if `close` counts one token for two families with live children.
#[test]
fn the_last_children_of_two_families_at_once() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let observer = root.observe();
        let first = root.child("part").start().unwrap();
        let kids = root.task.slot.kids(root.task.realm()).unwrap();
        assert!(kids.stripe());
        let second = root.child("part").start().unwrap();
        root.finish().unwrap();
        let finisher = thread::spawn(move || first.finish());
        let has_settled = || slot_of(&observer).word.load().has(SETTLED);
        assert!(!has_settled(), "one runs");
        second.finish().unwrap();
        finisher.join().unwrap().unwrap();
        assert!(has_settled());
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// fold_3, fold_4. Fails if `close` counts no token for a family with live children, if the
/// parent lets go before it has ended, or if two children have one order.
#[test]
fn births_of_two_threads_vs_the_end_of_their_parent_exactly_one_settles_it() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let observer = root.observe();
        let worker = root.reporter();
        let first = root.child("part").start().unwrap();
        let maker = thread::spawn(move || {
            let child = worker.child("part").start();
            child.map(|child| child.fail("no space").unwrap()).is_ok()
        });
        let second = root.child("part").start().unwrap();
        first.finish().unwrap();
        root.finish().unwrap();
        assert!(!slot_of(&observer).word.load().has(SETTLED), "one runs");
        second.finish().unwrap();
        let made = maker.join().unwrap();
        let status = observer.status().unwrap();
        assert!(status.settled);
        let counts = ChildCounts {
            succeeded: 2,
            failed: u64::from(made),
            ..ChildCounts::default()
        };
        assert_eq!(status.child_counts, counts);
        assert_eq!(status.children.len() as u64, 2 + counts.failed);
        assert_eq!(status.first_error.is_some(), made);
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// prog_4. Fails if the counts of several families are of several moments.
#[test]
fn fold_and_birth_in_two_families_vs_counts_never_two_at_once() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let observer = root.observe();
        let first = root.child("part").start().unwrap();
        let kids = root.task.slot.kids(root.task.realm()).unwrap();
        assert!(kids.stripe());
        let worker = thread::spawn(move || {
            first.finish().unwrap();
            let second = root.child("part").start().unwrap();
            (root, second)
        });
        let counts = observer.status().unwrap().child_counts;
        assert!(counts.live <= 1, "{counts:?}");
        drop(worker.join().unwrap());
    });
}

/// fold_4. Fails if a reader that finds that records have changed families does not look again.
#[test]
fn records_that_change_families_vs_reader_none_is_missed() {
    check(2, || {
        let host = Host::with(|builder| builder.max_kept_children(2));
        let root = host.root();
        let observer = root.observe();
        let first = root.child("part").start().unwrap();
        let kids = root.task.slot.kids(root.task.realm()).unwrap();
        assert!(kids.stripe());
        root.child("part").start().unwrap().finish().unwrap();
        let stays = root.child("part").start().unwrap();
        let id = stays.id();
        stays.finish().unwrap();
        // Its family keeps nothing yet: both records come to it, and the older one goes.
        let finisher = thread::spawn(move || first.finish());
        let children = observer.status().unwrap().children;
        assert!(children.iter().any(|child| child.task_id == id));
        finisher.join().unwrap().unwrap();
        assert_eq!(observer.status().unwrap().children.len(), 2);
    });
}

/// fold_1. Fails if an end gives its references back before its task has folded, where others hold
/// the task: they may give it up meanwhile, and its slot, with its links, is another child's.
#[test]
fn finish_vs_the_last_reference_and_the_next_task_in_the_slot() {
    check(2, || {
        let host = Host::new();
        let (root, other) = (host.root(), host.root());
        other.child("first").start().unwrap().finish().unwrap();
        let child = root.child("part").start().unwrap();
        let stays = root.child("part").start().unwrap();
        let observer = child.observe();
        let watcher = thread::spawn(move || {
            drop(observer);
            let next = other.child("next").start().unwrap();
            (other, next)
        });
        child.finish().unwrap();
        let (other, next) = watcher.join().unwrap();
        for (parent, child) in [(&root, &stays), (&other, &next)] {
            let status = parent.status().unwrap();
            let ids: Vec<_> = status.children.iter().map(|child| child.task_id).collect();
            assert_eq!((ids.len(), ids[1]), (2, child.id()));
        }
    });
}
