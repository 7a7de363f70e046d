//! Ids of what has gone, while the next task lives in the same place: quick looks beside the long
//! ones of `stale_ids`.

mod common;

use common::node;
use taskmgr::{ErrorCode, Filter, GoneReason, State, Uuid};

#[test]
fn id_1_an_id_that_is_gone_is_not_the_next_tenants() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    for is_child in [false, true] {
        let make = |type_| match is_child {
            true => root.child(type_).start().unwrap(),
            false => node.module.task(type_).internal().start().unwrap(),
        };
        let first = make("first");
        let id = first.id();
        first.finish().unwrap();
        // A thread uses its last place first.
        let second = make("second");
        assert_ne!(second.id(), id);
        let expected = match is_child {
            true => GoneReason::Folded,
            false => GoneReason::Expired,
        };
        let gone = |error: taskmgr::Error| assert_eq!(error.gone(), Some((expected, State::Done)));
        gone(node.manager.status(id).unwrap_err());
        gone(node.manager.status_tree(id).unwrap_err());
        gone(node.manager.take_status(id).unwrap_err());
        gone(node.manager.observe(id).unwrap_err());
        gone(node.manager.abort(id, "enough").unwrap_err());
        gone(node.manager.wait(id).unwrap_err());
        gone(root.child("c").parent_id(id).start().unwrap_err());
        assert!(!second.abort_requested());
        assert_eq!(node.manager.status(second.id()).unwrap().type_, "second");
    }
}

#[test]
fn id_1_an_id_of_ours_that_lives_is_refused_and_stays_where_it_is() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    let child = root.child("child").start().unwrap();
    for id in [root.id(), child.id()] {
        for refused in [
            node.module.task("t").id(id).start(),
            root.child("t").id(id).start(),
        ] {
            assert_eq!(refused.unwrap_err().code(), ErrorCode::IdInUse);
        }
        assert_ne!(node.manager.status(id).unwrap().type_, "t");
    }
    let listed = node.module.list(&Filter::new().internal(true)).unwrap();
    assert_eq!(listed.len(), 2);
}

#[test]
fn id_1_a_child_that_is_held_knows_its_parents_id_once_that_is_gone() {
    let node = node();
    let id = Uuid::from_u128(7);
    for fails in [false, true] {
        let root = node.module.task("root").id(id).internal().start().unwrap();
        let child = root.child("child").start().unwrap();
        let observer = child.observe();
        match fails {
            true => child.fail("no space").unwrap(),
            false => child.finish().unwrap(),
        }
        root.finish().unwrap();
        // Where the root was.
        let others = [(); 3].map(|()| node.module.task("other").start().unwrap());
        assert_eq!(observer.status().unwrap().parent_id, Some(id));
        drop(others);
    }
}
