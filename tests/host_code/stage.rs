//! The host's code, and a manager for it to call.
#![allow(unreachable_pub)] // of the test alone

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use taskmgr::{BoxError, Completion, Filter, Manager, Module, Provider, Stats, Status, Task, Uuid};

use super::common::{Node, PATIENCE, node_with, until};

pub const VIRTUAL: Uuid = Uuid::from_u128(0x057);
const GONE: Uuid = Uuid::from_u128(0x60e);

/// Something of the host's: whatever of it the library runs calls the whole manager.
pub struct Host {
    manager: Manager,
    module: Module,
    /// The task that it has to do with.
    task: Uuid,
    runs: Arc<AtomicUsize>,
    /// Whether its destructor panics, once it has called everything.
    panics: bool,
}

thread_local! {
    /// Whether this thread is in such a place: what is called there ends up in no other.
    static CALLS: Cell<bool> = const { Cell::new(false) };
}

impl Host {
    pub fn another(&self) -> Self {
        Self {
            manager: self.manager.clone(),
            module: self.module.clone(),
            runs: Arc::clone(&self.runs),
            ..*self
        }
    }

    pub fn runs(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if !CALLS.replace(true) {
            self.call_everything();
            CALLS.set(false);
        }
    }

    /// Each may be refused; none may wait for who has called.
    fn call_everything(&self) {
        let (manager, module, task) = (&self.manager, &self.module, self.task);
        drop((manager.modules(), format!("{manager:?}")));
        drop(manager.list("m", &Filter::new().internal(true)));
        drop((manager.status(task), manager.status_tree(task)));
        drop((manager.status(GONE), manager.take_status(GONE)));
        drop((manager.suspend(task), manager.resume(task)));
        drop(manager.wait_timeout(task, Duration::ZERO));
        drop(
            module
                .task("child")
                .parent_id(task)
                .start()
                .map(Task::finish),
        );
        drop(module.task("t").id(Uuid::new_v4()).entity("e").start());
        drop(module.task("kept").user_task().start().map(Task::finish));
        if let Ok(observer) = manager.observe(task) {
            drop((observer.on_done(drop), observer.status()));
        }
        if let Ok(further) = manager.register_module("further") {
            drop(further.register_provider(Nobody));
            if let Ok(task) = further.task("t").start().map(Task::share) {
                drop((
                    task.on_abort(|| {}),
                    task.reporter(),
                    task.set_units("rows"),
                ));
                drop((task.abort("enough"), task.child("c").start()));
            }
            drop(manager.close_module("further", Duration::ZERO));
        }
        drop((
            module.drain(),
            manager.tick(),
            manager.set_task_ttl(manager.task_ttl()),
        ));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.runs();
        if self.panics && !std::thread::panicking() {
            resume_unwind(Box::new("expected"));
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.runs();
        f.write_str("the host's")
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.runs();
        f.write_str("Host")
    }
}

impl StdError for Host {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.runs();
        None
    }
}

/// A provider without tasks.
struct Nobody;

impl Provider for Nobody {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

/// How a provider answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    Truly,
    WithAnError,
    WithAPanic,
}

/// A provider with one task, which calls everything when it is asked anything.
pub struct Remote {
    host: Host,
    answers: Answers,
    watches: Arc<Mutex<Vec<Completion>>>,
}

impl Remote {
    fn answer(&self) -> Result<(), BoxError> {
        self.host.runs();
        match self.answers {
            Answers::Truly => Ok(()),
            Answers::WithAnError => Err(Box::new(self.host.another())),
            Answers::WithAPanic => resume_unwind(Box::new(self.host.another())),
        }
    }
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.answer()?;
        Ok(vec![Stats::new(VIRTUAL, "remote")])
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.answer()?;
        let mut status = Status::new(id, "remote");
        status.is_abortable = true;
        Ok((id == VIRTUAL).then_some(status))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        self.answer()
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.watches.lock().unwrap().push(done);
        self.answer()
    }
    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        // Its task is found whatever else it answers.
        self.host.runs();
        Ok(id == VIRTUAL)
    }
}

/// A manager, and how often something of the host's has run.
pub struct Stage {
    pub node: Node,
    pub runs: Arc<AtomicUsize>,
    pub panics: bool,
}

impl Stage {
    pub fn new(panics: bool) -> Self {
        Self {
            // No provider is given up, so that one which waits for its asker is a deadlock.
            node: node_with(|builder| builder.provider_deadline(2 * PATIENCE)),
            runs: Arc::default(),
            panics,
        }
    }

    pub fn host(&self, task: Uuid) -> Host {
        Host {
            manager: self.node.manager.clone(),
            module: self.node.module.clone(),
            task,
            runs: Arc::clone(&self.runs),
            panics: self.panics,
        }
    }

    /// A root, and a child of it.
    pub fn tree(&self) -> (Task, Task) {
        let root = self.node.module.task("root").user_task().abortable();
        let root = root.start().unwrap();
        let child = root.child("child").abortable().start().unwrap();
        (root, child)
    }

    pub fn remote(&self, answers: Answers) -> (Remote, Arc<Mutex<Vec<Completion>>>) {
        let watches: Arc<Mutex<Vec<Completion>>> = Arc::default();
        let remote = Remote {
            host: self.host(VIRTUAL),
            answers,
            watches: Arc::clone(&watches),
        };
        (remote, watches)
    }

    /// Something of the host's has run since this was asked last.
    #[track_caller]
    pub fn expect(&self, what: &str) {
        let panics = self.panics;
        assert!(self.runs.swap(0, Ordering::SeqCst) > 0, "{what}, {panics}");
    }

    /// The same where it may be the thread of an earlier question that lets go of it last.
    pub fn wait_for(&self, what: &str) {
        until(what, || self.runs.load(Ordering::SeqCst) > 0);
        self.expect(what);
    }
}
