//! A child that is forked while other threads are at everything walks the whole public API:
//! no call hangs, and every one but reporting says that the process was forked.

#[path = "common/child.rs"]
mod child;
mod common;
#[path = "fork_walk/crowd.rs"]
mod crowd;
#[path = "fork_walk/names.rs"]
mod names;

use std::time::{Duration, Instant};

use child::{Steps, forked, in_child};
use common::seconds;
use crowd::{Crowd, Remote, VIRTUAL};
use taskmgr::{
    AbortGuard, Clock, Completion, DoneGuard, Filter, Manager, ManagerBuilder, ManualClock, Module,
    Observer, Reporter, Search, SharedTask, Spawned, State, Task, TaskBuilder, TaskContext, Uuid,
    nonblocking,
};

/// One handle of each kind, of tasks that others work on.
struct Handles {
    manager: Manager,
    module: Module,
    /// With an id of ours, and with one of the host's.
    tasks: [Task; 2],
    reporters: [Reporter; 2],
    shared: [SharedTask; 2],
    observers: [Observer; 2],
    remote: Observer,
    aborts: [AbortGuard; 2],
    done: [DoneGuard; 3],
    spawned: [Spawned<()>; 2],
    completions: [Completion; 2],
    searches: [Search; 4],
    builder: TaskBuilder<'static>,
}

const FORKS: usize = 60;
/// No further child is forked after this, however slow the machine is.
const LIMIT: Duration = Duration::from_secs(12);

#[test]
fn life_10_a_child_forked_at_any_moment_walks_the_whole_api() {
    let crowd = Crowd::gather();
    let mut handles = Some(crowd.handles());
    let begun = Instant::now();
    for round in 0..FORKS {
        let _ = in_child(|at| {
            let handles = handles.take().unwrap();
            walk(at, handles);
            life(at);
        });
        if begun.elapsed() > LIMIT && round >= 5 {
            break;
        }
        if round % 8 == 7 {
            handles = Some(crowd.handles());
        }
    }
    crowd.go(handles.unwrap());
}

/// What is walked by name has every name.
#[test]
fn life_10_the_walk_leaves_no_method_out() {
    let walked = include_str!("fork_walk.rs");
    let missing: Vec<String> = names::public()
        .into_iter()
        .filter(|name| !walked.contains(&format!("\"{name}\"")))
        .collect();
    assert!(missing.is_empty(), "not walked: {missing:#?}");
}

fn walk(at: &Steps, handles: Handles) {
    manager(at, &handles);
    module(at, &handles);
    builders(at, handles.builder, &handles.tasks[1], &handles.module);
    for (task, other) in handles.tasks.iter().zip(handles.tasks.iter().rev()) {
        context(at, task, other);
        owner(at, task);
    }
    for (reporter, task) in handles.reporters.iter().zip(&handles.tasks) {
        context(at, reporter, task);
        at.at("Reporter::clone");
        let further = reporter.clone();
        at.at("Reporter::fmt");
        assert!(format!("{further:?}").contains(&task.id().to_string()));
        at.at("Reporter::advance");
        further.advance(1);
        at.at("Reporter::try_advance");
        further.try_advance(1).unwrap();
        at.at("Reporter::set_completed");
        further.set_completed(7);
        at.at("Reporter::drop");
        drop(further);
    }
    handles.shared.iter().for_each(|task| shared(at, task));
    for (observer, task) in handles.observers.iter().zip(&handles.tasks) {
        at.at("Observer::id");
        assert_eq!(observer.id(), task.id());
        observed(at, observer);
    }
    observed(at, &handles.remote);
    virtual_handles(at, handles.completions);
    searches(at, handles.searches);
    at.at("Spawned::observer");
    handles.spawned.iter().for_each(|work| {
        work.observer().id();
    });
    at.at("Spawned::fmt");
    let _ = format!("{:?}", handles.spawned);
    let [joined, dropped] = handles.spawned;
    at.at("Spawned::join");
    forked(joined.join());
    at.at("Spawned::drop");
    drop(dropped);
    at.at("AbortGuard::fmt");
    let _ = format!("{:?}", handles.aborts);
    let [forgotten, dropped] = handles.aborts;
    at.at("AbortGuard::forget");
    forgotten.forget();
    at.at("AbortGuard::drop");
    drop(dropped);
    at.at("DoneGuard::fmt");
    let _ = format!("{:?}", handles.done);
    let [forgotten, rest @ ..] = handles.done;
    at.at("DoneGuard::forget");
    forgotten.forget();
    at.at("DoneGuard::drop");
    drop(rest);
    at.at("Observer::drop");
    drop((handles.observers, handles.remote));
    at.at("SharedTask::drop");
    drop(handles.shared);
    at.at("Reporter::drop");
    drop(handles.reporters);
    let [first, second] = handles.tasks;
    at.at("Task::finish");
    forked(first.finish());
    at.at("Task::drop");
    drop(second);
    // What has no destructor is let go without a step of its own.
    at.at("Module::drop");
    let _ = handles.module;
    at.at("Manager::drop");
    drop(handles.manager);
}

