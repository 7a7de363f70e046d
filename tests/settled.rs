//! Nothing of a task that has settled changes, whatever is asked of it while it ends (life_2,
//! life_5, abort_3), and who hears of an end finds all that it has brought about (life_8).

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::{Node, PATIENCE, node, until, watched};
use taskmgr::{ErrorCode, Observer, Reporter, SharedTask, State, Status, Task};

/// A handle that another thread than the ender's has.
enum Hand {
    Shared(SharedTask),
    Worker(Reporter),
}

macro_rules! by {
    ($hand:expr, $name:ident($($arg:expr),*)) => {
        match $hand {
            Hand::Shared(task) => { let _ = task.$name($($arg),*); }
            Hand::Worker(task) => { let _ = task.$name($($arg),*); }
        }
    };
}

type Setter = (&'static str, fn(&Hand));

/// All that can be asked of a task from elsewhere.
const SETTERS: &[Setter] = &[
    ("advance", |hand| by!(hand, advance(1))),
    ("advance by much", |hand| by!(hand, advance(5000))),
    ("set_completed", |hand| by!(hand, set_completed(7))),
    ("set_total", |hand| by!(hand, set_total(9))),
    ("set_units", |hand| by!(hand, set_units("ranges"))),
    ("abort", |hand| by!(hand, abort("late"))),
    ("abort and look", |hand| {
        by!(hand, abort("late"));
        by!(hand, abort_requested());
        by!(hand, check_abort());
    }),
    ("on_abort", |hand| by!(hand, on_abort(|| ()))),
    ("a child", |hand| match hand {
        Hand::Shared(task) => drop(task.child("piece").start()),
        Hand::Worker(task) => drop(task.child("piece").start()),
    }),
    ("abort by an observer", |hand| {
        observe(hand, |o| drop(o.abort("late")))
    }),
    ("suspend", |hand| observe(hand, |o| drop(o.suspend()))),
    ("suspend and resume", |hand| {
        observe(hand, |o| drop((o.suspend(), o.resume())));
    }),
    ("on_done", |hand| observe(hand, |o| drop(o.on_done(|_| ())))),
    ("a further reporter", |hand| {
        let further = match hand {
            Hand::Shared(task) => task.reporter(),
            Hand::Worker(task) => task.reporter(),
        };
        further.advance(3);
        further.set_total(2);
    }),
    ("start", |hand| shared(hand, |task| drop(task.start()))),
    ("finish", |hand| shared(hand, |task| drop(task.finish()))),
    ("fail", |hand| shared(hand, |task| drop(task.fail("other")))),
];

fn observe(hand: &Hand, ask: impl FnOnce(Observer)) {
    ask(match hand {
        Hand::Shared(task) => task.observe(),
        Hand::Worker(task) => task.observe(),
    });
}

fn shared(hand: &Hand, ask: impl FnOnce(&SharedTask)) {
    match hand {
        Hand::Shared(task) => ask(task),
        Hand::Worker(task) => task.advance(1),
    }
}

/// What a race is about, besides the setter.
#[derive(Clone, Copy, Debug)]
struct Race {
    is_child: bool,
    is_shared: bool,
    /// Whether it is ended by those who alone know it.
    is_seen: bool,
    is_started: bool,
    fails: bool,
    is_aborted: bool,
}

impl Race {
    fn of(round: usize) -> Self {
        let has = |bit: usize| round >> bit & 1 == 1;
        Self {
            is_child: !has(0),
            is_shared: !has(1),
            is_seen: has(2),
            is_started: !(has(3) && has(5)),
            fails: has(4) && has(3),
            is_aborted: has(5) && has(4),
        }
    }

    fn task(self, node: &Node, root: &Task) -> Task {
        let builder = match self.is_child {
            true => root.child("part"),
            false => node.module.task("part").user_task(),
        };
        match self.is_started {
            true => builder.abortable().start().unwrap(),
            false => builder.abortable().create().unwrap(),
        }
    }
}

/// Ends the task while the setter is at it: its status right after the end, and later.
fn run(node: &Node, root: &Task, race: Race, setter: &Setter, turns: usize) -> (Status, Status) {
    let task = race.task(node, root);
    if race.is_aborted {
        task.abort("early").unwrap();
    }
    let gate = AtomicUsize::new(0);
    let meet = || {
        gate.fetch_add(1, Ordering::AcqRel);
        while gate.load(Ordering::Acquire) < 2 {
            std::hint::spin_loop();
        }
    };
    let over = AtomicBool::new(false);
    let meddle = |hand: Hand| {
        meet();
        // A few times more once it has ended.
        for _ in 0..3 {
            setter.1(&hand);
        }
        until("its end", || over.load(Ordering::Acquire));
        setter.1(&hand);
    };
    let wait_a_turn = || (0..turns).for_each(|_| std::hint::spin_loop());
    std::thread::scope(|scope| match race.is_shared {
        true => {
            let task = task.share();
            let seen = race.is_seen.then(|| (task.observe(), task.reporter()));
            let hand = Hand::Shared(task.clone());
            let meddler = scope.spawn(|| meddle(hand));
            meet();
            wait_a_turn();
            let _ = match race.fails {
                true => task.fail("failed"),
                false => task.finish(),
            };
            let then = task.status().unwrap();
            over.store(true, Ordering::Release);
            meddler.join().unwrap();
            let last = task.status().unwrap();
            if let Some((observer, worker)) = seen {
                worker.advance(1);
                assert_eq!(observer.status().unwrap(), last);
            }
            (then, last)
        }
        false => {
            let observer = task.observe();
            let hand = Hand::Worker(task.reporter());
            let meddler = scope.spawn(|| meddle(hand));
            meet();
            wait_a_turn();
            let _ = match race.fails {
                true => task.fail("failed"),
                false => task.finish(),
            };
            let then = observer.status().unwrap();
            over.store(true, Ordering::Release);
            meddler.join().unwrap();
            (then, observer.status().unwrap())
        }
    })
}

#[test]
fn life_5_nothing_of_what_has_settled_changes_whatever_is_asked_of_it_meanwhile() {
    /// As many as a slow machine comes to, at most.
    const TIME: Duration = Duration::from_secs(10);
    const ROUNDS: usize = 64 * SETTERS.len();

    let node = node();
    let begun = Instant::now();
    for round in 0..ROUNDS {
        if begun.elapsed() > TIME {
            break;
        }
        let setter = &SETTERS[round % SETTERS.len()];
        let race = Race::of(round);
        let root = node.module.task("root").start().unwrap();
        let (then, last) = run(&node, &root, race, setter, round * 7 % 400);
        let told = || format!("{:?} with {race:?}", setter.0);
        assert!(then.state.is_terminal(), "{}: {then:?}", told());
        // A child that the setter made may have been the last to end.
        if then.settled {
            assert_eq!(then, last, "{}", told());
        }
        assert!(last.settled, "{}", told());
        if race.is_child {
            let mut kept = root.observe().status_tree().unwrap().remove(1);
            kept.created_at = last.created_at;
            kept.children.clone_from(&last.children);
            kept.suspend_requested = last.suspend_requested;
            assert_eq!(kept, last, "{}: what its parent keeps of it", told());
        }
        root.finish().unwrap();
    }
}

#[test]
fn life_8_whoever_hears_of_the_last_end_below_finds_all_ancestors_settled() {
    const LEVELS: usize = 200;
    const TIME: Duration = Duration::from_secs(10);

    let node = node();
    let begun = Instant::now();
    for _ in 0..300 {
        if begun.elapsed() > TIME {
            break;
        }
        let root = node.module.task("root").start().unwrap();
        let id = root.id();
        let mut leaf = root.child("level").start().unwrap();
        root.finish().unwrap();
        for _ in 0..LEVELS {
            let below = leaf.child("level").start().unwrap();
            leaf.finish().unwrap();
            leaf = below;
        }
        let (observer, (sender, told)) = (leaf.observe(), mpsc::channel());
        let early = node.manager.take_status(id).unwrap_err();
        assert_eq!(early.code(), ErrorCode::NotSettled);
        let owner = std::thread::spawn(move || leaf.finish());
        until("its end", || observer.is_terminal().unwrap());
        let (manager, late) = (node.manager.clone(), observer.clone());
        let guard = late.on_done(move |_| {
            let root = manager.status(id);
            let has_settled = root.map_or_else(|error| error.is_gone(), |root| root.settled);
            sender.send(has_settled).unwrap();
        });
        if observer.wait_timeout(Duration::ZERO).is_ok() {
            assert!(node.manager.status(id).unwrap().settled);
        }
        observer.wait().unwrap();
        assert!(node.manager.take_status(id).is_ok());
        owner.join().unwrap().unwrap();
        assert!(told.recv_timeout(PATIENCE).unwrap());
        drop(guard);
    }
}

#[test]
fn life_8_an_end_of_any_kind_settles_the_ancestors_that_have_ended() {
    type End = (&'static str, fn(Task));
    let ends: [End; 6] = [
        ("finish", |leaf| leaf.finish().unwrap()),
        ("fail", |leaf| leaf.fail("failed").unwrap()),
        ("drop", drop),
        ("shared finish", |leaf| leaf.share().finish().unwrap()),
        ("shared fail", |leaf| leaf.share().fail("failed").unwrap()),
        ("shared drop", |leaf| drop(leaf.share())),
    ];
    for (name, end) in ends {
        let node = node();
        let root = node.module.task("root").start().unwrap();
        let id = root.id();
        let middle = root.child("part").start().unwrap();
        let leaf = middle.child("piece").start().unwrap();
        root.finish().unwrap();
        middle.finish().unwrap();
        end(leaf);
        assert!(node.manager.take_status(id).unwrap().settled, "{name}");
    }
}

#[test]
fn life_2_who_loses_is_told_once_the_task_has_ended() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").user_task().start().unwrap().share();
        let ((entered, inside), (go_on, gone_on)) = (mpsc::channel(), mpsc::channel::<()>());
        task.on_abort(move || {
            entered.send(()).unwrap();
            gone_on.recv_timeout(PATIENCE).unwrap();
        })
        .unwrap()
        .forget();
        let aborter = task.clone();
        let aborter = std::thread::spawn(move || aborter.abort("enough"));
        inside.recv_timeout(PATIENCE).unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let ender = |ask: fn(&SharedTask) -> taskmgr::Result<()>| {
            let (task, told) = (task.clone(), Arc::clone(&told));
            std::thread::spawn(move || {
                let result = ask(&task);
                told.fetch_add(1, Ordering::AcqRel);
                (result.map_err(|error| error.code()), task.status().unwrap())
            })
        };
        let winner = ender(SharedTask::finish);
        // Once it waits for the callback, nobody can start the task any more. Inside a callback,
        // where nobody waits, who comes too late is told so at once.
        until("it has begun to end", || has_begun_to_end(&task));
        let losers = [
            ender(|task| task.fail("failed")),
            ender(SharedTask::finish),
            ender(SharedTask::start),
        ];
        (0..1000).for_each(|_| std::thread::yield_now());
        assert_eq!(told.load(Ordering::Acquire), 0, "it runs still");
        go_on.send(()).unwrap();
        aborter.join().unwrap().unwrap();
        let won = winner.join().unwrap();
        assert_eq!(won.0, Err(ErrorCode::Aborted));
        for loser in losers {
            let lost = loser.join().unwrap();
            assert_eq!(lost, (Err(ErrorCode::AlreadyFinished), won.1.clone()));
        }
        assert!(won.1.settled);
    });
}

