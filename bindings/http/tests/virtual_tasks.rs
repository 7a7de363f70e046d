//! virt_1: virtual tasks over REST, and providers that fail or sleep.

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{LONG, Node, UNKNOWN, read_reply, until};
use taskmgr::{BoxError, Completion, Provider, State, Stats, Status, Uuid};
use taskmgr_http::{TaskStats, TaskStatus};

/// One virtual task; what happens to it is up to the test.
#[derive(Clone)]
struct Cluster {
    id: Uuid,
    state: Arc<Mutex<State>>,
    watches: Arc<Mutex<Vec<Completion>>>,
    gate: Arc<Gate>,
}

/// While it is closed, every call to the provider sleeps.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap();
        drop(
            self.opened
                .wait_timeout_while(closed, LONG, |closed| *closed)
                .unwrap(),
        );
    }
}

impl Cluster {
    fn new() -> Self {
        Self {
            id: Uuid::new_v4(),
            state: Arc::new(Mutex::new(State::Running)),
            watches: Arc::default(),
            gate: Arc::default(),
        }
    }

    fn now(&self) -> Status {
        let mut status = Status::new(self.id, "topology change");
        status.state = *self.state.lock().unwrap();
        status.is_abortable = true;
        status
    }

    fn end(&self, state: State) {
        *self.state.lock().unwrap() = state;
        for watch in self.watches.lock().unwrap().drain(..) {
            watch.complete(Ok(self.now()));
        }
    }
}

impl Provider for Cluster {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.gate.pass();
        Ok(vec![Stats::new(self.id, "topology change")])
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.gate.pass();
        Ok((id == self.id).then(|| self.now()))
    }

    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        self.gate.pass();
        self.end(State::Failed);
        Ok(())
    }

    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.gate.pass();
        self.watches.lock().unwrap().push(done);
        Ok(())
    }
}

#[test]
fn virt_1_virtual_tasks_are_like_others_with_kind_cluster() {
    let node = Node::new();
    let cluster = Cluster::new();
    node.module("node_ops")
        .register_provider(cluster.clone())
        .unwrap();
    let id = cluster.id;
    let listed: Vec<TaskStats> = node.get("/task_manager/list_module_tasks/node_ops").ok();
    assert_eq!(
        (listed[0].task_id.clone(), listed[0].kind.as_str()),
        (id.to_string(), "cluster")
    );
    for _ in 0..2 {
        let status = node.status(id);
        assert_eq!(
            (status.kind.as_str(), status.state.as_str()),
            ("cluster", "running")
        );
        assert_eq!(status.start_time, "1970-01-01T00:00:00Z");
    }
    let local = node
        .manager
        .module("node_ops")
        .unwrap()
        .task("stream")
        .parent_id(id)
        .start()
        .unwrap();
    let tree: Vec<TaskStatus> = node
        .get(&format!("/task_manager/task_status_recursive/{id}"))
        .ok();
    assert_eq!(
        tree.iter().map(|s| s.type_.as_str()).collect::<Vec<_>>(),
        ["topology change", "stream"]
    );
    assert_eq!(tree[1].parent_id, id.to_string());

    let mut parked = node.park(id);
    until("a parked wait", || node.server().pending_waits() == 1);
    assert_eq!(
        node.post(&format!("/task_manager/abort_task/{id}")).status,
        200
    );
    assert_eq!(read_reply(&mut parked).ok::<TaskStatus>().state, "failed");
    local.finish().unwrap();
}

#[test]
fn virt_1_a_client_that_hangs_up_cancels_the_watch() {
    let node = Node::new();
    let cluster = Cluster::new();
    node.module("node_ops")
        .register_provider(cluster.clone())
        .unwrap();
    let parked = node.park(cluster.id);
    until("a watch", || cluster.watches.lock().unwrap().len() == 1);
    drop(parked);
    until("a cancelled watch", || {
        cluster.watches.lock().unwrap()[0].is_cancelled()
    });
    assert_eq!(node.server().pending_waits(), 0);
}

/// A request on a connection of its own, whose answer is not waited for yet.
fn ask(node: &Node, target: &str) -> TcpStream {
    let mut stream = node.connect();
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Whatever needs no provider.
fn ask_all_else(node: &Node, task: Uuid) {
    assert_eq!(node.get("/task_manager/ttl").status, 200);
    assert_eq!(node.get("/openapi.json").status, 200);
    assert_eq!(node.status(task).state, "running");
    for target in [
        format!("/task_manager/task_status_recursive/{task}"),
        "/task_manager/list_module_tasks/repair".to_owned(),
    ] {
        assert_eq!(node.get(&target).json().as_array().unwrap().len(), 1);
    }
    let wait = format!("/task_manager/wait_task/{task}?timeout=0");
    node.get(&wait).refused(408);
    assert_eq!(
        node.post(&format!("/task_manager/abort_task/{task}"))
            .status,
        200
    );
}

#[test]
fn virt_1_a_provider_that_sleeps_holds_up_nothing_else() {
    let node = Node::with(|m| m.provider_deadline(LONG), |s| s);
    let cluster = Cluster::new();
    node.module("node_ops")
        .register_provider(cluster.clone())
        .unwrap();
    let task = node
        .module("repair")
        .task("repair")
        .abortable()
        .start()
        .unwrap();
    cluster.gate.set(true);
    let mut asked = [
        format!("/task_manager/task_status/{}", cluster.id),
        format!("/task_manager/task_status_recursive/{}", cluster.id),
        "/task_manager/list_module_tasks/node_ops".to_owned(),
    ]
    .map(|target| ask(&node, &target));

    ask_all_else(&node, task.id());
    for stream in &asked {
        stream.set_nonblocking(true).unwrap();
        let error = stream.peek(&mut [0]).unwrap_err();
        assert_eq!(
            error.kind(),
            std::io::ErrorKind::WouldBlock,
            "it has no answer yet"
        );
        stream.set_nonblocking(false).unwrap();
    }
    cluster.gate.set(false);
    for stream in &mut asked {
        assert_eq!(read_reply(stream).status, 200);
    }
    assert!(task.finish().unwrap_err().is_aborted());
}

#[test]
fn virt_1_a_provider_that_takes_too_long_is_502_and_lists_go_without_it() {
    let node = Node::with(|m| m.provider_deadline(Duration::from_millis(50)), |s| s);
    let cluster = Cluster::new();
    let module = node.module("node_ops");
    module.register_provider(cluster.clone()).unwrap();
    let task = module.task("local").start().unwrap();
    cluster.gate.set(true);
    for id in [cluster.id.to_string().as_str(), UNKNOWN] {
        node.get(&format!("/task_manager/task_status/{id}"))
            .refused(502);
        node.get(&format!("/task_manager/wait_task/{id}"))
            .refused(502);
    }
    let listed: Vec<TaskStats> = node.get("/task_manager/list_module_tasks/node_ops").ok();
    assert_eq!(listed.len(), 1);
    assert_eq!(node.status(task.id()).state, "running");
    cluster.gate.set(false);
    node.get(&format!("/task_manager/task_status/{UNKNOWN}"))
        .refused(400);
    task.finish().unwrap();
}