fn manager(at: &Steps, handles: &Handles) {
    let (manager, id) = (&handles.manager, handles.tasks[1].id());
    at.at("Manager::clone");
    let manager = manager.clone();
    at.at("Manager::fmt");
    let _ = format!("{manager:?}");
    at.at("Manager::node");
    assert_eq!(manager.node(), "here");
    at.at("Manager::keep_on_read");
    manager.keep_on_read();
    at.at("Manager::finished_bytes");
    manager.finished_bytes();
    at.at("Manager::evicted");
    manager.evicted();
    at.at("Manager::task_ttl");
    manager.task_ttl();
    at.at("Manager::user_task_ttl");
    manager.user_task_ttl();
    at.at("Manager::set_task_ttl");
    forked(manager.set_task_ttl(seconds(1)));
    at.at("Manager::set_user_task_ttl");
    forked(manager.set_user_task_ttl(seconds(1)));
    at.at("Manager::register_module");
    forked(manager.register_module("new"));
    at.at("Manager::module");
    forked(manager.module("walked"));
    at.at("Manager::modules");
    forked(manager.modules());
    at.at("Manager::list");
    forked(manager.list("walked", &Filter::new()));
    at.at("Manager::listing");
    forked(manager.listing("walked", &Filter::new()));
    at.at("Manager::provider_deadline");
    manager.provider_deadline();
    at.at("Manager::drain");
    forked(manager.drain("walked"));
    at.at("Manager::tick");
    assert_eq!(manager.tick(), 0);
    at.at("Manager::close_module");
    forked(manager.close_module("walked", seconds(1)));
    at.at("Manager::close");
    forked(manager.close(seconds(1)));
    for id in [id, handles.tasks[0].id(), VIRTUAL, Uuid::nil()] {
        at.at("Manager::observe");
        forked(manager.observe(id));
        at.at("Manager::observe_within");
        forked(manager.observe_within(id, Duration::ZERO));
        at.at("Manager::search");
        let search = manager.search(id, None);
        assert!(search.is_ready() && search.deadline().is_none());
        search.on_ready(|| ());
        forked(search.into_result());
        at.at("Manager::status");
        forked(manager.status(id));
        at.at("Manager::take_status");
        forked(manager.take_status(id));
        at.at("Manager::read_status");
        forked(manager.read_status(id));
        at.at("Manager::status_tree");
        forked(manager.status_tree(id));
        at.at("Manager::take_status_tree");
        forked(manager.take_status_tree(id));
        at.at("Manager::read_status_tree");
        forked(manager.read_status_tree(id));
        at.at("Manager::abort");
        forked(manager.abort(id, "now"));
        at.at("Manager::suspend");
        forked(manager.suspend(id));
        at.at("Manager::resume");
        forked(manager.resume(id));
        at.at("Manager::wait");
        forked(manager.wait(id));
        at.at("Manager::wait_timeout");
        forked(manager.wait_timeout(id, Duration::ZERO));
        at.at("Manager::on_done");
        forked(manager.on_done(id, drop));
    }
}

