//! How long finished roots stay, and what is said of those that are gone.

mod common;

use std::time::{Duration, Instant};

use common::{node, node_with, seconds, until};
use taskmgr::{ErrorCode, Filter, GoneReason, Manager, Module, State, Uuid};

fn finished(module: &Module, user: bool) -> Uuid {
    let task = module.task("t");
    let task = if user { task.user_task() } else { task }.start().unwrap();
    let id = task.id();
    task.finish().unwrap();
    id
}

#[test]
fn ttl_1_roots_stay_for_their_ttl_as_it_was_when_they_settled() {
    let node = node_with(|builder| builder.task_ttl(seconds(10)).user_task_ttl(seconds(20)));
    let (task, user) = (finished(&node.module, false), finished(&node.module, true));
    assert_eq!(node.manager.set_task_ttl(seconds(1)).unwrap(), seconds(10));
    assert_eq!(
        node.manager.set_user_task_ttl(seconds(0)).unwrap(),
        seconds(20)
    );
    let (short, none) = (finished(&node.module, false), finished(&node.module, true));
    let there = |ids: [Uuid; 4]| ids.map(|id| node.manager.status(id).is_ok());
    assert_eq!(
        there([task, user, short, none]),
        [true, true, true, false],
        "0: at once"
    );
    node.clock.advance(seconds(1));
    assert_eq!(there([task, user, short, none]), [true, true, false, false]);
    node.clock.advance(seconds(9));
    assert_eq!(
        there([task, user, short, none]),
        [false, true, false, false]
    );
    node.clock.advance(seconds(10));
    assert_eq!(there([task, user, short, none]), [false; 4]);
}

#[test]
fn ttl_1_defaults() {
    let manager = Manager::builder().build().unwrap();
    assert_eq!(
        (manager.task_ttl(), manager.user_task_ttl()),
        (seconds(0), seconds(3600))
    );
}

#[test]
fn ttl_1_time_begins_when_the_last_descendant_has_ended() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    let id = root.id();
    root.finish().unwrap();
    node.clock.advance(seconds(3600));
    assert!(node.manager.status(id).is_ok());
    child.finish().unwrap();
    node.clock.advance(seconds(59));
    assert!(node.manager.status(id).is_ok());
    node.clock.advance(seconds(1));
    assert!(node.manager.status(id).unwrap_err().is_gone());
}

#[test]
fn ttl_2_what_has_expired_is_never_shown_swept_or_not() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    let (root_id, child_id) = (root.id(), child.id());
    child.finish().unwrap();
    root.finish().unwrap();
    node.clock.advance(seconds(60));
    assert!(
        node.module
            .list(&Filter::new().internal(true))
            .unwrap()
            .is_empty()
    );
    assert!(node.manager.status(child_id).unwrap_err().is_not_found());
    assert!(node.manager.take_status(root_id).unwrap_err().is_gone());
    assert!(node.manager.status_tree(root_id).unwrap_err().is_gone());
    assert_eq!(node.module.drain().unwrap(), 0);

    let ids: Vec<Uuid> = (0..1000).map(|_| finished(&node.module, false)).collect();
    node.clock.advance(seconds(60));
    assert_eq!(node.manager.tick(), 1000);
    assert_eq!(node.manager.tick(), 0);
    assert!(ids.iter().all(|id| node.manager.status(*id).is_err()));
}

#[test]
fn ttl_2_the_background_thread_sweeps_by_itself() {
    // The one test that needs real time to pass, as the thread sleeps in it.
    let ttl = Duration::from_millis(1);
    let manager = Manager::builder().task_ttl(ttl).build().unwrap();
    let module = manager.register_module("m").unwrap();
    until(
        "a root that had expired was there no more to be swept",
        || {
            let settled = Instant::now();
            finished(&module, false);
            until("its deadline", || settled.elapsed() > 10 * ttl);
            manager.tick() == 0
        },
    );
}

#[test]
fn ttl_3_reading_unregisters_a_settled_root_and_waiting_does_not() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    let id = root.id();
    assert_eq!(node.manager.read_status(id).unwrap().state, State::Running);
    assert_eq!(
        node.manager.read_status(child.id()).unwrap().state,
        State::Running
    );
    root.finish().unwrap();
    assert_eq!(
        node.manager.take_status(id).unwrap_err().code(),
        ErrorCode::NotSettled
    );
    assert_eq!(node.manager.read_status_tree(id).unwrap().len(), 2);
    child.finish().unwrap();
    node.manager.wait(id).unwrap();
    node.manager.status(id).unwrap();
    assert_eq!(node.manager.read_status_tree(id).unwrap().len(), 2);
    assert_eq!(
        node.manager.status(id).unwrap_err().gone(),
        Some((GoneReason::Read, State::Done))
    );
    let id = finished(&node.module, false);
    node.manager.read_status(id).unwrap();
    assert!(node.manager.read_status(id).unwrap_err().is_gone());
}

