//! The life cycle of a child, one thread.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bars::Bars;
use crate::classic::Classic;
use crate::measure::{Plan, Sample, shuffled, timed};
use crate::ours::{self, Names, World, finish};
use crate::report::{Comparison, Row, figure, goal};
use crate::tokens;
use crate::tree::Tree;

pub(super) const ROWS: &[Row] = &[
    goal("life_cycle/prodash", 0.18, || {
        beside_prodash(ours::life_cycles)
    }),
    goal("life_cycle/classic", 0.18, beside_classic),
    goal("life_cycle/tokio_token", 0.5, beside_tokio),
    goal("life_cycle_entity_id/prodash", 0.25, with_entity),
    goal("fan_out_100k_in_order/classic", 0.06, || fan_out(None)),
    goal("fan_out_100k_shuffled/classic", 0.15, || {
        fan_out(Some(shuffled(FAN_OUT)))
    }),
    goal("finish_and_fold/fetch_add", 6.0, finish_and_fold),
    figure("life_cycle_two_steps/prodash", || {
        beside_prodash(ours::life_cycles_in_two_steps)
    }),
    figure("life_cycle/prodash_without_message", without_message),
    figure("life_cycle/tokio_token_and_tracker", beside_tracker),
    figure("life_cycle/indicatif", beside_indicatif),
];

/// Life cycles a sample.
const COUNT: usize = 4_000;
const FAN_OUT: usize = 100_000;

type LifeCycles = fn(&taskmgr::Task, &Names, usize);

fn compare(life_cycles: LifeCycles, mut peer: impl FnMut(usize)) -> Comparison {
    let world = World::new();
    let parent = world.busy_root();
    // The peer's rings fill up too.
    peer(COUNT);
    Comparison::ns(Plan::SHORT.run([
        &mut || timed(COUNT, || life_cycles(&parent, &world.names, COUNT)),
        &mut || timed(COUNT, || peer(COUNT)),
    ]))
}

fn beside_prodash(life_cycles: LifeCycles) -> Comparison {
    let mut tree = Tree::new();
    compare(life_cycles, |count| tree.life_cycles(count))
}

fn without_message() -> Comparison {
    let mut tree = Tree::new();
    compare(ours::life_cycles, |count| {
        tree.life_cycles_without_message(count)
    })
}

fn with_entity() -> Comparison {
    let mut tree = Tree::new();
    compare(ours::life_cycles_with_entity, |count| {
        tree.life_cycles_with_names(count)
    })
}

fn beside_classic() -> Comparison {
    let mut classic = Classic::new();
    compare(ours::life_cycles, |count| classic.life_cycles(count))
}

fn beside_tokio() -> Comparison {
    let parent = CancellationToken::new();
    compare(ours::life_cycles, |count| {
        tokens::life_cycles(&parent, count)
    })
}

fn beside_tracker() -> Comparison {
    let (parent, tracker) = (CancellationToken::new(), TaskTracker::new());
    compare(ours::life_cycles, |count| {
        tokens::tracked_life_cycles(&parent, &tracker, count);
    })
}

fn beside_indicatif() -> Comparison {
    let bars = Bars::new();
    compare(ours::life_cycles, |count| bars.life_cycles(count))
}

/// Live children of one parent, all created, then all ended.
fn fan_out(order: Option<Vec<u32>>) -> Comparison {
    let world = World::new();
    let parent = world.busy_root();
    let mut classic = Classic::new();
    classic.life_cycles(4096);
    let plan = Plan {
        retakes: 8,
        ..Plan::LONG
    };
    Comparison::ns(plan.run([
        &mut || {
            timed(FAN_OUT, || {
                let children = world.children(&parent, FAN_OUT);
                children.iter().for_each(|child| child.advance(1));
                match &order {
                    Some(order) => ours::end_in_order(children, order),
                    None => children.into_iter().for_each(finish),
                }
            })
        },
        &mut || {
            classic.make_room(FAN_OUT);
            timed(FAN_OUT, || {
                classic.create(FAN_OUT, false);
                classic.end(order.as_deref());
            })
        },
    ]))
}

/// The end of a child alone, nobody waiting. So few live at once that their slots stay in
/// the thread's own list, as in a run of life cycles.
fn finish_and_fold() -> Comparison {
    const LIVE: usize = 64;
    const TURNS: usize = 20;
    let world = World::new();
    let parent = world.busy_root();
    let counter = crate::primitives::Line::default();
    let end = || {
        let laps = (0..TURNS).map(|_| {
            let children = world.children(&parent, LIVE);
            timed(LIVE, || children.into_iter().for_each(finish))
        });
        together(laps.collect())
    };
    Comparison::ns(Plan::SHORT.run([&mut { end }, &mut || {
        timed(COUNT, || crate::primitives::additions(&counter, COUNT))
    }]))
}

/// Samples of the same thing as one: their mean, preempted if one was.
fn together(laps: Vec<Sample>) -> Sample {
    Sample {
        value: laps.iter().map(|lap| lap.value).sum::<f64>() / laps.len() as f64,
        preempted: laps.iter().any(|lap| lap.preempted),
    }
}
