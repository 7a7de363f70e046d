//! Modules, closing, ids and sequence numbers.

mod common;

use std::collections::HashSet;
use std::time::Duration;

use common::{PATIENCE, node, node_with, seconds, until};
use taskmgr::{ErrorCode, Filter, GoneReason, State, Uuid};

#[test]
fn mod_1_names_are_unique_and_come_in_order_of_registration() {
    let node = node();
    node.manager.register_module("z").unwrap();
    node.manager.register_module("a").unwrap();
    assert_eq!(node.manager.modules().unwrap(), ["m", "z", "a"]);
    let again = node.manager.register_module("a").unwrap_err();
    assert_eq!(again.code(), ErrorCode::ModuleExists);
    assert_eq!(node.manager.module("a").unwrap().name(), "a");
}

#[test]
fn mod_1_closing_a_module_aborts_its_tasks_and_waits_for_them() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let root = other.task("root").start().unwrap();
    // Not marked abortable: closing aborts regardless.
    let guest = root.child("guest").module(&node.module).start().unwrap();
    let mine = node.module.task("mine").start().unwrap();
    let below = mine.child("below").start().unwrap();
    let finished = node.module.task("finished").start().unwrap();
    let finished_id = finished.id();
    finished.finish().unwrap();
    let workers = [guest, below, mine].map(|task| {
        std::thread::spawn(move || {
            until("the abort", || task.abort_requested());
            task.finish().unwrap_err()
        })
    });
    let report = node.module.close(PATIENCE).unwrap();
    assert!(report.is_complete());
    for worker in workers {
        assert!(
            worker
                .join()
                .unwrap()
                .to_string()
                .contains("the module \"m\" is closed")
        );
    }
    assert!(
        !root.abort_requested(),
        "a task of another module is left alone"
    );
    let gone = node.manager.status(finished_id).unwrap_err().gone();
    assert_eq!(gone, Some((GoneReason::Drained, State::Done)));
    assert_eq!(
        node.manager.module("m").unwrap_err().code(),
        ErrorCode::UnknownModule
    );
    assert!(node.module.task("t").start().unwrap_err().is_closed());
    assert!(
        root.child("guest")
            .module(&node.module)
            .start()
            .unwrap_err()
            .is_closed()
    );
    assert!(node.module.close(seconds(0)).unwrap().is_complete());
}

#[test]
fn mod_1_what_still_runs_is_named_and_keeps_the_name_taken() {
    let node = node();
    let task = node.module.task("slow").start().unwrap();
    let report = node.module.close(Duration::ZERO).unwrap();
    let named: Vec<Uuid> = report.still_running.iter().map(|stats| stats.id).collect();
    assert_eq!(named, [task.id()]);
    assert_eq!(
        node.manager.status(task.id()).unwrap().state,
        State::Running
    );
    assert_eq!(node.manager.list("m", &Filter::new()).unwrap().len(), 1);
    let taken = node.manager.register_module("m").unwrap_err();
    assert_eq!(taken.code(), ErrorCode::ModuleExists);
    assert!(node.module.task("t").start().unwrap_err().is_closed());
    let id = task.id();
    assert!(task.finish().unwrap_err().is_aborted());
    // Its TTL is over before it begins.
    assert_eq!(
        node.manager.status(id).unwrap_err().gone(),
        Some((GoneReason::Drained, State::Failed))
    );
    let again = node.manager.register_module("m").unwrap();
    assert!(
        node.module.task("t").start().unwrap_err().is_closed(),
        "a handle of the earlier one"
    );
    again.task("t").start().unwrap().finish().unwrap();
}

#[test]
fn mod_1_closing_the_manager_is_closing_all_modules() {
    let node = node();
    let task = node.module.task("slow").start().unwrap();
    let (observer, waiting) = (task.observe(), task.observe());
    let (sender, told) = std::sync::mpsc::channel();
    observer
        .on_done(move |status| sender.send(status).unwrap())
        .unwrap()
        .forget();
    let waiter = std::thread::spawn(move || waiting.wait());
    let report = node.manager.close(Duration::from_millis(50)).unwrap();
    assert_eq!(report.still_running[0].id, task.id());
    assert!(
        waiter.join().unwrap().unwrap_err().is_closed(),
        "waiters still there get Closed"
    );
    assert!(
        told.recv().unwrap().unwrap_err().is_closed(),
        "and so do callbacks"
    );
    assert!(node.manager.register_module("new").unwrap_err().is_closed());
    assert_eq!(
        node.manager.status(task.id()).unwrap().state,
        State::Running
    );
    assert!(task.finish().unwrap_err().is_aborted());
    assert_eq!(
        observer.wait().unwrap().error.unwrap(),
        "aborted: the manager is closed"
    );
    for _ in 0..2 {
        assert!(node.manager.close(Duration::ZERO).unwrap().is_complete());
    }
    assert!(node.manager.status(observer.id()).unwrap_err().is_closed());
    assert!(
        node.manager
            .list("m", &Filter::new())
            .unwrap_err()
            .is_closed()
    );
}

