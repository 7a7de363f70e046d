//! ttl_9: as many tasks of a manager live as its host allows, and no more; which are those that have
//! not settled.

#[path = "common/child.rs"]
mod child;
mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use child::{forked, in_child};
use common::{Node, node_with, seconds};
use taskmgr::{ErrorCode, Filter, Manager, Module, Result, State, Task, Uuid};

fn bounded(most: usize) -> Node {
    node_with(|builder| builder.max_live_tasks(most))
}

/// A further one is refused, of whatever kind.
#[track_caller]
fn is_full(module: &Module, parent: Option<&Task>, most: usize) {
    let root = module.task("root").start();
    let child = parent.map(|parent| parent.child("child").start());
    let labelled = parent.map(|parent| parent.child("child").entity("e").create());
    for made in [Some(root), child, labelled].into_iter().flatten() {
        let error = made.map(drop).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Exhausted, "{error}");
        let told = error.to_string();
        let living = format!("{most} have not settled");
        assert!(
            told.contains(&living) && told.contains("max_live_tasks"),
            "{told}"
        );
    }
}

#[test]
fn ttl_9_beyond_the_bound_a_task_is_refused_and_nothing_else_happens() {
    let node = bounded(2);
    let root = node.module.task("root").start().unwrap();
    let child = root.child("child").start().unwrap();
    let before = node.manager.status_tree(root.id()).unwrap();
    let id = Uuid::from_u128(7);
    for _ in 0..1000 {
        is_full(&node.module, Some(&root), 2);
        is_full(&node.module, Some(&child), 2);
        let refused = [
            node.module.task("root").id(id).start(),
            root.child("child").id(id).start(),
            root.child("child").total(9, "new units").create(),
            node.module.task("root").parent_id(root.id()).start(),
        ];
        for refused in refused {
            let code = refused.map(drop).unwrap_err().code();
            assert_eq!(code, ErrorCode::Exhausted);
        }
    }
    assert_eq!(node.manager.status_tree(root.id()).unwrap(), before);
    assert!(node.manager.status(id).unwrap_err().is_not_found());
    child.finish().unwrap();
    let child = root.child("child").id(id).start().unwrap();
    assert_eq!(child.id(), id, "it stayed free");
    child.finish().unwrap();
    let next = node.module.task("root").start().unwrap();
    let number = next.status().unwrap().sequence_number;
    assert_eq!(number, 2, "no number was lost");
    is_full(&node.module, Some(&root), 2);
}

#[test]
fn ttl_9_what_else_is_wrong_is_told_first() {
    let node = bounded(1);
    let root = node.module.task("root").start().unwrap();
    let codes = |made: Result<Task>| made.map(drop).unwrap_err().code();
    let (nil, mine) = (Uuid::nil(), root.id());
    assert_eq!(
        codes(node.module.task("").create()),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        codes(root.child("c").id(nil).create()),
        ErrorCode::InvalidArgument
    );
    assert_eq!(codes(root.child("c").id(mine).create()), ErrorCode::IdInUse);
    let other = node.manager.register_module("other").unwrap();
    assert!(other.close(Duration::ZERO).unwrap().is_complete());
    assert_eq!(codes(other.task("t").create()), ErrorCode::Closed);
}

#[test]
fn ttl_9_none_live_where_none_may_and_all_where_nobody_said_so() {
    is_full(&bounded(0).module, None, 0);
    let node = node_with(|builder| builder);
    let tasks: Vec<Task> = (0..2000)
        .map(|_| node.module.task("t").start().unwrap())
        .collect();
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), tasks.len());
}

type End = fn(Task);

const ENDS: [(&str, End); 9] = [
    ("finish", |task| task.finish().unwrap()),
    ("fail", |task| task.fail("no space").unwrap()),
    ("drop", drop),
    ("abort", |task| {
        task.abort("enough").unwrap();
        assert!(task.finish().unwrap_err().is_aborted());
    }),
    ("run", |task| task.run(|_| Ok(())).unwrap()),
    ("spawn", |task| {
        task.spawn(|_| Ok(())).unwrap().join().unwrap()
    }),
    ("shared", |task| {
        let task = task.share();
        let other = task.clone();
        other.finish().unwrap();
        assert!(task.finish().is_err());
    }),
    ("shared, dropped", |task| drop(task.share().clone())),
    ("with all that a task may have", |task| {
        let (reporter, observer) = (task.reporter(), task.observe());
        let _abort = task.on_abort(|| ()).unwrap();
        let _done = observer.on_done(drop).unwrap();
        reporter.advance(3);
        task.finish().unwrap();
        assert_eq!(observer.wait().unwrap().progress.completed, 3);
    }),
];

