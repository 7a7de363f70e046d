//! What the other languages pay beyond Rust.

use crate::c_abi::Host;
use crate::measure::{Plan, Sample, repeat, timed};
use crate::ours::{self, World};
use crate::report::{Comparison, Row, figure, goal};

pub(super) const ROWS: &[Row] = &[
    goal("c_life_cycle/rust", 1.5, || life_cycle(true)),
    figure("c_life_cycle_nul_terminated/rust", || life_cycle(false)),
    goal("c_advance/rust_and_1.5_calls", 1.0, || {
        let world = World::new();
        let task = world.root();
        beside_rust_and_calls(Host::advances, || repeat(MANY, || task.advance(1)))
    }),
    goal("c_abort_check/rust_and_1.5_calls", 1.0, || {
        let world = World::new();
        let task = world.root();
        beside_rust_and_calls(Host::abort_checks, || {
            repeat(MANY, || assert!(!task.abort_requested()));
        })
    }),
    figure("c_reporter_advance/rust_and_1.5_calls", || {
        let world = World::new();
        let reporter = world.root().reporter();
        beside_rust_and_calls(Host::reporter_advances, || {
            repeat(MANY, || reporter.advance(1));
        })
    }),
];

const COUNT: usize = 4_000;
const MANY: usize = 400_000;

fn life_cycle(lengths: bool) -> Comparison {
    let world = World::new();
    let parent = world.busy_root();
    let mut host = Host::new(lengths);
    host.life_cycles(4096);
    Comparison::ns(Plan::SHORT.run([
        &mut || timed(COUNT, || host.life_cycles(COUNT)),
        &mut || timed(COUNT, || ours::life_cycles(&parent, &world.names, COUNT)),
    ]))
}

fn beside_rust_and_calls(c: fn(&mut Host, usize), mut rust: impl FnMut()) -> Comparison {
    let mut host = Host::new(true);
    let mut caller = Host::new(true);
    let rust: &mut dyn FnMut() -> Sample = &mut || timed(MANY, &mut rust);
    let [ours, rust, calls] = Plan::SHORT.run([
        &mut || timed(MANY, || c(&mut host, MANY)),
        rust,
        &mut || timed(MANY, || caller.calls(MANY)),
    ]);
    Comparison::ns([ours, rust.plus(1.5, &calls)])
}