fn module(at: &Steps, handles: &Handles) {
    at.at("Module::clone");
    let module = handles.module.clone();
    at.at("Module::fmt");
    let _ = format!("{module:?}");
    at.at("Module::name");
    assert_eq!(module.name(), "walked");
    at.at("Module::task");
    forked(module.task("t").start());
    at.at("Module::list");
    forked(module.list(&Filter::new().state(State::Running)));
    at.at("Module::listing");
    forked(module.listing(&Filter::new()));
    at.at("Module::drain");
    forked(module.drain());
    at.at("Module::register_provider");
    forked(module.register_provider(Remote::new(VIRTUAL)));
    at.at("Module::close");
    forked(module.close(seconds(1)));
}

/// A builder of the parent's, and one for a child of its task's, with every setter.
fn builders(at: &Steps, builder: TaskBuilder<'static>, task: &Task, module: &Module) {
    at.at("TaskContext::child");
    for builder in [builder, task.child("c")] {
        at.at("TaskBuilder::clone");
        let builder = builder.clone();
        at.at("TaskBuilder::fmt");
        let _ = format!("{builder:?}");
        let builder = dressed(at, builder);
        at.at("TaskBuilder::module");
        let builder = builder.module(module);
        at.at("TaskBuilder::create");
        forked(builder.clone().create());
        at.at("TaskBuilder::start");
        forked(builder.clone().start());
        at.at("TaskBuilder::run");
        forked(builder.clone().run(|_| Ok(())));
        at.at("TaskBuilder::spawn");
        forked(builder.clone().spawn(|_| Ok(())));
        at.at("TaskBuilder::parent_id");
        forked(builder.clone().parent_id(VIRTUAL).start());
        at.at("TaskBuilder::drop");
        drop(builder);
    }
}

fn dressed<'a>(at: &Steps, builder: TaskBuilder<'a>) -> TaskBuilder<'a> {
    at.at("TaskBuilder::scope");
    let builder = builder.scope("table");
    at.at("TaskBuilder::keyspace");
    let builder = builder.keyspace("k");
    at.at("TaskBuilder::table");
    let builder = builder.table("t");
    at.at("TaskBuilder::entity");
    let builder = builder.entity("an entity that is too long for a label of its task's");
    at.at("TaskBuilder::shard");
    let builder = builder.shard(3);
    at.at("TaskBuilder::units");
    let builder = builder.units("rows");
    at.at("TaskBuilder::total");
    let builder = builder.total(9, "rows");
    at.at("TaskBuilder::abortable");
    let builder = builder.abortable();
    at.at("TaskBuilder::internal");
    let builder = builder.internal();
    at.at("TaskBuilder::user_task");
    let builder = builder.user_task();
    at.at("TaskBuilder::id");
    builder.id(Uuid::from_u128(0xbead))
}

/// What an owner and its reporters have in common.
fn context(at: &Steps, task: &TaskContext, other: &Task) {
    at.at("TaskContext::id");
    assert!(!task.id().is_nil());
    at.at("TaskContext::fmt");
    assert_eq!(format!("{task:?}"), task.id().to_string());
    at.at("TaskContext::observe");
    observed(at, &task.observe());
    at.at("TaskContext::reporter");
    task.reporter().advance(1);
    at.at("TaskContext::status");
    forked(task.status());
    at.at("TaskContext::child");
    forked(task.child("c").start());
    at.at("TaskBuilder::parent");
    forked(task.child("c").parent(other).start());
    forked(other.child("c").parent(task).start());
    at.at("TaskContext::set_total");
    task.set_total(10);
    at.at("TaskContext::set_units");
    forked(task.set_units("pages"));
    at.at("TaskContext::abort_requested");
    assert!(!task.abort_requested());
    at.at("TaskContext::check_abort");
    task.check_abort().unwrap();
    at.at("TaskContext::on_abort");
    forked(task.on_abort(|| {}));
    at.at("TaskContext::abort");
    forked(task.abort("now"));
}

/// What only an owner can, short of ending it.
fn owner(at: &Steps, task: &Task) {
    at.at("Task::fmt");
    assert!(format!("{task:?}").contains(&task.id().to_string()));
    at.at("Task::advance");
    task.advance(1);
    at.at("Task::try_advance");
    task.try_advance(1).unwrap();
    at.at("Task::set_completed");
    task.set_completed(5);
    at.at("Task::start");
    forked(task.start());
    at.at("Task::checkpoint");
    task.checkpoint().unwrap();
}

