//! How long does it take from an end to the one who waits for it?

use std::sync::mpsc;
use std::time::Duration;

use divan::Bencher;
use taskmgr::{Manager, Module, Observer};

fn main() {
    divan::main();
}

/// A thread that waits for one task after the other and tells when it is awake again.
struct Waiter {
    tasks: mpsc::SyncSender<Observer>,
    awake: mpsc::Receiver<()>,
}

fn waiter(wait: fn(&Observer)) -> Waiter {
    let (tasks, waits) = mpsc::sync_channel::<Observer>(0);
    let (wakes, awake) = mpsc::sync_channel(0);
    std::thread::spawn(move || {
        for observer in waits {
            wait(&observer);
            if wakes.send(()).is_err() {
                return;
            }
        }
    });
    Waiter { tasks, awake }
}

fn module() -> (Manager, Module) {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("repair").unwrap();
    (manager, module)
}

fn round_trip(bencher: Bencher<'_, '_>, wait: fn(&Observer)) {
    let (_manager, module) = module();
    let waiter = waiter(wait);
    bencher.bench_local(|| {
        let task = module.task("repair").start().unwrap();
        waiter.tasks.send(task.observe()).unwrap();
        task.finish().unwrap();
        waiter.awake.recv().unwrap();
    });
}

#[divan::bench(sample_size = 100)]
fn wait(bencher: Bencher<'_, '_>) {
    round_trip(bencher, |observer| drop(observer.wait().unwrap()));
}

#[divan::bench(sample_size = 100)]
fn wait_with_a_deadline(bencher: Bencher<'_, '_>) {
    round_trip(bencher, |observer| {
        drop(observer.wait_timeout(Duration::from_secs(60)).unwrap());
    });
}

#[divan::bench(sample_size = 1000)]
fn completion_callback(bencher: Bencher<'_, '_>) {
    let (_manager, module) = module();
    bencher.bench_local(|| {
        let task = module.task("repair").start().unwrap();
        let guard = task.observe().on_done(drop).unwrap();
        task.finish().unwrap();
        drop(guard);
    });
}
