//! What becomes of settled roots that take more than they may (ttl_7).

mod common;

use std::time::Duration;

use common::{Node, node_with, seconds};
use proptest::prelude::*;
use taskmgr::{Filter, GoneReason, Manager, Module, State, Task, Uuid};

fn node(most: u64) -> Node {
    node_with(|builder| builder.max_finished_bytes(most).tombstones(1 << 20))
}

fn start(module: &Module, user: bool) -> Task {
    let task = module.task("t");
    let task = if user { task.user_task() } else { task };
    task.start().unwrap()
}

fn done(module: &Module) -> Uuid {
    let task = start(module, false);
    let id = task.id();
    task.finish().unwrap();
    id
}

fn reason(manager: &Manager, id: Uuid) -> Option<GoneReason> {
    let gone = manager.status(id).err();
    gone.map(|error| error.gone().expect("it was there").0)
}

/// What a root takes that did nothing.
fn plain() -> u64 {
    let node = node(u64::MAX);
    done(&node.module);
    node.manager.finished_bytes()
}

#[derive(Clone, Debug)]
enum Step {
    /// Whether a user started it, and whether it fails, with a text of so many bytes.
    End(bool, Option<usize>),
    /// One of those that are kept is read.
    Take(usize),
    /// So many seconds pass; users' roots stay ten times as long.
    Pass(u64),
    Drain,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (any::<bool>(), prop::option::of(0..2_000_usize))
            .prop_map(|(user, error)| Step::End(user, error)),
        2 => any::<usize>().prop_map(Step::Take),
        2 => (1..40_u64).prop_map(Step::Pass),
        1 => Just(Step::Drain),
    ];
    prop::collection::vec(step, 0..120)
}

/// A root as the model has it.
struct Kept {
    id: Uuid,
    worth: u8,
    bytes: u64,
    deadline: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ttl_7_the_oldest_of_the_least_valued_go_and_no_more_than_have_to(
        steps in steps(),
        room in 0..20_u64,
    ) {
        let most = room * 512;
        let node = node(most);
        // What a root takes is told by one who has room for all.
        let twin = self::node(u64::MAX);
        let (mut kept, mut gone): (Vec<Kept>, Vec<(Uuid, GoneReason)>) = Default::default();
        let (mut now, mut evicted) = (0, 0);
        for step in steps {
            match step {
                Step::End(user, error) => {
                    let before = twin.manager.finished_bytes();
                    let mut id = Uuid::nil();
                    for module in [&twin.module, &node.module] {
                        let task = start(module, user);
                        id = task.id();
                        match error {
                            None => task.finish().unwrap(),
                            Some(bytes) => task.fail("e".repeat(bytes)).unwrap(),
                        }
                    }
                    let bytes = twin.manager.finished_bytes() - before;
                    let worth = u8::from(user) + 2 * u8::from(error.is_some());
                    let deadline = now + if user { 600 } else { 60 };
                    kept.push(Kept { id, worth, bytes, deadline });
                    if bytes > most {
                        kept.pop();
                        gone.push((id, GoneReason::Evicted));
                        evicted += 1;
                    }
                    while kept.iter().map(|root| root.bytes).sum::<u64>() > most {
                        // The first of the least: `min_by_key` gives the first of equals.
                        let least = (0..kept.len()).min_by_key(|at| kept[*at].worth).unwrap();
                        gone.push((kept.remove(least).id, GoneReason::Evicted));
                        evicted += 1;
                    }
                }
                Step::Take(at) if !kept.is_empty() => {
                    let root = kept.remove(at % kept.len());
                    node.manager.take_status(root.id).unwrap();
                    gone.push((root.id, GoneReason::Read));
                }
                Step::Take(_) => {}
                Step::Pass(time) => {
                    now += time;
                    for node in [&node, &twin] {
                        node.clock.advance(seconds(time));
                        node.manager.tick();
                    }
                    for root in kept.extract_if(.., |root| root.deadline <= now) {
                        gone.push((root.id, GoneReason::Expired));
                    }
                }
                Step::Drain => {
                    prop_assert_eq!(node.module.drain().unwrap(), kept.len());
                    gone.extend(kept.drain(..).map(|root| (root.id, GoneReason::Drained)));
                }
            }
            let bytes: u64 = kept.iter().map(|root| root.bytes).sum();
            prop_assert_eq!(node.manager.finished_bytes(), bytes);
            prop_assert_eq!(node.manager.evicted(), evicted);
            prop_assert_eq!(node.module.list(&Filter::new()).unwrap().len(), kept.len());
        }
        for root in &kept {
            prop_assert_eq!(reason(&node.manager, root.id), None);
        }
        for (id, why) in gone {
            prop_assert_eq!(reason(&node.manager, id), Some(why));
        }
    }
}

