use std::sync::atomic::Ordering;

use crate::Manager;

#[test]
fn abort_5_who_looks_more_often_than_is_counted_shows_the_most() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    let task = module.task("repair").start().unwrap();
    task.abort("enough").unwrap();
    let polls = &task.task.slot.polls;
    polls.store(u32::MAX - 1, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(task.abort_requested());
        let shown = task.status().unwrap().abort.unwrap();
        assert_eq!(shown.polls, u32::MAX);
    }
}

#[test]
fn a_tree_that_nobody_aborted_never_climbs_whatever_had_its_block() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    for _ in 0..100 {
        let root = module.task("repair").start().unwrap();
        let tree = root.task.tree;
        let child = root.child("part").start().unwrap();
        assert!(!tree.may_be_aborted() && child.seen.is_current(tree));
        root.abort("enough").unwrap();
        assert!(tree.may_be_aborted() && child.abort_requested());
        assert!(root.child("part").create().unwrap().abort_requested());
    }
}

/// Climbs of deep trees, by their steps.
#[cfg(not(loom))]
mod deep {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use crate::tree::abort::STEPS;
    use crate::{Manager, Module, State, Task};

    const DEPTH: usize = 4_000;

    /// No more than so many steps for each task: without what other climbs have left it would be
    /// thousands.
    const FEW: usize = 64;

    fn module() -> (Manager, Module) {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        (manager, module)
    }

    /// Each the child of the one before.
    fn chain(module: &Module) -> Vec<Option<Task>> {
        chain_of(module, DEPTH)
    }

    fn chain_of(module: &Module, depth: usize) -> Vec<Option<Task>> {
        let mut tasks = vec![module.task("root").start().unwrap()];
        while tasks.len() < depth {
            let child = tasks[tasks.len() - 1].child("part").start().unwrap();
            tasks.push(child);
        }
        tasks.into_iter().map(Some).collect()
    }

    #[test]
    fn aborts_of_many_tasks_that_have_callbacks_go_through_their_own_alone() {
        let (_manager, module) = module();
        let root = module.task("root").start().unwrap();
        let called = Arc::new(AtomicUsize::new(0));
        let callback = || {
            let called = Arc::clone(&called);
            move || {
                called.fetch_add(1, Relaxed);
            }
        };
        let tasks: Vec<Task> = (0..DEPTH)
            .map(|_| root.child("part").start().unwrap())
            .collect();
        let guards = tasks.iter().map(|task| task.on_abort(callback()).unwrap());
        let guards: Vec<_> = guards.collect();
        let before = STEPS.get();
        for (at, task) in tasks.iter().enumerate() {
            task.abort("enough").unwrap();
            assert_eq!(called.load(Relaxed), at + 1);
        }
        let steps = STEPS.get() - before;
        assert!(steps < FEW * DEPTH, "{steps}");
        drop(guards);
    }

    /// How many steps were taken for each task.
    fn steps(of: impl FnOnce()) -> usize {
        STEPS.set(0);
        of();
        STEPS.get() / DEPTH
    }

    fn get(chain: &[Option<Task>], at: usize) -> &Task {
        chain[at].as_ref().unwrap()
    }

    /// In an order that has nothing to do with that of their births.
    fn shuffled() -> impl Iterator<Item = usize> {
        (0..DEPTH).map(|at| at * 1_217 % DEPTH)
    }

    #[test]
    fn abort_2_ends_below_an_abort_climb_a_few_steps_each_in_any_order() {
        let orders: [&dyn Fn() -> Vec<usize>; 3] = [
            &|| (0..DEPTH).collect(),
            &|| (0..DEPTH).rev().collect(),
            &|| shuffled().collect(),
        ];
        let (_manager, module) = module();
        for order in orders {
            // All of it, half of it, and nobody but the last.
            for aborted in [0, DEPTH / 2, DEPTH - 1] {
                let mut chain = chain(&module);
                get(&chain, aborted).abort("enough").unwrap();
                let steps = steps(|| {
                    for at in order() {
                        let ended = chain[at].take().unwrap().finish();
                        assert_eq!(ended.is_err(), at >= aborted, "{at} of {aborted}");
                    }
                });
                assert!(steps <= FEW, "{steps} for each task");
            }
        }
    }

    #[test]
    fn abort_2_checks_and_births_after_an_abort_climb_a_few_steps_each() {
        let (_manager, module) = module();
        for aborted in [0, DEPTH / 2, DEPTH - 1] {
            let chain = chain(&module);
            for round in 0..3 {
                if round > 0 {
                    get(&chain, aborted).abort("enough").unwrap();
                }
                let steps = steps(|| {
                    for at in shuffled() {
                        let task = get(&chain, at);
                        let is_reached = round > 0 && at >= aborted;
                        assert_eq!(task.abort_requested(), is_reached);
                        let child = task.child("leaf").start();
                        assert_eq!(child.is_err(), is_reached);
                    }
                });
                assert!(steps <= 4 * FEW, "{steps} for each task");
            }
        }
    }

    #[test]
    fn abort_2_a_tree_of_statuses_looks_for_the_abort_once() {
        let (_manager, module) = module();
        for aborted in [0, DEPTH / 2, DEPTH - 1] {
            let mut chain = chain(&module);
            get(&chain, aborted).abort("enough").unwrap();
            // Some have ended, and have live children.
            for at in (0..DEPTH).step_by(3).skip(1) {
                chain[at].take();
            }
            let mut tree = Vec::new();
            let steps = steps(|| tree = get(&chain, 0).observe().status_tree().unwrap());
            assert_eq!((tree.len(), steps), (DEPTH, 0));
            for (at, status) in tree.iter().enumerate() {
                assert_eq!(status.abort.is_some(), at >= aborted, "{at} of {aborted}");
                let ended = at > 0 && at % 3 == 0;
                assert_eq!(status.state == State::Failed, ended);
            }
        }
    }

    #[test]
    fn abort_4_callbacks_of_a_deep_tree_are_found_by_a_few_steps_each() {
        let (_manager, module) = module();
        let chain = chain(&module);
        let called = Arc::new(AtomicUsize::new(0));
        let guards: Vec<_> = shuffled()
            .map(|at| {
                let called = Arc::clone(&called);
                let call = move || {
                    called.fetch_add(1, Relaxed);
                };
                get(&chain, at).on_abort(call).unwrap()
            })
            .collect();
        for (aborted, expected) in [(DEPTH - 1, 1), (DEPTH / 2, DEPTH / 2), (0, DEPTH)] {
            let steps = steps(|| get(&chain, aborted).abort("enough").unwrap());
            assert!(steps <= FEW, "{steps} for each task");
            assert_eq!(called.load(Relaxed), expected);
        }
        drop(guards);
    }

    #[test]
    fn abort_2_what_climbs_have_left_is_nothing_to_the_next_tasks_in_the_same_blocks() {
        const DEPTH: usize = 400;
        let (_manager, module) = module();
        let mut leaves = Vec::new();
        for round in 0..32 {
            // What is left lies in the blocks of some parents, and is looked at in those of others:
            // slots move on, of which each parent has one, and their blocks do not.
            leaves.extend((0..round).map(|_| module.task("leaf").start().unwrap()));
            let chain = chain_of(&module, DEPTH);
            let aborted = if round % 2 == 0 { 0 } else { DEPTH - 1 };
            get(&chain, aborted).abort("enough").unwrap();
            for at in (0..DEPTH).rev() {
                let is_reached = get(&chain, at).abort_requested();
                assert_eq!(is_reached, at >= aborted, "{at} in round {round}");
            }
        }
    }
}
