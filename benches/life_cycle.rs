//! What does it cost to track an operation: create, start, advance once, finish, fold?

use divan::{Bencher, black_box};
use taskmgr::{Manager, Task};

fn main() {
    divan::main();
}

fn parent() -> (Manager, Task) {
    let manager = Manager::builder().build().unwrap();
    let compaction = manager.register_module("compaction").unwrap();
    let parent = compaction.task("major compaction").start().unwrap();
    (manager, parent)
}

fn child(parent: &Task) {
    let child = parent
        .child("compaction")
        .scope("table")
        .keyspace("ks")
        .table("events");
    let child = child.start().unwrap();
    child.advance(1);
    child.finish().unwrap();
}

/// Each under its thread's own parent.
#[divan::bench(threads = [1, 2], sample_size = 10_000)]
fn child_of_a_parent_of_its_own(bencher: Bencher<'_, '_>) {
    thread_local!(static PARENT: (Manager, Task) = parent());
    bencher.bench(|| PARENT.with(|(_, parent)| child(parent)));
}

#[divan::bench(sample_size = 1000)]
fn child_with_an_entity_and_its_id_read(bencher: Bencher<'_, '_>) {
    let (_manager, parent) = parent();
    bencher.bench_local(|| {
        let child = parent
            .child("compaction")
            .entity("a range of twenty-four b")
            .start()
            .unwrap();
        black_box(child.id());
        child.advance(1);
        child.finish().unwrap();
    });
}

#[divan::bench(sample_size = 1000)]
fn child_that_fails(bencher: Bencher<'_, '_>) {
    let (_manager, parent) = parent();
    bencher.bench_local(|| {
        parent
            .child("compaction")
            .start()
            .unwrap()
            .fail("no space left")
            .unwrap()
    });
}

#[divan::bench(sample_size = 1000)]
fn root_without_a_ttl(bencher: Bencher<'_, '_>) {
    let manager = Manager::builder().build().unwrap();
    let compaction = manager.register_module("compaction").unwrap();
    bencher.bench_local(|| {
        compaction
            .task("compaction")
            .start()
            .unwrap()
            .finish()
            .unwrap()
    });
}

/// 100,000 live children, ended in the order in which they came; the time is for all.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn fan_out_100_000(bencher: Bencher<'_, '_>) {
    let (_manager, parent) = parent();
    bencher.bench_local(|| {
        let make = |_| parent.child("compaction").start().unwrap();
        let children: Vec<Task> = (0..100_000).map(make).collect();
        children
            .into_iter()
            .for_each(|child| child.finish().unwrap());
    });
}
