//! Memory figures, each taken in a process of its own: what a process has used before (ours
//! pools its slots, malloc its chunks) would hide what a task takes.
//!
//! The bench binary runs itself with `--fresh SUBJECT COUNT`; that process prints the bytes
//! an item takes, by malloc's own books, which cover Rust and C++ alike and include malloc's
//! overhead.

use std::hint::black_box;
use std::process::Command;

use taskmgr::Task;
use tokio_util::sync::CancellationToken;

use crate::bars::Bars;
use crate::classic::Classic;
use crate::measure::Series;
use crate::ours::{World, life_cycles};
use crate::tokens;
use crate::tree::Tree;

/// The argument that makes a bench binary measure memory.
pub const ARGUMENT: &str = "--fresh";

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// As the child process is told.
    pub name: &'static str,
    measure: fn(usize) -> f64,
}

const SUBJECTS: [Subject; 9] = [
    Subject {
        name: "ours-live",
        measure: ours_live,
    },
    Subject {
        name: "classic-live",
        measure: classic_live,
    },
    Subject {
        name: "prodash-live",
        measure: prodash_live,
    },
    Subject {
        name: "tokio-live",
        measure: tokio_live,
    },
    Subject {
        name: "indicatif-live",
        measure: indicatif_live,
    },
    Subject {
        name: "ours-kept-1000",
        measure: |parents| ours_kept(parents, 1000),
    },
    Subject {
        name: "ours-kept-3",
        measure: |parents| ours_kept(parents, 3),
    },
    Subject {
        name: "classic-kept-1000",
        measure: |parents| classic_kept(parents, 1000),
    },
    Subject {
        name: "classic-kept-3",
        measure: |parents| classic_kept(parents, 3),
    },
];

/// Bytes an item, in processes of their own.
pub fn bytes(subject: &str, count: usize, rounds: usize) -> Series {
    Series::exact((0..rounds).map(|_| ask(subject, count)).collect())
}

fn ask(subject: &str, count: usize) -> f64 {
    let binary = std::env::current_exe().expect("a running bench has a binary");
    let output = Command::new(binary)
        .args([ARGUMENT, subject, &count.to_string()])
        .output()
        .expect("the bench can run itself");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| {
        panic!(
            "{subject}: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// In such a process: measures, prints, and says so.
pub fn answer(arguments: &[String]) -> bool {
    let [argument, subject, count] = arguments else {
        return false;
    };
    if argument != ARGUMENT {
        return false;
    }
    let found = SUBJECTS.iter().find(|known| known.name == subject);
    let found = found.expect("only this module names subjects");
    let count = count.parse().expect("a count is a number");
    println!("{}", (found.measure)(count));
    true
}

/// Bytes that malloc has given out, its overhead included.
fn allocated() -> usize {
    // SAFETY: mallinfo2 only reads malloc's books.
    let books = unsafe { libc::mallinfo2() };
    books.uordblks + books.hblkhd
}

/// The growth while `make` runs and before its result is dropped, for each of `items`.
fn growth<T>(items: usize, make: impl FnOnce() -> T) -> f64 {
    let before = allocated();
    let made = black_box(make());
    let after = allocated();
    std::mem::forget(made);
    (after - before) as f64 / items as f64
}

fn ours_live(count: usize) -> f64 {
    growth(count, || {
        let world = World::new();
        let parent = world.root();
        let children = world.children(&parent, count);
        (world, parent, children)
    })
}

fn classic_live(count: usize) -> f64 {
    growth(count, || {
        let mut classic = Classic::new();
        classic.make_room(count);
        classic.create(count, false);
        classic
    })
}

fn prodash_live(count: usize) -> f64 {
    growth(count, || {
        let mut tree = Tree::new();
        let children = tree.children(count);
        (tree, children)
    })
}

fn tokio_live(count: usize) -> f64 {
    growth(count, || {
        let parent = CancellationToken::new();
        let children = tokens::children(&parent, count);
        (parent, children)
    })
}

fn indicatif_live(count: usize) -> f64 {
    growth(count, || {
        let bars = Bars::new();
        let children = bars.children(count);
        (bars, children)
    })
}

fn ours_kept(parents: usize, children: usize) -> f64 {
    let world = World::new();
    let roots: Vec<Task> = world.roots(parents);
    growth(parents * children, || {
        for root in &roots {
            life_cycles(root, &world.names, children);
        }
    })
}

fn classic_kept(parents: usize, children: usize) -> f64 {
    let mut classic = Classic::new();
    classic.make_room(parents);
    classic.create(parents, true);
    growth(parents * children, || classic.finished_children(children))
}
