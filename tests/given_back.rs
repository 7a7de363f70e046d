//! Memory of what has gone goes back to the system: a process of its own, as the memory is the
//! process's.
#![cfg(target_os = "linux")]

mod written;

use std::time::Duration;

use taskmgr::{Filter, Manager, Module, Task};

const COUNT: usize = 60_000;

/// So many roots of the last floods live, and keep the memory around them.
const LEFT: usize = 3;

/// What a root of a flood is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Fails,
    Parent,
    Reports,
}

impl Kind {
    fn begin(self, module: &Module, at: usize) -> Task {
        let task = module.task("repair").user_task();
        let task = task.entity(&format!("range {at}")).start().unwrap();
        match self {
            Self::Plain | Self::Fails => {}
            Self::Parent => task.child("part").start().unwrap().finish().unwrap(),
            Self::Reports => task.reporter().advance(7),
        }
        task
    }

    fn end(self, task: Task) {
        match self {
            Self::Fails => task.fail("no space left").unwrap(),
            _ => task.finish().unwrap(),
        }
    }

    fn check(self, task: &Task, at: usize) {
        let status = task.status().unwrap();
        assert_eq!(*status.entity, format!("range {at}"));
        let expected = match self {
            Self::Plain | Self::Fails => (0, 0),
            Self::Parent => (1, 1),
            Self::Reports => (7, 0),
        };
        let children = status.children.len();
        assert_eq!((status.progress.completed, children), expected, "{self:?}");
    }
}

#[test]
fn a_flood_that_is_over_leaves_next_to_nothing_in_memory() {
    let builder = Manager::builder().max_finished_bytes(u64::MAX);
    let manager = builder.build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let mut left = Vec::new();
    // The reading's own memory is used by now.
    written::in_kib();
    let before = written::in_kib();
    let kinds = [
        Kind::Plain,
        Kind::Plain,
        Kind::Fails,
        Kind::Parent,
        Kind::Reports,
    ];
    for kind in kinds.into_iter().chain(kinds) {
        if left.len() == LEFT {
            let (kind, task): (Kind, Task) = left.remove(0);
            kind.end(task);
        }
        let mut tasks: Vec<Task> = (0..COUNT).map(|at| kind.begin(&module, at)).collect();
        left.push((kind, tasks.swap_remove(COUNT / 2)));
        tasks.into_iter().for_each(|task| kind.end(task));
        let busiest = written::in_kib() - before;
        module.drain().unwrap();
        assert_eq!(module.list(&Filter::new()).unwrap().len(), left.len());
        // Each close looks at what is free, and what was at two looks in a row goes.
        for _ in 0..2 {
            let other = Manager::builder().build().unwrap();
            other.close(Duration::from_secs(60)).unwrap();
        }
        allocator_lets_go();
        let after = written::in_kib().saturating_sub(before);
        println!("{kind:?}: {busiest} KiB, then {after} KiB");
        assert!(
            after * 5 < busiest,
            "{kind:?}: {after} of {busiest} KiB stay"
        );
        for (kind, task) in &left {
            kind.check(task, COUNT / 2);
        }
    }
}

/// What the program's allocator has free is not the library's to give back.
fn allocator_lets_go() {
    #[cfg(target_env = "gnu")]
    {
        #[allow(unsafe_code, reason = "no other way asks the allocator")]
        unsafe extern "C" {
            safe fn malloc_trim(leave: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}
