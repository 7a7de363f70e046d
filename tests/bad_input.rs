//! Bad input gets a clear error that names what was wrong, and nothing is lost.

mod common;

use std::time::Duration;

use common::{Node, node, seconds};
use taskmgr::{Error, ErrorCode, Filter, Manager, State, Uuid};

/// The error has this code, and says these words.
fn assert_says(error: &Error, code: ErrorCode, words: &[&str]) {
    assert_eq!(error.code(), code, "{error}");
    for word in words {
        assert!(
            error.to_string().contains(word),
            "{word:?} is missing: {error}"
        );
    }
}

/// After whatever went wrong the manager works on.
fn assert_works(node: &Node) {
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    task.finish().unwrap();
    assert_eq!(node.manager.take_status(id).unwrap().state, State::Done);
    assert!(
        node.module
            .list(&Filter::new().internal(true))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn mod_1_names_that_cannot_be() {
    let node = node();
    let long = "x".repeat(256);
    let longest = "x".repeat(255);
    for (name, word) in [
        ("", "empty"),
        (&*long, "256"),
        ("a\nb", "control"),
        ("a\u{7f}", "control"),
        ("a\u{202e}b", "bidirectional control U+202E at byte 1"),
        ("\u{200b}", "invisible character U+200B at byte 0"),
        ("a\u{2028}", "line separator U+2028"),
        (" \u{a0}", "blanks"),
    ] {
        let error = node.manager.register_module(name).unwrap_err();
        assert_says(&error, ErrorCode::InvalidArgument, &["module name", word]);
        let error = node.module.task(name).start().unwrap_err();
        assert_says(&error, ErrorCode::InvalidArgument, &["type", word]);
    }
    for name in [
        &*long,
        "a\tb",
        "a\u{2066}",
        "a\u{200d}",
        "\u{feff}a",
        " ",
        "  ",
    ] {
        let task = || node.module.task("t");
        for (what, task) in [
            ("scope", task().scope(name)),
            ("keyspace", task().keyspace(name)),
            ("table", task().table(name)),
            ("entity", task().entity(name)),
            ("units", task().units(name)),
            ("units", task().total(1, name)),
        ] {
            assert_says(
                &task.start().unwrap_err(),
                ErrorCode::InvalidArgument,
                &[what],
            );
        }
        let error = Manager::builder().node(name).build().unwrap_err();
        assert_says(&error, ErrorCode::InvalidArgument, &["node"]);
    }
    let spaced = node.module.task("t").entity(" a ").start().unwrap();
    assert_eq!(spaced.status().unwrap().entity, " a ");
    spaced.finish().unwrap();
    // The same for children, which go the short way.
    let parent = node.module.task("t").start().unwrap();
    for entity in [" ", "   ", "a\u{200b}"] {
        let error = parent.child("c").entity(entity).start().unwrap_err();
        assert_says(&error, ErrorCode::InvalidArgument, &["entity"]);
        let error = parent.child("c").units(entity).start().unwrap_err();
        assert_says(&error, ErrorCode::InvalidArgument, &["units"]);
        parent.set_units(entity).unwrap_err();
    }
    for entity in [" a", "a ", "a"] {
        let child = parent.child("c").entity(entity).start().unwrap();
        assert_eq!(child.status().unwrap().entity, entity);
        child.finish().unwrap();
    }
    parent.finish().unwrap();
    node.manager.register_module(&longest).unwrap();
    node.module
        .task(&longest)
        .entity(&longest)
        .start()
        .unwrap()
        .finish()
        .unwrap();
    node.module.drain().unwrap();
    assert_works(&node);
}

#[test]
fn mod_1_a_module_twice_or_never() {
    let node = node();
    let error = node.manager.register_module("m").unwrap_err();
    assert_says(&error, ErrorCode::ModuleExists, &["\"m\""]);
    for error in [
        node.manager.module("n").unwrap_err(),
        node.manager.drain("n").unwrap_err(),
        node.manager.list("n", &Filter::new()).unwrap_err(),
        node.manager.close_module("n", Duration::ZERO).unwrap_err(),
    ] {
        assert_says(&error, ErrorCode::UnknownModule, &["\"n\"", "\"m\""]);
    }
    assert_works(&node);
}

#[test]
fn id_1_an_id_that_lives_and_the_nil_id() {
    let node = node();
    let own = Uuid::from_u128(7);
    let task = node.module.task("t").id(own).start().unwrap();
    let error = node.module.task("t").id(own).start().unwrap_err();
    assert_says(&error, ErrorCode::IdInUse, &[&own.to_string()]);
    assert_eq!(error.id(), Some(own));
    let error = node.module.task("t").id(Uuid::nil()).start().unwrap_err();
    assert_says(&error, ErrorCode::InvalidArgument, &["nil"]);
    assert_eq!(
        node.manager.status(own).unwrap().state,
        State::Running,
        "it is still the first's"
    );
    drop(task);
    node.module.drain().unwrap();
    assert_works(&node);
}

#[test]
fn tree_1_parents_that_cannot_be() {
    let node = node();
    let unknown = Uuid::new_v4();
    let error = node
        .module
        .task("t")
        .parent_id(unknown)
        .start()
        .unwrap_err();
    assert_says(&error, ErrorCode::NotFound, &[&unknown.to_string()]);
    let parent = node.module.task("t").start().unwrap();
    let (id, observer) = (parent.id(), parent.observe());
    parent.finish().unwrap();
    for error in [
        node.module.task("t").parent_id(id).start().unwrap_err(),
        node.module.task("t").parent(&observer).start().unwrap_err(),
    ] {
        assert_says(
            &error,
            ErrorCode::ParentTerminal,
            &[&id.to_string(), "ended"],
        );
    }
    node.module.drain().unwrap();
    let error = node.module.task("t").parent_id(id).start().unwrap_err();
    assert_says(&error, ErrorCode::Gone, &["drained", "done"]);
    let other = node.manager.register_module("other").unwrap();
    let parent = other.task("t").start().unwrap();
    other.close(Duration::ZERO).unwrap();
    assert_says(
        &parent.child("t").start().unwrap_err(),
        ErrorCode::Closed,
        &["\"other\""],
    );
    drop(parent);
    assert_works(&node);
}

#[test]
fn life_6_starting_and_ending_twice() {
    let node = node();
    let task = node.module.task("t").create().unwrap().share();
    let observer = task.observe();
    task.start().unwrap();
    assert_says(
        &task.start().unwrap_err(),
        ErrorCode::AlreadyStarted,
        &["before"],
    );
    task.finish().unwrap();
    let id = task.id().to_string();
    for error in [
        task.finish().unwrap_err(),
        task.fail("late").unwrap_err(),
        task.start().unwrap_err(),
    ] {
        assert_says(&error, ErrorCode::AlreadyFinished, &[&id]);
    }
    assert_eq!(observer.status().unwrap().error, None);
    let task = node.module.task("t").create().unwrap();
    assert_says(
        &task.finish().unwrap_err(),
        ErrorCode::NotStarted,
        &["start"],
    );
    node.module.drain().unwrap();
    assert_works(&node);
}

#[test]
fn prog_1_amounts_beyond_the_cap() {
    let node = node();
    let cap = 1 << 53;
    let task = node
        .module
        .task("t")
        .total(u64::MAX, "rows")
        .start()
        .unwrap();
    let error = task.try_advance(cap + 1).unwrap_err();
    assert_says(&error, ErrorCode::InvalidArgument, &["2^53"]);
    assert_eq!(
        task.status().unwrap().progress.completed,
        0,
        "nothing is counted"
    );
    task.try_advance(cap).unwrap();
    task.advance(u64::MAX);
    task.reporter().advance(u64::MAX);
    let progress = task.status().unwrap().progress;
    assert_eq!((progress.completed, progress.total), (cap, cap));
    let parent = node.module.task("t").start().unwrap();
    for _ in 0..3 {
        let child = parent.child("t").total(cap, "rows").start().unwrap();
        child.advance(cap);
        child.finish().unwrap();
    }
    let progress = parent.status().unwrap().progress;
    assert_eq!((progress.completed, progress.total), (cap, cap));
    drop((task, parent));
    node.module.drain().unwrap();
    assert_works(&node);
}

#[test]
fn ttl_1_a_ttl_beyond_what_fits() {
    let node = node();
    for error in [
        Manager::builder()
            .task_ttl(Duration::MAX)
            .build()
            .unwrap_err(),
        Manager::builder()
            .user_task_ttl(Duration::MAX)
            .build()
            .unwrap_err(),
        node.manager.set_task_ttl(Duration::MAX).unwrap_err(),
        node.manager
            .set_user_task_ttl(seconds(u64::MAX))
            .unwrap_err(),
    ] {
        assert_says(&error, ErrorCode::InvalidArgument, &["TTL", "longest"]);
    }
    // What was given, to the nanosecond by which it is too long, of which of the two.
    let most = Duration::from_secs(3_153_600_000);
    let told = |over: Duration| {
        node.manager
            .set_task_ttl(most + over)
            .unwrap_err()
            .to_string()
    };
    let longest = "which does not fit; the longest is 3153600000 s";
    for (over, given) in [
        (seconds(1), "3153600001 s"),
        (Duration::from_nanos(1), "3153600000.000000001 s"),
        (Duration::from_millis(500), "3153600000.5 s"),
        (Duration::MAX - most, "for ever"),
    ] {
        assert_eq!(
            told(over),
            format!("the TTL of tasks is {given}, {longest}")
        );
    }
    let error = node.manager.set_user_task_ttl(Duration::MAX).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the TTL of user tasks is for ever")
    );
    assert_eq!(node.manager.task_ttl(), seconds(60), "it is what it was");
    let years = seconds(100 * 365 * 24 * 3600);
    node.manager.set_task_ttl(years).unwrap();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    task.finish().unwrap();
    node.clock.advance(years - seconds(1));
    assert!(node.manager.status(id).is_ok());
    node.clock.advance(seconds(1));
    assert!(node.manager.status(id).unwrap_err().is_gone());
    assert_works(&node);
}

#[test]
fn mod_1_closing_twice_and_using_what_is_closed() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let (observer, id) = (task.observe(), task.id());
    task.finish().unwrap();
    node.module.close(seconds(1)).unwrap();
    assert!(node.module.close(seconds(1)).unwrap().is_complete());
    assert_says(
        &node.module.drain().unwrap_err(),
        ErrorCode::Closed,
        &["\"m\""],
    );
    for _ in 0..2 {
        assert!(node.manager.close(seconds(1)).unwrap().is_complete());
    }
    for error in [
        node.manager.register_module("new").unwrap_err(),
        node.manager.module("m").unwrap_err(),
        node.manager.modules().unwrap_err(),
        node.manager.status(id).unwrap_err(),
        node.manager.abort(id, "late").unwrap_err(),
        node.manager.wait(id).unwrap_err(),
        node.manager.set_task_ttl(seconds(1)).unwrap_err(),
        node.module.task("t").start().unwrap_err(),
        node.module.list(&Filter::new()).unwrap_err(),
        node.module.drain().unwrap_err(),
    ] {
        assert_says(&error, ErrorCode::Closed, &["closed"]);
    }
    assert_eq!(
        observer.wait().unwrap().state,
        State::Done,
        "a handle keeps its task"
    );
}

#[test]
fn ttl_3_taking_what_has_not_settled() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    for error in [
        node.manager.take_status(id).unwrap_err(),
        node.manager.take_status_tree(id).unwrap_err(),
    ] {
        assert_says(&error, ErrorCode::NotSettled, &[&id.to_string(), "wait"]);
    }
    task.finish().unwrap();
    node.manager.take_status(id).unwrap();
    assert_says(
        &node.manager.take_status(id).unwrap_err(),
        ErrorCode::Gone,
        &["read"],
    );
    assert_works(&node);
}
