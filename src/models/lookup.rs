//! Ids, and slots that pass from one task to the next.

use loom::thread;

use super::{Host, TTL, check};
use crate::sync::Deadline;
use crate::{ErrorCode, Filter, GoneReason, State, Uuid};

/// life_7, id_1. Fails if `acquire` looks at the word and adds its reference in two steps.
#[test]
fn look_up_vs_last_release_holds_it_or_finds_nothing() {
    check(2, || {
        let host = Host::new();
        let first = host.repair.task("first").start().unwrap();
        let id = first.id();
        let owner = thread::spawn(move || first.finish().unwrap());
        let observer = host.manager.observe(id).ok();
        owner.join().unwrap();
        // As long as it is held, nobody else gets its slot; nor do two get one.
        let others = ["second", "third"].map(|type_| host.repair.task(type_).start().unwrap());
        assert!(!std::ptr::eq(others[0].task.slot, others[1].task.slot));
        if let Some(observer) = observer {
            let status = observer.status().unwrap();
            assert_eq!((status.id, &*status.type_), (id, "first"));
        }
    });
}

/// life_7, id_1. Fails if a look-up takes whoever lives at the place.
#[test]
fn look_up_vs_reuse_of_the_slot_never_another_tenant() {
    check(1, || {
        let host = Host::new();
        let first = host.repair.task("first").start().unwrap();
        let id = first.id();
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            first.finish().unwrap();
            repair.task("second").start().unwrap()
        });
        if let Ok(observer) = host.manager.observe(id) {
            let status = observer.status().unwrap();
            assert_eq!((status.id, &*status.type_), (id, "first"));
        }
        let second = owner.join().unwrap();
        assert_eq!(second.status().unwrap().type_, "second");
    });
}

/// life_5, id_1. Fails if a status that is read without a reference is not looked at again.
#[test]
fn status_by_id_vs_reuse_of_the_slot_is_of_one_task() {
    check(2, || {
        let host = Host::new();
        let first = host.repair.task("first").shard(1).start().unwrap();
        let id = first.id();
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            first.finish().unwrap();
            repair.task("second").shard(2).start().unwrap()
        });
        if let Ok(status) = host.manager.status(id) {
            assert_eq!((&*status.type_, status.shard), ("first", 1));
        }
        drop(owner.join().unwrap());
    });
}

/// id_1, life_5. Fails if what comes again of memory that went back begins with the first generation,
/// or if it tells its number before the word says that its tenant has gone.
#[test]
fn look_up_vs_memory_that_goes_back_never_another_tenant() {
    check(1, || {
        let host = Host::new();
        let realm = crate::arena::Realm::current().unwrap();
        // The first run, which stays, is somebody's.
        let _taken = [(); 2].map(|()| realm.take_slot(|| true).unwrap());
        let first = host.repair.task("first").shard(1).start().unwrap();
        let (id, slot) = (first.id(), first.task.slot);
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            first.finish().unwrap();
            realm.give_back(true);
            repair.task("second").shard(2).start().unwrap()
        });
        if let Ok(status) = host.manager.status(id) {
            assert_eq!((&*status.type_, status.shard), ("first", 1));
        }
        let second = owner.join().unwrap();
        assert!(std::ptr::eq(second.task.slot, slot));
        assert!(host.manager.status(id).is_err());
    });
}

/// id_1. Fails if the last release leaves the generation as it was.
#[test]
fn stale_id_vs_reuse_of_the_slot() {
    check(3, || {
        let host = Host::new();
        let first = host.repair.task("first").start().unwrap();
        let (id, slot) = (first.id(), first.task.slot);
        first.finish().unwrap();
        let repair = host.repair.clone();
        let maker = thread::spawn(move || repair.task("second").start().unwrap());
        assert!(host.manager.status(id).unwrap_err().is_gone());
        let second = maker.join().unwrap();
        assert!(std::ptr::eq(second.task.slot, slot));
        assert!(host.manager.status(id).unwrap_err().is_gone());
        assert_eq!(host.manager.status(second.id()).unwrap().type_, "second");
    });
}

/// list_2. Fails if `Scan::list` does not look at the word again, or if `prepare` has no
/// fence before its first store.
#[test]
fn listing_vs_reuse_of_a_slot_never_mixed() {
    check(1, || {
        let host = Host::new();
        let first = host.repair.task("first").keyspace("one").entity("i");
        let first = first.start().unwrap();
        let ids = first.id();
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            first.finish().unwrap();
            repair.task("second").keyspace("two").start().unwrap()
        });
        let listed = host.repair.list(&Filter::new()).unwrap();
        let second = owner.join().unwrap();
        assert!(listed.len() <= 1);
        for stats in listed {
            let names = (&*stats.type_, &*stats.keyspace, &*stats.entity);
            let (id, expected, sequence) = match &*stats.type_ {
                "first" => (ids, ("first", "one", "i"), 1),
                _ => (second.id(), ("second", "two", ""), 2),
            };
            assert_eq!(
                (stats.id, names, stats.sequence_number),
                (id, expected, sequence)
            );
        }
    });
}

