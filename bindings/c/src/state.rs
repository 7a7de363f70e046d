//! Enumerations, as integers: C may give any number.

use taskmgr::{GoneReason, Kind, State};

use crate::failure::{Failure, invalid};
use crate::guard;
use crate::text::taskmgr_str;

/// Where a task is in its life; 0 is none, or any. Since 0.1.0.
pub type taskmgr_state = i32;

/// No state, or any, as in a filter.
pub const TASKMGR_STATE_ANY: taskmgr_state = 0;
/// Made, and not yet started.
pub const TASKMGR_STATE_CREATED: taskmgr_state = 1;
/// At work.
pub const TASKMGR_STATE_RUNNING: taskmgr_state = 2;
/// Its owner sleeps in a checkpoint until it is resumed or aborted.
pub const TASKMGR_STATE_SUSPENDED: taskmgr_state = 3;
/// Ended with success.
pub const TASKMGR_STATE_DONE: taskmgr_state = 4;
/// Ended with an error.
pub const TASKMGR_STATE_FAILED: taskmgr_state = 5;

/// Who answers for a task. Since 0.1.0.
pub type taskmgr_kind = i32;

/// A regular task, held in memory by this manager.
pub const TASKMGR_KIND_NODE: taskmgr_kind = 1;
/// A virtual task, answered on demand by a provider of the host.
pub const TASKMGR_KIND_CLUSTER: taskmgr_kind = 2;

/// Why a task that was there is there no longer; 0 is none. Since 0.1.0.
pub type taskmgr_gone_reason = i32;

/// Its time to live has passed.
pub const TASKMGR_GONE_EXPIRED: taskmgr_gone_reason = 1;
/// Its status was taken.
pub const TASKMGR_GONE_READ: taskmgr_gone_reason = 2;
/// Its module was drained or closed.
pub const TASKMGR_GONE_DRAINED: taskmgr_gone_reason = 3;
/// It has ended and is part of its parent now.
pub const TASKMGR_GONE_FOLDED: taskmgr_gone_reason = 4;
/// The finished roots took more than `max_finished_bytes`.
pub const TASKMGR_GONE_EVICTED: taskmgr_gone_reason = 5;

pub(crate) fn state(state: State) -> taskmgr_state {
    match state {
        State::Created => TASKMGR_STATE_CREATED,
        State::Running => TASKMGR_STATE_RUNNING,
        State::Suspended => TASKMGR_STATE_SUSPENDED,
        State::Done => TASKMGR_STATE_DONE,
        State::Failed => TASKMGR_STATE_FAILED,
    }
}

pub(crate) fn kind(kind: Kind) -> taskmgr_kind {
    match kind {
        Kind::Node => TASKMGR_KIND_NODE,
        Kind::Cluster => TASKMGR_KIND_CLUSTER,
    }
}

pub(crate) fn gone_reason(reason: GoneReason) -> taskmgr_gone_reason {
    match reason {
        GoneReason::Expired => TASKMGR_GONE_EXPIRED,
        GoneReason::Read => TASKMGR_GONE_READ,
        GoneReason::Drained => TASKMGR_GONE_DRAINED,
        GoneReason::Folded => TASKMGR_GONE_FOLDED,
        GoneReason::Evicted => TASKMGR_GONE_EVICTED,
    }
}

/// The state of a number; none for "any".
pub(crate) fn given_state(number: taskmgr_state) -> Result<Option<State>, Failure> {
    Ok(Some(match number {
        TASKMGR_STATE_ANY => return Ok(None),
        TASKMGR_STATE_CREATED => State::Created,
        TASKMGR_STATE_RUNNING => State::Running,
        TASKMGR_STATE_SUSPENDED => State::Suspended,
        TASKMGR_STATE_DONE => State::Done,
        TASKMGR_STATE_FAILED => State::Failed,
        _ => {
            return Err(invalid(format!(
                "{number} is no state; use one of TASKMGR_STATE_CREATED, _RUNNING, _SUSPENDED, \
                 _DONE, _FAILED"
            )));
        }
    }))
}

/// The state as a word, e.g. "running"; "unknown" for a number that is none.
///
/// The text is static. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_state_name(state: taskmgr_state) -> taskmgr_str<'static> {
    guard::value(taskmgr_str::EMPTY, || {
        Ok(taskmgr_str::literal(match state {
            TASKMGR_STATE_CREATED => c"created",
            TASKMGR_STATE_RUNNING => c"running",
            TASKMGR_STATE_SUSPENDED => c"suspended",
            TASKMGR_STATE_DONE => c"done",
            TASKMGR_STATE_FAILED => c"failed",
            _ => c"unknown",
        }))
    })
}

/// Whether a task in this state has ended: done or failed.
///
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_state_is_terminal(state: taskmgr_state) -> bool {
    guard::value(false, || {
        Ok(matches!(state, TASKMGR_STATE_DONE | TASKMGR_STATE_FAILED))
    })
}

/// The kind as a word, "node" or "cluster"; "unknown" for a number that is none.
///
/// The text is static. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_kind_name(kind: taskmgr_kind) -> taskmgr_str<'static> {
    guard::value(taskmgr_str::EMPTY, || {
        Ok(taskmgr_str::literal(match kind {
            TASKMGR_KIND_NODE => c"node",
            TASKMGR_KIND_CLUSTER => c"cluster",
            _ => c"unknown",
        }))
    })
}

/// The reason as a word, e.g. "expired"; "unknown" for a number that is none.
///
/// The text is static. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_gone_reason_name(reason: taskmgr_gone_reason) -> taskmgr_str<'static> {
    guard::value(taskmgr_str::EMPTY, || {
        Ok(taskmgr_str::literal(match reason {
            TASKMGR_GONE_EXPIRED => c"expired",
            TASKMGR_GONE_READ => c"read",
            TASKMGR_GONE_DRAINED => c"drained",
            TASKMGR_GONE_FOLDED => c"folded",
            TASKMGR_GONE_EVICTED => c"evicted",
            _ => c"unknown",
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_those_of_the_core() {
        for each in [
            State::Created,
            State::Running,
            State::Suspended,
            State::Done,
            State::Failed,
        ] {
            assert_eq!(given_state(state(each)).unwrap(), Some(each));
            assert_eq!(taskmgr_state_name(state(each)).to_test(), each.as_str());
            assert_eq!(taskmgr_state_is_terminal(state(each)), each.is_terminal());
        }
        for each in [Kind::Node, Kind::Cluster] {
            assert_eq!(taskmgr_kind_name(kind(each)).to_test(), each.as_str());
        }
        for each in [
            GoneReason::Expired,
            GoneReason::Read,
            GoneReason::Drained,
            GoneReason::Folded,
            GoneReason::Evicted,
        ] {
            let number = gone_reason(each);
            assert_eq!(taskmgr_gone_reason_name(number).to_test(), each.as_str());
        }
    }
}