fn shared(at: &Steps, task: &SharedTask) {
    at.at("SharedTask::clone");
    let task = task.clone();
    at.at("SharedTask::id");
    assert!(!task.id().is_nil());
    at.at("SharedTask::fmt");
    assert!(format!("{task:?}").contains(&task.id().to_string()));
    at.at("SharedTask::observe");
    observed(at, &task.observe());
    at.at("SharedTask::reporter");
    task.reporter().advance(1);
    at.at("SharedTask::status");
    forked(task.status());
    at.at("SharedTask::child");
    forked(task.child("c").parent(&task).start());
    at.at("SharedTask::advance");
    task.advance(1);
    at.at("SharedTask::try_advance");
    task.try_advance(1).unwrap();
    at.at("SharedTask::set_completed");
    task.set_completed(5);
    at.at("SharedTask::set_total");
    task.set_total(10);
    at.at("SharedTask::set_units");
    forked(task.set_units("pages"));
    at.at("SharedTask::abort_requested");
    assert!(!task.abort_requested());
    at.at("SharedTask::check_abort");
    task.check_abort().unwrap();
    at.at("SharedTask::on_abort");
    forked(task.on_abort(|| {}));
    at.at("SharedTask::abort");
    forked(task.abort("now"));
    at.at("SharedTask::start");
    forked(task.start());
    at.at("SharedTask::checkpoint");
    task.checkpoint().unwrap();
    at.at("SharedTask::finish");
    forked(task.finish());
    at.at("SharedTask::fail");
    forked(task.fail("failed"));
    at.at("SharedTask::has_total");
    assert!(task.has_total());
    at.at("SharedTask::leak");
    let raw = task.leak();
    at.at("RawTask::fmt");
    let _ = format!("{raw:?}");
}

fn observed(at: &Steps, observer: &Observer) {
    at.at("Observer::clone");
    let observer = observer.clone();
    at.at("Observer::fmt");
    assert!(format!("{observer:?}").contains(&observer.id().to_string()));
    at.at("Observer::status");
    forked(observer.status());
    at.at("Observer::status_tree");
    forked(observer.status_tree());
    at.at("Observer::is_terminal");
    forked(observer.is_terminal());
    at.at("Observer::wait");
    forked(observer.wait());
    at.at("Observer::wait_timeout");
    forked(observer.wait_timeout(Duration::ZERO));
    at.at("Observer::abort");
    forked(observer.abort("now"));
    at.at("Observer::suspend");
    forked(observer.suspend());
    at.at("Observer::resume");
    forked(observer.resume());
    at.at("Observer::on_done");
    forked(observer.on_done(drop));
    at.at("Observer::on_done_within");
    forked(observer.on_done_within(Duration::ZERO, drop));
    at.at("Observer::provider");
    observer.provider();
}

/// Each of the parent's, as it was when the child was forked.
fn searches(at: &Steps, searches: [Search; 4]) {
    for (number, search) in searches.into_iter().enumerate() {
        at.at("Search::fmt");
        let _ = format!("{search:?}");
        at.at("Search::deadline");
        search.deadline();
        at.at("Search::is_ready");
        assert!(search.is_ready());
        at.at("Search::on_ready");
        search.on_ready(|| ());
        if number % 2 == 0 {
            at.at("Search::into_result");
            forked(search.into_result());
        } else {
            at.at("Search::drop");
            drop(search);
        }
    }
}

fn virtual_handles(at: &Steps, [completed, dropped]: [Completion; 2]) {
    at.at("Completion::fmt");
    let _ = format!("{completed:?}");
    at.at("Completion::is_cancelled");
    assert!(!completed.is_cancelled());
    at.at("Completion::complete");
    completed.complete(Err(taskmgr::Error::new(
        taskmgr::ErrorCode::Provider,
        "never mind",
    )));
    at.at("Completion::drop");
    drop(dropped);
}

