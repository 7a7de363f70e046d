//! Tasks that a provider of the host answers for.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

use common::{Node, PATIENCE, node_with, seconds, until};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Kind, Provider, State, Stats, Status, Uuid,
};

const ID: Uuid = Uuid::from_u128(0xc1);
const OTHER: Uuid = Uuid::from_u128(0xc2);

/// How the provider behaves, and what it was told.
#[derive(Default)]
struct Cluster {
    trouble: Option<fn() -> Result<(), BoxError>>,
    ended: bool,
    aborted: Option<String>,
    watches: Vec<Completion>,
}

#[derive(Clone, Default)]
struct Remote(Arc<Mutex<Cluster>>);

impl Remote {
    fn trouble(&self, trouble: fn() -> Result<(), BoxError>) {
        self.0.lock().unwrap().trouble = Some(trouble);
    }

    fn check(&self) -> Result<(), BoxError> {
        let trouble = self.0.lock().unwrap().trouble;
        trouble.map_or(Ok(()), |trouble| trouble())
    }

    fn status_of(&self, id: Uuid) -> Option<Status> {
        let mut status = Status::new(id, "topology change");
        status.is_abortable = id == ID;
        if self.0.lock().unwrap().ended {
            status.state = State::Done;
        }
        [ID, OTHER].contains(&id).then_some(status)
    }

    fn end(&self) {
        self.0.lock().unwrap().ended = true;
        let watches = std::mem::take(&mut self.0.lock().unwrap().watches);
        for watch in watches {
            watch.complete(Ok(self.status_of(ID).unwrap()));
        }
    }
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.check()?;
        let mut stats = Stats::new(ID, "topology change");
        stats.keyspace = "ks".into();
        stats.created_at = SystemTime::UNIX_EPOCH;
        Ok(vec![stats])
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.check()?;
        Ok(self.status_of(id))
    }
    fn abort(&self, _: Uuid, reason: &str) -> Result<(), BoxError> {
        self.0.lock().unwrap().aborted = Some(reason.to_owned());
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.0.lock().unwrap().watches.push(done);
        Ok(())
    }
}

fn stage() -> (Node, Remote) {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    let remote = Remote::default();
    node.module.register_provider(remote.clone()).unwrap();
    (node, remote)
}

#[test]
fn virt_1_its_tasks_are_in_lists_and_statuses_with_kind_cluster() {
    let (node, _remote) = stage();
    let local = node.module.task("t").start().unwrap();
    let listed = node.module.list(&Filter::new()).unwrap();
    let ids: Vec<_> = listed.iter().map(|stats| (stats.id, stats.kind)).collect();
    assert_eq!(
        ids,
        [(ID, Kind::Cluster), (local.id(), Kind::Node)],
        "by creation"
    );
    assert_eq!(
        node.module
            .list(&Filter::new().keyspace("ks"))
            .unwrap()
            .len(),
        1
    );
    let status = node.manager.status(ID).unwrap();
    assert_eq!(
        (status.kind, &*status.module, &*status.type_),
        (Kind::Cluster, "m", "topology change")
    );
    assert_eq!(node.manager.status_tree(ID).unwrap().len(), 1);
    assert_eq!(node.manager.read_status(ID).unwrap().id, ID);
    assert_eq!(node.manager.observe(ID).unwrap().id(), ID);
}

#[test]
fn virt_1_waiting_goes_through_watch() {
    let (node, remote) = stage();
    let observer = node.manager.observe(ID).unwrap();
    assert!(
        observer
            .wait_timeout(Duration::ZERO)
            .unwrap_err()
            .is_timeout()
    );
    assert!(
        observer
            .wait_timeout(Duration::from_millis(5))
            .unwrap_err()
            .is_timeout()
    );
    let (sender, told) = mpsc::channel();
    observer
        .on_done(move |status| sender.send(status).unwrap())
        .unwrap()
        .forget();
    let theirs = observer.clone();
    let waiter = std::thread::spawn(move || theirs.wait());
    until("both watch", || {
        let watches = &remote.0.lock().unwrap().watches;
        watches.iter().filter(|watch| !watch.is_cancelled()).count() == 2
    });
    remote.end();
    assert_eq!(waiter.join().unwrap().unwrap().state, State::Done);
    let status = told.recv().unwrap().unwrap();
    assert_eq!(
        (status.state, status.kind, &*status.module),
        (State::Done, Kind::Cluster, "m")
    );
    assert_eq!(
        observer.wait().unwrap().state,
        State::Done,
        "at once when it is over"
    );
}

#[test]
fn virt_1_a_watch_that_is_dropped_tells_those_who_wait() {
    let (node, remote) = stage();
    let observer = node.manager.observe(ID).unwrap();
    let waiter = std::thread::spawn(move || observer.wait());
    until("it watches", || {
        !remote.0.lock().unwrap().watches.is_empty()
    });
    remote.0.lock().unwrap().watches.clear();
    assert_eq!(
        waiter.join().unwrap().unwrap_err().code(),
        ErrorCode::Provider
    );
}

#[test]
fn virt_1_a_watch_that_nobody_waits_for_is_cancelled() {
    let (node, remote) = stage();
    let guard = node
        .manager
        .on_done(ID, |_| panic!("it was cancelled"))
        .unwrap();
    assert!(!remote.0.lock().unwrap().watches[0].is_cancelled());
    drop(guard);
    assert!(remote.0.lock().unwrap().watches[0].is_cancelled());
    remote.end();
}

