//! What does it cost a worker to count, beside an atomic addition?

use std::sync::atomic::{AtomicU64, Ordering};

use divan::{Bencher, black_box};
use taskmgr::{Manager, Reporter, SharedTask, Task};

fn main() {
    divan::main();
}

fn task() -> Task {
    let manager = Manager::builder().build().unwrap();
    let compaction = manager.register_module("compaction").unwrap();
    compaction
        .task("compaction")
        .total(1 << 40, "rows")
        .start()
        .unwrap()
}

#[divan::bench(sample_size = 100_000)]
fn atomic_addition(bencher: Bencher<'_, '_>) {
    let cell = AtomicU64::new(0);
    bencher.bench_local(|| black_box(&cell).fetch_add(1, Ordering::Relaxed));
}

#[divan::bench(sample_size = 100_000)]
fn owner(bencher: Bencher<'_, '_>) {
    let task = task();
    bencher.bench_local(|| black_box(&task).advance(1));
}

#[divan::bench(sample_size = 100_000)]
fn reporter(bencher: Bencher<'_, '_>) {
    let task = task();
    let reporter: Reporter = task.reporter();
    bencher.bench_local(|| black_box(&reporter).advance(1));
}

#[divan::bench(sample_size = 100_000)]
fn shared_owner(bencher: Bencher<'_, '_>) {
    let task: SharedTask = task().share();
    bencher.bench_local(|| black_box(&task).advance(1));
}