fn has_begun_to_end(task: &SharedTask) -> bool {
    let again = taskmgr::nonblocking(|| task.start()).unwrap_err();
    again.code() == ErrorCode::AlreadyFinished
}

#[test]
fn wait_5_who_loses_in_the_callback_that_the_end_waits_for_is_told_at_once() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").user_task().start().unwrap().share();
        let ((entered, inside), (go_on, gone_on)) = (mpsc::channel(), mpsc::channel::<()>());
        let (in_callback, (sender, told)) = (task.clone(), mpsc::channel());
        task.on_abort(move || {
            entered.send(()).unwrap();
            gone_on.recv_timeout(PATIENCE).unwrap();
            let lost = in_callback.finish().unwrap_err();
            sender
                .send((lost.code(), in_callback.status().unwrap().state))
                .unwrap();
        })
        .unwrap()
        .forget();
        let (aborter, ender) = (task.clone(), task.clone());
        let aborter = std::thread::spawn(move || aborter.abort("enough"));
        inside.recv_timeout(PATIENCE).unwrap();
        let ender = std::thread::spawn(move || ender.finish().map_err(|error| error.code()));
        until("it has begun to end", || has_begun_to_end(&task));
        go_on.send(()).unwrap();
        let told = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(told, (ErrorCode::AlreadyFinished, State::Running));
        aborter.join().unwrap().unwrap();
        assert_eq!(ender.join().unwrap(), Err(ErrorCode::Aborted));
        assert!(task.status().unwrap().settled);
    });
}
