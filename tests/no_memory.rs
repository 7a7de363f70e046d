//! Where there is no memory for more tasks, whoever asks for one is told so, and nothing else
//! happens: a process of its own, whose allocator refuses.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use taskmgr::{ErrorCode, Manager, Module, Result, Task};

/// The system's, which gives so many pages to blocks of tasks and no more.
struct Refusing;

static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

// SAFETY: every call goes to the system's allocator as it is, or gives nothing.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let less = |left: usize| match left {
            usize::MAX => Some(left),
            left => left.checked_sub(1),
        };
        if layout.align() >= 4096 && LEFT.fetch_update(Relaxed, Relaxed, less).is_err() {
            return std::ptr::null_mut();
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

/// More than fit into what a refused allocation leaves.
const MOST: usize = 100_000;

type Make = fn(&Module, &Task, usize) -> Result<Vec<Task>>;

const MAKES: [(&str, Make); 5] = [
    ("child", |_, root, _| Ok(vec![root.child("t").start()?])),
    ("child with an entity", |_, root, at| {
        Ok(vec![root.child("t").entity(&format!("{at}")).start()?])
    }),
    ("root", |module, _, _| Ok(vec![module.task("t").start()?])),
    ("root with an entity", |module, _, at| {
        Ok(vec![module.task("t").entity(&format!("{at}")).start()?])
    }),
    ("parent", |_, root, _| {
        let parent = root.child("t").start()?;
        let child = parent.child("t").start()?;
        Ok(vec![child, parent])
    }),
];

#[test]
fn ttl_9_a_task_for_which_there_is_no_memory_is_refused_and_all_others_live_on() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let root = module.task("root").start().unwrap();
    for allowed in 0..4 {
        for (what, make) in MAKES {
            let mut tasks = Vec::new();
            LEFT.store(allowed, Relaxed);
            let error = (0..MOST).find_map(|at| match make(&module, &root, at) {
                Ok(made) => {
                    tasks.push(made);
                    None
                }
                Err(error) => Some(error),
            });
            LEFT.store(usize::MAX, Relaxed);
            let error = error.unwrap_or_else(|| panic!("{what}: memory without end"));
            assert_eq!(error.code(), ErrorCode::Exhausted, "{what}: {error}");
            assert!(error.to_string().contains("no memory"), "{what}: {error}");
            let roots = module.list(&Default::default()).unwrap().len();
            let live = root.status().unwrap().child_counts.live as usize;
            assert_eq!(roots - 1 + live, tasks.len(), "{what}");
            // There is some again.
            tasks.push(make(&module, &root, MOST).unwrap());
            let ends = tasks.into_iter().flatten().map(Task::finish);
            assert_eq!(ends.filter(Result::is_err).count(), 0, "{what}");
            assert_eq!(root.status().unwrap().child_counts.live, 0, "{what}");
        }
    }
}