#[test]
fn id_1_ids_are_random_uuids_unless_the_host_gives_them() {
    let node = node();
    let ids: HashSet<Uuid> = (0..1000)
        .map(|_| {
            let task = node.module.task("t").start().unwrap();
            assert_eq!(task.id().get_version_num(), 4);
            task.id()
        })
        .collect();
    assert_eq!(ids.len(), 1000, "no id comes twice");
    let own = Uuid::from_u128(7);
    let task = node.module.task("t").id(own).start().unwrap();
    assert_eq!(
        (task.id(), node.manager.status(own).unwrap().id),
        (own, own)
    );
    assert_eq!(
        node.module
            .list(&Filter::new().state(State::Running))
            .unwrap()[0]
            .id,
        own
    );
}

#[test]
fn id_1_a_look_up_checks_every_bit() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    for bit in 0..128 {
        let other = Uuid::from_u128(task.id().as_u128() ^ (1 << bit));
        assert!(
            node.manager.status(other).unwrap_err().is_not_found(),
            "bit {bit}"
        );
    }
}

#[test]
fn id_1_one_that_lives_is_refused_and_one_that_is_gone_may_come_back() {
    let node = node();
    let own = Uuid::from_u128(7);
    let parent = node.module.task("p").start().unwrap();
    let task = node.module.task("t").id(own).start().unwrap();
    for lives in [own, task.id(), parent.id()] {
        let refused = parent.child("c").id(lives).start().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IdInUse);
    }
    let nil = node.module.task("t").id(Uuid::nil()).start().unwrap_err();
    assert_eq!(nil.code(), ErrorCode::InvalidArgument);
    task.finish().unwrap();
    assert_eq!(
        node.module.task("t").id(own).start().unwrap_err().code(),
        ErrorCode::IdInUse,
        "retained"
    );
    node.manager.take_status(own).unwrap();
    assert!(node.manager.status(own).unwrap_err().is_gone());
    let again = parent.child("c").id(own).entity("again").start().unwrap();
    assert_eq!(node.manager.status(own).unwrap().entity, "again");
    again.finish().unwrap();
    let gone = node.manager.status(own).unwrap_err().gone();
    assert_eq!(
        gone,
        Some((GoneReason::Folded, State::Done)),
        "the tombstone is forgotten"
    );
}

#[test]
fn id_1_managers_do_not_see_each_others_tasks() {
    let (one, two) = (node(), node());
    let task = one.module.task("t").start().unwrap();
    assert!(two.manager.status(task.id()).unwrap_err().is_not_found());
    assert!(two.module.list(&Filter::new()).unwrap().is_empty());
    let refused = two.module.task("t").parent(&task).start().unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
}

#[test]
fn seq_1_roots_are_numbered_by_module_and_shard_from_one() {
    let node = node_with(|builder| builder.task_ttl(seconds(0)));
    let other = node.manager.register_module("other").unwrap();
    let number = |module: &taskmgr::Module, shard| {
        let task = module.task("t").shard(shard).start().unwrap();
        let number = task.status().unwrap().sequence_number;
        task.finish().unwrap();
        number
    };
    assert_eq!([number(&node.module, 0), number(&node.module, 0)], [1, 2]);
    assert_eq!([number(&node.module, 5), number(&other, 0)], [1, 1]);
    node.module.close(seconds(0)).unwrap();
    let again = node.manager.register_module("m").unwrap();
    assert_eq!([number(&again, 0), number(&again, 5)], [1, 1]);
}

#[test]
fn seq_1_a_child_has_its_parents_number_on_whatever_shard_and_in_whatever_module() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    other.task("t").start().unwrap().finish().unwrap();
    let root = node.module.task("t").shard(2).start().unwrap();
    let same = root.child("c").start().unwrap().status().unwrap();
    assert_eq!(
        (same.sequence_number, same.shard, &*same.module),
        (1, 2, "m")
    );
    let elsewhere = root
        .child("c")
        .shard(9)
        .module(&other)
        .start()
        .unwrap()
        .status()
        .unwrap();
    assert_eq!(
        (
            elsewhere.sequence_number,
            elsewhere.shard,
            &*elsewhere.module
        ),
        (1, 9, "other")
    );
}
