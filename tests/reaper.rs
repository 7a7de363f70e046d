//! The thread that forgets what has expired (ttl_2): when there is one, and when not. One test, as
//! the threads of a process have no owner that tells them apart.
#![cfg(target_os = "linux")]

mod common;

use std::time::Duration;

use common::{seconds, until};
use taskmgr::{Clock, Manager, ManagerBuilder, ManualClock};

/// How many reapers the process has.
fn reapers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // One may go while it is looked at.
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "taskmgr-reaper").count()
}

fn finish_one(manager: &Manager, user: bool) {
    let module = manager
        .module("m")
        .or_else(|_| manager.register_module("m"));
    let task = module.unwrap().task("t");
    let task = if user { task.user_task() } else { task };
    task.start().unwrap().finish().unwrap();
}

fn builder() -> ManagerBuilder {
    Manager::builder().user_task_ttl(seconds(3600))
}

#[test]
fn ttl_2_there_is_a_thread_only_where_it_has_to_be() {
    // A host that wants none, and a clock that the host moves.
    let manual = Clock::Manual(ManualClock::new());
    for without in [builder().reaper(false), builder().clock(manual)] {
        let manager = without.build().unwrap();
        finish_one(&manager, true);
        assert_eq!(reapers(), 0);
        manager.close(Duration::ZERO).unwrap();
    }

    // None that has nothing to wait for, and one for all that is kept.
    let manager = builder().build().unwrap();
    finish_one(&manager, false);
    assert_eq!(reapers(), 0, "nothing is kept");
    for _ in 0..3 {
        finish_one(&manager, true);
        until("it has begun", || reapers() == 1);
    }
    manager.close(Duration::ZERO).unwrap();
    until("it ends with its manager's close", || reapers() == 0);

    let manager = builder().build().unwrap();
    finish_one(&manager, true);
    until("it has begun", || reapers() == 1);
    drop(manager);
    until("it ends with its manager", || reapers() == 0);
}
