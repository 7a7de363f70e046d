//! What a process keeps does not grow with the managers, modules and names that it has had: a
//! process of its own, in which all that is allocated is counted.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use taskmgr::{Manager, Module};

/// The system's, and how many bytes of it are taken.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller promises what the system's wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller promises what the system's wants.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test counts at a time.
fn alone() -> MutexGuard<'static, ()> {
    static COUNTS: Mutex<()> = Mutex::new(());
    COUNTS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

const ROUNDS: usize = 10_000;
/// What a table that was about to grow may grow by: a few bytes for each round.
const SLACK: usize = 48 << 10;

/// Goes so many rounds until what there is has been made, and as many again: these keep nothing.
/// Each has a number that none had before.
fn stays_flat(what: &str, mut round: impl FnMut(usize)) {
    let _alone = alone();
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let mut rounds = || (0..ROUNDS).for_each(|_| round(LAST.fetch_add(1, Relaxed)));
    rounds();
    let before = TAKEN.load(Relaxed);
    rounds();
    let grown = TAKEN.load(Relaxed).saturating_sub(before);
    assert!(
        grown <= SLACK,
        "{what}: {grown} bytes, {} for each",
        grown / ROUNDS
    );
}

fn manager() -> Manager {
    Manager::builder().reaper(false).build().unwrap()
}

fn work(module: &Module, type_: &str) {
    let root = module.task(type_).start().unwrap();
    root.child(type_).start().unwrap().finish().unwrap();
    root.finish().unwrap();
}

fn close(module: &Module) {
    assert!(module.close(Duration::ZERO).unwrap().is_complete());
}

#[test]
fn mod_1_modules_that_are_closed_leave_nothing() {
    let manager = manager();
    stays_flat("an empty module", |number| {
        close(&manager.register_module(&format!("empty {number}")).unwrap());
    });
}

#[test]
fn mod_1_modules_that_had_tasks_leave_nothing() {
    let manager = manager();
    stays_flat("a module with tasks", |number| {
        let module = manager.register_module(&format!("worked {number}"));
        let module = module.unwrap();
        let root = module.task("repair").start().unwrap();
        root.finish().unwrap();
        close(&module);
    });
}

#[test]
fn mod_1_modules_of_one_name_leave_nothing() {
    let manager = manager();
    stays_flat("a module of one name", |_| {
        let module = manager.register_module("repair").unwrap();
        work(&module, "repair");
        close(&module);
    });
}

#[test]
fn mod_1_names_that_never_come_again_leave_nothing() {
    let manager = manager();
    let module = manager.register_module("names").unwrap();
    let root = module.task("root").start().unwrap();
    stays_flat("a name", |number| {
        let name = format!("name {number}");
        let child = root.child("part").table(&name).start().unwrap();
        child.finish().unwrap();
        module.task(&name).start().unwrap().finish().unwrap();
    });
}

#[test]
fn mod_1_managers_that_are_gone_leave_nothing() {
    stays_flat("a manager", |_| {
        let manager = manager();
        for name in ["repair", "compaction"] {
            work(&manager.register_module(name).unwrap(), "repair");
        }
    });
    stays_flat("a manager that is closed", |_| {
        let manager = manager();
        work(&manager.register_module("repair").unwrap(), "repair");
        assert!(manager.close(Duration::ZERO).unwrap().is_complete());
    });
}
