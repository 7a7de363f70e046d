//! virt_1: a provider that hangs keeps nobody else's questions waiting, and no thread for
//! each. Alone in its binary, since it counts the threads of the process.

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use common::{LONG, Node, UNKNOWN, read_reply, until};
use taskmgr::{BoxError, Completion, Provider, Stats, Status, Uuid};
use taskmgr_http::{TaskStats, TaskStatus};

#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let mut is_shut = self.is_shut.lock().unwrap();
        while *is_shut {
            is_shut = self.opened.wait(is_shut).unwrap();
        }
    }
}

/// One virtual task, with a gate before the question whose it is, and one before all others.
#[derive(Clone)]
struct Remote {
    id: Uuid,
    whose: Arc<Gate>,
    rest: Arc<Gate>,
    watches: Arc<Mutex<Vec<Completion>>>,
}

impl Remote {
    fn new() -> Self {
        Self {
            id: Uuid::new_v4(),
            whose: Arc::default(),
            rest: Arc::default(),
            watches: Arc::default(),
        }
    }
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.rest.pass();
        Ok(vec![Stats::new(self.id, "remote")])
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.rest.pass();
        let mut status = Status::new(self.id, "remote");
        status.is_abortable = true;
        Ok((id == self.id).then_some(status))
    }

    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        self.rest.pass();
        Ok(())
    }

    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.rest.pass();
        self.watches.lock().unwrap().push(done);
        Ok(())
    }

    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        self.whose.pass();
        Ok(id == self.id)
    }
}

/// A request on a connection of its own, whose answer is not waited for yet.
fn ask(node: &Node, target: &str) -> TcpStream {
    let mut stream = node.connect();
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// All that may be asked about a virtual task, by one after the other.
fn ask_about(node: &Node, module: &str, remote: &Remote) {
    let id = remote.id;
    assert_eq!(node.status(id).kind, "cluster");
    let tree = node.get(&format!("/task_manager/task_status_recursive/{id}"));
    assert_eq!(tree.ok::<Vec<TaskStatus>>().len(), 1);
    let listed = node.get(&format!("/task_manager/list_module_tasks/{module}"));
    assert_eq!(listed.ok::<Vec<TaskStats>>().len(), 1);
    let aborted = node.post(&format!("/task_manager/abort_task/{id}"));
    assert_eq!(aborted.status, 200);
    node.get(&format!("/task_manager/wait_task/{id}?timeout=0"))
        .refused(408);
    let parked = node.park(id);
    until("a watch", || {
        let watches = remote.watches.lock().unwrap();
        watches.iter().any(|watch| !watch.is_cancelled())
    });
    drop(parked);
    until("no watch", || {
        let watches = remote.watches.lock().unwrap();
        watches.iter().all(Completion::is_cancelled)
    });
}

/// The server's own, by their names.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let all = std::fs::read_dir("/proc/self/task").unwrap();
    let names = all.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| name.starts_with("taskmgr-http"))
        .count()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> usize {
    0
}

/// While everything hangs no more threads begin; those that are about to end may be seen still.
fn expect_few_threads() {
    until("few threads", || threads() <= 1 + 16);
}

#[test]
fn virt_1_each_provider_has_a_lane_of_its_own() {
    let node = Node::with(
        |manager| manager.provider_deadline(LONG * 3),
        |server| server,
    );
    let (hangs, answers) = (Remote::new(), Remote::new());
    let module = node.module("hangs");
    module.register_provider(hangs.clone()).unwrap();
    let other = node.module("answers");
    other.register_provider(answers.clone()).unwrap();
    let regular = node.module("repair").task("repair").start().unwrap();
    let gone = node.module("gone").task("gone").start().unwrap();
    let gone_id = gone.id();
    gone.finish().unwrap();

    for gate in [&hangs.rest, &hangs.whose] {
        gate.set(true);
        let begun = Instant::now();
        let mut asked: Vec<TcpStream> = (0..10)
            .flat_map(|_| {
                let id = hangs.id;
                [
                    format!("/task_manager/task_status/{id}"),
                    format!("/task_manager/task_status_recursive/{id}"),
                    format!("/task_manager/wait_task/{id}"),
                    "/api/v1/list_module_tasks/hangs".to_owned(),
                ]
            })
            .map(|target| ask(&node, &target))
            .collect();
        // Over which a client may give up at once.
        let late = node.get(&format!("/task_manager/wait_task/{}?timeout=0", hangs.id));
        late.refused(408);
        ask_about(&node, "answers", &answers);
        assert_eq!(node.status(regular.id()).state, "running");
        let wait = format!("/task_manager/wait_task/{}?timeout=0", regular.id());
        node.get(&wait).refused(408);
        assert!(begun.elapsed() < LONG, "nobody waited for it");
        expect_few_threads();
        gate.set(false);
        // A wait for a task that runs has no answer.
        for (at, stream) in asked.iter_mut().enumerate() {
            if at % 4 != 2 {
                assert_eq!(read_reply(stream).status, 200);
            }
        }
        drop(asked);
    }
    let message = node.get(&format!("/task_manager/task_status/{gone_id}"));
    assert!(message.refused(400).contains("gone"));
    node.get(&format!("/task_manager/task_status/{UNKNOWN}"))
        .refused(400);

    // However many hang, lists of regular tasks and what else is heavy have a thread.
    let many: Vec<Remote> = (0..24).map(|_| Remote::new()).collect();
    let crowd = node.module("crowd");
    for remote in &many {
        crowd.register_provider(remote.clone()).unwrap();
        remote.rest.set(true);
    }
    let asked: Vec<TcpStream> = (0..48)
        .map(|n| format!("/task_manager/task_status/{}", many[n % 24].id))
        .map(|target| ask(&node, &target))
        .collect();
    let listed = node.get("/task_manager/list_module_tasks/repair");
    assert_eq!(listed.ok::<Vec<TaskStats>>().len(), 1);
    expect_few_threads();
    for remote in &many {
        remote.rest.set(false);
    }
    for mut stream in asked {
        assert_eq!(read_reply(&mut stream).status, 200);
    }
    regular.finish().unwrap();
}
