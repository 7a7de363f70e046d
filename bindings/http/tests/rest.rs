//! rest_1, rest_2, rest_3: every row of the table, its errors included.

mod common;

use std::time::Duration;

use common::{Node, UNKNOWN};
use serde_json::json;
use taskmgr_http::{ExtendedList, TaskStats, TaskStatus};

const STATS: [&str; 12] = [
    "task_id",
    "type",
    "kind",
    "scope",
    "state",
    "sequence_number",
    "keyspace",
    "table",
    "entity",
    "shard",
    "start_time",
    "end_time",
];

const STATUS: [&str; 19] = [
    "id",
    "type",
    "kind",
    "scope",
    "state",
    "is_abortable",
    "start_time",
    "end_time",
    "error",
    "parent_id",
    "sequence_number",
    "shard",
    "keyspace",
    "table",
    "entity",
    "progress_units",
    "progress_total",
    "progress_completed",
    "children_ids",
];

/// The fields of an object in the order in which they were sent.
fn fields(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '"']) {
        let (mark, after) = (&rest[at..=at], &rest[at + 1..]);
        rest = after;
        match mark {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {
                let end = after.find('"').unwrap();
                rest = &after[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    names.push(after[..end].to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn list_modules_names_all_in_order_of_registration() {
    let node = Node::new();
    assert_eq!(node.get("/task_manager/list_modules").json(), json!([]));
    node.module("repair");
    node.module("compaction");
    assert_eq!(
        node.get("/task_manager/list_modules").json(),
        json!(["repair", "compaction"])
    );
}

#[test]
fn list_module_tasks_has_exactly_the_fields_of_stats() {
    let node = Node::new();
    let task = node
        .module("compaction")
        .task("major compaction")
        .scope("table")
        .keyspace("ks")
        .table("t")
        .entity("e")
        .shard(3)
        .start()
        .unwrap();
    let reply = node.get("/task_manager/list_module_tasks/compaction");
    assert_eq!(fields(&reply.text), STATS);
    assert_eq!(
        reply.json(),
        json!([{
            "task_id": task.id().to_string(), "type": "major compaction", "kind": "node",
            "scope": "table", "state": "running", "sequence_number": 1, "keyspace": "ks",
            "table": "t", "entity": "e", "shard": 3, "start_time": "2020-01-01T00:00:00Z",
            "end_time": "1970-01-01T00:00:00Z",
        }])
    );
    task.finish().unwrap();
}

#[test]
fn list_module_tasks_filters() {
    let node = Node::new();
    let module = node.module("repair");
    let start = |task: taskmgr::TaskBuilder<'_>| {
        // Tasks of one tick are listed by id.
        node.clock.advance(Duration::from_millis(1));
        task.start().unwrap()
    };
    let a = start(module.task("repair").keyspace("a").table("x"));
    let b = start(module.task("repair").keyspace("b").table("x"));
    let child = start(a.child("repair").keyspace("a").table("y"));
    let names = [(a.id(), "a"), (b.id(), "b"), (child.id(), "child")];
    let listed = |query: &str| {
        let target = format!("/task_manager/list_module_tasks/repair{query}");
        let list: Vec<TaskStats> = node.get(&target).ok();
        let name = |stats: &TaskStats| names.iter().find(|(id, _)| id.to_string() == stats.task_id);
        list.iter()
            .map(|stats| name(stats).unwrap().1)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(""), ["a", "b"]);
    assert_eq!(listed("?keyspace=&table=&internal="), ["a", "b"]);
    for yes in ["true", "TRUE", "Yes", "1"] {
        assert_eq!(listed(&format!("?internal={yes}")), ["a", "b", "child"]);
    }
    for no in ["false", "No", "0"] {
        assert_eq!(listed(&format!("?internal={no}")), ["a", "b"]);
    }
    assert_eq!(listed("?keyspace=a"), ["a"]);
    assert_eq!(listed("?keyspace=a&internal=1&table=y"), ["child"]);
    assert_eq!(listed("?table=x"), ["a", "b"]);
    assert!(listed("?keyspace=none").is_empty());
    let unknown = "?keyspace=a&unknown=1&unknown=2";
    assert_eq!(listed(unknown), ["a"], "what is unknown is ignored");
    for task in [child, a, b] {
        task.finish().unwrap();
    }
}

#[test]
fn an_unknown_module_is_a_400_that_names_it() {
    let node = Node::new();
    node.module("repair");
    assert!(
        node.get("/task_manager/list_module_tasks/nowhere")
            .refused(400)
            .contains("nowhere")
    );
    assert!(
        node.get("/task_manager/list_module_tasks/")
            .refused(400)
            .contains("\"\"")
    );
    assert!(
        node.post("/task_manager/drain/nowhere")
            .refused(400)
            .contains("nowhere")
    );
    assert!(
        node.get("/api/v1/list_module_tasks/no%20where")
            .refused(400)
            .contains("no where")
    );
}

#[test]
fn task_status_has_exactly_the_fields_of_status() {
    let node = Node::new();
    let module = node.module("repair");
    let task = module
        .task("repair")
        .scope("keyspace")
        .keyspace("ks")
        .total(256, "ranges")
        .abortable();
    let task = task.start().unwrap();
    task.advance(64);
    let child = task.child("repair").scope("table").start().unwrap();
    let reply = node.get(&format!("/task_manager/task_status/{}", task.id()));
    assert_eq!(fields(&reply.text), STATUS);
    assert_eq!(
        reply.json(),
        json!({
            "id": task.id().to_string(), "type": "repair", "kind": "node", "scope": "keyspace",
            "state": "running", "is_abortable": true, "start_time": "2020-01-01T00:00:00Z",
            "end_time": "1970-01-01T00:00:00Z", "error": "", "parent_id": "none",
            "sequence_number": 1, "shard": 0, "keyspace": "ks", "table": "", "entity": "",
            "progress_units": "ranges", "progress_total": 256.0, "progress_completed": 64.0,
            "children_ids": [{ "task_id": child.id().to_string(), "node": "10.0.0.1" }],
        })
    );
    assert_eq!(node.status(child.id()).parent_id, task.id().to_string());
    child.finish().unwrap();
    task.finish().unwrap();
}

#[test]
fn a_failed_task_shows_its_error_and_its_times() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let task = node.module("repair").task("repair").start().unwrap();
    let id = task.id();
    node.clock.advance(Duration::from_secs(90));
    task.fail("disk full").unwrap();
    let status = node.status(id);
    assert_eq!(
        (status.state.as_str(), status.error.as_str()),
        ("failed", "disk full")
    );
    assert_eq!(status.start_time, "2020-01-01T00:00:00Z");
    assert_eq!(status.end_time, "2020-01-01T00:01:30Z");
}

#[test]
fn unknown_and_malformed_ids_are_400() {
    let node = Node::new();
    let routes = [
        ("GET", "/task_manager/task_status/"),
        ("POST", "/task_manager/abort_task/"),
        ("GET", "/task_manager/wait_task/"),
        ("GET", "/task_manager/task_status_recursive/"),
        ("GET", "/api/v1/task_status/"),
        ("GET", "/api/v1/task_status_recursive/"),
        ("POST", "/api/v1/suspend_task/"),
        ("POST", "/api/v1/resume_task/"),
        ("POST", "/task_manager_test/finish_test_task/"),
        ("DELETE", "/task_manager_test/test_task?task_id="),
    ];
    let compact = UNKNOWN.replace('-', "");
    for (method, path) in routes {
        let message = node.send(method, &format!("{path}{UNKNOWN}")).refused(400);
        assert!(message.contains(UNKNOWN), "{path}: {message}");
        for id in ["nonsense", compact.as_str(), "%F0%9F%92%BE", "none"] {
            let message = node.send(method, &format!("{path}{id}")).refused(400);
            assert!(
                message.contains("task_id") && message.contains("task id such as"),
                "{message}"
            );
        }
        node.send(method, path).refused(400);
    }
}

#[test]
fn abort_1_abort_task_is_403_unless_abortable() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let module = node.module("repair");
    let fixed = module.task("repair").start().unwrap();
    let message = node
        .post(&format!("/task_manager/abort_task/{}", fixed.id()))
        .refused(403);
    assert!(message.contains("not abortable"), "{message}");
    assert!(!fixed.abort_requested());
    fixed.finish().unwrap();

    let task = module.task("repair").abortable().start().unwrap();
    let id = task.id();
    let reply = node.post(&format!("/task_manager/abort_task/{id}"));
    assert_eq!(
        (reply.status, reply.text.as_str(), reply.content_type),
        (200, "", None)
    );
    assert!(task.abort_requested());
    assert_eq!(
        node.status(id).state,
        "running",
        "abort_5: until its owner ends it"
    );
    assert!(task.finish().unwrap_err().is_aborted());
    // abort_3: once more is no error.
    assert_eq!(
        node.post(&format!("/task_manager/abort_task/{id}")).status,
        200
    );
    let status = node.status(id);
    assert_eq!(status.state, "failed");
    assert!(status.error.starts_with("aborted: "), "{}", status.error);
}

#[test]
fn task_status_recursive_is_breadth_first() {
    let node = Node::new();
    let root = node.module("repair").task("root").start().unwrap();
    let a = root.child("a").start().unwrap();
    let b = root.child("b").start().unwrap();
    let a1 = a.child("a1").start().unwrap();
    let b1 = b.child("b1").start().unwrap();
    let statuses: Vec<TaskStatus> = node
        .get(&format!(
            "/task_manager/task_status_recursive/{}",
            root.id()
        ))
        .ok();
    let types: Vec<&str> = statuses
        .iter()
        .map(|status| status.type_.as_str())
        .collect();
    assert_eq!(types, ["root", "a", "b", "a1", "b1"]);
    for task in [a1, b1, a, b, root] {
        task.finish().unwrap();
    }
}

#[test]
fn v1_shows_what_goes_beyond_the_wire_format() {
    let node = Node::new();
    let module = node.module("repair");
    let task = module
        .task("repair")
        .scope("node")
        .user_task()
        .abortable()
        .start()
        .unwrap();
    let id = task.id();
    task.child("repair")
        .start()
        .unwrap()
        .fail("no space")
        .unwrap();
    assert_eq!(node.post(&format!("/api/v1/suspend_task/{id}")).status, 200);
    task.observe().abort("shutdown").unwrap();
    let extended = node.get(&format!("/api/v1/task_status/{id}")).json();
    assert_eq!(extended["module"], "repair");
    assert_eq!(extended["id"], id.to_string());
    assert_eq!(
        (&extended["user_task"], &extended["settled"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(extended["abort"]["reason"], "shutdown");
    assert_eq!(
        extended["abort"]["requested_at"],
        "2020-01-01T00:00:00.000000Z"
    );
    assert_eq!(extended["abort"]["last_poll"], json!(null));
    assert_eq!(extended["child_counts"]["failed"], 1);
    assert_eq!(extended["first_error"], "no space");
    assert_eq!(extended["suspend_requested"], true);
    assert_eq!(node.post(&format!("/api/v1/resume_task/{id}")).status, 200);
    let listed = |query: &str| {
        node.get(&format!("/api/v1/list_module_tasks/repair{query}"))
            .ok::<ExtendedList>()
            .tasks
            .len()
    };
    assert_eq!(listed("?state=running&type=repair&scope=node&limit=5"), 1);
    for none in ["?state=done", "?type=x", "?scope=x", "?limit=0"] {
        assert_eq!(listed(none), 0, "{none}");
    }
    let message = node
        .get("/api/v1/list_module_tasks/repair?state=asleep")
        .refused(400);
    assert!(
        message.contains("state") && message.contains("asleep"),
        "{message}"
    );
    assert!(task.finish().unwrap_err().is_aborted());
}

#[test]
fn after_the_manager_is_closed_everything_is_503() {
    let node = Node::new();
    node.module("repair");
    node.manager.close(common::LONG).unwrap();
    for target in ["list_modules", "list_module_tasks/repair"] {
        node.get(&format!("/task_manager/{target}")).refused(503);
    }
    for read in ["task_status", "task_status_recursive", "wait_task"] {
        node.get(&format!("/task_manager/{read}/{UNKNOWN}"))
            .refused(503);
    }
    node.post("/task_manager/drain/repair").refused(503);
    node.post(&format!("/task_manager/abort_task/{UNKNOWN}"))
        .refused(503);
    node.post("/task_manager_test/test_module").refused(503);
    assert_eq!(node.get("/openapi.json").status, 200);
}
