//! Several workers that make and end children of one parent.

use std::sync::Barrier;

use taskmgr::{Manager, Module, Observer, Reporter, Task};

const WORKERS: u64 = 4;
const CHILDREN: u64 = 6_000;

/// On the machine's clock, as it is time that tells what finished last.
fn node() -> (Manager, Module) {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    (manager, module)
}

/// Each worker makes its children, two live at a time, and ends them; those whose number
/// `fails` says so fail.
fn work(module: &Module, fails: impl Fn(u64, u64) -> bool + Sync) -> (Task, Observer) {
    let root = module.task("repair").start().unwrap();
    let observer = root.observe();
    let workers: Vec<Reporter> = (0..WORKERS).map(|_| root.reporter()).collect();
    let start = Barrier::new(workers.len());
    std::thread::scope(|scope| {
        for (number, worker) in workers.into_iter().enumerate() {
            let (start, fails) = (&start, &fails);
            scope.spawn(move || {
                let table = number.to_string();
                start.wait();
                let mut last: Option<Task> = None;
                for at in 0..CHILDREN {
                    let child = worker.child("part").total(2, "ranges").table(&table);
                    let child = child.start().unwrap();
                    child.advance(2);
                    if let Some(last) = last.replace(child) {
                        let last_number = at - 1;
                        match fails(number as u64, last_number) {
                            true => last.fail(format_args!("{number}: {last_number}")).unwrap(),
                            false => last.finish().unwrap(),
                        }
                    }
                }
                last.unwrap().finish().unwrap();
            });
        }
    });
    (root, observer)
}

#[test]
fn fold_4_counts_and_progress_are_exact_and_what_is_kept_is_bounded() {
    let (_manager, module) = node();
    let (root, observer) = work(&module, |_, _| false);
    let tree = observer.status_tree().unwrap();
    let (status, children) = tree.split_first().unwrap();
    let all = WORKERS * CHILDREN;
    assert_eq!(
        (status.progress.completed, status.progress.total),
        (2 * all, 2 * all)
    );
    let counts = status.child_counts;
    assert_eq!((counts.live, counts.succeeded, counts.failed), (0, all, 0));
    assert_eq!(counts.not_kept + children.len() as u64, all);
    assert_eq!(children.len(), 1024);
    root.finish().unwrap();
    assert!(observer.status().unwrap().settled);
}

#[test]
fn fold_4_below_the_bound_nothing_is_dropped_whichever_worker_ends_it() {
    const EACH: u64 = 1024 / WORKERS;
    let (_manager, module) = node();
    for _ in 0..20 {
        let root = module.task("repair").start().unwrap();
        let start = Barrier::new(WORKERS as usize);
        std::thread::scope(|scope| {
            for worker in (0..WORKERS).map(|_| root.reporter()) {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..EACH {
                        worker.child("part").start().unwrap().finish().unwrap();
                    }
                });
            }
        });
        let status = root.status().unwrap();
        assert_eq!(status.child_counts.not_kept, 0);
        assert_eq!(status.children.len(), 1024);
        root.finish().unwrap();
    }
}

#[test]
fn fold_4_what_one_worker_ends_later_takes_the_room_of_what_others_ended() {
    let (_manager, module) = node();
    let (root, observer) = work(&module, |_, _| false);
    let mark = root.child("mark").start().unwrap();
    let first = mark.status().unwrap().created_at;
    mark.finish().unwrap();
    for _ in 0..20_000 {
        root.child("part").start().unwrap().finish().unwrap();
    }
    let children = &observer.status_tree().unwrap()[1..];
    let later = children.iter().filter(|child| child.created_at > first);
    let (later, all) = (later.count(), children.len());
    assert!(later > 960, "{later} of {all} are those that finished last");
    assert!(all <= 1024);
    root.finish().unwrap();
}

