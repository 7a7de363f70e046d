//! Loads: 1,000 parked waits take a bounded number of threads. Alone in its binary, since it
//! counts the threads of the process.
#![cfg(target_os = "linux")]

mod common;

use common::{Node, read_reply, until};
use taskmgr::Manager;
use taskmgr_http::TaskStatus;

const WAITERS: usize = 1_000;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn wait_4_a_thousand_waiters_take_three_threads() {
    // Whatever a manager starts for itself is not the server's.
    drop(Manager::builder().build().unwrap());
    let before = threads();
    let node = Node::new();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            node.manager
                .register_module("repair")
                .or_else(|_| node.manager.module("repair"))
        })
        .map(|module| module.unwrap().task("repair").start().unwrap())
        .collect();
    let mut parked: Vec<_> = (0..WAITERS)
        .map(|n| node.park(tasks[n % tasks.len()].id()))
        .collect();
    until("a thousand parked waits", || {
        node.server().pending_waits() == WAITERS
    });
    // Heavy and blocking requests wake the whole pool.
    assert_eq!(
        node.get("/task_manager/list_module_tasks/repair").status,
        200
    );
    assert_eq!(
        node.post(&format!("/task_manager/abort_task/{}", tasks[0].id()))
            .status,
        403
    );
    assert!(
        threads() <= before + 3,
        "{} threads, {before} before",
        threads()
    );
    for task in tasks {
        task.finish().unwrap();
    }
    for stream in &mut parked {
        assert_eq!(read_reply(stream).ok::<TaskStatus>().state, "done");
    }
    until("no parked wait", || node.server().pending_waits() == 0);
    assert!(threads() <= before + 3);
    drop(node);
    until("no thread left", || threads() <= before);
}
