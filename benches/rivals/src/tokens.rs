//! tokio-util: cancellation tokens, and its task tracker.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// child_token and drop.
pub fn life_cycles(parent: &CancellationToken, count: usize) {
    for _ in 0..count {
        std::hint::black_box(parent.child_token());
    }
}

/// The same with a token of a tracker, which counts live tasks.
pub fn tracked_life_cycles(parent: &CancellationToken, tracker: &TaskTracker, count: usize) {
    for _ in 0..count {
        let tracked = tracker.token();
        std::hint::black_box(parent.child_token());
        drop(tracked);
    }
}

/// A flat tree.
pub fn children(parent: &CancellationToken, count: usize) -> Vec<CancellationToken> {
    (0..count).map(|_| parent.child_token()).collect()
}

/// A waker that counts how often it woke.
#[derive(Debug, Default)]
pub struct Counter {
    woken: AtomicUsize,
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

/// Futures that wait for a cancel, each of a token of its own.
pub struct Waiting {
    counter: Arc<Counter>,
    futures: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Waiting {
    /// One waiting future for each token.
    pub fn on(tokens: Vec<CancellationToken>) -> Self {
        let counter = Arc::new(Counter::default());
        let waker = Waker::from(Arc::clone(&counter));
        let mut context = Context::from_waker(&waker);
        let wait = |token: CancellationToken| {
            let mut future: Pin<Box<dyn Future<Output = ()> + Send>> =
                Box::pin(token.cancelled_owned());
            assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
            future
        };
        let futures = tokens.into_iter().map(wait).collect();
        Self { counter, futures }
    }

    /// Whether every future was woken.
    pub fn all_woken(&self) -> bool {
        self.counter.woken.load(Ordering::Relaxed) == self.futures.len()
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting", self.futures.len())
    }
}
