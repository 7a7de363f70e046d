//! Old ids in hand while the slots behind them go from tenant to tenant: none may ever show
//! another task's data, nor reach another task.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use common::Dice;
use taskmgr::{Error, ErrorCode, Manager, Module, Observer, Reporter, State, Status, Task, Uuid};

/// Every task has a number, which all that it shows tells. Of so many, one has children and
/// one is a root.
const NEST: usize = 16;

/// Tasks that live at once on one thread.
const LIVE: usize = 48;

struct Ground {
    manager: Manager,
    module: Module,
    /// Of the tree in which all threads make children.
    root: Observer,
    births: AtomicUsize,
    /// The id of each task, once it has ended.
    ended: Vec<OnceLock<Uuid>>,
}

/// What one thread has in hand.
struct Hand {
    dice: Dice,
    root: Reporter,
    live: Vec<(usize, Task)>,
    observers: Vec<(usize, Observer)>,
}

fn is_parent(number: usize) -> bool {
    number % NEST == 5
}

fn is_root(number: usize) -> bool {
    number % NEST == 6
}

fn fails(number: usize) -> bool {
    number.is_multiple_of(7)
}

/// The task that a status is about, going by its data alone.
fn number_in(status: &Status) -> usize {
    match status.entity.parse() {
        Ok(number) => number,
        Err(_) => status.progress.total as usize - 1,
    }
}

fn assert_is(number: usize, status: &Status, id: Uuid) {
    assert_eq!((number_in(status), status.id), (number, id), "{status:?}");
    if status.state.is_terminal() {
        let error = fails(number).then(|| format!("error {number}"));
        assert_eq!(status.error, error, "{status:?}");
    }
}

impl Ground {
    fn new(module: &str, births: usize) -> (Arc<Self>, Task) {
        // The only one of the process: then look-ups go by slot and generation alone.
        static MANAGER: LazyLock<Manager> = LazyLock::new(|| {
            let builder = Manager::builder().task_ttl(Duration::ZERO);
            builder.max_kept_children(24).build().unwrap()
        });
        let manager = MANAGER.clone();
        let module = manager.register_module(module).unwrap();
        let root = module.task("root").start().unwrap();
        let ground = Self {
            manager,
            module,
            root: root.observe(),
            births: AtomicUsize::new(0),
            ended: (0..births).map(|_| OnceLock::new()).collect(),
        };
        (Arc::new(ground), root)
    }

    /// Births and ends, and in between questions with old ids.
    fn play(&self, root: Reporter, seed: u64, births: usize) {
        let mut hand = Hand {
            dice: Dice(0x9e37_79b9_7f4a_7c15 ^ seed),
            root,
            live: Vec::new(),
            observers: Vec::new(),
        };
        for step in 0..births {
            self.bear(&mut hand);
            while hand.live.len() > hand.dice.roll(LIVE) {
                let at = hand.dice.roll(hand.live.len());
                self.end(hand.live.swap_remove(at));
            }
            if step.is_multiple_of(32) {
                self.ask(&mut hand);
            }
            if step.is_multiple_of(4096) {
                self.look_at_kept();
            }
        }
        hand.live.into_iter().for_each(|task| self.end(task));
        hand.observers.iter().for_each(|seen| self.look_at(seen));
    }

    fn bear(&self, hand: &mut Hand) {
        let number = self.births.fetch_add(1, Ordering::Relaxed);
        let entity = number.to_string();
        let total = number as u64 + 1;
        let nest = hand.live.last().filter(|(last, _)| is_parent(*last));
        let task = match nest {
            _ if is_root(number) => self.module.task("root").total(total, "units"),
            Some((_, nest)) => nest.child("piece").entity(&entity),
            None if is_parent(number) => hand.root.child("nest").entity(&entity),
            None => hand.root.child("part").total(total, "units"),
        };
        let task = task.abortable().start().unwrap();
        if number % 1024 < 2 {
            hand.observers.push((number, task.observe()));
        }
        hand.live.push((number, task));
    }