/// The child's own: a manager, and the whole life of a tree.
fn life(at: &Steps) {
    let manager = built(at);
    at.at("a module of its own");
    let module = manager.register_module("mine").unwrap();
    module.register_provider(Remote::new(VIRTUAL)).unwrap();
    at.at("tasks of its own");
    let root = module.task("t").id(Uuid::from_u128(9)).abortable();
    let root = root.start().unwrap();
    assert_eq!(manager.status(root.id()).unwrap().state, State::Running);
    let failed = root.child("c").entity("e").start().unwrap();
    at.at("Task::fail");
    failed.fail("failed").unwrap();
    let child = root.child("c").create().unwrap();
    at.at("Task::run");
    child.run(|_| Ok(())).unwrap();
    at.at("Task::share");
    let shared = root.child("c").start().unwrap().share();
    shared.reporter().advance(1);
    shared.finish().unwrap();
    at.at("Task::spawn");
    let (go_on, gate) = std::sync::mpsc::channel::<()>();
    let work = root.child("c").start().unwrap();
    let work = work.spawn(move |_| Ok(gate.recv()?)).unwrap();
    let (sender, done) = std::sync::mpsc::channel();
    let guard = work.observer().on_done(move |status| {
        sender.send(status).unwrap();
    });
    go_on.send(()).unwrap();
    at.at("a wait of its own");
    work.observer().wait().unwrap();
    work.join().unwrap();
    assert_eq!(done.recv().unwrap().unwrap().state, State::Done);
    drop(guard);
    at.at("a virtual task of its own");
    assert_eq!(manager.status(VIRTUAL).unwrap().id, VIRTUAL);
    at.at("nonblocking");
    nonblocking(|| manager.status(root.id())).unwrap();
    at.at("an abort of its own");
    let (sender, told) = std::sync::mpsc::channel();
    let guard = root.on_abort(move || sender.send(()).unwrap()).unwrap();
    manager.abort(root.id(), "now").unwrap();
    told.recv().unwrap();
    drop(guard);
    root.finish().unwrap_err();
    at.at("an expiry of its own");
    common::until("expired", || {
        let status = manager.status(Uuid::from_u128(9));
        status.is_err_and(|error| error.is_gone())
    });
    at.at("a close of its own");
    assert!(manager.close(seconds(60)).unwrap().is_complete());
}

fn built(at: &Steps) -> Manager {
    at.at("Manager::builder");
    let builder: ManagerBuilder = Manager::builder();
    at.at("ManagerBuilder::clone");
    let builder = builder.clone();
    at.at("ManagerBuilder::task_ttl");
    let builder = builder.task_ttl(Duration::from_millis(5));
    at.at("ManagerBuilder::user_task_ttl");
    let builder = builder.user_task_ttl(seconds(1));
    at.at("ManagerBuilder::clock");
    let builder = builder.clock(Clock::Manual(ManualClock::new()));
    let builder = builder.clock(Clock::System);
    at.at("ManagerBuilder::reaper");
    let builder = builder.reaper(true);
    at.at("ManagerBuilder::keep_on_read");
    let builder = builder.keep_on_read(false);
    at.at("ManagerBuilder::max_kept_children");
    let builder = builder.max_kept_children(10);
    at.at("ManagerBuilder::max_kept_per_root");
    let builder = builder.max_kept_per_root(100);
    at.at("ManagerBuilder::tombstones");
    let builder = builder.tombstones(10);
    at.at("ManagerBuilder::max_finished_bytes");
    let builder = builder.max_finished_bytes(1 << 20);
    at.at("ManagerBuilder::provider_deadline");
    let builder = builder.provider_deadline(seconds(60));
    at.at("ManagerBuilder::max_modules");
    let builder = builder.max_modules(10);
    at.at("ManagerBuilder::max_live_tasks");
    let builder = builder.max_live_tasks(1000);
    at.at("ManagerBuilder::node");
    let builder = builder.node("there");
    at.at("ManagerBuilder::fmt");
    let _ = format!("{builder:?}");
    at.at("ManagerBuilder::build");
    let manager = builder.clone().build().unwrap();
    at.at("ManagerBuilder::drop");
    drop(builder);
    manager
}
