//! How many instructions do the hot paths take? Counted by callgrind, so the figures repeat
//! exactly, on a noisy machine too.
//!
//! `cargo bench -p taskmgr-rivals --bench instructions [-- --save]` compares with the counts
//! in `instructions.txt`, or writes them there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use taskmgr::Task;
use taskmgr_rivals::is_bench;
use taskmgr_rivals::ours::{self, Names, World};

/// Operations in the measured function, and warm-ups before it: names are interned, slots
/// at hand, and the ring of kept children wraps.
const COUNT: usize = 1_000;

const MEASURED: &str = "--measured";

/// Each is the name of the function that callgrind collects in.
const SUBJECTS: [(&str, fn()); 9] = [
    ("instructions_birth", run_birth),
    ("instructions_end", run_end),
    ("instructions_life_cycle", run_life_cycle),
    (
        "instructions_life_cycle_entity_id",
        run_life_cycle_entity_id,
    ),
    ("instructions_advance", run_advance),
    ("instructions_abort_check", run_abort_check),
    ("instructions_look_up", run_look_up),
    ("instructions_status", run_status),
    ("instructions_list", run_list),
];

/// A function of a name that callgrind can be told.
macro_rules! measured {
    ($name:ident($($argument:ident: $type:ty),*) $body:block) => {
        // SAFETY: no other symbol of the binary is called so.
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $name($($argument: $type),*) $body
    };
}

measured!(instructions_birth(world: &World, parent: &Task, children: &mut Vec<Task>) {
    for _ in 0..COUNT {
        children.push(ours::start(world.names.child(parent)));
    }
});

fn run_birth() {
    let world = World::new();
    let parent = world.busy_root();
    // Into memory that tasks have used: how it is made is not a birth's.
    drop(world.children(&parent, COUNT));
    instructions_birth(&world, &parent, &mut Vec::with_capacity(COUNT));
}

measured!(instructions_end(children: Vec<Task>) {
    for child in children {
        ours::finish(child);
    }
});

fn run_end() {
    let world = World::new();
    let parent = world.busy_root();
    instructions_end(world.children(&parent, COUNT));
}

measured!(instructions_life_cycle(parent: &Task, names: &Names) {
    ours::life_cycles(parent, names, COUNT);
});

fn run_life_cycle() {
    let world = World::new();
    let parent = world.busy_root();
    instructions_life_cycle(&parent, &world.names);
}

measured!(instructions_life_cycle_entity_id(parent: &Task, names: &Names) {
    ours::life_cycles_with_entity(parent, names, COUNT);
});

fn run_life_cycle_entity_id() {
    let world = World::new();
    let parent = world.busy_root();
    ours::life_cycles_with_entity(&parent, &world.names, COUNT);
    instructions_life_cycle_entity_id(&parent, &world.names);
}

measured!(instructions_advance(task: &Task) {
    for _ in 0..COUNT {
        task.advance(1);
    }
});

fn run_advance() {
    let world = World::new();
    instructions_advance(&world.root());
}

measured!(instructions_abort_check(task: &Task) {
    for _ in 0..COUNT {
        if task.abort_requested() {
            unreachable!("nobody aborts it");
        }
    }
});

fn run_abort_check() {
    let world = World::new();
    instructions_abort_check(&world.root());
}

measured!(instructions_look_up(world: &World, ids: &[taskmgr::Uuid]) {
    for &id in ids {
        drop(world.manager.observe(id));
    }
});

fn run_look_up() {
    let world = World::new();
    let tasks = world.roots(COUNT);
    let ids: Vec<taskmgr::Uuid> = tasks.iter().map(|task| task.id()).collect();
    instructions_look_up(&world, &ids);
}

measured!(instructions_status(world: &World, ids: &[taskmgr::Uuid]) {
    for &id in ids {
        drop(world.manager.status(id));
    }
});

fn run_status() {
    let world = World::new();
    let root = world.root();
    let tasks = world.children(&root, COUNT);
    let ids: Vec<taskmgr::Uuid> = tasks.iter().map(|task| task.id()).collect();
    instructions_status(&world, &ids);
}

measured!(instructions_list(world: &World) {
    std::mem::forget(world.module.list(&taskmgr::Filter::new()));
});

fn run_list() {
    let world = World::new();
    let _tasks = world.roots(COUNT);
    instructions_list(&world);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [argument, subject] = arguments.as_slice()
        && argument == MEASURED
    {
        let found = SUBJECTS.iter().find(|(name, _)| name == subject);
        return found.expect("only this bench names subjects").1();
    }
    if !is_bench(&arguments) {
        return;
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let before = read(&kept);
    let counts: BTreeMap<String, f64> = SUBJECTS
        .iter()
        .map(|(subject, _)| (subject.to_string(), count(subject)))
        .collect();
    for (subject, now) in &counts {
        let change = match before.get(subject) {
            Some(then) if then == now => "as kept".to_owned(),
            Some(then) => format!("{:+.3} from {then:.3}", now - then),
            None => "not kept yet".to_owned(),
        };
        println!("{subject} {now:.3} ({change})");
    }
    if arguments.iter().any(|argument| argument == "--save") {
        let lines = counts
            .iter()
            .map(|(subject, now)| format!("{subject} {now:.3}\n"));
        std::fs::write(&kept, lines.collect::<String>()).expect("the package is writable");
    }
}

fn read(kept: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(kept).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (subject, count) = line.split_once(' ')?;
            Some((subject.to_owned(), count.parse().ok()?))
        })
        .collect()
}

/// Instructions an operation, by running this binary under callgrind.
fn count(subject: &str) -> f64 {
    let binary = std::env::current_exe().expect("a running bench has a binary");
    let out = std::env::temp_dir().join(format!("{subject}.{}.callgrind", std::process::id()));
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--collect-atstart=no")
        .arg(format!("--toggle-collect={subject}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(binary)
        .args([MEASURED, subject])
        .output()
        .expect("valgrind is installed (apt-get install valgrind)");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{subject}: {said}");
    let profile = std::fs::read_to_string(&out).expect("callgrind wrote its profile");
    // The totals are right whether or not the file is still there.
    let _ = std::fs::remove_file(&out);
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .unwrap_or_else(|| panic!("{subject}: no totals: {said}"));
    let total: f64 = total.trim().parse().expect("totals is a number");
    assert!(total > 0.0, "{subject}: nothing was collected");
    total / COUNT as f64
}
