//! virt_1: a list that goes without a provider says so, in the log and under `/api/v1`; the
//! wire format has no word for it.

mod common;

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use common::Node;
use log::{Level, LevelFilter, Log, Metadata, Record};
use taskmgr::{BoxError, Completion, Provider, Stats, Status, Uuid};
use taskmgr_http::{ExtendedList, Response, TaskStats};

/// What was logged.
static LOGGED: Logged = Logged(Mutex::new(Vec::new()));

struct Logged(Mutex<Vec<(Level, String)>>);

impl Log for Logged {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        if record.target().starts_with("taskmgr_http") {
            let line = (record.level(), record.args().to_string());
            self.0.lock().unwrap().push(line);
        }
    }
    fn flush(&self) {}
}

/// Fails while it is told to.
#[derive(Clone)]
struct Remote(Uuid, Arc<Mutex<bool>>);

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        match *self.1.lock().unwrap() {
            true => Err("no quorum".into()),
            false => Ok(vec![Stats::new(self.0, "remote")]),
        }
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == self.0).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Err("not watched".into())
    }
}

#[test]
fn virt_1_a_list_that_goes_without_a_provider_says_so() {
    log::set_logger(&LOGGED).unwrap();
    log::set_max_level(LevelFilter::Warn);
    let node = Node::new();
    let remote = Remote(Uuid::new_v4(), Arc::default());
    let module = node.module("node_ops");
    module.register_provider(remote.clone()).unwrap();
    let local = module.task("local").start().unwrap();
    let (plain, extended) = (
        "/task_manager/list_module_tasks/node_ops",
        "/api/v1/list_module_tasks/node_ops",
    );
    let list: ExtendedList = node.get(extended).ok();
    assert_eq!((list.tasks.len(), list.missing.len()), (2, 0));
    assert_eq!(node.get(plain).ok::<Vec<TaskStats>>().len(), 2);
    assert!(LOGGED.0.lock().unwrap().is_empty(), "it is complete");

    *remote.1.lock().unwrap() = true;
    let list: ExtendedList = node.get(extended).ok();
    assert_eq!(list.tasks.len(), 1);
    assert_eq!(list.missing[0].module, "node_ops");
    assert!(list.missing[0].error.contains("no quorum"));
    let listed: Vec<TaskStats> = node.get(plain).ok();
    assert_eq!(listed, [list.tasks[0].stats.clone()], "as it always was");
    let logged = std::mem::take(&mut *LOGGED.0.lock().unwrap());
    assert_eq!(logged.len(), 2, "one for each list");
    for (level, text) in logged {
        assert_eq!(level, Level::Warn);
        assert!(
            text.contains("node_ops") && text.contains("no quorum"),
            "{text}"
        );
    }
    local.finish().unwrap();
}

/// Panics when it is dropped, with one that does the same.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new(Self));
    }
}

#[test]
fn a_route_whose_panic_panics_when_it_is_dropped_spoils_its_own_answer_only() {
    let routes = |request: &taskmgr_http::Request| -> Option<Response> {
        match request.path() {
            "/bomb" => resume_unwind(Box::new(Bomb)),
            _ => None,
        }
    };
    let node = Node::with(|manager| manager, |server| server.fallback(routes));
    for _ in 0..3 {
        node.get("/bomb").refused(500);
        node.get("/nowhere").refused(404);
        assert_eq!(node.get("/task_manager/list_modules").status, 200);
    }
}
