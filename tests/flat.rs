//! What an operation costs depends on what lives where it looks, never on what has lived.
//!
//! Times are the best of many, before and after a flood; the bound is far from what a machine that
//! is busy makes of it, and far below what a cost that grows with the flood comes to.

mod common;

use std::time::{Duration, Instant};

use common::seconds;
use taskmgr::{Filter, Manager, Module, Uuid};

/// So many times slower an operation may look after the flood.
const MARGIN: u32 = 20;
const FLOOD: usize = 50_000;

fn best_of(count: usize, mut operation: impl FnMut()) -> Duration {
    let times = (0..count).map(|_| {
        let begin = Instant::now();
        operation();
        begin.elapsed()
    });
    times.min().expect("it is done at least once")
}

/// The same before and after.
fn stays_flat(what: &str, mut operation: impl FnMut(), flood: impl FnOnce()) {
    let before = best_of(200, &mut operation);
    flood();
    let after = best_of(200, &mut operation);
    assert!(
        after <= before * MARGIN,
        "{what}: {before:?}, and then {after:?}"
    );
}

/// A manager with a few tasks.
fn small() -> (Manager, Module, Vec<taskmgr::Task>) {
    let manager = Manager::builder().reaper(false).build().unwrap();
    let module = manager.register_module("small").unwrap();
    let root = module.task("root").start().unwrap();
    let mut tasks: Vec<_> = (0..5)
        .map(|_| root.child("part").start().unwrap())
        .collect();
    tasks.extend((0..5).map(|_| module.task("root").start().unwrap()));
    tasks.push(root);
    (manager, module, tasks)
}

/// One after the other, as they share the memory in which tasks live.
#[test]
fn list_1_a_list_costs_what_is_listed_whatever_has_lived_or_lives_in_other_managers() {
    for internal in [false, true] {
        let (_manager, module, tasks) = small();
        let filter = Filter::new().internal(internal);
        let listed = if internal { tasks.len() } else { 6 };
        let list = || assert_eq!(module.list(&filter).unwrap().len(), listed);
        let other = Manager::builder().build().unwrap();
        let full = other.register_module("full").unwrap();
        let mut live = Vec::new();
        stays_flat("a list beside a manager that is full", list, || {
            live.extend((0..FLOOD).map(|_| full.task("root").start().unwrap()));
        });
        drop(live);
        stays_flat("a list after a flood of its own", list, || {
            for _ in 0..FLOOD {
                let kept = module.task("kept").user_task().start().unwrap();
                kept.finish().unwrap();
            }
            assert_eq!(module.drain().unwrap(), FLOOD);
        });
    }
}

#[test]
fn mod_1_registering_and_closing_cost_the_same_however_many_names_there_were() {
    let manager = Manager::builder().build().unwrap();
    let mut number = 0;
    let mut register = || {
        number += 1;
        let module = manager
            .register_module(&format!("module {number}"))
            .unwrap();
        assert!(module.close(seconds(60)).unwrap().is_complete());
    };
    let before = best_of(200, &mut register);
    (0..10_000).for_each(|_| register());
    let after = best_of(200, &mut register);
    assert!(after <= before * MARGIN, "{before:?}, and then {after:?}");
}

#[test]
fn id_1_an_id_of_the_hosts_costs_the_same_however_many_are_remembered() {
    let manager = Manager::builder().tombstones(FLOOD).build().unwrap();
    let module = manager.register_module("m").unwrap();
    let mut number = 0;
    let mut life = || {
        number += 1;
        let task = module.task("t").id(Uuid::from_u128(number));
        task.start().unwrap().finish().unwrap();
    };
    let before = best_of(200, &mut life);
    (0..FLOOD).for_each(|_| life());
    let after = best_of(200, &mut life);
    assert!(after <= before * MARGIN, "{before:?}, and then {after:?}");
}

#[test]
fn id_1_an_id_that_nobody_knows_costs_the_same_whatever_parents_keep() {
    let (manager, module, _tasks) = small();
    let mut parents = Vec::new();
    stays_flat(
        "a look-up in vain",
        || assert!(manager.status(Uuid::new_v4()).unwrap_err().is_not_found()),
        || {
            for _ in 0..30 {
                let parent = module.task("parent").start().unwrap();
                for _ in 0..1024 {
                    parent.child("part").start().unwrap().finish().unwrap();
                }
                parents.push(parent);
            }
        },
    );
}
