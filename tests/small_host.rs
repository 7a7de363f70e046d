//! What a host pays that has few tasks: a process of its own, as the memory is the process's.
#![cfg(target_os = "linux")]

use taskmgr::{Manager, Task};

/// What this process has written to, in KiB; its code, whose pages count while its file is new, is
/// left out.
fn written() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let (mut is_data, mut sum) = (false, 0);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        match (words.next().unwrap(), words.next()) {
            ("Private_Dirty:", Some(count)) if is_data => sum += count.parse::<u64>().unwrap(),
            (range, Some(access)) if range.contains('-') => is_data = access.contains('w'),
            _ => {}
        }
    }
    sum
}

#[test]
fn a_manager_and_a_hundred_tasks_take_a_quarter_of_a_megabyte_at_most() {
    // The reading's own memory is used by now.
    written();
    let before = written();
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let root = module.task("root").start().unwrap();
    let part = |number| root.child("part").entity(&format!("part {number}")).start();
    let tasks: Vec<Task> = (0..99).map(|number| part(number).unwrap()).collect();
    let after = written();
    assert!(after - before <= 256, "{} KiB", after - before);
    drop(tasks);
}
