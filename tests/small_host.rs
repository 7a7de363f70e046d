//! What a host pays that has few tasks: a process of its own, as the memory is the process's.
#![cfg(target_os = "linux")]

mod written;

use taskmgr::{Manager, Task};

#[test]
fn a_manager_and_a_hundred_tasks_take_a_quarter_of_a_megabyte_at_most() {
    // The reading's own memory is used by now.
    written::in_kib();
    let before = written::in_kib();
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let root = module.task("root").start().unwrap();
    let part = |number| root.child("part").entity(&format!("part {number}")).start();
    let tasks: Vec<Task> = (0..99).map(|number| part(number).unwrap()).collect();
    let after = written::in_kib();
    assert!(after - before <= 256, "{} KiB", after - before);
    drop(tasks);
}
