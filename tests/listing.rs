//! Lists of a module's tasks.

mod common;

use common::{node, seconds};
use taskmgr::{ErrorCode, Filter, Kind, State};

#[test]
fn list_1_tasks_come_by_creation_and_then_by_id() {
    let node = node();
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let mut same_time: Vec<_> = (0..5)
            .map(|_| node.module.task("t").start().unwrap())
            .collect();
        same_time.sort_by_key(|task| task.id());
        tasks.extend(same_time);
        node.clock.advance(seconds(1));
    }
    let listed: Vec<_> = node
        .module
        .list(&Filter::new())
        .unwrap()
        .iter()
        .map(|stats| stats.id)
        .collect();
    assert_eq!(
        listed,
        tasks.iter().map(|task| task.id()).collect::<Vec<_>>()
    );
    let first: Vec<_> = node.module.list(&Filter::new().limit(7)).unwrap();
    assert_eq!(
        first.iter().map(|stats| stats.id).collect::<Vec<_>>(),
        listed[..7]
    );
}

#[test]
fn list_1_filters_narrow_it_down() {
    let node = node();
    let task = |type_, scope, keyspace, table| {
        let task = node
            .module
            .task(type_)
            .scope(scope)
            .keyspace(keyspace)
            .table(table);
        task.start().unwrap()
    };
    let a = task("major", "table", "ks", "t1");
    let b = task("major", "table", "ks", "t2");
    let c = task("minor", "shard", "other", "t1");
    let child = a.child("major").keyspace("ks").start().unwrap();
    let ids = |filter: Filter| {
        let listed = node.manager.list("m", &filter).unwrap();
        let mut ids: Vec<_> = listed.into_iter().map(|stats| stats.id).collect();
        ids.sort();
        ids
    };
    let sorted = |tasks: &[&taskmgr::Task]| {
        let mut ids: Vec<_> = tasks.iter().map(|task| task.id()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(Filter::new()), sorted(&[&a, &b, &c]));
    assert_eq!(
        ids(Filter::new().internal(true)),
        sorted(&[&a, &b, &c, &child])
    );
    assert_eq!(ids(Filter::new().keyspace("ks")), sorted(&[&a, &b]));
    assert_eq!(ids(Filter::new().keyspace("ks").table("t1")), sorted(&[&a]));
    assert_eq!(ids(Filter::new().task_type("minor")), sorted(&[&c]));
    assert_eq!(ids(Filter::new().scope("table")), sorted(&[&a, &b]));
    assert_eq!(
        ids(Filter::new().keyspace("").table("")),
        sorted(&[&a, &b, &c]),
        "empty is none"
    );
    assert!(ids(Filter::new().keyspace("nowhere")).is_empty());
    let (b_id, all) = (b.id(), sorted(&[&a, &c]));
    b.finish().unwrap();
    assert_eq!(ids(Filter::new().state(State::Running)), all);
    assert_eq!(ids(Filter::new().state(State::Done)), [b_id]);
}

#[test]
fn list_1_an_unknown_module_is_an_error_that_names_the_known() {
    let node = node();
    let error = node.manager.list("n", &Filter::new()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownModule);
    assert!(
        error.to_string().contains("\"n\"") && error.to_string().contains("\"m\""),
        "{error}"
    );
}

#[test]
fn list_2_stats_are_of_one_moment() {
    let node = node();
    let task = node
        .module
        .task("t")
        .scope("s")
        .entity("e")
        .shard(4)
        .create()
        .unwrap();
    let stats = || node.module.list(&Filter::new()).unwrap().remove(0);
    let created = stats();
    assert_eq!(
        (created.state, created.start_time, created.end_time),
        (State::Created, None, None)
    );
    node.clock.advance(seconds(1));
    task.start().unwrap();
    let running = stats();
    assert_eq!(running.start_time, Some(created.created_at + seconds(1)));
    node.clock.advance(seconds(1));
    task.finish().unwrap();
    let done = stats();
    assert_eq!(
        (done.state, done.end_time),
        (State::Done, Some(created.created_at + seconds(2)))
    );
    assert_eq!(
        (done.kind, &*done.entity, done.shard, done.sequence_number),
        (Kind::Node, "e", 4, 1)
    );
}

#[test]
fn list_2_whoever_is_there_all_the_time_is_listed_once_each_time() {
    let node = node();
    let stays: Vec<_> = (0..50)
        .map(|_| node.module.task("stays").start().unwrap())
        .collect();
    let module = node.module.clone();
    let busy = std::thread::spawn(move || {
        for _ in 0..20_000 {
            module
                .task("comes and goes")
                .entity("e")
                .start()
                .unwrap()
                .finish()
                .unwrap();
        }
    });
    let mut looks = 0;
    while !busy.is_finished() || looks == 0 {
        let listed = node.module.list(&Filter::new().task_type("stays")).unwrap();
        assert_eq!(listed.len(), stays.len());
        looks += 1;
    }
    busy.join().unwrap();
}