#[test]
fn fold_4_the_first_failures_are_kept_whichever_worker_met_them() {
    let (_manager, module) = node();
    let (root, observer) = work(&module, |worker, at| worker % 2 == 0 && at % 3 == 0);
    let tree = observer.status_tree().unwrap();
    let failed = tree[1..].iter().filter(|child| child.error.is_some());
    let counts = tree[0].child_counts;
    assert_eq!(counts.failed, WORKERS / 2 * CHILDREN.div_ceil(3));
    assert_eq!(failed.count(), 1024);
    let first = tree[0].first_error.as_ref().unwrap();
    assert!(
        tree[1..]
            .iter()
            .any(|child| child.error.as_ref() == Some(first))
    );
    root.finish().unwrap();
}

#[test]
fn fold_3_a_parent_that_ends_first_settles_with_the_last_child_of_any_worker() {
    for round in 0..200 {
        let (_manager, module) = node();
        let root = module.task("repair").start().unwrap();
        let observer = root.observe();
        let workers: Vec<Reporter> = (0..WORKERS).map(|_| root.reporter()).collect();
        let start = Barrier::new(workers.len() + 1);
        std::thread::scope(|scope| {
            for worker in workers {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    // Refused as soon as the parent has ended.
                    let made = (0..100).map_while(|_| worker.child("part").start().ok());
                    let live: Vec<Task> = made.collect();
                    live.into_iter().for_each(|child| child.finish().unwrap());
                });
            }
            start.wait();
            (0..round).for_each(|_| std::hint::spin_loop());
            root.finish().unwrap();
        });
        let status = observer.status().unwrap();
        assert!(status.settled, "round {round}: {:?}", status.child_counts);
        assert_eq!(status.child_counts.live, 0);
    }
}

#[test]
fn fold_5_siblings_of_several_workers_come_in_order_of_their_creation() {
    let (_manager, module) = node();
    let (root, observer) = work(&module, |_, at| at % 500 == 0);
    let children = &observer.status_tree().unwrap()[1..];
    // Between two workers the machine may stop one right after it has read the clock.
    for worker in 0..WORKERS {
        let table = worker.to_string();
        let theirs = children.iter().filter(|child| child.table == *table);
        assert!(theirs.is_sorted_by_key(|child| child.created_at));
    }
    let mut ids: Vec<_> = children.iter().map(|child| child.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), children.len(), "each once");
    root.finish().unwrap();
}

/// Each of several workers makes and ends so many children of a task, which ends then.
fn fill(parent: Task, workers: usize, children: usize) {
    std::thread::scope(|scope| {
        for worker in (0..workers).map(|_| parent.reporter()) {
            scope.spawn(move || {
                for _ in 0..children {
                    worker.child("part").start().unwrap().finish().unwrap();
                }
            });
        }
    });
    parent.finish().unwrap();
}

#[test]
fn fold_4_what_workers_filled_is_free_again_once_their_parent_has_folded() {
    const PARENTS: usize = 20;
    const LAST: usize = 1_000;
    let builder = Manager::builder().max_kept_per_root(PARENTS + LAST);
    let manager = builder.build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let root = module.task("repair").start().unwrap();
    for _ in 0..PARENTS {
        fill(root.child("part").start().unwrap(), 4, 3_000);
    }
    for _ in 0..LAST {
        root.child("part").start().unwrap().finish().unwrap();
    }
    let tree = manager.status_tree(root.id()).unwrap();
    assert_eq!(tree.len() - 1, PARENTS + LAST);
    root.finish().unwrap();
}

#[test]
fn fold_4_nothing_is_kept_where_nothing_shall_be() {
    let builder = Manager::builder().max_kept_children(0);
    let manager = builder.build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let root = module.task("repair").start().unwrap();
    let parent = root.child("part").start().unwrap();
    let observer = parent.observe();
    fill(parent, 4, 3_000);
    let status = observer.status().unwrap();
    assert_eq!(status.child_counts.not_kept, 12_000);
    assert_eq!(observer.status_tree().unwrap().len(), 1);
    root.finish().unwrap();
}
