//! Settled roots that take too much: as many go as have to, and what has gone is not counted.

use loom::thread;

use super::{Host, check};
use crate::tree::bytes::PLAIN;

/// With room for so many roots.
fn host(roots: u64) -> Host {
    Host::with(|builder| builder.max_finished_bytes(roots * PLAIN as u64))
}

/// ttl_7. Fails if roots that are on their way out count as kept.
#[test]
fn finish_vs_finish_one_goes_where_there_is_room_for_one() {
    check(2, || {
        let host = host(1);
        let (one, two) = (host.kept_root(), host.kept_root());
        let ids = [one.id(), two.id()];
        let other = thread::spawn(move || two.finish().unwrap());
        one.finish().unwrap();
        other.join().unwrap();
        let there = ids.map(|id| host.manager.status(id).is_ok());
        assert_eq!(there.iter().filter(|there| **there).count(), 1, "{there:?}");
        assert_eq!(host.manager.evicted(), 1);
        assert_eq!(host.manager.finished_bytes(), PLAIN as u64);
    });
}

/// ttl_7. Fails if who keeps a root does not look whether it has gone meanwhile: then it is counted
/// for ever.
#[test]
fn finish_vs_take_status_what_was_taken_is_not_counted() {
    check(2, || {
        let host = host(9);
        let task = host.kept_root();
        let id = task.id();
        let owner = thread::spawn(move || task.finish().unwrap());
        let taken = host.manager.take_status(id);
        owner.join().unwrap();
        if taken.is_err() {
            assert_eq!(host.manager.finished_bytes(), PLAIN as u64);
            host.manager.take_status(id).unwrap();
        }
        assert_eq!(host.manager.finished_bytes(), 0);
    });
}

/// ttl_7. Fails if one that is taken as it is to go for others counts as gone twice.
#[test]
fn finish_vs_take_status_of_the_next_to_go_no_more_is_kept_than_there_is_room_for() {
    check(2, || {
        let host = host(1);
        let (old, new) = (host.kept_root(), host.kept_root());
        let (old_id, new_id) = (old.id(), new.id());
        old.finish().unwrap();
        let owner = thread::spawn(move || new.finish().unwrap());
        let taken = host.manager.take_status(old_id).is_ok();
        owner.join().unwrap();
        let there = host.manager.status(new_id).is_ok();
        let kept = PLAIN as u64 * u64::from(there);
        assert_eq!(host.manager.finished_bytes(), kept);
        assert_eq!(
            host.manager.evicted(),
            u64::from(!taken) + u64::from(!there)
        );
    });
}
