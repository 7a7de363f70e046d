//! Ids that are refused, and ids that come back after their task is gone (id_1, ttl_5).

mod common;

use common::{Node, node, node_with, seconds};
use taskmgr::{ErrorCode, GoneReason, State, Task, Uuid};

const OWN: Uuid = Uuid::from_u128(0x0777);

/// A task with this id.
fn task(node: &Node, id: Uuid, entity: &str) -> Task {
    let builder = node.module.task("t").id(id).entity(entity);
    builder.start().unwrap()
}

/// What is said of an id of which there is no task.
fn gone(node: &Node, id: Uuid) -> Option<(GoneReason, State)> {
    node.manager.status(id).unwrap_err().gone()
}

#[test]
fn id_1_an_id_whose_root_has_expired_is_free_swept_or_not() {
    for swept in [true, false] {
        let node = node();
        let made_here = node.module.task("t").start().unwrap();
        let ids = [made_here.id(), OWN];
        made_here.finish().unwrap();
        task(&node, OWN, "first").finish().unwrap();
        node.clock.advance(seconds(60));
        if swept {
            assert_eq!(node.manager.tick(), 2);
        }
        for id in ids {
            let again = task(&node, id, "again");
            assert_eq!(node.manager.status(id).unwrap().entity, "again");
            // The earlier one is swept now, and must not take the later one's place.
            node.manager.tick();
            assert_eq!(node.manager.status(id).unwrap().entity, "again");
            again.fail("failed").unwrap();
            node.manager.take_status(id).unwrap();
            assert_eq!(gone(&node, id), Some((GoneReason::Read, State::Failed)));
        }
    }
}

#[test]
fn ttl_5_a_creation_that_is_refused_leaves_what_is_known_of_its_id() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    task(&node, OWN, "first").finish().unwrap();
    node.module.drain().unwrap();
    let drained = Some((GoneReason::Drained, State::Done));
    other.close(seconds(0)).unwrap();
    let refused = other.task("t").id(OWN).start().unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Closed);
    assert_eq!(gone(&node, OWN), drained);
    let parent = node.module.task("t").start().unwrap();
    let observer = parent.observe();
    parent.finish().unwrap();
    let late = node.module.task("t").id(OWN).parent(&observer);
    assert_eq!(late.start().unwrap_err().code(), ErrorCode::ParentTerminal);
    assert_eq!(gone(&node, OWN), drained);
    let nameless = node.module.task("").id(OWN);
    assert_eq!(
        nameless.start().unwrap_err().code(),
        ErrorCode::InvalidArgument
    );
    let bad_entity = node.module.task("t").id(OWN).entity("a\nb");
    assert_eq!(
        bad_entity.start().unwrap_err().code(),
        ErrorCode::InvalidArgument
    );
    assert_eq!(gone(&node, OWN), drained);
    let _free = task(&node, OWN, "again");
}

#[test]
fn seq_1_a_creation_that_is_refused_takes_no_number() {
    let node = node();
    let first = task(&node, OWN, "first");
    for _ in 0..3 {
        let refused = node.module.task("t").id(OWN).start().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IdInUse);
        assert!(node.module.task("a\nb").start().is_err());
    }
    let second = node.module.task("t").start().unwrap();
    let numbers = [&first, &second].map(|task| task.status().unwrap().sequence_number);
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn id_1_the_id_of_a_folded_child_may_come_back_anywhere() {
    let node = node();
    let parent = node.module.task("t").entity("parent").start().unwrap();
    let child = parent.child("t").id(OWN).entity("child").start().unwrap();
    child.fail("failed").unwrap();
    let folded = Some((GoneReason::Folded, State::Failed));
    assert_eq!(gone(&node, OWN), folded);
    let root = task(&node, OWN, "root");
    assert_eq!(node.manager.status(OWN).unwrap().entity, "root");
    let tree = node.entities(parent.id());
    assert_eq!(tree, ["parent", "child"], "what is kept is kept");
    root.finish().unwrap();
    node.module.drain().unwrap();
    let drained = Some((GoneReason::Drained, State::Done));
    assert_eq!(gone(&node, OWN), drained, "the latest is told of");
}

#[test]
fn id_1_an_id_is_refused_while_anything_of_its_task_lives() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let task = other.task("t").id(OWN).start().unwrap();
    let child = task.child("t").start().unwrap();
    task.finish().unwrap();
    let taken = |what: &str| {
        let refused = node.module.task("t").id(OWN).start().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IdInUse, "{what}");
    };
    taken("it has ended, but not settled");
    child.finish().unwrap();
    taken("it is kept for its TTL");
    let observer = node.manager.observe(OWN).unwrap();
    other.drain().unwrap();
    let again = node.module.task("t").id(OWN).entity("again").start();
    let again = again.expect("an observer of the earlier one does not keep the id");
    assert_eq!(node.manager.status(OWN).unwrap().entity, "again");
    assert_eq!(
        observer.status().unwrap().entity,
        "",
        "life_7: still the earlier one's"
    );
    assert_eq!((observer.id(), again.id()), (OWN, OWN));
}

#[test]
fn ttl_5_what_came_back_and_is_forgotten_was_never_there() {
    let node = node_with(|builder| builder.max_kept_children(0));
    task(&node, OWN, "root").finish().unwrap();
    node.manager.take_status(OWN).unwrap();
    let parent = node.module.task("t").start().unwrap();
    parent.child("t").id(OWN).start().unwrap().finish().unwrap();
    let error = node.manager.status(OWN).unwrap_err();
    assert!(error.is_not_found(), "its tombstone was forgotten: {error}");
}

#[test]
fn ttl_5_of_children_that_had_one_id_the_last_ones_end_is_told() {
    let node = node();
    let parent = node.module.task("t").start().unwrap();
    let child = || parent.child("c").id(OWN).start().unwrap();
    let folded = |state| Some((GoneReason::Folded, state));
    child().fail("first").unwrap();
    assert_eq!(gone(&node, OWN), folded(State::Failed));
    child().finish().unwrap();
    assert_eq!(gone(&node, OWN), folded(State::Done));
    child().fail("last").unwrap();
    assert_eq!(gone(&node, OWN), folded(State::Failed));
    drop(parent);
}
