//! Several families of one parent, as if several threads had met there.

use std::time::Duration;

use proptest::prelude::*;

use super::{STRIPES, turn};
use crate::{Clock, Manager, ManagerBuilder, ManualClock, Module, Status, Task};

struct Host {
    _manager: Manager,
    module: Module,
    clock: ManualClock,
}

fn host(set: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Host {
    let clock = ManualClock::new();
    let builder = Manager::builder().clock(Clock::Manual(clock.clone()));
    let manager = set(builder).build().unwrap();
    Host {
        module: manager.register_module("m").unwrap(),
        clock,
        _manager: manager,
    }
}

impl Host {
    /// A parent of so many live children whom one thread made, with several families then. The
    /// last child, without which there would be none, has no entity and works on.
    fn parent(&self, live: usize) -> (Task, Vec<Task>, Task) {
        let parent = self.module.task("t").start().unwrap();
        self.parted(parent, live)
    }

    /// A child of this task that is such a parent.
    fn parent_below(&self, root: &Task, live: usize) -> (Task, Vec<Task>, Task) {
        self.parted(root.child("t").start().unwrap(), live)
    }

    fn parted(&self, parent: Task, live: usize) -> (Task, Vec<Task>, Task) {
        let child = |at: usize| parent.child("t").entity(&at.to_string()).start().unwrap();
        let live = (0..live).map(child).collect();
        let last = parent.child("t").start().unwrap();
        let kids = parent.task.slot.kids(parent.task.realm()).unwrap();
        assert!(kids.stripe());
        (parent, live, last)
    }
}

/// A child whose family is this one.
fn child(parent: &Task, family: usize, entity: usize) -> Task {
    while turn::get() != family {
        turn::next();
    }
    let entity = entity.to_string();
    let child = parent.child("t").entity(&entity).start().unwrap();
    assert_eq!(child.task.slot.order() as usize % STRIPES, family);
    child
}

fn tree(parent: &Task) -> Vec<Status> {
    parent.observe().status_tree().unwrap()
}

/// What is kept of those that succeeded, in order of their birth.
fn kept(parent: &Task) -> Vec<usize> {
    let tree = tree(parent);
    let named = tree.iter().filter(|status| status.error.is_none());
    let named = named.filter_map(|status| status.entity.parse().ok());
    named.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fold_4_below_the_bound_nothing_is_dropped_whichever_family_it_folds_in(
        before in 0..16_usize,
        families in proptest::collection::vec(0..STRIPES, 48),
    ) {
        let host = host(|builder| builder.max_kept_children(64));
        let (parent, first, _last) = host.parent(before);
        first.into_iter().for_each(|task| task.finish().unwrap());
        for (at, family) in families.iter().enumerate() {
            child(&parent, *family, before + at).finish().unwrap();
        }
        let all: Vec<usize> = (0..before + families.len()).collect();
        prop_assert_eq!(kept(&parent), all);
        prop_assert_eq!(parent.status().unwrap().child_counts.not_kept, 0);
    }

    #[test]
    fn fold_4_above_the_bound_as_many_are_kept_and_the_last_is_one_of_them(
        bound in 1..40_usize,
        steps in proptest::collection::vec((0..STRIPES, 0..3_u64), 1..120),
    ) {
        let host = host(|builder| builder.max_kept_children(bound));
        let (parent, _, _last) = host.parent(0);
        for (at, (family, nanos)) in steps.iter().enumerate() {
            host.clock.advance(Duration::from_nanos(*nanos));
            child(&parent, *family, at).finish().unwrap();
            let kept = kept(&parent);
            prop_assert_eq!(kept.len(), bound.min(at + 1));
            prop_assert_eq!(kept.last(), Some(&at));
            let not_kept = parent.status().unwrap().child_counts.not_kept as usize;
            prop_assert_eq!(not_kept + kept.len(), at + 1);
        }
    }

    #[test]
    fn fold_5_siblings_come_in_order_though_the_clock_stands_still(
        before in 0..5_usize,
        steps in proptest::collection::vec((0..STRIPES, 0..8_u64, any::<bool>()), 1..60),
        is_at_its_end: bool,
    ) {
        let host = host(|builder| builder);
        if is_at_its_end {
            host.clock.advance(Duration::MAX);
        }
        let (parent, _live, _last) = host.parent(before);
        let mut live = Vec::new();
        for (at, (family, moves, ends)) in steps.iter().enumerate() {
            // It stands still, or is ahead of all who are counted.
            host.clock.advance(Duration::from_nanos(moves / 7 * 1000));
            let child = child(&parent, *family, before + at);
            match ends {
                true => child.finish().unwrap(),
                false => live.push(child),
            }
        }
        let all: Vec<usize> = (0..before + steps.len()).collect();
        prop_assert_eq!(kept(&parent), all);
    }
}

#[test]
fn fold_4_workers_who_take_turns_keep_exactly_those_that_finished_last() {
    let host = host(|builder| builder.max_kept_children(64));
    let (parent, _, _last) = host.parent(0);
    let mut at = 0;
    for (family, count) in [(0, 100), (3, 40), (5, 30), (3, 1), (0, 64), (7, 200)] {
        for _ in 0..count {
            host.clock.advance(Duration::from_nanos(1));
            child(&parent, family, at).finish().unwrap();
            at += 1;
            let last: Vec<usize> = (at.saturating_sub(64)..at).collect();
            assert_eq!(kept(&parent), last);
        }
    }
}

#[test]
fn fold_4_failures_drive_out_what_succeeded_in_other_families() {
    let host = host(|builder| builder.max_kept_per_root(10));
    let (parent, _, _last) = host.parent(0);
    for at in 0..10 {
        child(&parent, 1 + at % 3, at).finish().unwrap();
    }
    for failures in 0..15 {
        let told = tree(&parent).iter().filter(|t| t.error.is_some()).count();
        assert_eq!(told, failures.min(10));
        assert_eq!(kept(&parent).len(), 10 - told);
        child(&parent, 5, 10 + failures).fail("no space").unwrap();
    }
    let status = parent.status().unwrap();
    assert_eq!(
        (status.children.len(), status.child_counts.not_kept),
        (11, 15)
    );
}

#[test]
fn fold_4_a_success_in_a_full_tree_drives_out_an_older_one_of_another_family() {
    let host = host(|builder| builder.max_kept_per_root(4));
    let (parent, _, _last) = host.parent(0);
    for at in 0..4 {
        host.clock.advance(Duration::from_nanos(1));
        child(&parent, 1, at).finish().unwrap();
    }
    for at in 4..12 {
        host.clock.advance(Duration::from_nanos(1));
        child(&parent, 2 + at % 2, at).finish().unwrap();
        assert_eq!(kept(&parent), (at - 3..=at).collect::<Vec<_>>());
    }
}

#[test]
fn fold_4_room_that_a_full_tree_left_unused_is_there_for_others() {
    let host = host(|builder| builder.max_kept_per_root(8).max_kept_children(8));
    let (root, _, _last) = host.parent(0);
    // What another parent keeps fills the tree.
    let other = root.child("other").start().unwrap();
    for _ in 0..6 {
        other.child("t").start().unwrap().finish().unwrap();
    }
    for at in 0..20 {
        child(&root, 1, at).finish().unwrap();
    }
    assert_eq!(kept(&root), [18, 19]);
    // It has folded, and so given its share back.
    other.finish().unwrap();
    for at in 20..25 {
        child(&root, 2, at).finish().unwrap();
    }
    assert_eq!(kept(&root).len(), 7, "and the other parent");
}

#[test]
fn fold_4_a_family_that_found_a_full_tree_keeps_its_children_once_there_is_room() {
    let host = host(|builder| builder.max_kept_per_root(4).max_kept_children(8));
    let root = host.module.task("t").start().unwrap();
    let other = root.child("other").start().unwrap();
    (0..4).for_each(|_| other.child("t").start().unwrap().finish().unwrap());
    let (parent, _, _last) = host.parent_below(&root, 0);
    (0..3).for_each(|at| child(&parent, 1, at).finish().unwrap());
    assert!(kept(&parent).is_empty());
    // It has folded, and so given its share back, but for the record of its own.
    other.finish().unwrap();
    for at in 3..60 {
        host.clock.advance(Duration::from_nanos(1));
        child(&parent, 1 + at / 20, at).finish().unwrap();
        let last: Vec<usize> = (at.saturating_sub(2).max(3)..=at).collect();
        assert_eq!(kept(&parent), last);
    }
    assert_eq!(parent.status().unwrap().child_counts.not_kept, 57);
}
