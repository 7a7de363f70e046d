//! What is written is read again, with the names that the wire has.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use taskmgr_wire::{
    ChildId, ErrorBody, ExtendedAbort, ExtendedCounts, ExtendedList, ExtendedStats, ExtendedStatus,
    MissingTasks, TaskStats, TaskStatus,
};

const ID: &str = "6fbf2a3c-0f6c-4f62-9a55-3d8b3a1c7e21";
const PARENT: &str = "0d3b1c1e-58d5-4b0a-8f0f-2c9c5a0c1b11";

/// The value and the JSON are the same thing, both ways, whatever else the JSON has.
#[track_caller]
fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, wire: &Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), *wire);
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
    let mut later = wire.clone();
    later["of_a_later_version"] = json!({ "a": [1] });
    assert_eq!(serde_json::from_value::<T>(later).unwrap(), *value);
    // None of its fields may be left out, save those that may be null.
    for (name, field) in wire.as_object().unwrap() {
        let mut without = wire.clone();
        without.as_object_mut().unwrap().remove(name);
        let read = serde_json::from_value::<T>(without);
        let may_be_null = NULLABLE.contains(&name.as_str());
        assert_eq!(read.is_ok(), may_be_null, "{name}: {field}: {read:?}");
    }
}

const NULLABLE: [&str; 4] = ["abort", "first_error", "requested_at", "last_poll"];

fn stats() -> (TaskStats, Value) {
    let value = TaskStats {
        task_id: ID.to_owned(),
        type_: "repair".to_owned(),
        kind: "node".to_owned(),
        scope: "range".to_owned(),
        state: "failed".to_owned(),
        sequence_number: u64::MAX,
        keyspace: "ks \"1\"".to_owned(),
        table: "täble".to_owned(),
        entity: "(1, 2]\u{0}".to_owned(),
        shard: 7,
        start_time: "2026-01-02T03:04:05Z".to_owned(),
        end_time: "2026-01-02T03:04:06Z".to_owned(),
    };
    let wire = json!({
        "task_id": ID,
        "type": "repair",
        "kind": "node",
        "scope": "range",
        "state": "failed",
        "sequence_number": u64::MAX,
        "keyspace": "ks \"1\"",
        "table": "täble",
        "entity": "(1, 2]\u{0}",
        "shard": 7,
        "start_time": "2026-01-02T03:04:05Z",
        "end_time": "2026-01-02T03:04:06Z",
    });
    (value, wire)
}

fn status() -> (TaskStatus, Value) {
    let value = TaskStatus {
        id: ID.to_owned(),
        type_: "repair".to_owned(),
        kind: "cluster".to_owned(),
        scope: "keyspace".to_owned(),
        state: "running".to_owned(),
        is_abortable: true,
        start_time: "2026-01-02T03:04:05Z".to_owned(),
        end_time: "1970-01-01T00:00:00Z".to_owned(),
        error: "no quorum".to_owned(),
        parent_id: PARENT.to_owned(),
        sequence_number: 3,
        shard: u32::MAX,
        keyspace: "ks".to_owned(),
        table: "t".to_owned(),
        entity: "e".to_owned(),
        progress_units: "ranges".to_owned(),
        progress_total: 1e15,
        progress_completed: 0.1,
        children_ids: vec![child().0],
    };
    let wire = json!({
        "id": ID,
        "type": "repair",
        "kind": "cluster",
        "scope": "keyspace",
        "state": "running",
        "is_abortable": true,
        "start_time": "2026-01-02T03:04:05Z",
        "end_time": "1970-01-01T00:00:00Z",
        "error": "no quorum",
        "parent_id": PARENT,
        "sequence_number": 3,
        "shard": u32::MAX,
        "keyspace": "ks",
        "table": "t",
        "entity": "e",
        "progress_units": "ranges",
        "progress_total": 1e15,
        "progress_completed": 0.1,
        "children_ids": [child().1],
    });
    (value, wire)
}

fn child() -> (ChildId, Value) {
    let value = ChildId {
        task_id: PARENT.to_owned(),
        node: "10.0.0.1".to_owned(),
    };
    (value, json!({ "task_id": PARENT, "node": "10.0.0.1" }))
}

fn extended_stats() -> (ExtendedStats, Value) {
    let (stats, mut wire) = stats();
    wire["internal"] = json!(true);
    wire["created_at"] = json!("2026-01-02T03:04:05.000006Z");
    let value = ExtendedStats {
        stats,
        internal: true,
        created_at: "2026-01-02T03:04:05.000006Z".to_owned(),
    };
    (value, wire)
}

fn missing() -> (MissingTasks, Value) {
    let value = MissingTasks {
        module: "node_ops".to_owned(),
        error: "no quorum".to_owned(),
    };
    (value, json!({ "module": "node_ops", "error": "no quorum" }))
}

fn abort() -> (ExtendedAbort, Value) {
    let value = ExtendedAbort {
        reason: "shutdown".to_owned(),
        requested_at: Some("2026-01-02T03:04:05.000006Z".to_owned()),
        polls: 4,
        last_poll: None,
    };
    let wire = json!({
        "reason": "shutdown",
        "requested_at": "2026-01-02T03:04:05.000006Z",
        "polls": 4,
        "last_poll": null,
    });
    (value, wire)
}

fn counts() -> (ExtendedCounts, Value) {
    let value = ExtendedCounts {
        live: 1,
        succeeded: 2,
        failed: 3,
        not_kept: u64::MAX,
    };
    let wire = json!({ "live": 1, "succeeded": 2, "failed": 3, "not_kept": u64::MAX });
    (value, wire)
}

#[test]
fn the_wire_format_is_written_and_read() {
    same(&stats().0, &stats().1);
    same(&status().0, &status().1);
    same(&child().0, &child().1);
    let error = ErrorBody {
        message: "parameter ttl is \"x\"".to_owned(),
        code: 400,
    };
    let wire = json!({ "message": "parameter ttl is \"x\"", "code": 400 });
    same(&error, &wire);
}

#[test]
fn what_goes_beyond_it_is_written_and_read() {
    same(&extended_stats().0, &extended_stats().1);
    same(&missing().0, &missing().1);
    same(&abort().0, &abort().1);
    same(&counts().0, &counts().1);
    let list = ExtendedList {
        tasks: vec![extended_stats().0],
        missing: vec![missing().0],
    };
    let wire = json!({ "tasks": [extended_stats().1], "missing": [missing().1] });
    same(&list, &wire);
}

#[test]
fn an_extended_status_has_the_fields_of_the_wire_format_beside_its_own() {
    let (plain, wire) = status();
    for (abort, first_error) in [
        ((None, Value::Null), None),
        ((Some(abort().0), abort().1), Some("disk is full")),
    ] {
        let value = ExtendedStatus {
            status: plain.clone(),
            module: "repair".to_owned(),
            internal: true,
            user_task: true,
            settled: false,
            created_at: "2026-01-02T03:04:05.000006Z".to_owned(),
            suspend_requested: true,
            abort: abort.0,
            child_counts: counts().0,
            first_error: first_error.map(str::to_owned),
        };
        let mut wire = wire.clone();
        let own = json!({
            "module": "repair",
            "internal": true,
            "user_task": true,
            "settled": false,
            "created_at": "2026-01-02T03:04:05.000006Z",
            "suspend_requested": true,
            "abort": abort.1,
            "child_counts": counts().1,
            "first_error": first_error,
        });
        for (name, field) in own.as_object().unwrap() {
            wire[name] = field.clone();
        }
        same(&value, &wire);
    }
}