#[test]
fn ttl_9_a_task_counts_until_it_settles_however_it_ends() {
    let node = bounded(2);
    let root = node.module.task("root").start().unwrap();
    for round in 0..3 {
        for (how, end) in ENDS {
            for kind in ["child", "child with an entity", "host's", "root", "user's"] {
                let builder = match kind {
                    "child" => root.child("t"),
                    "child with an entity" => root.child("t").entity("e"),
                    "host's" => root.child("t").id(Uuid::new_v4()),
                    "root" => node.module.task("t"),
                    _ => node.module.task("t").user_task(),
                };
                let made = builder.start();
                let task = made.unwrap_or_else(|error| panic!("{round} {how} {kind}: {error}"));
                is_full(&node.module, Some(&root), 2);
                end(task);
            }
        }
        // Those that were not started, too.
        drop(root.child("t").create().unwrap());
        let error = node.module.task("t").create().unwrap().finish();
        assert_eq!(error.unwrap_err().code(), ErrorCode::NotStarted);
    }
    root.finish().unwrap();
    let tasks = [(); 2].map(|()| node.module.task("t").start().unwrap());
    is_full(&node.module, Some(&tasks[0]), 2);
}

#[test]
fn ttl_9_a_task_that_was_born_aborted_counts_no_more() {
    let node = bounded(2);
    let root = node.module.task("root").start().unwrap();
    root.abort("enough").unwrap();
    for _ in 0..5 {
        assert!(root.child("t").start().unwrap_err().is_aborted());
    }
    let child = root.child("t").create().unwrap();
    is_full(&node.module, None, 2);
    drop(child);
    node.module.task("root").start().unwrap().finish().unwrap();
}

#[test]
fn ttl_9_a_parent_that_ended_first_counts_until_its_last_child_settles() {
    for depth in 1..5 {
        for fails in [false, true] {
            let node = bounded(depth + 1);
            let mut chain = vec![node.module.task("root").user_task().start().unwrap()];
            for _ in 0..depth {
                chain.push(chain.last().unwrap().child("t").start().unwrap());
            }
            let last = chain.pop().unwrap();
            for task in chain {
                task.finish().unwrap();
                is_full(&node.module, None, depth + 1);
            }
            match fails {
                true => last.fail("no space").unwrap(),
                false => last.finish().unwrap(),
            }
            let tasks: Vec<Task> = (0..=depth)
                .map(|_| node.module.task("t").start().unwrap())
                .collect();
            is_full(&node.module, Some(&tasks[0]), depth + 1);
        }
    }
}

#[test]
fn ttl_9_what_is_kept_and_what_is_held_does_not_count() {
    let node = bounded(1);
    let mut held = Vec::new();
    for _ in 0..20 {
        let kept = node.module.task("kept").user_task().start().unwrap();
        held.push(kept.observe());
        kept.finish().unwrap();
    }
    assert_eq!(node.module.drain().unwrap(), 20);
    assert!(held.iter().all(|task| task.is_terminal().unwrap()));
    let root = node.module.task("root").start().unwrap();
    is_full(&node.module, Some(&root), 1);
}

#[test]
fn ttl_9_a_manager_counts_for_itself_and_the_next_begins_anew() {
    // By the system's clock, so that one goes on in the shell of another.
    let with = |most| {
        let manager = Manager::builder().max_live_tasks(most).build().unwrap();
        let module = manager.register_module("m").unwrap();
        (manager, module)
    };
    let one = with(1);
    let two = with(1);
    let task = one.1.task("t").start().unwrap();
    let other = two.1.task("t").start().unwrap();
    is_full(&one.1, Some(&task), 1);
    // What is left of a manager that is gone is never another's.
    drop((one, two));
    let mut left = vec![task, other];
    for round in 0..100 {
        let (manager, module) = with(if round % 3 > 0 { 2 } else { usize::MAX });
        let tasks = [(); 2].map(|()| module.task("t").start().unwrap());
        if round % 3 > 0 {
            is_full(&module, Some(&tasks[0]), 2);
        }
        let [first, second] = tasks;
        first.finish().unwrap();
        match round % 2 {
            0 => drop(second),
            _ => left.push(second),
        }
        if round % 7 == 0 {
            left.swap_remove(0).fail("late").unwrap();
        }
        if round % 5 == 0 {
            manager.close(Duration::ZERO).unwrap();
        }
    }
    for task in left {
        assert!(task.finish().unwrap_err().is_aborted());
    }
}

#[test]
fn ttl_9_a_close_gives_back_what_has_ended() {
    let node = bounded(2);
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let closing = thread::spawn({
        let module = node.module.clone();
        move || module.close(seconds(600)).unwrap()
    });
    while !task.abort_requested() {
        thread::yield_now();
    }
    drop(task);
    assert!(closing.join().unwrap().is_complete());
    assert_eq!(observer.status().unwrap().state, State::Failed);
    let module = node.manager.register_module("m").unwrap();
    let tasks = [(); 2].map(|()| module.task("t").start().unwrap());
    is_full(&module, Some(&tasks[0]), 2);
}

#[test]
fn ttl_9_a_forked_child_changes_no_count_and_has_its_own() {
    let node = bounded(2);
    let task = node.module.task("t").start().unwrap();
    let module = node.module.clone();
    let handles = in_child(move |_| {
        forked(module.task("t").start());
        forked(task.child("t").start());
        forked(task.finish());
        let node = bounded(1);
        let task = node.module.task("t").start().unwrap();
        is_full(&node.module, Some(&task), 1);
        task.finish().unwrap();
        node.module.task("t").start().unwrap().finish().unwrap();
    });
    let other = node.module.task("t").start().unwrap();
    is_full(&node.module, Some(&other), 2);
    drop(handles);
    node.module.task("t").start().unwrap().finish().unwrap();
}