#[test]
fn ttl_7_with_no_room_nothing_is_kept_and_every_waiter_is_told_all_the_same() {
    let node = node(0);
    let task = start(&node.module, true);
    let (id, observer) = (task.id(), task.observe());
    task.fail("no space").unwrap();
    assert_eq!(observer.wait().unwrap().error.as_deref(), Some("no space"));
    let error = node.manager.status(id).unwrap_err();
    assert_eq!(error.gone(), Some((GoneReason::Evicted, State::Failed)));
    assert!(error.to_string().contains("max_finished_bytes"), "{error}");
    assert_eq!(
        (node.manager.evicted(), node.manager.finished_bytes()),
        (1, 0)
    );
    // What is not to be kept is not evicted.
    node.manager.set_task_ttl(Duration::ZERO).unwrap();
    let id = done(&node.module);
    assert_eq!(reason(&node.manager, id), Some(GoneReason::Expired));
    assert_eq!(node.manager.evicted(), 1);
}

#[test]
fn ttl_7_what_has_expired_makes_room_first_swept_or_not() {
    let node = node(2 * plain());
    let user = start(&node.module, true);
    let users = user.id();
    user.finish().unwrap();
    node.clock.advance(seconds(1));
    let expired = done(&node.module);
    node.clock.advance(seconds(60));
    let new = done(&node.module);
    assert_eq!(reason(&node.manager, expired), Some(GoneReason::Expired));
    assert_eq!([users, new].map(|id| reason(&node.manager, id)), [None; 2]);
    assert_eq!(node.manager.evicted(), 0);
}

#[test]
fn ttl_7_one_that_is_too_large_by_itself_drives_nobody_out() {
    let node = node(4 * plain());
    let first = done(&node.module);
    let large = start(&node.module, true);
    let id = large.id();
    for _ in 0..100 {
        large.child("c").start().unwrap().finish().unwrap();
    }
    large.fail("no space").unwrap();
    assert_eq!(reason(&node.manager, id), Some(GoneReason::Evicted));
    assert_eq!(reason(&node.manager, first), None);
}

#[test]
fn ttl_7_what_a_root_takes_has_all_in_it_that_it_keeps() {
    const TEXT: usize = 1_000;
    const CHILDREN: u64 = 3_000;
    let plain = plain();
    assert!((256..1_024).contains(&plain), "{plain} bytes");
    let node = node_with(|builder| {
        let builder = builder.max_kept_children(CHILDREN as usize);
        builder.max_finished_bytes(u64::MAX)
    });
    let takes = |work: &dyn Fn(&Task)| {
        let task = start(&node.module, false);
        work(&task);
        task.finish().unwrap();
        let bytes = node.manager.finished_bytes();
        node.module.drain().unwrap();
        assert_eq!(node.manager.finished_bytes(), 0);
        bytes - plain
    };
    let child = |task: &Task| task.child("c").start().unwrap();
    let fail = |task: Task| task.fail("e".repeat(TEXT)).unwrap();
    let wide = takes(&|task| (0..CHILDREN).for_each(|_| child(task).finish().unwrap()));
    assert!(
        (56 * CHILDREN..70 * CHILDREN).contains(&wide),
        "{wide} bytes"
    );
    let failed = takes(&|task| (0..100).for_each(|_| fail(child(task))));
    assert!(
        (100 * TEXT as u64..200 * TEXT as u64).contains(&failed),
        "{failed} bytes"
    );
    let deep = takes(&|task| {
        let mut path = vec![child(task)];
        for _ in 0..50 {
            path.push(child(&path[path.len() - 1]));
        }
        path.into_iter().rev().for_each(fail);
    });
    assert!(deep > 50 * TEXT as u64, "{deep} bytes");
    let labelled = takes(&|task| {
        for _ in 0..100 {
            let child = task.child("c").entity("a short text").start();
            child.unwrap().finish().unwrap();
        }
    });
    assert!(labelled > 100 * (56 + 12), "{labelled} bytes");
}

#[test]
fn ttl_7_a_flood_of_kept_roots_stays_within_what_they_may_take() {
    const ROOTS: usize = 50_000;
    const MOST: u64 = 1 << 20;
    let node = node(MOST);
    for _ in 0..ROOTS {
        done(&node.module);
        assert!(node.manager.finished_bytes() <= MOST);
    }
    let kept = node.module.list(&Filter::new()).unwrap().len();
    assert_eq!(kept as u64, MOST / plain());
    assert_eq!(node.manager.evicted() as usize, ROOTS - kept);
    node.clock.advance(seconds(60));
    assert_eq!(node.manager.tick(), kept);
    assert_eq!(node.manager.finished_bytes(), 0);
}

#[test]
fn ttl_7_one_that_is_read_as_it_goes_is_whole_or_gone() {
    const ROOTS: usize = 2_000;
    let node = node(8 * plain());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROOTS {
                    let task = start(&node.module, false);
                    task.advance(7);
                    task.finish().unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..ROOTS {
                for stats in node.module.list(&Filter::new()).unwrap() {
                    match node.manager.status(stats.id) {
                        Ok(status) if status.state == State::Running => {}
                        Ok(status) => assert_eq!(status.progress.completed, 7),
                        Err(error) => {
                            assert_eq!(error.gone(), Some((GoneReason::Evicted, State::Done)));
                        }
                    }
                }
            }
        });
    });
    let kept = node.module.list(&Filter::new()).unwrap().len();
    assert_eq!((kept, node.manager.evicted() as usize), (8, 2 * ROOTS - 8));
}
