//! Parking as the models need it.

use std::sync::Arc;
use std::time::Duration;

use super::{Condvar, Deadline, Lock, ThreadId, thread_id};

loom::thread_local! {
    static ME: Thread = Thread(Arc::new(Token {
        id: thread_id(),
        is_there: Lock::new(false),
        put: Condvar::default(),
    }));
}

/// A thread's handle. Loom's own loses the token of a thread that is yet to park whenever
/// another lets a lock go that this one had.
#[derive(Clone, Debug)]
pub(super) struct Thread(Arc<Token>);

#[derive(Debug)]
struct Token {
    id: ThreadId,
    is_there: Lock<bool>,
    put: Condvar,
}

pub(super) fn current() -> Thread {
    ME.with(Clone::clone)
}

/// As a host may that uses the token of its thread for something else.
pub(crate) fn unpark_me() {
    current().unpark();
}

/// No clock moves in a model: who sets its deadline's flag wakes it.
pub(super) fn park() {
    let Token { is_there, put, .. } = &*current().0;
    let mut token = is_there.lock();
    while !*token {
        token = put.wait(token, &Deadline::Never);
    }
    *token = false;
}

pub(super) fn park_timeout(_time: Duration) {
    park();
}

impl Thread {
    pub(super) fn id(&self) -> ThreadId {
        self.0.id
    }

    pub(super) fn unpark(&self) {
        *self.0.is_there.lock() = true;
        self.0.put.notify_all();
    }
}