    /// Nobody has told it to abort or to sleep: whoever did had another's id.
    fn end(&self, (number, task): (usize, Task)) {
        let id = task.id();
        assert_is(number, &task.status().unwrap(), id);
        task.checkpoint().unwrap();
        match fails(number) {
            true => task.fail(format!("error {number}")).unwrap(),
            false => task.finish().unwrap(),
        }
        self.ended[number].set(id).unwrap();
    }

    fn ask(&self, hand: &mut Hand) {
        let last = self.births.load(Ordering::Relaxed);
        let number = hand.dice.roll(last);
        if let Some(id) = self.ended[number].get() {
            self.ask_by_id(&mut hand.dice, number, *id);
        }
        if !hand.observers.is_empty() {
            let seen = &hand.observers[hand.dice.roll(hand.observers.len())];
            self.look_at(seen);
        }
    }

    fn ask_by_id(&self, dice: &mut Dice, number: usize, id: Uuid) {
        let manager = &self.manager;
        let shown = match dice.roll(8) {
            0 => manager.observe(id).and_then(|observer| observer.status()),
            1 => manager.wait_timeout(id, Duration::ZERO),
            2 => manager.status_tree(id).map(|mut tree| tree.swap_remove(0)),
            3 => manager.take_status(id),
            // Parents may have children yet, whom that would reach.
            4 if !is_parent(number) => manager.abort(id, "stale").and(manager.status(id)),
            5 if !is_parent(number) => manager.suspend(id).and(manager.status(id)),
            6 => match self.module.task("late").parent_id(id).start() {
                Ok(child) => panic!("{:?} is a child of {number}", child.status()),
                Err(error) => Err(error),
            },
            _ => manager.status(id),
        };
        match shown {
            Ok(status) => {
                assert!(is_parent(number), "{number} is over: {status:?}");
                assert_is(number, &status, id);
            }
            Err(error) => assert_tells_of(number, &error),
        }
    }

    /// Who observes a task sees that one for ever.
    fn look_at(&self, (number, observer): &(usize, Observer)) {
        let id = observer.id();
        assert_is(*number, &observer.status().unwrap(), id);
        assert_is(*number, &observer.status_tree().unwrap()[0], id);
        if self.ended[*number].get().is_some() {
            let waited = observer.wait_timeout(Duration::ZERO).unwrap();
            assert_is(*number, &waited, id);
            assert!(waited.state.is_terminal());
        }
        let settled = observer.status().unwrap().settled;
        if settled {
            observer.abort("too late").unwrap();
        }
    }

    /// Whoever has ended shows its own data among the children of its parent, too.
    fn look_at_kept(&self) {
        let id = self.root.id();
        for status in self.manager.status_tree(id).unwrap() {
            if status.id != id {
                let number = number_in(&status);
                let ended = self.ended[number].get();
                assert!(ended.is_none_or(|own| *own == status.id), "{status:?}");
                assert_is(number, &status, status.id);
            }
        }
    }
}

/// Gone in its own way, or long forgotten.
fn assert_tells_of(number: usize, error: &Error) {
    let state = match fails(number) {
        true => State::Failed,
        false => State::Done,
    };
    match error.code() {
        ErrorCode::NotFound => {}
        // A parent that has ended and waits for its children.
        ErrorCode::ParentTerminal | ErrorCode::NotSettled => assert!(is_parent(number)),
        _ => assert_eq!(error.gone().map(|(_, state)| state), Some(state), "{error}"),
    }
}

fn play(module: &str, threads: usize, births: usize) {
    let (ground, root) = Ground::new(module, threads * births);
    let players: Vec<_> = (1..=threads)
        .map(|seed| {
            let (ground, root) = (Arc::clone(&ground), root.reporter());
            std::thread::spawn(move || ground.play(root, seed as u64, births))
        })
        .collect();
    players
        .into_iter()
        .for_each(|player| player.join().unwrap());
    ground.look_at_kept();
    assert_eq!(root.status().unwrap().child_counts.live, 0);
    root.finish().unwrap();
}

#[test]
fn id_1_a_stale_id_never_shows_another_task_over_a_million_tenants() {
    play("one", 1, 1_000_000);
}

#[test]
fn id_1_a_stale_id_never_shows_another_task_whichever_thread_reuses_its_slot() {
    play("four", 4, 50_000);
}
