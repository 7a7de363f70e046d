//! Retention and folding as they show over REST.

mod common;

use std::time::Duration;

use common::Node;
use taskmgr_http::{TaskStats, TaskStatus};

#[test]
fn fold_1_and_fold_2_show_over_rest() {
    let node = Node::with(
        |m| m.task_ttl(Duration::from_secs(60)).keep_on_read(true),
        |s| s,
    );
    let root = node.module("repair").task("root").start().unwrap();
    let (id, good, bad) = (root.id(), root.child("good"), root.child("bad"));
    let (good, bad) = (good.start().unwrap(), bad.start().unwrap());
    let (lost, kept) = (
        good.child("lost").start().unwrap(),
        bad.child("kept").start().unwrap(),
    );
    let good_id = good.id();
    lost.finish().unwrap();
    kept.fail("no space").unwrap();
    good.finish().unwrap();
    bad.finish().unwrap();
    let message = node
        .get(&format!("/task_manager/task_status/{good_id}"))
        .refused(400);
    assert!(
        message.contains("folded") && message.contains("done"),
        "{message}"
    );
    root.finish().unwrap();

    assert_eq!(node.status(id).children_ids.len(), 2);
    let tree: Vec<TaskStatus> = node
        .get(&format!("/task_manager/task_status_recursive/{id}"))
        .ok();
    let types: Vec<&str> = tree.iter().map(|status| status.type_.as_str()).collect();
    assert_eq!(types, ["root", "good", "bad", "kept"]);
    assert_eq!(tree[3].error, "no space");
}

#[test]
fn ttl_1_is_set_by_post_and_read_by_get() {
    for name in ["ttl", "user_ttl"] {
        let node = Node::with(
            |m| {
                m.task_ttl(Duration::from_secs(7))
                    .user_task_ttl(Duration::from_secs(7))
            },
            |s| s,
        );
        let path = format!("/task_manager/{name}");
        assert_eq!(node.get(&path).ok::<u64>(), 7);
        assert_eq!(
            node.post(&format!("{path}?{name}=20")).ok::<u64>(),
            7,
            "the one before"
        );
        assert_eq!(node.get(&path).ok::<u64>(), 20);
        assert_eq!(node.post(&format!("{path}?{name}=0")).ok::<u64>(), 20);
        assert_eq!(node.get(&path).ok::<u64>(), 0);

        for bad in [
            "",
            "-1",
            "%2B1",
            "1.5",
            "many",
            "0x10",
            "1e3",
            "99999999999999999999",
            "%20",
        ] {
            let message = node.post(&format!("{path}?{name}={bad}")).refused(400);
            assert!(
                message.contains(name) && message.contains("whole number"),
                "{message}"
            );
        }
        assert!(node.post(&path).refused(400).contains("missing"));
        assert!(
            node.post(&format!("{path}?{name}=1&{name}=2"))
                .refused(400)
                .contains("twice")
        );
        for carried in ["5", "", "x"] {
            let message = node.get(&format!("{path}?{name}={carried}")).refused(400);
            assert!(message.contains("POST"), "{message}");
        }
        assert_eq!(node.get(&path).ok::<u64>(), 0, "nothing of that has set it");
    }
}

#[test]
fn ttl_1_is_read_at_the_moment_a_root_settles() {
    let node = Node::new();
    let module = node.module("repair");
    node.post("/task_manager/ttl?ttl=10");
    node.post("/task_manager/user_ttl?user_ttl=100");
    let (task, user) = (module.task("repair"), module.task("repair").user_task());
    let (task, user) = (task.start().unwrap(), user.start().unwrap());
    let (id, user_id) = (task.id(), user.id());
    task.finish().unwrap();
    user.finish().unwrap();
    node.post("/task_manager/ttl?ttl=1000");
    node.clock.advance(Duration::from_secs(9));
    assert_eq!(node.get(&format!("/api/v1/task_status/{id}")).status, 200);
    node.clock.advance(Duration::from_secs(2));
    // ttl_2: nothing has swept it yet. ttl_5: it is told why it is gone.
    let message = node
        .get(&format!("/task_manager/task_status/{id}"))
        .refused(400);
    assert!(
        message.contains("expired") && message.contains("done"),
        "{message}"
    );
    let listed: Vec<TaskStats> = node.get("/task_manager/list_module_tasks/repair").ok();
    assert_eq!(listed.len(), 1);
    assert_eq!(node.status(user_id).state, "done");
}

#[test]
fn ttl_3_reading_a_settled_root_unregisters_it() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let module = node.module("repair");
    for read in ["task_status", "task_status_recursive"] {
        let task = module.task("repair").start().unwrap();
        let target = format!("/task_manager/{read}/{}", task.id());
        assert_eq!(node.get(&target).status, 200, "a task that runs stays");
        let waited = format!("/task_manager/wait_task/{}", task.id());
        task.finish().unwrap();
        for _ in 0..2 {
            assert_eq!(
                node.get(&waited).ok::<TaskStatus>().state,
                "done",
                "waiting leaves it"
            );
        }
        assert_eq!(
            node.get(&target.replace("/task_manager/", "/api/v1/"))
                .status,
            200
        );
        assert_eq!(node.get(&target).status, 200);
        for gone in [target.as_str(), waited.as_str()] {
            let message = node.get(gone).refused(400);
            assert!(
                message.contains("read") && message.contains("done"),
                "{message}"
            );
        }
    }
}

#[test]
fn ttl_3_keep_on_read_leaves_it() {
    let node = Node::with(
        |m| m.task_ttl(Duration::from_secs(60)).keep_on_read(true),
        |s| s,
    );
    let task = node.module("repair").task("repair").start().unwrap();
    let id = task.id();
    task.finish().unwrap();
    for read in ["task_status", "task_status_recursive"] {
        for _ in 0..2 {
            assert_eq!(node.get(&format!("/task_manager/{read}/{id}")).status, 200);
        }
    }
}

#[test]
fn ttl_4_drain_unregisters_what_has_settled() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let module = node.module("repair");
    let (done, runs) = (
        module.task("repair").start().unwrap(),
        module.task("repair").start().unwrap(),
    );
    let id = done.id();
    done.finish().unwrap();
    let reply = node.post("/task_manager/drain/repair");
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    let message = node
        .get(&format!("/task_manager/task_status/{id}"))
        .refused(400);
    assert!(message.contains("drained"), "{message}");
    assert_eq!(node.status(runs.id()).state, "running");
    runs.finish().unwrap();
}