/// list_1. Fails if a task is listed in the place of the one that had its slot before.
#[test]
fn long_listing_vs_reuse_of_a_slot_in_order_of_creation() {
    check(1, || {
        let host = Host::new();
        let first = host.repair.task("first").start().unwrap();
        host.clock.advance(TTL);
        let between = host.repair.task("between").start().unwrap();
        let (repair, clock) = (host.repair.clone(), host.clock.clone());
        let owner = thread::spawn(move || {
            first.finish().unwrap();
            clock.advance(TTL);
            repair.task("second").start().unwrap()
        });
        let listed = host.repair.list(&Filter::new()).unwrap();
        assert!(listed.is_sorted_by_key(|stats| stats.created_at));
        assert!(listed.iter().any(|stats| stats.id == between.id()));
        drop(owner.join().unwrap());
    });
}

/// id_1. Fails if the table of host ids writes over one that lives.
#[test]
fn host_id_brought_twice_at_once_exactly_one() {
    check(3, || {
        let host = Host::new();
        let id = Uuid::from_u128(7);
        let repair = host.repair.clone();
        let maker = thread::spawn(move || repair.task("one").id(id).start());
        let two = host.repair.task("two").id(id).start();
        let one = maker.join().unwrap();
        let (winner, lost) = match (one, two) {
            (Ok(task), Err(error)) | (Err(error), Ok(task)) => (task, error),
            both => panic!("one gets it, not {both:?}"),
        };
        assert_eq!(lost.code(), ErrorCode::IdInUse);
        assert_eq!(winner.id(), id);
        let found = host.manager.status(id).unwrap();
        assert_eq!(found.type_, winner.status().unwrap().type_);
        winner.finish().unwrap();
        assert!(host.repair.task("three").id(id).start().is_ok());
    });
}

/// id_1. Fails if a task that has ended keeps its id in the table.
#[test]
fn host_id_vs_finish_free_again_at_once() {
    check(3, || {
        let host = Host::new();
        let id = Uuid::from_u128(7);
        let root = host.root();
        let first = root.child("first").id(id).start().unwrap();
        let owner = thread::spawn(move || first.finish().unwrap());
        let second = root.child("second").id(id).start();
        owner.join().unwrap();
        match second {
            Ok(second) => {
                assert_eq!(second.id(), id);
                assert_eq!(host.manager.status(id).unwrap().type_, "second");
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::IdInUse);
                assert!(root.child("third").id(id).start().is_ok());
            }
        }
    });
}

/// ttl_5, id_1. Fails if who finds nothing of an id that came back does not look for its task again.
#[test]
fn host_id_that_comes_back_vs_look_up_gone_or_there() {
    check(2, || {
        let host = Host::new();
        let id = Uuid::from_u128(7);
        let repair = host.repair.clone();
        repair
            .task("first")
            .id(id)
            .start()
            .unwrap()
            .finish()
            .unwrap();
        assert!(host.manager.status(id).unwrap_err().is_gone());
        let maker = thread::spawn(move || repair.task("second").id(id).start().unwrap());
        match host.manager.status(id) {
            Ok(status) => assert_eq!(status.type_, "second"),
            Err(error) => assert!(error.is_gone(), "{error}"),
        }
        drop(maker.join().unwrap());
    });
}

/// id_1, life_8. Fails if an id in the table is refused though its task is over, or if a
/// task takes another's id off the table.
#[test]
fn host_id_comes_back_as_soon_as_its_task_is_over() {
    check(3, || {
        let host = Host::new();
        let id = Uuid::from_u128(7);
        let root = host.root();
        let first = root.child("first").id(id).start().unwrap();
        let observer = first.observe();
        let owner = thread::spawn(move || first.finish().unwrap());
        let (held, engine) = observer.registered().unwrap();
        engine.wait(held, &Deadline::Never).unwrap();
        let second = root.child("second").id(id).start().unwrap();
        owner.join().unwrap();
        assert_eq!(second.id(), id);
        assert_eq!(host.manager.status(id).unwrap().type_, "second");
    });
}

/// id_1, fold_2. Fails if who finds the parent gone does not look for the id that it left.
#[test]
fn parent_id_vs_end_of_a_parent_with_an_id_of_the_hosts() {
    check(2, || {
        let host = Host::new();
        let id = Uuid::from_u128(7);
        let root = host.repair.task("root").id(id).start().unwrap();
        let child = root.child("child").start().unwrap();
        let observer = child.observe();
        let repair = host.repair.clone();
        let owner = thread::spawn(move || {
            child.finish().unwrap();
            root.finish().unwrap();
            // Somebody else's place from now on.
            repair.task("other").start().unwrap()
        });
        assert_eq!(observer.status().unwrap().parent_id, Some(id));
        drop(owner.join().unwrap());
    });
}

/// ttl_5. Fails if the parents are held one after the other as they are looked at.
#[test]
fn kept_grandchild_vs_fold_of_its_parent_always_found() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let parent = root.child("part").start().unwrap();
        let child = parent.child("piece").start().unwrap();
        let id = child.id();
        child.fail("no space").unwrap();
        let finisher = thread::spawn(move || parent.finish());
        let gone = host.manager.status(id).unwrap_err().gone();
        assert_eq!(gone, Some((GoneReason::Folded, State::Failed)));
        finisher.join().unwrap().unwrap();
    });
}
