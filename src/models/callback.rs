//! Callbacks: at most once, never missed, and never after their guard.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::{sync::Arc, thread};

use super::{Count, Data, Host, check};
use crate::Task;
use crate::tree::hooks::Hooks;

/// A callback that takes a while, and what it sees.
#[derive(Clone)]
struct Slow {
    over: Arc<AtomicBool>,
    runs: Count,
    late: Count,
    destroyed: Count,
}

impl Slow {
    fn new() -> Self {
        Self {
            over: Arc::new(AtomicBool::new(false)),
            runs: Count::default(),
            late: Count::default(),
            destroyed: Count::default(),
        }
    }

    fn callback(&self) -> impl FnOnce() + Send + 'static + use<> {
        let (slow, data) = (self.clone(), Data(self.destroyed.clone()));
        move || {
            let _data = data;
            slow.runs.add();
            thread::yield_now();
            // A panic would end here.
            if slow.over.load(Ordering::Acquire) {
                slow.late.add();
            }
        }
    }

    /// From here on the callback must not run.
    fn is_over(&self) {
        self.over.store(true, Ordering::Release);
    }
}

/// A task that has had a child: its abort goes through the list of the tree.
fn parent(host: &Host) -> Task {
    let parent = host.root();
    parent.child("part").start().unwrap().finish().unwrap();
    parent
}

/// abort_4. Fails if `on_abort` looks for an abort before it has the lock of the list.
#[test]
fn on_abort_vs_abort_exactly_once() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let aborter = thread::spawn(move || observer.abort("stop").unwrap());
        let slow = Slow::new();
        let guard = task.on_abort(slow.callback()).unwrap();
        aborter.join().unwrap();
        assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
        drop(guard);
        assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
    });
}

/// abort_4. Fails if of an aborter above and the first who enters the list of the tree neither sees the
/// other.
#[test]
fn on_abort_vs_abort_of_its_parent_exactly_once() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let observer = root.observe();
        let aborter = thread::spawn(move || observer.abort("stop").unwrap());
        let slow = Slow::new();
        let guard = child.on_abort(slow.callback()).unwrap();
        aborter.join().unwrap();
        assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
        drop(guard);
    });
}

/// abort_4. Fails if an aborter takes those off the list as well whom it does not reach.
#[test]
fn abort_vs_abort_of_a_sibling_each_calls_its_own() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let children = [0, 1].map(|_| root.child("part").abortable().start().unwrap());
        for child in &children {
            child.child("part").start().unwrap().finish().unwrap();
        }
        let slow = [Slow::new(), Slow::new()];
        let guards = [0, 1].map(|i| children[i].on_abort(slow[i].callback()).unwrap());
        let [one, two] = [0, 1].map(|i| children[i].observe());
        let aborter = thread::spawn(move || one.abort("this").unwrap());
        two.abort("that").unwrap();
        aborter.join().unwrap();
        for slow in slow {
            assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
        }
        drop(guards);
    });
}

/// abort_4. Fails if `Hooks::forget` does not wait for one that is running, or if an aborter
/// that takes one off does not say in the same step that it runs.
#[test]
fn drop_of_abort_guard_vs_running_callback() {
    check(3, || {
        let host = Host::new();
        let task = parent(&host);
        let slow = Slow::new();
        let guard = task.on_abort(slow.callback()).unwrap();
        let observer = task.observe();
        let aborter = thread::spawn(move || observer.abort("stop").unwrap());
        drop(guard);
        slow.is_over();
        assert_eq!(slow.destroyed.get(), 1);
        aborter.join().unwrap();
        assert!(slow.runs.get() <= 1);
        assert_eq!((slow.destroyed.get(), slow.late.get()), (1, 0));
    });
}

/// abort_4. Fails if a ticket finds whoever has its place in the list by now.
#[test]
fn drop_of_abort_guard_vs_next_callback_in_its_place() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let children = [0, 1].map(|_| root.child("part").abortable().start().unwrap());
        let slow = [Slow::new(), Slow::new()];
        let guard = children[0].on_abort(slow[0].callback()).unwrap();
        children[0].abort("this").unwrap();
        let forgetter = thread::spawn(move || drop(guard));
        let next = children[1].on_abort(slow[1].callback()).unwrap();
        forgetter.join().unwrap();
        children[1].abort("that").unwrap();
        for slow in slow {
            assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
        }
        drop(next);
    });
}

/// abort_4. Fails if the finisher takes callbacks off the list and does not wait for them.
#[test]
fn finish_vs_running_abort_callback() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let slow = Slow::new();
        task.on_abort(slow.callback()).unwrap().forget();
        let observer = task.observe();
        let aborter = thread::spawn(move || observer.abort("stop").unwrap());
        let _ = task.finish();
        slow.is_over();
        assert_eq!(slow.destroyed.get(), 1);
        aborter.join().unwrap();
        assert!(slow.runs.get() <= 1);
        assert_eq!((slow.destroyed.get(), slow.late.get()), (1, 0));
    });
}

/// abort_4. Fails if `on_abort` does not look for `ENDING`.
#[test]
fn on_abort_vs_finish_nothing_left_behind() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let reporter = task.reporter();
        let (slot, realm) = (reporter.task.slot, reporter.task.realm());
        let owner = thread::spawn(move || task.finish());
        let slow = Slow::new();
        let guard = reporter.on_abort(slow.callback()).unwrap();
        owner.join().unwrap().unwrap();
        let hooks = Hooks::find(slot, realm);
        assert!(hooks.is_none_or(|hooks| hooks.lock().is_empty()));
        drop(guard);
        assert_eq!((slow.runs.get(), slow.destroyed.get()), (0, 1));
    });
}

/// wait_3. Fails if `on_done` asks whether the task is over before its callback is on
/// the list.
#[test]
fn on_done_vs_finish_exactly_once() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let owner = thread::spawn(move || task.finish());
        let slow = Slow::new();
        let callback = slow.callback();
        let guard = observer.on_done(move |status| {
            assert!(status.unwrap().settled);
            callback();
        });
        owner.join().unwrap().unwrap();
        assert_eq!((slow.runs.get(), slow.destroyed.get()), (1, 1));
        drop(guard);
    });
}

/// wait_3. Fails if `Callback::cancel` does not wait for one that is running.
#[test]
fn drop_of_done_guard_vs_running_callback() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let slow = Slow::new();
        let callback = slow.callback();
        let guard = task.observe().on_done(move |_| callback()).unwrap();
        let owner = thread::spawn(move || task.finish());
        drop(guard);
        slow.is_over();
        assert_eq!(slow.destroyed.get(), 1);
        owner.join().unwrap().unwrap();
        assert!(slow.runs.get() <= 1);
        assert_eq!((slow.destroyed.get(), slow.late.get()), (1, 0));
    });
}
