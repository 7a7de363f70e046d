//! Roots that have settled: taken, expired or drained, each by exactly one.

use loom::thread;

use super::{Host, TTL, check};
use crate::{GoneReason, State};

/// ttl_2, ttl_3. Fails if `unregister` lets a second one pass.
#[test]
fn take_status_vs_expiry_exactly_one_gets_it() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        task.finish().unwrap();
        let (manager, clock) = (host.manager.clone(), host.clock.clone());
        let sweeper = thread::spawn(move || {
            clock.advance(TTL);
            manager.tick()
        });
        let taken = host.manager.take_status(id);
        let swept = sweeper.join().unwrap();
        let (reason, state) = host.manager.status(id).unwrap_err().gone().unwrap();
        assert_eq!(state, State::Done);
        match taken {
            Ok(status) => {
                assert_eq!((status.state, swept), (State::Done, 0));
                assert_eq!(reason, GoneReason::Read);
            }
            Err(error) => {
                assert_eq!(error.gone(), Some((GoneReason::Expired, State::Done)));
                assert_eq!(reason, GoneReason::Expired);
            }
        }
        assert_eq!(host.manager.tick(), 0);
    });
}

/// ttl_3. Fails if `unregister` lets a second one pass.
#[test]
fn take_status_vs_take_status_exactly_one_gets_it() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        task.finish().unwrap();
        let manager = host.manager.clone();
        let taker = thread::spawn(move || manager.take_status(id));
        let mine = host.manager.take_status(id);
        let (status, error) = match (taker.join().unwrap(), mine) {
            (Ok(status), Err(error)) | (Err(error), Ok(status)) => (status, error),
            both => panic!("one gets it, not {both:?}"),
        };
        assert_eq!(status.state, State::Done);
        assert_eq!(error.gone(), Some((GoneReason::Read, State::Done)));
    });
}

/// ttl_3. Fails if `take` does not ask whether the root has settled.
#[test]
fn take_status_vs_finish_too_early_or_final() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        let owner = thread::spawn(move || task.finish());
        let taken = host.manager.take_status(id);
        owner.join().unwrap().unwrap();
        match taken {
            Ok(status) => {
                assert_eq!((status.state, status.settled), (State::Done, true));
                assert!(host.manager.status(id).unwrap_err().is_gone());
            }
            Err(error) => {
                assert_eq!(error.code(), crate::ErrorCode::NotSettled);
                assert!(host.manager.take_status(id).is_ok());
            }
        }
        assert_eq!(host.repair.drain().unwrap(), 0);
    });
}

/// ttl_4. Fails if `unregister` lets a second one pass.
#[test]
fn drain_vs_take_status_exactly_one_gets_it() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        task.finish().unwrap();
        let repair = host.repair.clone();
        let drainer = thread::spawn(move || repair.drain().unwrap());
        let taken = host.manager.take_status(id);
        assert_eq!(drainer.join().unwrap() + usize::from(taken.is_ok()), 1);
        assert!(host.manager.status(id).unwrap_err().is_gone());
    });
}
