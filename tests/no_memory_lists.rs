//! Where there is no memory for what is asked for in bulk, who asks is told so, and the process goes
//! on: a process of its own, whose allocator refuses.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Module, Provider, Result, Stats, Status,
    Task, Uuid,
};

/// The system's, which gives this thread so many large blocks and no more.
struct Refusing;

/// More than an error takes, and less than anything that grows with the tasks of these tests.
const LARGE: usize = 8 << 10;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: every call goes to the system's allocator as it is, or gives nothing.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE {
            match LEFT.get() {
                usize::MAX => {}
                0 => return std::ptr::null_mut(),
                left => LEFT.set(left - 1),
            }
        }
        // SAFETY: the caller promises what the system's wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller promises what the system's wants.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Asks again and again, with memory for one large block more each time, until it is enough.
#[track_caller]
fn refused_until_there_is_enough<T>(what: &str, ask: impl Fn() -> Result<T>) -> T {
    for allowed in 0..1000 {
        LEFT.set(allowed);
        let answer = ask();
        LEFT.set(usize::MAX);
        let error = match answer {
            Ok(_) if allowed == 0 => panic!("{what}: nothing was refused"),
            Ok(answer) => return answer,
            Err(error) => error,
        };
        assert_eq!(error.code(), ErrorCode::Exhausted, "{what}: {error}");
        let told = error.to_string();
        assert!(
            told.contains("no memory for") && told.contains("entries; "),
            "{what}: {told}"
        );
    }
    panic!("{what}: it is never enough");
}

const MANY: usize = 5_000;

struct Node {
    manager: Manager,
    module: Module,
    root: Task,
    tasks: Vec<Task>,
}

/// A root with many children, some of them parents, and many roots, in another order than that of
/// their slots.
fn node() -> Node {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    let root = module.task("root").start().unwrap();
    let mut tasks: Vec<Task> = (0..MANY)
        .map(|_| module.task("t").start().unwrap())
        .collect();
    for task in tasks.drain(..MANY / 2) {
        task.finish().unwrap();
    }
    for at in 0..MANY {
        let task = module.task("t").start().unwrap();
        if at % 2 == 0 {
            tasks.push(task.child("c").start().unwrap());
        }
        tasks.push(task);
        tasks.push(root.child("c").start().unwrap());
    }
    Node {
        manager,
        module,
        root,
        tasks,
    }
}

#[test]
fn ttl_9_a_list_for_which_there_is_no_memory_is_refused() {
    let node = node();
    let roots = 1 + MANY / 2 + MANY;
    for (filter, count) in [
        (Filter::new(), roots),
        (Filter::new().internal(true), roots + MANY + MANY / 2),
        (Filter::new().state(taskmgr::State::Running), roots),
    ] {
        let list = || node.module.list(&filter);
        let listed = refused_until_there_is_enough("a list", list);
        assert_eq!(listed.len(), count);
        assert!(listed.is_sorted_by_key(|stats| (stats.created_at, stats.id)));
    }
    for task in node.tasks {
        task.finish().unwrap();
    }
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 1);
}

#[test]
fn ttl_9_the_statuses_of_a_tree_for_which_there_is_no_memory_are_refused() {
    let node = node();
    for at in 0..1000 {
        let child = node.root.child("kept").start().unwrap();
        match at % 2 {
            0 => child.finish().unwrap(),
            _ => child.fail("no space").unwrap(),
        }
    }
    // What a folded child keeps is asked for as one.
    let parent = node.root.child("parent").start().unwrap();
    for _ in 0..1000 {
        parent
            .child("kept")
            .start()
            .unwrap()
            .fail("no space")
            .unwrap();
    }
    parent.finish().unwrap();
    let ask = || node.manager.status_tree(node.root.id());
    let tree = refused_until_there_is_enough("a tree", ask);
    assert_eq!(tree.len(), 1 + MANY + 1001 + 1000);
    assert_eq!(tree[0].children.len(), MANY + 1001);
    assert_eq!(node.root.status().unwrap().child_counts.live, MANY as u64);
}

#[test]
fn ttl_9_a_drain_for_which_there_is_no_memory_changes_nothing() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    for _ in 0..MANY {
        module
            .task("t")
            .user_task()
            .start()
            .unwrap()
            .finish()
            .unwrap();
    }
    LEFT.set(0);
    let error = module.drain().unwrap_err();
    LEFT.set(usize::MAX);
    assert_eq!(error.code(), ErrorCode::Exhausted);
    assert!(
        error.to_string().contains("no memory for a drain"),
        "{error}"
    );
    assert_eq!(module.list(&Filter::new()).unwrap().len(), MANY);
    assert_eq!(module.drain().unwrap(), MANY);
    assert!(module.list(&Filter::new()).unwrap().is_empty());
}

/// A provider of as many tasks.
struct Elsewhere(Arc<Mutex<Vec<Stats>>>);

impl Provider for Elsewhere {
    fn status(&self, _: Uuid) -> std::result::Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn list(&self) -> std::result::Result<Vec<Stats>, BoxError> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn abort(&self, _: Uuid, _: &str) -> std::result::Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> std::result::Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn ttl_9_a_list_with_virtual_tasks_for_which_there_is_no_memory_is_refused() {
    let node = node();
    let mut theirs = node.module.list(&Filter::new()).unwrap();
    theirs
        .iter_mut()
        .for_each(|stats| stats.id = Uuid::new_v4());
    let more = theirs.len();
    let provider = Elsewhere(Arc::new(Mutex::new(theirs)));
    let other = node.manager.register_module("elsewhere").unwrap();
    other.register_provider(provider).unwrap();
    let tasks: Vec<Task> = (0..MANY)
        .map(|_| other.task("t").start().unwrap())
        .collect();
    let list = || other.list(&Filter::new());
    let listed = refused_until_there_is_enough("a list", list);
    assert_eq!(listed.len(), more + tasks.len());
}
