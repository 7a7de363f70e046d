//! A bound of live tasks.

use loom::thread;

use super::{Host, check, slot_of};
use crate::node::word::SETTLED;
use crate::{ErrorCode, Observer, Result, Task};

fn host(most: usize) -> Host {
    Host::with(|builder| builder.max_live_tasks(most))
}

fn is_exhausted(made: &Result<Task>) -> bool {
    match made {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::Exhausted, "{error}");
            true
        }
    }
}

/// What a status says of it, in one step.
fn has_settled(task: &Observer) -> bool {
    slot_of(task).word.load().has(SETTLED)
}

/// ttl_9. Fails if a task settles before or after it is counted no more, and not with that.
#[test]
fn birth_vs_end_of_a_child_at_the_bound() {
    check(3, || {
        let host = host(2);
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let observer = child.observe();
        let owner = thread::spawn(move || child.finish().unwrap());
        let was_settled = has_settled(&observer);
        // Not under the lock under which the child folds.
        let next = host.repair.task("next").start();
        match is_exhausted(&next) {
            true => assert!(!was_settled, "it is refused while fewer live"),
            false => assert!(has_settled(&observer), "more live than may"),
        }
        owner.join().unwrap();
        drop(next);
        root.child("part").start().unwrap().finish().unwrap();
    });
}

/// ttl_9. The same of a root, which settles by itself.
#[test]
fn birth_vs_end_of_a_root_at_the_bound() {
    check(3, || {
        let host = host(1);
        let task = host.kept_root();
        let observer = task.observe();
        let owner = thread::spawn(move || task.finish().unwrap());
        let was_settled = has_settled(&observer);
        let next = host.repair.task("next").start();
        match is_exhausted(&next) {
            true => assert!(!was_settled, "it is refused while fewer live"),
            false => assert!(has_settled(&observer), "more live than may"),
        }
        owner.join().unwrap();
        drop(next);
        host.root().finish().unwrap();
    });
}

/// ttl_9. Fails if a parent that settles with its last child goes on to count.
#[test]
fn birth_vs_last_child_of_parents_that_have_ended() {
    check(3, || {
        let host = host(3);
        let root = host.kept_root();
        let parent = root.child("part").start().unwrap();
        let child = parent.child("part").start().unwrap();
        let above = parent.observe();
        root.finish().unwrap();
        parent.finish().unwrap();
        let owner = thread::spawn(move || child.finish().unwrap());
        // The child settles first, and the root last.
        let was_settled = has_settled(&above);
        let next = [(); 2].map(|()| host.repair.task("next").start());
        let born = next.iter().filter(|next| !is_exhausted(next)).count();
        assert!(!was_settled || born == 2, "refused while fewer live");
        assert!(born < 2 || has_settled(&above), "more live than may");
        owner.join().unwrap();
        drop(next);
        let _all = [(); 3].map(|()| host.root());
        assert!(is_exhausted(&host.repair.task("next").create()));
    });
}

/// ttl_9. Fails if two that are born at once both find the last place free, or neither does.
#[test]
fn two_births_for_the_last_place_exactly_one_is_born() {
    check(3, || {
        let host = host(2);
        let root = host.root();
        let repair = host.repair.clone();
        let other = thread::spawn(move || repair.task("other").start());
        let child = root.child("part").start();
        let other = other.join().unwrap();
        assert!(is_exhausted(&child) != is_exhausted(&other));
        assert!(is_exhausted(&root.child("part").start()));
        drop((child, other));
        let _next = root.child("part").start().unwrap();
        assert!(is_exhausted(&host.repair.task("other").start()));
    });
}

/// ttl_9. Fails if a birth takes a place before all else that may refuse it has been looked at.
#[test]
fn birth_below_a_parent_that_ends_vs_birth_for_its_place() {
    check(2, || {
        let host = host(2);
        let parent = host.root();
        let (observer, repair) = (parent.observe(), host.repair.clone());
        let maker = thread::spawn(move || repair.task("part").parent(&observer).start());
        parent.finish().unwrap();
        let next = host.repair.task("next").start();
        let child = maker.join().unwrap();
        match &child {
            Ok(_) => {}
            Err(error) if error.code() == ErrorCode::Exhausted => {
                assert!(next.is_ok(), "the parent and that one live");
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::ParentTerminal);
                assert!(!is_exhausted(&next), "refused for one that is refused");
            }
        }
        drop((child, next));
        let _both = [(); 2].map(|()| host.root());
        assert!(is_exhausted(&host.repair.task("next").create()));
    });
}
