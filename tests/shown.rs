//! What is told of a task when it is made is what statuses and lists show of it, whichever way they
//! are read.

mod common;

use common::{Node, node};
use taskmgr::{BoxError, Completion, Filter, Kind, Provider, State, Stats, Status, Task, Uuid};

/// What a task may be marked as.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Marks {
    abortable: bool,
    internal: bool,
    user_task: bool,
    host_id: bool,
    entity: &'static str,
}

fn all_marks() -> impl Iterator<Item = Marks> {
    const LONG: &str = "more than fifty-five characters of an entity which lie elsewhere";
    let bit = |of: usize, at: usize| of >> at & 1 == 1;
    let entities = ["", "sstable 12", "größe", LONG];
    entities.into_iter().flat_map(move |entity| {
        (0..16).map(move |of| Marks {
            abortable: bit(of, 0),
            internal: bit(of, 1),
            user_task: bit(of, 2),
            host_id: bit(of, 3),
            entity,
        })
    })
}

/// A task of these marks; what is shown of it has its number as the shard.
fn make(node: &Node, parent: Option<&Task>, marks: Marks, number: u32) -> Task {
    let mut builder = match parent {
        Some(parent) => parent.child("repair"),
        None => node.module.task("repair"),
    };
    builder = builder
        .scope("table")
        .keyspace("ks")
        .table("t")
        .entity(marks.entity);
    builder = builder.total(10, "ranges").shard(number);
    if marks.abortable {
        builder = builder.abortable();
    }
    if marks.internal {
        builder = builder.internal();
    }
    if marks.user_task {
        builder = builder.user_task();
    }
    if marks.host_id {
        let of = if parent.is_some() { 0x5707 } else { 0x5708 };
        builder = builder.id(Uuid::from_u128(of << 32 | u128::from(number)));
    }
    builder.create().unwrap()
}

fn check(node: &Node, task: &Task, parent: Option<&Task>, marks: Marks, number: u32, state: State) {
    let what = format!("{marks:?}, {state:?}, a child: {}", parent.is_some());
    let is_internal = marks.internal || parent.is_some();
    let by_id = node.manager.status(task.id()).unwrap();
    let in_tree = node.manager.status_tree(task.id()).unwrap().remove(0);
    for status in [&by_id, &task.status().unwrap(), &in_tree] {
        assert_eq!(status.id, task.id(), "{what}");
        assert_eq!(status.is_abortable, marks.abortable, "{what}");
        assert_eq!(
            (status.internal, status.user_task),
            (is_internal, marks.user_task),
            "{what}"
        );
        assert_eq!(
            (&*status.entity, status.shard),
            (marks.entity, number),
            "{what}"
        );
        assert_eq!(status.parent_id, parent.map(|parent| parent.id()), "{what}");
        assert_eq!(
            (&*status.type_, &*status.scope),
            ("repair", "table"),
            "{what}"
        );
        assert_eq!((&*status.keyspace, &*status.table), ("ks", "t"), "{what}");
        assert_eq!(
            (status.state, status.kind, status.settled),
            (state, Kind::Node, false)
        );
        assert_eq!(
            (status.progress.total, &*status.progress.units),
            (10, "ranges"),
            "{what}"
        );
        let is_created = state == State::Created;
        assert_eq!(
            (status.start_time.is_none(), status.end_time),
            (is_created, None),
            "{what}"
        );
    }
    let listed = node.module.list(&Filter::new().internal(true)).unwrap();
    let stats = listed
        .iter()
        .find(|stats| stats.id == task.id())
        .expect(&what);
    assert_eq!(
        (stats.internal, &*stats.entity, stats.shard),
        (is_internal, marks.entity, number)
    );
    assert_eq!(
        (stats.state, stats.kind, stats.end_time),
        (state, Kind::Node, None),
        "{what}"
    );
    assert_eq!(
        (stats.start_time, stats.created_at),
        (by_id.start_time, by_id.created_at)
    );
    assert_eq!(stats.sequence_number, by_id.sequence_number);
    let external = node.module.list(&Filter::new()).unwrap();
    let is_listed = external.iter().any(|stats| stats.id == task.id());
    assert_eq!(is_listed, !is_internal, "{what}");
}

#[test]
fn list_1_marks_and_names_are_shown_as_they_were_given() {
    let node = node();
    for (number, marks) in all_marks().enumerate() {
        let number = number as u32;
        let host_id = (number % 2 == 1).then(|| Uuid::from_u128(0x0707 << 32 | u128::from(number)));
        let root = node.module.task("root");
        let root = host_id
            .map_or(root.clone(), |id| root.id(id))
            .start()
            .unwrap();
        for parent in [None, Some(&root)] {
            let task = make(&node, parent, marks, number);
            check(&node, &task, parent, marks, number, State::Created);
            node.clock.advance(common::seconds(1));
            task.start().unwrap();
            check(&node, &task, parent, marks, number, State::Running);
            let reporter = task.reporter();
            check(&node, &task, parent, marks, number, State::Running);
            drop(reporter);
            let refused = task.observe().abort("enough");
            assert_eq!(refused.is_ok(), marks.abortable, "{marks:?}");
            check(&node, &task, parent, marks, number, State::Running);
        }
    }
}