/// Permits, as many as tasks may live.
struct Permits(Mutex<usize>, Condvar);

impl Permits {
    fn take(&self) {
        let mut free = self.0.lock().unwrap();
        while *free == 0 {
            free = self.1.wait(free).unwrap();
        }
        *free -= 1;
    }

    fn give(&self, many: usize) {
        *self.0.lock().unwrap() += many;
        self.1.notify_all();
    }
}

const THREADS: usize = 4;
const ROUNDS: usize = 3000;

/// Whoever has seen a task settle has room for another.
#[test]
fn ttl_9_nobody_is_refused_while_fewer_live() {
    let node = bounded(1 + 2 * 3);
    let root = node.module.task("root").start().unwrap().share();
    let permits = Arc::new(Permits(Mutex::new(3), Condvar::new()));
    let workers = [(); THREADS].map(|()| {
        let (root, module, permits) = (root.clone(), node.module.clone(), Arc::clone(&permits));
        thread::spawn(move || {
            for round in 0..ROUNDS {
                permits.take();
                let parent = match round % 3 {
                    0 => root.child("t").start().unwrap(),
                    1 => root.child("t").entity("e").start().unwrap(),
                    _ => module.task("t").start().unwrap(),
                };
                let child = parent.child("t").start().unwrap();
                match round % 4 {
                    0 => {
                        child.finish().unwrap();
                        parent.finish().unwrap();
                    }
                    1 => {
                        // It settles with its child.
                        parent.finish().unwrap();
                        child.finish().unwrap();
                    }
                    2 => {
                        drop(child);
                        parent.fail("no space").unwrap();
                    }
                    _ => {
                        let observer = parent.observe();
                        let parent = parent.share();
                        let ends = thread::spawn(move || parent.finish().unwrap());
                        child.finish().unwrap();
                        ends.join().unwrap();
                        assert!(observer.status().unwrap().settled);
                    }
                }
                permits.give(1);
            }
        })
    });
    for worker in workers {
        worker.join().unwrap();
    }
    let tasks: Vec<Task> = (0..6).map(|_| root.child("t").start().unwrap()).collect();
    is_full(&node.module, Some(&tasks[0]), 7);
}

#[test]
fn ttl_9_never_do_more_live_than_may() {
    const MOST: usize = 3;
    let node = bounded(1 + MOST);
    let root = node.module.task("root").start().unwrap().share();
    let live = Arc::new(AtomicUsize::new(0));
    let workers = [(); THREADS].map(|()| {
        let (root, module, live) = (root.clone(), node.module.clone(), Arc::clone(&live));
        thread::spawn(move || {
            let mut made = 0;
            for round in 0..ROUNDS {
                let task = match round % 2 {
                    0 => root.child("t").start(),
                    _ => module.task("t").start(),
                };
                let task = match task {
                    Ok(task) => task,
                    Err(error) => {
                        assert_eq!(error.code(), ErrorCode::Exhausted, "{error}");
                        thread::yield_now();
                        continue;
                    }
                };
                made += 1;
                // Between its birth and its end, so that all that are counted here live.
                let others = live.fetch_add(1, Ordering::SeqCst);
                assert!(others < MOST, "{others} others live");
                live.fetch_sub(1, Ordering::SeqCst);
                match round % 3 {
                    0 => task.finish().unwrap(),
                    1 => task.fail("no space").unwrap(),
                    _ => drop(task),
                }
            }
            made
        })
    });
    let made: usize = workers.map(|worker| worker.join().unwrap()).iter().sum();
    assert!(made >= MOST);
    let counts = root.status().unwrap().child_counts;
    assert_eq!(counts.live, 0);
}

#[test]
fn ttl_9_managers_with_and_without_a_bound_answer_alike() {
    let tell = |manager: &Manager| {
        let module = manager.register_module("m").unwrap();
        let root = module.task("root").total(5, "rows").start().unwrap();
        let part = root
            .child("part")
            .entity("e")
            .total(3, "rows")
            .start()
            .unwrap();
        part.advance(2);
        let running = manager.status_tree(root.id()).unwrap();
        let part = part.share();
        let further = part.reporter();
        further.advance(1);
        part.set_units("rows").unwrap();
        part.finish().unwrap();
        further.advance(1);
        root.child("part")
            .start()
            .unwrap()
            .fail("no space")
            .unwrap();
        let after = manager.status_tree(root.id()).unwrap();
        let seen = running.into_iter().chain(after);
        let seen = seen.map(|status| {
            let error = status.error.clone();
            (status.state, error, status.progress, status.child_counts)
        });
        seen.collect::<Vec<_>>()
    };
    let plain = Manager::builder().build().unwrap();
    let bounded = Manager::builder().max_live_tasks(10).build().unwrap();
    assert_eq!(tell(&plain), tell(&bounded));
}
