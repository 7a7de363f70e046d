//! What does it cost a worker to look for an abort, and does it grow with depth?

use divan::{Bencher, black_box};
use taskmgr::{Manager, Task};

fn main() {
    divan::main();
}

fn chain(depth: usize) -> Vec<Task> {
    let manager = Manager::builder().build().unwrap();
    let repair = manager.register_module("repair").unwrap();
    let mut chain = vec![repair.task("repair").start().unwrap()];
    while chain.len() < depth {
        let child = chain.last().unwrap().child("repair").start().unwrap();
        chain.push(child);
    }
    // The manager's end aborts what runs, so it stays.
    std::mem::forget(manager);
    chain
}

#[divan::bench(args = [1, 7], sample_size = 100_000)]
fn nothing_asked(bencher: Bencher<'_, '_>, depth: usize) {
    let chain = chain(depth);
    let leaf = chain.last().unwrap();
    bencher.bench_local(|| black_box(leaf).abort_requested());
}

/// After an abort of a sibling, which each handle climbs for once.
#[divan::bench(sample_size = 100_000)]
fn a_sibling_was_aborted(bencher: Bencher<'_, '_>) {
    let chain = chain(7);
    let sibling = chain[0].child("repair").abortable().start().unwrap();
    sibling.abort("not this one").unwrap();
    let leaf = chain.last().unwrap();
    bencher.bench_local(|| black_box(leaf).abort_requested());
}

#[divan::bench(args = [1, 7], sample_size = 1000)]
fn aborted(bencher: Bencher<'_, '_>, depth: usize) {
    let chain = chain(depth);
    chain[0].abort("enough").unwrap();
    let leaf = chain.last().unwrap();
    bencher.bench_local(|| black_box(leaf).abort_requested());
}