#[test]
fn virt_1_aborting_is_the_providers_affair() {
    let (node, remote) = stage();
    let child = node.module.task("t").parent_id(ID).start().unwrap();
    assert_eq!(
        node.manager.abort(OTHER, "now").unwrap_err().code(),
        ErrorCode::NotAbortable
    );
    node.manager.abort(ID, "now").unwrap();
    assert_eq!(remote.0.lock().unwrap().aborted.as_deref(), Some("now"));
    assert!(
        !child.abort_requested(),
        "local children are the provider's to abort"
    );
    for error in [
        node.manager.suspend(ID).unwrap_err(),
        node.manager.resume(ID).unwrap_err(),
        node.manager.take_status(ID).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::NotSupported);
    }
}

#[test]
fn tree_1_a_child_of_a_virtual_task_is_a_root_that_is_listed_as_its_child() {
    let (node, _remote) = stage();
    let local = node.module.task("local").parent_id(ID).start().unwrap();
    let same = node
        .module
        .task("local")
        .parent(&node.manager.observe(ID).unwrap())
        .start()
        .unwrap();
    let below = local.child("below").start().unwrap();
    let status = local.status().unwrap();
    assert_eq!(
        (status.parent_id, status.internal, status.sequence_number),
        (Some(ID), false, 1)
    );
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 3);
    let children: Vec<_> = node
        .manager
        .status(ID)
        .unwrap()
        .children
        .iter()
        .map(|c| c.task_id)
        .collect();
    let mut expected = vec![local.id(), same.id()];
    assert!(children.iter().all(|child| expected.contains(child)) && children.len() == 2);
    let tree: Vec<_> = node
        .manager
        .status_tree(ID)
        .unwrap()
        .iter()
        .map(|status| status.id)
        .collect();
    expected.push(below.id());
    assert_eq!(tree.len(), 4);
    assert!(tree[0] == ID && tree[3] == below.id());
    drop(below);
    let id = local.id();
    local.finish().unwrap();
    assert!(
        node.manager.status(id).unwrap().settled,
        "it is kept for its TTL"
    );
}

#[test]
fn id_1_an_id_that_a_provider_knows_is_refused() {
    let (node, _remote) = stage();
    let refused = node.module.task("t").id(ID).start().unwrap_err();
    assert_eq!(refused.code(), ErrorCode::IdInUse);
}

/// What the provider does wrong spoils its own answers only.
fn spoils_only_its_own(
    node: &Node,
    remote: &Remote,
    trouble: fn() -> Result<(), BoxError>,
    words: &str,
) {
    let local = node.module.task("t").start().unwrap();
    remote.trouble(trouble);
    let listed = node.module.list(&Filter::new()).unwrap();
    let ids: Vec<Uuid> = listed.iter().map(|stats| stats.id).collect();
    assert_eq!(ids, [local.id()], "lists go without it");
    let error = node.manager.status(ID).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider);
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(
        node.manager.status(local.id()).unwrap().state,
        State::Running
    );
}

#[test]
fn virt_1_a_provider_that_fails() {
    let (node, remote) = stage();
    spoils_only_its_own(&node, &remote, || Err("no quorum".into()), "no quorum");
}

#[test]
fn virt_1_a_provider_that_panics() {
    let (node, remote) = stage();
    spoils_only_its_own(
        &node,
        &remote,
        || std::panic::resume_unwind(Box::new("no quorum")),
        "no quorum",
    );
}

#[test]
fn virt_1_a_provider_that_takes_too_long() {
    let node = node_with(|builder| builder.provider_deadline(Duration::from_millis(20)));
    let remote = Remote::default();
    node.module.register_provider(remote.clone()).unwrap();
    let forever = || {
        std::thread::park_timeout(PATIENCE);
        Ok(())
    };
    spoils_only_its_own(&node, &remote, forever, "longer");
    // One that never comes back does not take a thread for every question.
    for _ in 0..20 {
        assert_eq!(
            node.manager.status(ID).unwrap_err().code(),
            ErrorCode::Provider
        );
    }
    assert!(node.manager.close(seconds(1)).unwrap().is_complete());
}

#[test]
fn virt_1_a_provider_goes_with_its_module() {
    let (node, remote) = stage();
    node.module.close(seconds(1)).unwrap();
    assert!(node.manager.status(ID).unwrap_err().is_not_found());
    assert_eq!(Arc::strong_count(&remote.0), 1, "it is dropped");
    assert!(
        node.module
            .register_provider(remote)
            .unwrap_err()
            .is_closed()
    );
}

/// Knows one task, and counts how often it is asked for its status.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Provider for Counting {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok((id == ID).then(|| Status::new(id, "topology change")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn a_read_finds_the_task_as_often_as_a_look_does() {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    let counting = Counting::default();
    node.module.register_provider(counting.clone()).unwrap();
    let manager = &node.manager;
    let questions = |look: &dyn Fn()| {
        let before = counting.0.load(Ordering::Relaxed);
        look();
        counting.0.load(Ordering::Relaxed) - before
    };
    let looks = questions(&|| drop(manager.status(ID).unwrap()));
    let reads = questions(&|| drop(manager.read_status(ID).unwrap()));
    assert!(looks > 0);
    assert_eq!(reads, looks);
    let looks = questions(&|| drop(manager.status_tree(ID).unwrap()));
    let reads = questions(&|| drop(manager.read_status_tree(ID).unwrap()));
    assert_eq!(reads, looks);
    let refused = manager.take_status(ID).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotSupported);
    let unknown = questions(&|| assert!(manager.read_status(OTHER).unwrap_err().is_not_found()));
    assert_eq!(unknown, 1);
}
