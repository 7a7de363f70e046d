//! What was asked and answered.

use std::fmt;

use crate::schedules::program::Op;
use crate::{Error, ErrorCode, GoneReason, State, Status, Uuid};

/// An error as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub code: ErrorCode,
    pub gone: Option<(GoneReason, State)>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            gone: error.gone(),
        }
    }
}

/// A status as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub state: State,
    pub is_aborted: bool,
    pub settled: bool,
    pub completed: u64,
    /// Live, succeeded, failed.
    pub children: (u64, u64, u64),
}

impl From<Status> for Seen {
    fn from(status: Status) -> Self {
        let counts = status.child_counts;
        Self {
            state: status.state,
            is_aborted: status.abort.is_some(),
            settled: status.settled,
            completed: status.progress.completed,
            children: (counts.live, counts.succeeded, counts.failed),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Done(Result<(), Fault>),
    Seen(Result<Seen, Fault>),
    Count(Result<usize, Fault>),
    /// Tasks that still run, or are listed, with their states.
    Tasks(Result<Vec<(Uuid, State)>, Fault>),
}

impl Answer {
    /// The error's, if it is one.
    pub fn code(&self) -> Option<ErrorCode> {
        let fault = match self {
            Self::Done(result) => result.as_ref().err(),
            Self::Seen(result) => result.as_ref().err(),
            Self::Count(result) => result.as_ref().err(),
            Self::Tasks(result) => result.as_ref().err(),
        };
        fault.map(|fault| fault.code)
    }
}

#[derive(Clone, Debug)]
pub enum What {
    Asked(Op),
    /// The completion callback of a task ran.
    Told {
        task: usize,
    },
    /// The completion callback of a module's virtual task ran.
    VirtualTold {
        module: usize,
    },
    /// The abort callback of a task ran.
    Interrupted {
        task: usize,
    },
}

/// One operation, from when it was invoked to when it answered.
#[derive(Clone, Debug)]
pub struct Event {
    pub lane: usize,
    pub what: What,
    pub answer: Answer,
    pub invoked: u64,
    pub answered: u64,
    /// Which registration of a module was meant: that of the event which was invoked then, or
    /// the first.
    pub registration: Option<u64>,
    /// Whether it named a task that is another thread's.
    pub by_id: bool,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invoked, answered, ..
        } = self;
        let lane = match self.lane {
            usize::MAX => "callback".to_owned(),
            lane => format!("thread {lane}"),
        };
        let (what, answer) = (&self.what, &self.answer);
        write!(
            f,
            "{invoked:>4}-{answered:<4} {lane:<8} {what:?}: {answer:?}"
        )
    }
}
