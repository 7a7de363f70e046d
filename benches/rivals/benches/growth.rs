//! How do the prices grow with the number of tasks? Prints CSV; `plot.py` draws it.
//!
//! `cargo bench -p taskmgr-rivals --bench growth [-- MOST] > growth.csv`, up to MOST tasks
//! (a million by default). Columns: what is measured, of whom, how many tasks live, the
//! figure for one task (for "abort" and "status": for one call), its unit.

use std::hint::black_box;
use std::time::Duration;

use taskmgr::{Filter, Manager, Uuid};
use taskmgr_rivals::bars::Bars;
use taskmgr_rivals::classic::Classic;
use taskmgr_rivals::measure::{Plan, Sample, pin, shuffled, timed};
use taskmgr_rivals::ours::{World, finish};
use taskmgr_rivals::tokens;
use taskmgr_rivals::tree::Tree;
use taskmgr_rivals::{fresh, is_bench};
use tokio_util::sync::CancellationToken;

const POINT: &str = "--point";

/// Measures one side at one size.
type Measure = fn(usize) -> f64;

/// What, of whom, the most tasks it can be asked for, how.
type Line = (&'static str, &'static str, usize, Measure);

const MILLION: usize = 1_000_000;

const LINES: [Line; 25] = [
    ("life cycle", "taskmgr", MILLION, ours_life),
    ("life cycle", "C++ sketch", MILLION, classic_life),
    ("life cycle", "prodash", MILLION, prodash_life),
    ("life cycle", "tokio token", MILLION, tokio_life),
    ("life cycle", "indicatif", 10_000, indicatif_life),
    ("kept, TTL falls", "taskmgr", MILLION, ours_kept),
    ("list", "taskmgr", MILLION, ours_list),
    ("list", "C++ sketch", MILLION, classic_list),
    ("list", "prodash", MILLION, prodash_list),
    ("abort", "taskmgr", MILLION, |tasks| {
        ours_abort(tasks, false)
    }),
    ("abort", "taskmgr, all polled", MILLION, |tasks| {
        ours_abort(tasks, true)
    }),
    ("abort", "C++ sketch", MILLION, classic_abort),
    ("abort", "tokio token", MILLION, tokio_abort),
    ("status", "taskmgr", MILLION, ours_status),
    ("status", "C++ sketch", MILLION, classic_status),
    ("deep chain", "taskmgr", 100_000, |tasks| {
        ours_deep(tasks, false)
    }),
    ("deep chain", "taskmgr, aborted", 100_000, |tasks| {
        ours_deep(tasks, true)
    }),
    ("a list after many", "taskmgr", MILLION, ours_list_after),
    ("a module after many", "taskmgr", 100_000, ours_module_after),
    ("names after many", "taskmgr", MILLION, ours_names_after),
    ("memory", "taskmgr", MILLION, |tasks| {
        bytes("ours-live", tasks)
    }),
    ("memory", "C++ sketch", MILLION, |tasks| {
        bytes("classic-live", tasks)
    }),
    ("memory", "prodash", MILLION, |tasks| {
        bytes("prodash-live", tasks)
    }),
    ("memory", "tokio token", MILLION, |tasks| {
        bytes("tokio-live", tasks)
    }),
    ("memory", "indicatif", 100_000, |tasks| {
        bytes("indicatif-live", tasks)
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if fresh::answer(&arguments) {
        return;
    }
    if let [argument, line, tasks] = arguments.as_slice()
        && argument == POINT
    {
        pin(0);
        let (_, _, _, measure) = LINES[line.parse::<usize>().expect("a line's number")];
        println!("{}", measure(tasks.parse().expect("a number of tasks")));
        return;
    }
    if !is_bench(&arguments) {
        return;
    }
    let most = arguments.iter().find_map(|argument| argument.parse().ok());
    println!("what,who,tasks,figure,unit");
    for (number, (what, who, limit, _)) in LINES.iter().enumerate() {
        let unit = if *what == "memory" { "bytes" } else { "ns" };
        let most = most.unwrap_or(MILLION).min(*limit);
        let sizes = (2..=6).map(|power| 10_usize.pow(power));
        for tasks in sizes.filter(|tasks| *tasks <= most) {
            println!("{what},{who:?},{tasks},{},{unit}", point(number, tasks));
        }
    }
}

/// In a process of its own, so that nobody uses what another left.
fn point(line: usize, tasks: usize) -> String {
    let binary = std::env::current_exe().expect("a running bench has a binary");
    let output = std::process::Command::new(binary)
        .args([POINT, &line.to_string(), &tasks.to_string()])
        .output()
        .expect("the bench can run itself");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn bytes(subject: &str, tasks: usize) -> f64 {
    fresh::bytes(subject, tasks, 1).median()
}

/// The median of a few samples, each after preparations of its own.
fn median(mut sample: impl FnMut() -> Sample) -> f64 {
    let plan = Plan {
        rounds: 5,
        retakes: 1,
        ..Plan::LONG
    };
    let [series] = plan.run([&mut sample]);
    series.median()
}

fn ours_life(tasks: usize) -> f64 {
    let world = World::new();
    let parent = world.busy_root();
    median(|| {
        timed(tasks, || {
            let children = world.children(&parent, tasks);
            children.iter().for_each(|child| child.advance(1));
            children.into_iter().for_each(finish);
        })
    })
}

/// Roots that are kept, each for a shorter time than the one before.
fn ours_kept(tasks: usize) -> f64 {
    let builder = Manager::builder().reaper(false);
    let manager = builder.max_finished_bytes(u64::MAX).build();
    let manager = manager.expect("a manager");
    let module = manager.register_module("bench").expect("a module");
    median(|| {
        module.drain().expect("an open module");
        timed(tasks, || {
            for left in (1..=tasks as u64).rev() {
                let ttl = Duration::from_secs(3600) + Duration::from_millis(left);
                manager.set_task_ttl(ttl).expect("a TTL");
                finish(module.task("kept").start().expect("a root"));
            }
        })
    })
}

fn classic_life(tasks: usize) -> f64 {
    let mut classic = Classic::new();
    median(|| {
        timed(tasks, || {
            classic.create(tasks, false);
            classic.end(None);
        })
    })
}

fn prodash_life(tasks: usize) -> f64 {
    let mut tree = Tree::new();
    median(|| {
        timed(tasks, || {
            for mut child in tree.children(tasks) {
                child.inc();
                child.done("done");
            }
        })
    })
}

fn tokio_life(tasks: usize) -> f64 {
    let parent = CancellationToken::new();
    median(|| timed(tasks, || drop(tokens::children(&parent, tasks))))
}

fn indicatif_life(tasks: usize) -> f64 {
    let bars = Bars::new();
    median(|| timed(tasks, || bars.end_all(bars.children(tasks))))
}

fn ours_list(tasks: usize) -> f64 {
    let world = World::new();
    let _tasks = world.roots(tasks);
    median(|| {
        let mut listed = Vec::new();
        let sample = timed(tasks, || {
            listed = world.module.list(&Filter::new()).expect("an open module");
        });
        assert_eq!(listed.len(), tasks);
        sample
    })
}

fn classic_list(tasks: usize) -> f64 {
    let mut classic = Classic::new();
    classic.create(tasks, true);
    median(|| {
        let mut listed = None;
        let sample = timed(tasks, || listed = Some(classic.list()));
        assert!(listed.is_some_and(|listed| listed.free() > tasks));
        sample
    })
}

fn prodash_list(tasks: usize) -> f64 {
    let mut tree = Tree::new();
    let _children = tree.children(tasks);
    median(|| {
        let mut listed = Vec::new();
        let sample = timed(tasks, || tree.root.sorted_snapshot(&mut listed));
        assert!(listed.len() > tasks);
        sample
    })
}

fn ours_abort(tasks: usize, polled: bool) -> f64 {
    let world = World::new();
    median(|| {
        let root = world.root();
        let children = world.children(&root, tasks);
        timed(1, || {
            root.abort("enough").expect("it is abortable");
            if polled {
                assert!(children.iter().all(|child| child.abort_requested()));
            }
        })
    })
}

/// A chain, each the child of the one before: shown and listed as a whole, and dropped from its
/// deepest task on; with an abort of its root before.
fn ours_deep(tasks: usize, aborted: bool) -> f64 {
    let world = World::new();
    median(|| {
        let mut chain = world.chain(tasks);
        timed(tasks, || {
            if aborted {
                chain[0].abort("enough").expect("its owner may");
            }
            let tree = chain[0].observe().status_tree().expect("it lives");
            assert_eq!(tree.len(), tasks);
            let all = Filter::new().internal(true);
            let listed = world.module.list(&all).expect("an open module");
            assert_eq!(listed.len(), tasks);
            while let Some(task) = chain.pop() {
                drop(task);
            }
        })
    })
}

/// A hundred roots of whatever manager, listed with all that is below them after so many were kept
/// at once and drained.
fn ours_list_after(tasks: usize) -> f64 {
    let builder = Manager::builder().reaper(false);
    let manager = builder.max_finished_bytes(u64::MAX).build();
    let manager = manager.expect("a manager");
    let module = manager.register_module("bench").expect("a module");
    let start = || module.task("kept").user_task().start().expect("a root");
    let many: Vec<_> = (0..tasks).map(|_| start()).collect();
    many.into_iter().for_each(finish);
    module.drain().expect("an open module");
    let _few: Vec<_> = (0..AFTER).map(|_| start()).collect();
    median(|| {
        timed(AFTER, || {
            let listed = module.list(&Filter::new().internal(true));
            assert_eq!(listed.expect("an open module").len(), AFTER);
        })
    })
}

/// Modules that are registered and closed after so many others were, each under a name of its own.
fn ours_module_after(tasks: usize) -> f64 {
    let manager = Manager::builder().build().expect("a manager");
    let mut last = 0;
    let mut register = |count: usize| {
        for _ in 0..count {
            last += 1;
            let module = manager.register_module(&format!("module {last}"));
            let report = module.expect("a module").close(Duration::ZERO);
            assert!(report.expect("an open module").is_complete());
        }
    };
    register(tasks);
    median(|| timed(AFTER, || register(AFTER)))
}

/// Roots with a type of their own after so many other types, which never come again.
fn ours_names_after(tasks: usize) -> f64 {
    let world = World::new();
    let mut last = 0;
    let mut life = |count: usize| {
        for _ in 0..count {
            last += 1;
            let type_ = format!("type {last}");
            finish(world.module.task(&type_).start().expect("a root"));
        }
    };
    life(tasks);
    median(|| timed(AFTER, || life(AFTER)))
}

/// So many of what comes after many.
const AFTER: usize = 100;

fn classic_abort(tasks: usize) -> f64 {
    let mut classic = Classic::new();
    classic.create(tasks, false);
    // Aborting again walks as far.
    median(|| timed(1, || classic.abort()))
}

fn tokio_abort(tasks: usize) -> f64 {
    median(|| {
        let parent = CancellationToken::new();
        let _children = tokens::children(&parent, tasks);
        timed(1, || parent.cancel())
    })
}

/// So many statuses a sample, of random tasks: others in each, as far as there are.
const STATUSES: usize = 10_000;

fn asked(tasks: usize) -> impl FnMut() -> Vec<u32> {
    let mut order = shuffled(tasks).into_iter().cycle();
    move || order.by_ref().take(STATUSES).collect()
}

fn ours_status(tasks: usize) -> f64 {
    let world = World::new();
    let root = world.root();
    let children = world.children(&root, tasks);
    let mut asked = asked(tasks);
    median(|| {
        let asked = asked().into_iter();
        let ids: Vec<Uuid> = asked.map(|at| children[at as usize].id()).collect();
        timed(STATUSES, || {
            for &id in &ids {
                black_box(world.manager.status(id).expect("it lives"));
            }
        })
    })
}

fn classic_status(tasks: usize) -> f64 {
    let mut classic = Classic::new();
    classic.create(tasks, false);
    let mut asked = asked(tasks);
    median(|| {
        classic.ask(&asked());
        timed(STATUSES, || assert!(classic.statuses() > 0))
    })
}
