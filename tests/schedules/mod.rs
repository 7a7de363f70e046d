//! Random schedules of random programs, under shuttle, on the code that ships.
//!
//! Two to four threads do three to five things each with one manager, and then end what they
//! own. Some of them have providers of virtual tasks, bring ids of their own, close the manager,
//! or drop it, and in some only so many tasks may live. What was asked and answered has to be explained by the sequential reference model, as
//! `explain` tells; and callbacks have to run as often as they are promised to. Memory is
//! never used again while somebody refers to it, so after each program nothing may be left.
//!
//! A seed names a program and its schedules, half by chance and half by priorities with a few
//! points at which they change (PCT). To play one again:
//!
//! ```sh
//! TASKMGR_SEED=4711 TASKMGR_PROGRAMS=1 RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/shuttle \
//!     cargo test -p taskmgr --release --lib schedules -- --nocapture
//! ```
//!
//! All atomic operations are in one order here: what goes wrong where they are not is for the
//! loom models.

mod explain;
mod history;
mod program;
mod promises;
#[path = "../reference/mod.rs"]
#[allow(dead_code, reason = "a part of it is for one thread alone")]
mod reference;
mod virtuals;
mod world;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use explain::{History, Verdict};
use history::Event;
use program::{Program, Random};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use world::World;

use crate::Uuid;

/// Schedules of each program.
const SCHEDULES: usize = 10;

#[derive(Default)]
struct Counts {
    schedules: AtomicUsize,
    undecided: AtomicUsize,
}

/// Plays one program under the schedules that the seed tells.
fn play(seed: u64, counts: &Arc<Counts>) {
    let program = Program::random(&mut Random(seed));
    let mut config = shuttle::Config::new();
    config.silence_warnings = true;
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.stack_size = 256 << 10;
    let (counts, told) = (Arc::clone(counts), format!("{program:?}"));
    let body = move || {
        counts.schedules.fetch_add(1, Relaxed);
        let (events, ids) = World::play(&program);
        judge(&program, events, &ids, &counts);
    };
    let run = || match seed % 2 {
        0 => {
            shuttle::Runner::new(RandomScheduler::new_from_seed(seed, SCHEDULES), config).run(body)
        }
        _ => {
            let depth = 2 + seed as usize / 2 % 4;
            let scheduler = PctScheduler::new_from_seed(seed, depth, SCHEDULES);
            shuttle::Runner::new(scheduler, config).run(body)
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        eprintln!("the program: {told}");
        eprintln!("TASKMGR_SEED={seed} TASKMGR_PROGRAMS=1 plays it again (tests/schedules/mod.rs)");
        resume_unwind(panic);
    }
}

fn judge(program: &Program, mut events: Vec<Event>, ids: &HashMap<usize, Uuid>, counts: &Counts) {
    events.sort_by_key(|event| event.invoked);
    let verdict = History::new(&events, ids, program).verdict();
    let broken = match verdict {
        Verdict::Impossible => Some("no order explains this history".to_owned()),
        Verdict::Explained | Verdict::Undecided => promises::broken(program, &events),
    };
    if verdict == Verdict::Undecided {
        counts.undecided.fetch_add(1, Relaxed);
    }
    if let Some(broken) = broken {
        let lines: Vec<String> = events.iter().map(Event::to_string).collect();
        panic!("{broken}:\n{}", lines.join("\n"));
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number"))
    })
}

#[test]
fn histories_are_those_of_the_reference_model() {
    let first = number("TASKMGR_SEED", 1);
    let programs = number("TASKMGR_PROGRAMS", 1000);
    let counts = Arc::new(Counts::default());
    let begun = Instant::now();
    for seed in first..first.saturating_add(programs) {
        play(seed, &counts);
    }
    let (schedules, undecided) = (
        counts.schedules.load(Relaxed),
        counts.undecided.load(Relaxed),
    );
    println!(
        "{schedules} schedules in {:?}, {undecided} of them undecided",
        begun.elapsed()
    );
    assert!(
        undecided * 100 <= schedules,
        "too many histories are not decided upon: {undecided} of {schedules}"
    );
}
