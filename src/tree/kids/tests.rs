//! Several families of one parent, as if several threads had met there.

use std::sync::OnceLock;
use std::time::Duration;

use proptest::prelude::*;

use super::{Kids, STRIPES, turn};
use crate::arena::Pooled;
use crate::bulk::Bulk;
use crate::clock::Utc;
use crate::tree::family::BEYOND_TIME;
use crate::tree::room::Bounds;
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
    take_turn(family);
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

fn take_turn(family: usize) {
    while turn::get() != family {
        turn::next();
    }
}

#[test]
fn a_thread_keeps_its_family_until_it_meets_somebody_there() {
    // What lives for ever is reached from a static.
    static BLOCK: OnceLock<Kids> = OnceLock::new();
    let kids = BLOCK.get_or_init(|| Kids::new(0));
    let bounds = Bounds {
        per_parent: 8,
        per_root: 8,
    };
    // One parent after another has the block, and one family till threads meet there.
    for may_stand_still in [false, true, true, false] {
        kids.prepare(0, bounds, may_stand_still);
        take_turn(3);
        assert!(!kids.is_striped());
        for (births, family) in [3, 3, 4, 4].into_iter().enumerate() {
            // Somebody has the lock of the family that was this thread's till here.
            let met = (births == 2).then(|| kids.family(3).lock());
            let order = kids.family_of_thread().next_order();
            drop(met);
            let first = match may_stand_still {
                true => BEYOND_TIME + (births * STRIPES) as u64,
                false => 0,
            };
            assert_eq!(order, first + family as u64);
            assert!(kids.is_striped());
            assert_eq!(turn::get(), family);
        }
        let turns: Vec<usize> = (0..STRIPES).map(|_| turn::next()).collect();
        assert_eq!(turns, [5, 6, 7, 0, 1, 2, 3, 4]);
        kids.clear();
    }
}

#[test]
fn fold_5_siblings_come_in_order_though_the_clock_comes_to_its_end() {
    let host = host(|builder| builder);
    let (parent, _, _last) = host.parent(0);
    host.clock.advance(Duration::MAX);
    let families = [7, 5, 3, 1, 0];
    let live: Vec<Task> = (0..5).map(|at| child(&parent, families[at], at)).collect();
    assert_eq!(kept(&parent), [0, 1, 2, 3, 4]);
    drop(live);
}

#[test]
fn fold_5_siblings_of_several_families_come_in_the_order_of_their_births() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    let parent = module.task("t").start().unwrap();
    let _last = parent.child("t").start().unwrap();
    let kids = parent.task.slot.kids(parent.task.realm()).unwrap();
    assert!(kids.stripe());
    let mut live: Vec<Task> = Vec::new();
    for (at, family) in [7, 5, 3, 1, 0, 7, 2].into_iter().enumerate() {
        // The machine's clock has to move on, which it does; who was born too early is no child.
        let next = loop {
            let next = child(&parent, family, at);
            let born = next.task.slot.born();
            if live.last().is_none_or(|last| last.task.slot.born() < born) {
                break next;
            }
        };
        live.push(next);
    }
    assert_eq!(kept(&parent), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn fold_4_what_was_kept_before_threads_met_there_takes_part_of_the_bound() {
    for bound in [0, 1, 7, 10] {
        for before in 0..=bound + 2 {
            let host = host(|builder| builder.max_kept_children(bound));
            let parent = host.module.task("t").start().unwrap();
            let _last = parent.child("t").start().unwrap();
            for at in 0..before + 2 * bound + 2 {
                host.clock.advance(Duration::from_nanos(1));
                if at == before {
                    let kids = parent.task.slot.kids(parent.task.realm()).unwrap();
                    assert!(kids.stripe());
                }
                let child = match at < before {
                    true => parent.child("t").entity(&at.to_string()).start().unwrap(),
                    false => child(&parent, 1 + at % 3, at),
                };
                child.finish().unwrap();
                let kept = kept(&parent);
                assert_eq!(kept.len(), bound.min(at + 1));
                assert_eq!(kept.last().copied(), (bound > 0).then_some(at));
                let not_kept = parent.status().unwrap().child_counts.not_kept as usize;
                assert_eq!(not_kept + kept.len(), at + 1);
            }
        }
    }
}

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % end
    }
}

