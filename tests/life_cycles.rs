//! Life cycles, enumerated: how a task ends × when an abort comes × who waits × in which
//! order the handles go. What comes out is said once, as a function of the row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use taskmgr::{ErrorCode, GoneReason, Manager, Observer, State, Status, Task};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Finish,
    Fail,
    Drop,
    Panic,
    NeverStarted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Abort {
    Never,
    BeforeStart,
    WhileRunning,
    OfTheParent,
    AfterTheEnd,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Waiter {
    Nobody,
    Sleeping,
    Late,
    Callback,
    ById,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum First {
    /// The parent outlives the child, observers outlive both.
    Child,
    /// The parent ends while the child runs.
    Parent,
    /// The manager goes before either: it aborts both.
    Manager,
    /// Whoever looks goes before the child ends, and comes back afterwards.
    Observer,
}

const OUTCOMES: [Outcome; 5] = [
    Outcome::Finish,
    Outcome::Fail,
    Outcome::Drop,
    Outcome::Panic,
    Outcome::NeverStarted,
];
const ABORTS: [Abort; 5] = [
    Abort::Never,
    Abort::BeforeStart,
    Abort::WhileRunning,
    Abort::OfTheParent,
    Abort::AfterTheEnd,
];
const WAITERS: [Waiter; 5] = [
    Waiter::Nobody,
    Waiter::Sleeping,
    Waiter::Late,
    Waiter::Callback,
    Waiter::ById,
];
const FIRSTS: [First; 4] = [First::Child, First::Parent, First::Manager, First::Observer];

#[derive(Clone, Copy, Debug)]
struct Row {
    outcome: Outcome,
    abort: Abort,
    waiter: Waiter,
    first: First,
}

impl Row {
    /// The reason of the abort that reaches the child before it ends, if one does.
    fn reason(self) -> Option<&'static str> {
        match (self.abort, self.first) {
            (Abort::BeforeStart | Abort::WhileRunning, _) => Some("the child"),
            (Abort::OfTheParent, _) => Some("the parent"),
            (_, First::Manager) => Some("the manager is gone"),
            _ => None,
        }
    }

    fn starts(self) -> bool {
        self.outcome != Outcome::NeverStarted && self.abort != Abort::BeforeStart
    }

    /// How the child must end: its state and its error.
    fn expected(self) -> (State, Option<String>) {
        let own = match self.outcome {
            Outcome::Fail => Some("failed"),
            Outcome::Panic => Some("panicked: at work"),
            Outcome::Drop | Outcome::NeverStarted => Some("dropped before it finished"),
            Outcome::Finish => None,
        };
        let own = own.map(str::to_owned);
        let error = match (self.reason(), own) {
            // A start that finds the abort ends the task before its work gives an error.
            (Some(reason), _)
                if self.abort == Abort::BeforeStart && self.outcome != Outcome::NeverStarted =>
            {
                Some(format!("aborted: {reason}"))
            }
            (Some(reason), Some(own)) => Some(format!("aborted: {reason}: {own}")),
            (Some(reason), None) => Some(format!("aborted: {reason}")),
            (None, own) => own,
        };
        let state = if error.is_some() {
            State::Failed
        } else {
            State::Done
        };
        (state, error)
    }
}

/// Somebody who waits, and where the answer comes.
enum Waiting {
    Answer(mpsc::Receiver<Status>),
    Ask(Observer),
    Nothing,
}

fn wait_before(row: Row, manager: &Manager, observer: &Observer) -> Waiting {
    let (sender, receiver) = mpsc::channel();
    let theirs = observer.clone();
    match row.waiter {
        Waiter::Nobody => return Waiting::Nothing,
        Waiter::Late => return Waiting::Ask(theirs),
        Waiter::Sleeping => drop(std::thread::spawn(move || {
            sender.send(theirs.wait().unwrap()).unwrap()
        })),
        Waiter::Callback => {
            let answer =
                move |status: taskmgr::Result<Status>| sender.send(status.unwrap()).unwrap();
            observer.on_done(answer).unwrap().forget();
        }
        Waiter::ById => {
            let found = manager.observe(observer.id()).unwrap();
            std::thread::spawn(move || sender.send(found.wait().unwrap()).unwrap());
        }
    }
    Waiting::Answer(receiver)
}

fn end(row: Row, child: Task) {
    match row.outcome {
        Outcome::Finish => assert_eq!(child.finish().is_err(), row.reason().is_some(), "{row:?}"),
        Outcome::Fail => child.fail("failed").unwrap(),
        Outcome::Drop | Outcome::NeverStarted => drop(child),
        Outcome::Panic => {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                child.run(|_| -> Result<(), _> { panic!("at work") })
            }));
            assert!(panicked.is_err(), "the panic is passed on: {row:?}");
        }
    }
}

