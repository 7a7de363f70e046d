//! rest_6: the endpoints for test harnesses.

mod common;

use std::time::Duration;

use common::{LONG, Node, UNKNOWN, read_reply, until};
use taskmgr_http::TaskStatus;

fn node() -> Node {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    assert_eq!(node.post("/task_manager_test/test_module").status, 200);
    node
}

fn start(node: &Node, query: &str) -> String {
    node.post(&format!("/task_manager_test/test_task{query}"))
        .ok()
}

#[test]
fn without_test_endpoints_they_are_404() {
    let node = Node::with(|m| m, |s| s.test_endpoints(false));
    node.post("/task_manager_test/test_module").refused(404);
    node.delete("/task_manager_test/test_module").refused(404);
    node.post("/task_manager_test/test_task").refused(404);
    node.delete("/task_manager_test/test_task?task_id=x")
        .refused(404);
    node.post(&format!("/task_manager_test/finish_test_task/{UNKNOWN}"))
        .refused(404);
    node.get("/task_manager_test/test_module").refused(404);
}

#[test]
fn the_module_test_is_registered_once_and_unregistered() {
    let node = node();
    assert_eq!(
        node.get("/task_manager/list_modules").ok::<Vec<String>>(),
        ["test"]
    );
    node.post("/task_manager_test/test_module").refused(400);
    assert_eq!(node.delete("/task_manager_test/test_module").status, 200);
    assert!(
        node.get("/task_manager/list_modules")
            .ok::<Vec<String>>()
            .is_empty()
    );
    node.delete("/task_manager_test/test_module").refused(400);
    node.post("/task_manager_test/test_task").refused(400);
    assert_eq!(node.post("/task_manager_test/test_module").status, 200);
}

#[test]
fn a_test_task_is_what_it_is_asked_to_be() {
    let node = node();
    let id = start(
        &node,
        &format!("?task_id={UNKNOWN}&shard=2&keyspace=k&table=t&entity=e&user_task=yes&parent_id="),
    );
    assert_eq!(id, UNKNOWN);
    let status = node.status(&id);
    assert_eq!(
        (
            status.type_.as_str(),
            status.scope.as_str(),
            status.state.as_str()
        ),
        ("test", "test", "running")
    );
    assert_eq!(
        (
            status.keyspace.as_str(),
            status.table.as_str(),
            status.entity.as_str()
        ),
        ("k", "t", "e")
    );
    assert_eq!(
        (status.shard, status.is_abortable, status.parent_id.as_str()),
        (2, false, "none")
    );
    assert_eq!(
        node.get(&format!("/api/v1/task_status/{id}")).json()["user_task"],
        true
    );
    node.post(&format!("/task_manager/abort_task/{id}"))
        .refused(403);
    node.post(&format!("/task_manager_test/test_task?task_id={id}"))
        .refused(400);

    for (query, told) in [
        ("keyspace=a%E2%80%8Bb", "the keyspace"),
        ("table=%E2%80%AE", "U+202E at byte 0"),
        ("entity=++", "nothing but blanks"),
    ] {
        let refused = node.post(&format!("/task_manager_test/test_task?{query}"));
        assert!(refused.refused(400).contains(told), "{query}");
    }
    let child = start(&node, &format!("?parent_id={id}"));
    assert_eq!(node.status(&child).parent_id, id);
    node.post("/task_manager_test/test_task?parent_id=00000000-0000-0000-0000-00000000000a")
        .refused(400);
}

#[test]
fn finish_test_task_answers_once_it_has() {
    let node = node();
    for (query, state, error) in [
        ("", "done", ""),
        ("?error=disk%20full", "failed", "disk full"),
        ("?error=", "failed", ""),
    ] {
        let id = start(&node, "");
        let mut parked = node.park(&id);
        until("a parked wait", || node.server().pending_waits() == 1);
        let reply = node.post(&format!("/task_manager_test/finish_test_task/{id}{query}"));
        assert_eq!((reply.status, reply.text.as_str()), (200, ""));
        let status: TaskStatus = read_reply(&mut parked).ok();
        assert_eq!(
            (status.state.as_str(), status.error.as_str()),
            (state, error)
        );
        until("no parked wait", || node.server().pending_waits() == 0);
        let message = node
            .post(&format!("/task_manager_test/finish_test_task/{id}"))
            .refused(400);
        assert!(message.contains(state), "{message}");
        assert_eq!(node.status(&id).state, state);
    }
}

#[test]
fn deleting_a_test_task_finishes_and_unregisters_it() {
    let node = node();
    let id = start(&node, "");
    let mut parked = node.park(&id);
    until("a parked wait", || node.server().pending_waits() == 1);
    assert_eq!(
        node.delete(&format!("/task_manager_test/test_task?task_id={id}"))
            .status,
        200
    );
    assert_eq!(read_reply(&mut parked).ok::<TaskStatus>().state, "done");
    node.get(&format!("/task_manager/task_status/{id}"))
        .refused(400);
    node.delete(&format!("/task_manager_test/test_task?task_id={id}"))
        .refused(400);

    let finished = start(&node, "");
    node.post(&format!("/task_manager_test/finish_test_task/{finished}"));
    assert_eq!(
        node.delete(&format!("/task_manager_test/test_task?task_id={finished}"))
            .status,
        200
    );
    node.get(&format!("/task_manager/task_status/{finished}"))
        .refused(400);

    assert!(
        node.delete("/task_manager_test/test_task")
            .refused(400)
            .contains("missing")
    );
}

#[test]
fn unregistering_the_module_fails_its_tasks_at_once() {
    let node = node();
    let root = start(&node, "");
    let child = start(&node, &format!("?parent_id={root}"));
    let other = node.module("repair").task("repair").start().unwrap();
    let under = start(&node, &format!("?parent_id={}", other.id()));
    let mut parked = [&root, &child, &under].map(|id| node.park(id));
    until("parked waits", || node.server().pending_waits() == 3);
    assert_eq!(node.delete("/task_manager_test/test_module").status, 200);
    for stream in &mut parked {
        let status: TaskStatus = read_reply(stream).ok();
        assert_eq!(status.state, "failed");
        assert!(status.error.starts_with("aborted: "), "{}", status.error);
    }
    assert_eq!(node.status(other.id()).state, "running");
    assert_eq!(
        node.get("/task_manager/list_modules").ok::<Vec<String>>(),
        ["repair"]
    );
    other.finish().unwrap();
}

#[test]
fn test_tasks_end_with_the_manager() {
    let node = node();
    start(&node, "");
    start(&node, "?user_task=1");
    assert!(node.manager.close(LONG).unwrap().is_complete());
}