#[test]
fn fold_4_after_turns_of_many_families_one_keeps_exactly_those_that_finished_last() {
    let mut numbers = Numbers(1);
    for bound in [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 32, 33, 40, 64] {
        let host = host(|builder| builder.max_kept_children(bound));
        let (parent, _, _last) = host.parent(0);
        let mut ended = 0;
        let mut end = |family| {
            host.clock.advance(Duration::from_nanos(1));
            child(&parent, family, ended).finish().unwrap();
            ended += 1;
            let kept = kept(&parent);
            let last: Vec<usize> = (ended.saturating_sub(bound)..ended).collect();
            // A family looks at the others now and then. By these turns the younger half stays.
            let youngest = &last[last.len().saturating_sub(bound.div_ceil(2))..];
            let are_kept = youngest.iter().all(|at| kept.contains(at));
            assert!(are_kept, "{ended} ended, of {bound} are kept {kept:?}");
            kept == last
        };
        // By turns, now many and now few in each.
        for _ in 0..12 {
            let families = 1 + numbers.below(STRIPES);
            for _ in 0..numbers.below(bound) + 1 {
                end(numbers.below(families));
            }
        }
        let family = numbers.below(STRIPES);
        let are_last = (0..2 * bound).map(|_| end(family)).last();
        assert_eq!(are_last, Some(true), "{bound}");
    }
}

#[test]
fn fold_4_who_found_no_room_in_a_full_tree_keeps_again_once_there_is_some() {
    let host = host(|builder| builder.max_kept_per_root(4).max_kept_children(8));
    let root = host.module.task("t").start().unwrap();
    let other = root.child("other").start().unwrap();
    for _ in 0..4 {
        other.child("t").start().unwrap().finish().unwrap();
    }
    let end = |at: usize| {
        let child = root.child("t").entity(&at.to_string()).start().unwrap();
        child.finish().unwrap();
    };
    (0..3).for_each(end);
    assert!(kept(&root).is_empty());
    // It has folded, and so given its share back.
    other.finish().unwrap();
    (3..6).for_each(end);
    assert_eq!(kept(&root), [3, 4, 5]);
}

#[test]
fn fold_4_who_copies_what_is_kept_misses_nothing_that_changes_families_meanwhile() {
    let host = host(|builder| builder.max_kept_children(64));
    let (parent, _, _last) = host.parent(0);
    for at in 0..64 {
        host.clock.advance(Duration::from_nanos(1));
        child(&parent, 3, at).finish().unwrap();
    }
    let kids = parent.task.slot.kids(parent.task.realm()).unwrap();
    let (mut copies, mut pieces) = (Bulk::new(), 0);
    kids.each_kept(|family, from| {
        let next = family.lock().copy_kept(from, &mut copies);
        pieces += 1;
        if pieces == 2 {
            // Takes the oldest of the other family, which are copied no more where they are now.
            host.clock.advance(Duration::from_nanos(1));
            child(&parent, 0, 64).finish().unwrap();
        }
        next
    });
    let mut now = Bulk::new();
    kids.copy_kept(&mut now);
    let met = |order| copies.iter().any(|copy| copy.order == order);
    let missed = now.iter().filter(|record| !met(record.order)).count();
    assert_eq!((now.len(), missed), (64, 0));
    // By this they know.
    let mut family = kids.family(3).lock();
    for most in [0, 1] {
        let mut taken = Vec::new();
        let moves = family.hand_over(Utc::MAX, most, &mut taken);
        assert_eq!((moves, taken.len()), (most > 0, most));
    }
}
