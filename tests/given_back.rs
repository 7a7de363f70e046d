//! Memory of what has gone goes back to the system: a process of its own, as the memory is the
//! process's.
#![cfg(target_os = "linux")]

mod written;

use std::time::Duration;

use taskmgr::{Manager, Task};

const COUNT: usize = 100_000;

#[test]
fn a_flood_that_is_over_leaves_next_to_nothing_in_memory() {
    let builder = Manager::builder().max_finished_bytes(u64::MAX);
    let manager = builder.build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let flood = || {
        let start = |at: usize| {
            let task = module.task("repair").user_task();
            task.entity(&format!("range {at}")).start().unwrap()
        };
        let mut tasks: Vec<Task> = (0..COUNT).map(start).collect();
        let stays = tasks.swap_remove(COUNT / 2);
        tasks.into_iter().for_each(|task| task.finish().unwrap());
        stays
    };
    let mut left = Vec::new();
    // The reading's own memory is used by now.
    written::in_kib();
    let before = written::in_kib();
    for _ in 0..3 {
        left.push(flood());
        let busiest = written::in_kib() - before;
        assert_eq!(module.drain().unwrap(), COUNT - 1);
        // Each close looks at what is free, and what was at two looks in a row goes.
        for _ in 0..2 {
            let other = Manager::builder().build().unwrap();
            other.close(Duration::from_secs(60)).unwrap();
        }
        let after = written::in_kib().saturating_sub(before);
        println!("{busiest} KiB, then {after} KiB");
        assert!(after * 5 < busiest, "{after} of {busiest} KiB stay");
        for task in &left {
            assert_eq!(
                *task.status().unwrap().entity,
                format!("range {}", COUNT / 2)
            );
        }
    }
}
