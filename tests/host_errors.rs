//! What errors and panics of the host carry is the host's code, too: it runs where it may take
//! its time and may panic.

mod common;
#[path = "common/fake.rs"]
mod fake;

use std::error::Error as _;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use common::{Node, PATIENCE, node, node_with, seconds, until, watched};
use fake::{Fake, Gate, ID};
use taskmgr::{Error, ErrorCode};

fn stage(deadline: Duration) -> (Node, Fake) {
    let node = node_with(|builder| builder.provider_deadline(deadline));
    let fake = Fake::new();
    node.module.register_provider(fake.clone()).unwrap();
    (node, fake)
}

/// What an error does when it is asked for its text.
type Words = Arc<dyn Fn() -> &'static str + Send + Sync>;

struct Talks {
    words: Words,
    cause: Option<Box<Talks>>,
}

impl Talks {
    fn new(words: impl Fn() -> &'static str + Send + Sync + 'static) -> Self {
        Self {
            words: Arc::new(words),
            cause: None,
        }
    }

    fn because(self, cause: Self) -> Self {
        Self {
            cause: Some(Box::new(cause)),
            ..self
        }
    }
}

impl fmt::Display for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((self.words)())
    }
}

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Talks {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("no words"))
}

/// Panics when it is dropped, with one that does the same, and so on.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new(Bomb(Arc::clone(&self.0))));
    }
}

/// A panic that is handed on is a defect: what it carries would panic, too.
fn without_a_panic<R>(what: &str, f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        panic!("a panic has escaped: {what}")
    })
}

#[test]
fn virt_1_an_error_is_told_with_its_causes() {
    let (node, fake) = stage(PATIENCE);
    fake.trouble(|| {
        let cause = Talks::new(|| "disk full").because(Talks::new(|| "errno 28"));
        Err(Box::new(Talks::new(|| "no quorum").because(cause)))
    });
    let error = node.manager.status(ID).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider);
    let text = error.to_string();
    assert!(text.ends_with("no quorum: disk full: errno 28"), "{text}");
    assert!(error.source().is_none(), "its words are plain text");
}

#[test]
fn virt_1_the_words_of_an_error_are_found_on_the_providers_thread() {
    let (node, fake) = stage(PATIENCE);
    let asked: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let words = {
        let asked = Arc::clone(&asked);
        move || {
            asked.lock().unwrap().push(std::thread::current().id());
            "no quorum"
        }
    };
    let talks = move || Talks::new(words.clone());
    // One that is the library's outside, and the host's within.
    let work = {
        let talks = talks.clone();
        move || -> Error {
            let task = node.module.task("work").start().unwrap();
            task.run(|_| -> Result<(), _> { Err(Box::new(talks())) })
                .unwrap_err()
        }
    };
    let wrapped = work();
    asked.lock().unwrap().clear();
    fake.trouble(move || Err(Box::new(wrapped.clone())));
    let error = node.manager.status(ID).unwrap_err();
    let _ = (error.to_string(), format!("{error:#} {error:?}"));
    assert_eq!(error.code(), ErrorCode::TaskFailed);
    fake.trouble(move || Err(Box::new(talks())));
    let error = node.manager.status(ID).unwrap_err();
    let _ = (error.to_string(), format!("{error:#} {error:?}"));
    let (here, asked) = (std::thread::current().id(), asked.lock().unwrap());
    assert!(!asked.is_empty() && !asked.contains(&here));
}

#[test]
fn virt_1_an_error_that_panics_when_it_is_shown() {
    let (node, fake) = stage(PATIENCE);
    for trouble in [(|| Talks::new(panics)) as fn() -> Talks, || {
        Talks::new(|| "no quorum").because(Talks::new(panics))
    }] {
        fake.trouble(move || Err(Box::new(trouble())));
        let error = without_a_panic("status", || node.manager.status(ID)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Provider);
        assert!(error.to_string().contains("no words"), "{error}");
        let listed = without_a_panic("list", || node.module.list(&taskmgr::Filter::new()));
        assert!(listed.unwrap().is_empty());
    }
}

#[test]
fn virt_1_an_error_that_takes_its_time_to_be_shown() {
    let (node, fake) = stage(Duration::from_millis(50));
    let gate = Arc::new(Gate::default());
    gate.shut();
    let theirs = Arc::clone(&gate);
    fake.trouble(move || {
        let gate = Arc::clone(&theirs);
        Err(Box::new(Talks::new(move || {
            gate.pass();
            "no quorum"
        })))
    });
    let begun = Instant::now();
    let error = node.manager.status(ID).unwrap_err();
    assert!(error.to_string().contains("longer"), "{error}");
    assert!(begun.elapsed() < PATIENCE / 2);
    gate.open();
    until("its words are told", || {
        let error = node.manager.status(ID).unwrap_err();
        error.to_string().contains("no quorum")
    });
}

#[test]
fn virt_1_a_completion_with_an_error_that_panics_when_it_is_shown() {
    let (node, fake) = stage(PATIENCE);
    let calls = Arc::new(AtomicUsize::new(0));
    // It has words while the task ends, and none later.
    let words = {
        let calls = Arc::clone(&calls);
        move || match calls.fetch_add(1, Ordering::SeqCst) {
            0..2 => "once",
            _ => panics(),
        }
    };
    let task = node.module.task("work").start().unwrap();
    let error = task
        .run(|_| -> Result<(), _> { Err(Box::new(Talks::new(words))) })
        .unwrap_err();
    assert!(error.source().is_some());
    let observer = node.manager.observe(ID).unwrap();
    let waiter = std::thread::spawn(move || observer.wait());
    until("it watches", || !fake.0.kept.lock().unwrap().is_empty());
    let done = fake.0.kept.lock().unwrap().pop().unwrap();
    calls.store(7, Ordering::SeqCst);
    without_a_panic("complete", || done.complete(Err(error)));
    let told = waiter.join().unwrap().unwrap_err();
    without_a_panic("the waiter", || format!("{told} {told:#}"));
}