#[test]
fn ttl_3_a_manager_may_keep_what_was_read() {
    let node = node_with(|builder| builder.keep_on_read(true));
    let id = finished(&node.module, false);
    node.manager.read_status(id).unwrap();
    node.manager.read_status_tree(id).unwrap();
    assert!(
        node.manager.take_status(id).is_ok(),
        "taking is asked for by name"
    );
    assert!(node.manager.status(id).is_err());
}

#[test]
fn ttl_4_draining_unregisters_the_settled_roots_of_a_module() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let running = node.module.task("t").start().unwrap();
    let ids = [finished(&node.module, false), finished(&node.module, true)];
    let theirs = finished(&other, false);
    assert_eq!(node.module.drain().unwrap(), 2);
    for id in ids {
        assert_eq!(
            node.manager.status(id).unwrap_err().gone(),
            Some((GoneReason::Drained, State::Done))
        );
    }
    assert!(node.manager.status(theirs).is_ok() && node.manager.status(running.id()).is_ok());
}

#[test]
fn ttl_5_what_is_gone_is_told_apart_from_what_never_was() {
    let node = node_with(|builder| builder.tombstones(2));
    let ids = [(); 3].map(|()| finished(&node.module, false));
    node.module.drain().unwrap();
    assert!(
        node.manager.status(ids[0]).unwrap_err().is_not_found(),
        "only the latest are remembered"
    );
    for id in &ids[1..] {
        let error = node.manager.status(*id).unwrap_err();
        assert!(
            error.to_string().contains("drained") && error.to_string().contains("done"),
            "{error}"
        );
    }
    let forgetful = node_with(|builder| builder.tombstones(0));
    let id = finished(&forgetful.module, false);
    forgetful.module.drain().unwrap();
    assert!(forgetful.manager.status(id).unwrap_err().is_not_found());
}

#[test]
fn ttl_5_a_failure_is_answered_on_its_way_up_to_the_root_until_that_goes() {
    let node = node_with(|builder| builder.max_kept_per_root(4));
    let root = node.module.task("t").start().unwrap();
    let mut path = vec![root.child("t").start().unwrap()];
    for _ in 0..2 {
        path.push(path[path.len() - 1].child("t").start().unwrap());
    }
    let host_id = taskmgr::Uuid::from_u128(7);
    let leaf = path[2].child("t").id(host_id).start().unwrap();
    let done = path[2].child("t").start().unwrap();
    let (leaf_id, done_id) = (leaf.id(), done.id());
    let ids: Vec<_> = path.iter().map(|task| task.id()).collect();
    let reason = |id| node.manager.status(id).unwrap_err().gone();
    let folded = |state| Some((GoneReason::Folded, state));
    done.finish().unwrap();
    leaf.fail("no space").unwrap();
    assert_eq!(reason(done_id), folded(State::Done));
    while let Some(task) = path.pop() {
        assert_eq!(reason(leaf_id), folded(State::Failed));
        let id = task.id();
        task.finish().unwrap();
        assert_eq!(reason(id), folded(State::Done));
        assert_eq!(reason(done_id), None, "fold_2: dropped, and not found");
    }
    let root_id = root.id();
    root.finish().unwrap();
    assert_eq!(reason(leaf_id), folded(State::Failed));
    assert!(ids.iter().all(|id| reason(*id) == folded(State::Done)));
    node.module.drain().unwrap();
    assert_eq!(reason(root_id), Some((GoneReason::Drained, State::Done)));
    for id in ids.into_iter().chain([leaf_id]) {
        let error = node.manager.status(id).unwrap_err();
        assert!(error.is_not_found(), "it went with its root: {error}");
    }
}

#[test]
fn ttl_5_a_failure_that_is_counted_and_not_kept_is_not_found() {
    let node = node_with(|builder| builder.max_kept_children(1));
    let root = node.module.task("t").start().unwrap();
    let fail = || {
        let child = root.child("t").start().unwrap();
        let id = child.id();
        child.fail("no space").unwrap();
        node.manager.status(id).unwrap_err()
    };
    assert!(fail().is_gone());
    let error = fail();
    assert!(error.is_not_found() && error.gone().is_none(), "{error}");
}

#[test]
fn ttl_5_a_folded_child_is_answered_for_as_long_as_its_parent_keeps_it() {
    let node = node_with(|builder| builder.max_kept_children(1));
    let root = node.module.task("t").start().unwrap();
    let parent = root.child("t").start().unwrap();
    let child = |parent: &taskmgr::Task| {
        let child = parent.child("t").start().unwrap();
        let id = child.id();
        child.finish().unwrap();
        id
    };
    let (first, second) = (child(&parent), child(&parent));
    let reason = |id| {
        node.manager
            .status(id)
            .unwrap_err()
            .gone()
            .map(|gone| gone.0)
    };
    assert_eq!(
        (reason(first), reason(second)),
        (None, Some(GoneReason::Folded))
    );
    parent.finish().unwrap();
    assert_eq!(
        reason(second),
        None,
        "fold_2: dropped with its parent's fold"
    );
}
