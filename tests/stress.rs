//! Everything at once: threads that hammer one manager, and what must hold meanwhile and
//! afterwards, whatever the interleaving.

mod common;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::Dice;
use taskmgr::{AbortGuard, Filter, Manager, Module, Observer, Reporter, Status, Task};

const THREADS: u64 = 4;
const STEPS: u64 = 40_000;

/// What all threads share.
#[derive(Clone)]
struct Ground {
    manager: Manager,
    modules: [Module; 2],
    observers: Arc<Mutex<Vec<Observer>>>,
    registered: Arc<AtomicU64>,
    called: Arc<AtomicU64>,
}

impl Ground {
    fn new() -> Self {
        let manager = Manager::builder()
            .task_ttl(Duration::from_millis(1))
            .max_kept_children(8)
            .max_kept_per_root(64)
            .build()
            .unwrap();
        let modules = ["a", "b"].map(|name| manager.register_module(name).unwrap());
        Self {
            manager,
            modules,
            observers: Arc::default(),
            registered: Arc::default(),
            called: Arc::default(),
        }
    }

    fn some_observer(&self, dice: &mut Dice) -> Option<Observer> {
        dice.pick(&self.observers.lock().unwrap()).cloned()
    }

    /// A completion callback has to run exactly once, with a status that is whole.
    fn watch(&self, observer: &Observer) {
        self.registered.fetch_add(1, Ordering::Relaxed);
        let called = Arc::clone(&self.called);
        let check = move |status: taskmgr::Result<Status>| {
            assert_whole(&status.unwrap());
            called.fetch_add(1, Ordering::Relaxed);
        };
        observer.on_done(check).unwrap().forget();
    }
}

/// What one thread has in hand.
#[derive(Default)]
struct Hand {
    tasks: Vec<Task>,
    reporters: Vec<Reporter>,
    guards: Vec<AbortGuard>,
}

impl Hand {
    fn keep_small(&mut self) {
        if self.tasks.len() > 100 {
            self.tasks.truncate(20);
        }
        if self.reporters.len() > 20 {
            self.reporters.clear();
        }
        if self.guards.len() > 20 {
            self.guards.clear();
        }
    }
}

fn create(ground: &Ground, hand: &mut Hand, dice: &mut Dice) {
    let module = &ground.modules[dice.roll(2)];
    let made = match dice.roll(4) {
        0 => module.task("root").abortable().start(),
        1 => match ground.some_observer(dice) {
            Some(parent) => module
                .task("by id")
                .parent_id(parent.id())
                .entity("e")
                .start(),
            None => return,
        },
        2 => match dice.pick(&hand.reporters) {
            Some(parent) => parent.child("of a reporter").start(),
            None => return,
        },
        _ => match dice.pick(&hand.tasks) {
            Some(parent) => parent.child("child").total(10, "units").abortable().start(),
            None => return,
        },
    };
    // A parent may have ended, be gone or be aborted: then there is no task, and no harm.
    let Ok(task) = made else { return };
    if dice.roll(3) == 0 {
        ground.observers.lock().unwrap().push(task.observe());
    }
    if dice.roll(4) == 0 {
        ground.watch(&task.observe());
    }
    hand.tasks.push(task);
}

fn end(hand: &mut Hand, dice: &mut Dice) {
    let Some(task) = dice.take(&mut hand.tasks) else {
        return;
    };
    task.advance(1);
    // Each may lose to an abort; none may do harm.
    match dice.roll(5) {
        0 => drop(task.fail("failed")),
        1 => drop(task),
        2 => {
            let task = Arc::new(task.share());
            let rival = Arc::clone(&task);
            let other = std::thread::spawn(move || rival.finish().is_ok());
            let won = task.finish().is_ok();
            assert!(!(won && other.join().unwrap()), "two have ended one task");
        }
        _ => drop(task.finish()),
    }
}

fn work(hand: &mut Hand, dice: &mut Dice) {
    let Some(task) = dice.pick(&hand.tasks) else {
        return;
    };
    match dice.roll(4) {
        0 => hand.reporters.push(task.reporter()),
        1 => hand.guards.push(task.on_abort(|| {}).unwrap()),
        // An abort that was seen is not taken back.
        2 => assert!(!task.abort_requested() || task.check_abort().is_err()),
        _ => task.advance(1),
    }
    if let Some(reporter) = dice.pick(&hand.reporters) {
        reporter.advance(1);
    }
    if dice.roll(8) == 0 {
        dice.take(&mut hand.reporters);
    }
}

fn ask(ground: &Ground, dice: &mut Dice) {
    let Some(observer) = ground.some_observer(dice) else {
        return;
    };
    match dice.roll(6) {
        // Refused if the task is not abortable.
        0 => drop(observer.abort("enough")),
        1 => {
            let tree = observer.status_tree().unwrap();
            let ids: HashSet<_> = tree.iter().map(|status| status.id).collect();
            assert_eq!(ids.len(), tree.len(), "fold_5: each task once");
            tree.iter().for_each(assert_whole);
        }
        2 => {
            let listed = ground.modules[0]
                .list(&Filter::new().internal(true))
                .unwrap();
            let ids: HashSet<_> = listed.iter().map(|stats| stats.id).collect();
            assert_eq!(ids.len(), listed.len());
        }
        // Gone, not settled or taken: all are answers.
        3 => drop(ground.manager.take_status(observer.id())),
        4 => drop(observer.wait_timeout(Duration::from_micros(20))),
        _ => {
            let _ = ground.modules[1].drain().unwrap() + ground.manager.tick();
            ground
                .observers
                .lock()
                .unwrap()
                .retain(|other| other.id() != observer.id());
        }
    }
}

fn assert_whole(status: &Status) {
    assert!(
        status.progress.completed <= status.progress.total,
        "prog_3: {status:?}"
    );
    assert_eq!(
        status.state.is_terminal(),
        status.end_time.is_some(),
        "life_5: {status:?}"
    );
    if let (Some(start), Some(end)) = (status.start_time, status.end_time) {
        assert!(start <= end, "life_5: {status:?}");
    }
}

#[test]
fn whatever_the_interleaving_nothing_is_lost_torn_or_left() {
    let ground = Ground::new();
    let threads = (0..THREADS).map(|thread| {
        let ground = ground.clone();
        std::thread::spawn(move || {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (thread + 1));
            let mut hand = Hand::default();
            for _ in 0..STEPS {
                match dice.roll(8) {
                    0..3 => create(&ground, &mut hand, &mut dice),
                    3..5 => end(&mut hand, &mut dice),
                    5 => ask(&ground, &mut dice),
                    _ => work(&mut hand, &mut dice),
                }
                hand.keep_small();
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());

    let (registered, called) = (&ground.registered, &ground.called);
    assert!(registered.load(Ordering::SeqCst) > 0);
    assert_eq!(
        registered.load(Ordering::SeqCst),
        called.load(Ordering::SeqCst),
        "wait_3"
    );
    ground.observers.lock().unwrap().clear();
    let patience = Instant::now() + Duration::from_secs(30);
    for module in &ground.modules {
        while !module
            .list(&Filter::new().internal(true))
            .unwrap()
            .is_empty()
        {
            assert!(
                Instant::now() < patience,
                "ttl_2: {:?}",
                module.list(&Filter::new())
            );
            std::thread::yield_now();
        }
    }
    assert!(
        ground
            .manager
            .close(Duration::from_secs(30))
            .unwrap()
            .is_complete()
    );
}