/// A provider that lists one task, of whatever id.
struct Lists(Uuid);

impl Provider for Lists {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(self.0, "remote")])
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn virt_1_a_task_that_several_list_is_listed_once_and_a_regular_one_comes_first() {
    let node = node();
    let regular = node.module.task("regular").start().unwrap();
    for id in [regular.id(), Uuid::from_u128(7), Uuid::from_u128(7)] {
        node.module.register_provider(Lists(id)).unwrap();
    }
    let listed = node.module.list(&Filter::new()).unwrap();
    let mut shown: Vec<_> = listed
        .iter()
        .map(|stats| (stats.id, &*stats.type_))
        .collect();
    shown.sort_by_key(|(_, type_)| *type_);
    assert_eq!(
        shown,
        [(regular.id(), "regular"), (Uuid::from_u128(7), "remote")]
    );
    let listed = node.module.list(&Filter::new().limit(1)).unwrap();
    assert_eq!(listed.len(), 1);
}

#[test]
fn list_1_what_is_gone_is_not_listed_whoever_still_holds_it() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    node.clock.advance(common::seconds(1));
    let held = [
        node.module.task("taken").start().unwrap(),
        node.module.task("internal").internal().start().unwrap(),
        root.child("folded").start().unwrap(),
        node.module.task("kept").start().unwrap(),
    ];
    let ids = held.each_ref().map(|task| task.id());
    let observers = held.map(|task| {
        let observer = task.observe();
        task.finish().unwrap();
        observer
    });
    node.manager.take_status(ids[0]).unwrap();
    let listed = node.module.list(&Filter::new().internal(true)).unwrap();
    let listed: Vec<Uuid> = listed.iter().map(|stats| stats.id).collect();
    assert_eq!(listed, [root.id(), ids[3]]);
    // Expired, and not swept.
    node.clock.advance(common::seconds(60));
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 1);
    assert!(observers.iter().all(|observer| observer.status().is_ok()));
}

#[test]
fn handles_say_whose_they_are() {
    let manager = taskmgr::Manager::builder()
        .node("10.0.0.1")
        .build()
        .unwrap();
    let module = manager.register_module("repair").unwrap();
    manager.register_module("backup").unwrap();
    assert_eq!(manager.node(), "10.0.0.1");
    assert_eq!(
        format!("{manager:?}"),
        r#"Manager("10.0.0.1", ["repair", "backup"])"#
    );
    assert_eq!(format!("{module:?}"), r#"Module("repair")"#);
    let task = module.task("t").start().unwrap();
    let id = task.id();
    assert_eq!(format!("{task:?}"), format!("Task({id})"));
    assert_eq!(format!("{:?}", task.observe()), format!("Observer({id})"));
    assert_eq!(format!("{:?}", task.reporter()), format!("Reporter({id})"));
    assert_eq!(
        format!("{:?}", task.on_abort(|| {}).unwrap()),
        format!("AbortGuard({id})")
    );
    assert_eq!(
        format!("{:?}", task.observe().on_done(drop).unwrap()),
        format!("DoneGuard({id})")
    );
    let shared = task.share();
    assert_eq!(format!("{shared:?}"), format!("SharedTask({id})"));
    assert!(!shared.has_total());
    shared.set_total(3);
    assert!(shared.has_total());
    shared.finish().unwrap();
}

#[test]
fn life_3_work_starts_a_task_that_was_not() {
    let node = node();
    let created = node.module.task("t").create().unwrap();
    let started = node.module.task("t").start().unwrap();
    for task in [created, started] {
        let observer = task.observe();
        let state = task.run(|task| Ok(task.status()?.state)).unwrap();
        assert_eq!(
            (state, observer.status().unwrap().state),
            (State::Running, State::Done)
        );
    }
}

#[test]
fn ttl_5_each_reason_has_a_word_of_its_own_in_the_error() {
    let node = node();
    let finished = |user: bool| {
        let task = node.module.task("t");
        let task = if user {
            task.user_task()
        } else {
            task.internal()
        };
        let task = task.start().unwrap();
        let id = task.id();
        task.finish().unwrap();
        id
    };
    let [expired, read, drained] = [finished(false), finished(true), finished(true)];
    node.manager.take_status(read).unwrap();
    node.module.drain().unwrap();
    let root = node.module.task("root").start().unwrap();
    let child = root.child("c").start().unwrap();
    let folded = child.id();
    child.finish().unwrap();
    let ids = [
        (expired, "expired"),
        (read, "read"),
        (drained, "drained"),
        (folded, "folded"),
    ];
    for (id, word) in ids {
        let error = node.manager.status(id).unwrap_err();
        assert_eq!(error.gone().unwrap().0.as_str(), word);
        assert!(
            error
                .to_string()
                .contains(&format!("is gone ({word}): it ended as done")),
            "{error}"
        );
    }
}