fn live(row: Row) {
    let manager = Manager::builder().build().unwrap();
    let parent = manager
        .register_module("m")
        .unwrap()
        .task("parent")
        .start()
        .unwrap();
    let child = parent.child("child").abortable().create().unwrap();
    let (observer, parent_observer) = (child.observe(), parent.observe());
    let id = child.id();
    let waiting = match (wait_before(row, &manager, &observer), row.first) {
        // A late waiter would be an observer that has not gone.
        (Waiting::Ask(_), First::Observer) => Waiting::Nothing,
        (waiting, _) => waiting,
    };

    if row.abort == Abort::BeforeStart {
        observer.abort("the child").unwrap();
    }
    let mut child = Some(child);
    if row.outcome != Outcome::NeverStarted {
        let started = child.as_ref().unwrap().start();
        assert_eq!(started.is_ok(), row.starts(), "{row:?}");
        if let Err(error) = started {
            assert_eq!(error.code(), ErrorCode::Aborted, "life_4: {row:?}");
            child = None;
        }
    }
    match row.abort {
        Abort::WhileRunning => observer.abort("the child").unwrap(),
        Abort::OfTheParent => parent.abort("the parent").unwrap(),
        _ => {}
    }
    let mut manager = Some(manager);
    if row.first == First::Manager {
        manager = None;
    }
    let mut parent = Some(parent);
    if row.first == First::Parent {
        // It has ended with that, and settles with the child.
        drop(parent.take().unwrap().fail("early"));
        assert!(parent_observer.is_terminal().unwrap());
    }
    let observer = (row.first != First::Observer).then_some(observer);
    if let Some(child) = child {
        end(row, child);
    }
    match (row.abort, &observer) {
        (Abort::AfterTheEnd, Some(observer)) => observer.abort("too late").unwrap(),
        (Abort::AfterTheEnd, None) => {
            let late = manager.as_ref().unwrap().abort(id, "too late");
            assert_eq!(late.unwrap_err().code(), ErrorCode::Gone, "{row:?}");
        }
        _ => {}
    }

    match waiting {
        Waiting::Answer(answer) => {
            let told = answer.recv_timeout(Duration::from_secs(60));
            check(row, &told.expect("wait_1: an answer"));
        }
        Waiting::Ask(late) => check(row, &late.wait().unwrap()),
        Waiting::Nothing => {}
    }
    // What its parent keeps of it is the same, whoever looked or did not.
    check(row, &parent_observer.status_tree().unwrap()[1]);
    if let (Some(manager), None) = (&manager, &observer) {
        let gone = manager.status(id).unwrap_err().gone();
        assert_eq!(
            gone,
            Some((GoneReason::Folded, row.expected().0)),
            "{row:?}"
        );
    }
    drop(parent.map(Task::finish));
    assert!(parent_observer.status().unwrap().settled, "fold_3: {row:?}");
    drop(manager);
    check(row, &parent_observer.status_tree().unwrap()[1]);
    if let Some(observer) = observer {
        check(row, &observer.status().unwrap());
        check(row, &observer.wait().unwrap());
    }
}

fn check(row: Row, told: &Status) {
    let (state, error) = row.expected();
    assert_eq!((told.state, &told.error), (state, &error), "{row:?}");
    assert!(
        told.end_time.is_some() && told.settled,
        "life_5, life_8: {row:?}"
    );
    assert_eq!(told.start_time.is_some(), row.starts(), "{row:?}");
    let aborted = told.abort.as_ref().map(|abort| abort.reason.as_str());
    assert_eq!(aborted, row.reason(), "abort_3: {row:?}");
}

#[test]
fn every_life_ends_as_it_must() {
    // The panics of the rows are theirs; only those of the test are to be read.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"at work") {
            print(panic);
        }
    }));
    let mut rows = 0;
    for outcome in OUTCOMES {
        for abort in ABORTS {
            for waiter in WAITERS {
                for first in FIRSTS {
                    live(Row {
                        outcome,
                        abort,
                        waiter,
                        first,
                    });
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 5 * 5 * 5 * 4);
}
