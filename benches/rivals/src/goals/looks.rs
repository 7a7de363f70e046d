//! Looking for one task by its id, and listing all.

use std::hint::black_box;

use taskmgr::{Filter, Manager, Task, Uuid};

use crate::classic::Classic;
use crate::map::Map;
use crate::measure::{Plan, shuffled, timed};
use crate::ours::{World, end_in_order};
use crate::report::{Comparison, Row, figure, goal};

pub(super) const ROWS: &[Row] = &[
    goal("look_up_100k/dashmap", 0.8, || look_ups(trees, observe)),
    goal("status_100k/dashmap", 1.3, || look_ups(trees, status)),
    goal("list_100k_slots_in_order/classic", 0.15, || {
        list(World::roots, false)
    }),
    goal("list_100k_slots_shuffled/classic", 0.35, || {
        list(World::roots, true)
    }),
    figure("look_up_100k_roots/dashmap", || {
        look_ups(World::roots, observe)
    }),
    figure("status_100k_roots/dashmap", || {
        look_ups(World::roots, status)
    }),
    figure("list_100k_children_in_order/classic", || list(trees, false)),
    figure("list_100k_children_shuffled/classic", || list(trees, true)),
];

const TASKS: usize = 100_000;
/// Look-ups a sample; samples go through all ids in turn.
const AT_ONCE: usize = 10_000;

/// Makes so many live tasks.
type Population = fn(&World, usize) -> Vec<Task>;

/// Roots with 999 children each, as trees of a database are.
fn trees(world: &World, count: usize) -> Vec<Task> {
    let mut tasks = Vec::with_capacity(count);
    while tasks.len() < count {
        let root = world.root();
        tasks.extend(world.children(&root, 999));
        tasks.push(root);
    }
    tasks
}

fn observe(manager: &Manager, id: Uuid) {
    black_box(manager.observe(id).expect("it lives"));
}

fn status(manager: &Manager, id: Uuid) {
    black_box(manager.status(id).expect("it lives"));
}

fn look_ups(population: Population, look_up: fn(&Manager, Uuid)) -> Comparison {
    let world = World::new();
    let tasks = population(&world, TASKS);
    let order = shuffled(TASKS);
    let ids: Vec<Uuid> = order.iter().map(|&at| tasks[at as usize].id()).collect();
    let in_order: Vec<Uuid> = tasks.iter().map(|task| task.id()).collect();
    let map = Map::of(&in_order);
    let mut mine = ids.chunks(AT_ONCE).cycle();
    let mut theirs = ids.chunks(AT_ONCE).cycle();
    let plan = Plan {
        samples: TASKS / AT_ONCE,
        ..Plan::SHORT
    };
    Comparison::ns(plan.run([
        &mut || {
            let ids = mine.next().expect("a cycle");
            timed(ids.len(), || {
                ids.iter().for_each(|&id| look_up(&world.manager, id))
            })
        },
        &mut || {
            let ids = theirs.next().expect("a cycle");
            timed(ids.len(), || map.look_ups(ids))
        },
    ]))
}

/// Live roots. With `churn` as many lived before and ended in another order than they were
/// created in, on both sides, so that the new ones lie in memory as it came free.
fn list(population: Population, churn: bool) -> Comparison {
    let world = World::new();
    let mut classic = Classic::new();
    classic.make_room(TASKS);
    if churn {
        let order = shuffled(TASKS);
        end_in_order(population(&world, TASKS), &order);
        classic.create(TASKS, true);
        classic.end(Some(&order));
    }
    let tasks = population(&world, TASKS);
    classic.create(TASKS, true);
    let every = Filter::new().internal(true);
    let plan = Plan {
        samples: 3,
        retakes: 6,
        ..Plan::LONG
    };
    let comparison = Comparison::ns(plan.run([
        &mut || {
            let mut listed = Vec::new();
            let sample = timed(TASKS, || {
                listed = world.manager.list("compaction", &every).expect("a module");
            });
            assert_eq!(listed.len(), TASKS);
            assert!(listed.is_sorted_by_key(|stats| stats.sequence_number));
            sample
        },
        &mut || {
            let mut listed = None;
            let sample = timed(TASKS, || listed = Some(classic.list()));
            assert!(listed.is_some_and(|listed| listed.free() > TASKS));
            sample
        },
    ]));
    drop(tasks);
    comparison
}
