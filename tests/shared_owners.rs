//! Handles of an owner that several threads have: counted, and as good as one.

mod common;

use common::node;
use taskmgr::{ErrorCode, GoneReason, SharedTask, State};

#[test]
fn life_3_a_task_fails_with_the_last_of_its_handles_and_no_earlier() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    for clones in 0..4 {
        for is_root in [false, true] {
            let builder = match is_root {
                true => node.module.task("t").user_task(),
                false => root.child("t"),
            };
            let task = builder.start().unwrap().share();
            let observer = task.observe();
            let mut handles: Vec<SharedTask> = (0..clones).map(|_| task.clone()).collect();
            handles.push(task);
            while handles.len() > 1 {
                handles.swap_remove(0);
                assert_eq!(observer.status().unwrap().state, State::Running);
                handles[0].check_abort().unwrap();
            }
            drop(handles);
            let status = observer.status().unwrap();
            assert_eq!(status.state, State::Failed);
            assert_eq!(status.error.unwrap(), "dropped before it finished");
        }
    }
}

#[test]
fn life_6_a_builder_that_was_there_before_the_end_makes_no_child() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    for parent in [root.child("t"), node.module.task("t")] {
        let parent = parent.start().unwrap().share();
        let (late, other) = (parent.child("late"), parent.clone());
        other.finish().unwrap();
        drop(other);
        // Tasks that would live where it has lived, if it were gone.
        let next: Vec<_> = (0..200)
            .map(|_| root.child("next").start().unwrap())
            .collect();
        let refused = late.start().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ParentTerminal);
        drop(next);
    }
    assert_eq!(root.status().unwrap().child_counts.live, 0);
}

#[test]
fn life_2_one_handle_ends_the_task_for_all() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    for is_seen in [false, true] {
        for fails in [false, true] {
            let task = root.child("t").start().unwrap().share();
            let (id, other) = (task.id(), task.clone());
            let observer = is_seen.then(|| task.observe());
            task.advance(3);
            match fails {
                true => other.fail("no space").unwrap(),
                false => other.finish().unwrap(),
            }
            drop(other);
            for ended in [task.finish(), task.fail("again")] {
                assert_eq!(ended.unwrap_err().code(), ErrorCode::AlreadyFinished);
            }
            let expected = if fails { State::Failed } else { State::Done };
            // It has folded, whoever still has a handle.
            let gone = node.manager.status(id).unwrap_err().gone();
            assert_eq!(gone, Some((GoneReason::Folded, expected)));
            assert_eq!(task.status().unwrap().state, expected);
            task.advance(5);
            drop(task);
            if let Some(observer) = observer {
                let status = observer.status().unwrap();
                assert_eq!((status.state, status.progress.completed), (expected, 3));
            }
        }
    }
    let counts = root.status().unwrap().child_counts;
    assert_eq!((counts.live, counts.succeeded, counts.failed), (0, 2, 2));
    root.finish().unwrap();
}
