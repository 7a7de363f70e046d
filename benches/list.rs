//! What does a question cost: a list, a status, a look-up by id?

use divan::{Bencher, black_box};
use taskmgr::{Filter, Manager, Task, Uuid};

fn main() {
    divan::main();
}

fn populated(tasks: usize) -> (Manager, Vec<Task>) {
    let manager = Manager::builder().build().unwrap();
    let repair = manager.register_module("repair").unwrap();
    let task = |_| {
        repair
            .task("repair")
            .scope("table")
            .keyspace("ks")
            .table("t")
            .start()
            .unwrap()
    };
    let tasks = (0..tasks).map(task).collect();
    (manager, tasks)
}

/// The time is for the whole list.
#[divan::bench(args = [100, 10_000, 100_000], sample_count = 10)]
fn list(bencher: Bencher<'_, '_>, tasks: usize) {
    let (manager, _tasks) = populated(tasks);
    bencher.bench_local(|| manager.list("repair", &Filter::new()).unwrap());
}

fn shuffled_ids(tasks: &[Task]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = tasks.iter().map(|task| task.id()).collect();
    // Ids look random, so their order is a shuffle.
    ids.sort_unstable();
    ids
}

#[divan::bench(sample_size = 1000)]
fn look_up(bencher: Bencher<'_, '_>) {
    let (manager, tasks) = populated(100_000);
    let mut ids = shuffled_ids(&tasks).into_iter().cycle();
    bencher.bench_local(|| manager.observe(ids.next().unwrap()).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn look_up_and_status(bencher: Bencher<'_, '_>) {
    let (manager, tasks) = populated(100_000);
    let mut ids = shuffled_ids(&tasks).into_iter().cycle();
    bencher.bench_local(|| black_box(manager.status(ids.next().unwrap()).unwrap()));
}