#[test]
fn virt_1_a_panic_that_panics_when_it_is_dropped() {
    watched(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (node, fake) = stage(PATIENCE);
        let theirs = Arc::clone(&dropped);
        fake.trouble(move || std::panic::resume_unwind(Box::new(Bomb(Arc::clone(&theirs)))));
        let error = without_a_panic("status", || node.manager.status(ID)).unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert!(dropped.load(Ordering::SeqCst) > 0);
        // Its thread has come back, and goes on.
        fake.no_trouble();
        assert!(node.manager.status(ID).is_ok());
    });
}

/// A provider whose destructor panics.
struct Last(#[allow(dead_code, reason = "it is dropped")] Bomb, Fake);

impl taskmgr::Provider for Last {
    fn list(&self) -> Result<Vec<taskmgr::Stats>, taskmgr::BoxError> {
        self.1.list()
    }
    fn status(&self, id: taskmgr::Uuid) -> Result<Option<taskmgr::Status>, taskmgr::BoxError> {
        taskmgr::Provider::status(&self.1, id)
    }
    fn abort(&self, id: taskmgr::Uuid, reason: &str) -> Result<(), taskmgr::BoxError> {
        self.1.abort(id, reason)
    }
    fn watch(&self, id: taskmgr::Uuid, done: taskmgr::Completion) -> Result<(), taskmgr::BoxError> {
        self.1.watch(id, done)
    }
}

#[test]
fn virt_1_a_provider_that_panics_when_it_is_dropped() {
    for by_observer in [false, true] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let node = node();
        let last = Last(Bomb(Arc::clone(&dropped)), Fake::new());
        node.module.register_provider(last).unwrap();
        let observer = node.manager.observe(ID).unwrap();
        let observer = by_observer.then_some(observer);
        without_a_panic("close", || node.module.close(seconds(1))).unwrap();
        if by_observer {
            // Which waits for the threads that have asked it: nobody else has it any more.
            node.manager.close(seconds(60)).unwrap();
            assert_eq!(dropped.load(Ordering::SeqCst), 0);
        }
        without_a_panic("the observer", || drop(observer));
        // The thread of the last call may be the last to have it.
        until("it is dropped", || dropped.load(Ordering::SeqCst) > 0);
    }
}

#[test]
fn abort_4_callbacks_whose_panics_panic_when_they_are_dropped() {
    watched(|| {
        let node = node();
        let dropped = Arc::new(AtomicUsize::new(0));
        let bomb = || {
            let dropped = Arc::clone(&dropped);
            move || std::panic::resume_unwind(Box::new(Bomb(dropped)))
        };
        let task = node.module.task("t").start().unwrap();
        let (abort, done) = (bomb(), bomb());
        task.on_abort(abort).unwrap().forget();
        task.observe().on_done(move |_| done()).unwrap().forget();
        without_a_panic("abort", || task.abort("now")).unwrap();
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        without_a_panic("finish", || task.finish()).unwrap_err();
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
        // And what they own, dropped unrun.
        let task = node.module.task("t").start().unwrap();
        let (abort, done) = (Bomb(Arc::clone(&dropped)), Bomb(Arc::clone(&dropped)));
        let guards = (
            task.on_abort(move || drop(abort)).unwrap(),
            task.observe().on_done(move |_| drop(done)).unwrap(),
        );
        without_a_panic("guards", || drop(guards));
        // Each with the panic of its own that it ends in.
        assert_eq!(dropped.load(Ordering::SeqCst), 6);
    });
}

#[test]
fn life_3_work_whose_panic_panics_when_it_is_dropped() {
    watched(|| {
        let node = node();
        let dropped = Arc::new(AtomicUsize::new(0));
        let spawn = || {
            let dropped = Arc::clone(&dropped);
            let task = node.module.task("t").start().unwrap();
            let work = task.spawn(move |_| -> Result<(), _> {
                std::panic::resume_unwind(Box::new(Bomb(dropped)))
            });
            work.unwrap()
        };
        let joined = without_a_panic("join", || spawn().join());
        assert!(joined.unwrap_err().to_string().contains("panicked"));
        // Whoever is the last to let go drops it.
        for _ in 0..20 {
            without_a_panic("drop", || drop(spawn()));
            let work = spawn();
            work.observer().wait().unwrap();
            without_a_panic("drop when it is over", || drop(work));
        }
        until("all are dropped", || dropped.load(Ordering::SeqCst) >= 41);
        // The same of a result.
        let task = node.module.task("t").start().unwrap();
        let bomb = Bomb(Arc::clone(&dropped));
        let (sender, go_on) = mpsc::channel::<()>();
        let work = task.spawn(move |_| {
            let _ = go_on.recv();
            Ok(bomb)
        });
        without_a_panic("the result", || drop(work.unwrap()));
        drop(sender);
        until("it is dropped", || dropped.load(Ordering::SeqCst) >= 42);
    });
}
