//! A process may have several managers, as a test harness with many nodes does: what is one
//! manager's is nothing to another.

mod common;

use common::node;
use taskmgr::{Clock, ErrorCode, Filter, Manager, ManualClock, State};

#[test]
fn id_1_an_id_that_lives_in_another_manager_is_free_here() {
    let (one, two) = (node(), node());
    let original = one.module.task("t").entity("one").start().unwrap();
    let id = original.id();
    // The nodes of a cluster know one operation by one id.
    let copy = two.module.task("t").entity("two").id(id).start().unwrap();
    assert_eq!(one.manager.status(id).unwrap().entity, "one");
    assert_eq!(two.manager.status(id).unwrap().entity, "two");
    let refused = two.module.task("t").id(id).start().unwrap_err();
    assert_eq!(refused.code(), ErrorCode::IdInUse, "it lives here too now");
    original.finish().unwrap();
    assert_eq!(
        two.manager.take_status(id).map(drop).unwrap_err().code(),
        ErrorCode::NotSettled
    );
    copy.finish().unwrap();
    assert_eq!(two.manager.take_status(id).unwrap().entity, "two");
    assert_eq!(one.manager.take_status(id).unwrap().entity, "one");
}

#[test]
fn id_1_a_task_is_found_by_its_own_manager_alone() {
    let (one, two) = (node(), node());
    let root = one.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    for id in [root.id(), child.id()] {
        assert_eq!(one.manager.status(id).unwrap().id, id);
        let observed = two.manager.observe(id).map(drop);
        let status = two.manager.status(id).map(drop);
        for answer in [observed, status] {
            assert_eq!(answer.unwrap_err().code(), ErrorCode::NotFound);
        }
    }
    // A slot that was one manager's may be another's next.
    let id = child.id();
    child.finish().unwrap();
    let tasks: Vec<_> = (0..1000).map(|_| two.module.task("t").start()).collect();
    for task in tasks {
        let task = task.unwrap();
        assert_eq!(two.manager.status(task.id()).unwrap().id, task.id());
        assert!(one.manager.observe(task.id()).is_err());
    }
    let gone = two.manager.observe(id).map(drop).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotFound);
}

#[test]
fn tree_1_a_parent_of_another_manager_is_refused_however_it_is_given() {
    let (one, two) = (node(), node());
    let theirs = two.module.task("t").start().unwrap();
    let by_handle = one.module.task("t").parent(&theirs).start().unwrap_err();
    assert_eq!(by_handle.code(), ErrorCode::InvalidArgument);
    let observer = theirs.observe();
    let by_observer = one.module.task("t").parent(&observer);
    assert_eq!(
        by_observer.start().unwrap_err().code(),
        ErrorCode::InvalidArgument
    );
    let by_id = one
        .module
        .task("t")
        .parent_id(theirs.id())
        .start()
        .unwrap_err();
    assert_eq!(by_id.code(), ErrorCode::NotFound);
    assert_eq!(theirs.status().unwrap().children, []);
}

#[test]
fn mod_1_a_module_of_another_manager_is_refused() {
    let (one, two) = (node(), node());
    let parent = one.module.task("t").start().unwrap();
    for made in [
        one.module.task("t").module(&two.module).start(),
        parent.child("t").module(&two.module).start(),
    ] {
        assert_eq!(made.unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    let all = Filter::new().internal(true);
    assert!(two.module.list(&all).unwrap().is_empty());
    assert_eq!(
        one.module.list(&all).unwrap().len(),
        1,
        "nothing but the parent"
    );
}

#[test]
fn mod_1_closing_one_manager_leaves_the_others_alone() {
    let (one, two) = (node(), node());
    let mine = one.module.task("t").start().unwrap();
    let theirs = two.module.task("t").start().unwrap();
    two.module.task("kept").start().unwrap().finish().unwrap();
    one.manager.close(std::time::Duration::ZERO).unwrap();
    assert!(mine.abort_requested() && !theirs.abort_requested());
    assert_eq!(two.module.list(&Filter::new()).unwrap().len(), 2);
    drop(one);
    assert_eq!(theirs.status().unwrap().state, State::Running);
    assert_eq!(two.module.drain().unwrap(), 1);
}

#[test]
fn seq_1_numbers_are_a_managers_own() {
    let clock = ManualClock::new();
    for _ in 0..2 {
        let clock = Clock::Manual(clock.clone());
        let manager = Manager::builder().clock(clock).build().unwrap();
        let module = manager.register_module("m").unwrap();
        let task = module.task("t").start().unwrap();
        assert_eq!(task.status().unwrap().sequence_number, 1);
    }
}
