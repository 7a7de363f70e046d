//! In whatever way a task goes, its slot and its blocks are others' afterwards.

use std::collections::HashSet;
use std::time::Duration;

use crate::arena::Numbered;
use crate::node::word::GONE;
use crate::{Clock, Manager, ManualClock, Module, Observer, Task, TaskBuilder, Uuid};

const TTL: Duration = Duration::from_secs(60);

/// So many lives of each kind take turns in far fewer places.
const LIVES: usize = 32;
const PLACES: usize = 16;

struct Host {
    manager: Manager,
    clock: ManualClock,
    module: Module,
}

type Describe = for<'a> fn(TaskBuilder<'a>, usize) -> TaskBuilder<'a>;

const BIRTHS: [(&str, Describe); 5] = [
    ("plain", |task, _| task),
    ("short entity", |task, _| task.entity("sstable-12")),
    ("long entity", |task, _| {
        task.entity("an entity of more bytes than lie beside a slot")
    }),
    ("host's id", |task, at| {
        task.id(Uuid::from_u128(0x1e4f << 64 | at as u128))
    }),
    ("abortable", |task, _| {
        task.abortable().total(4, "ranges").shard(3)
    }),
];

/// With the words that tell of it.
type Named<F> = (&'static str, F);

type Lives = fn(&Task) -> Left;
type Goes = fn(&Host, &Observer);

/// What is left of a task, and goes later.
type Left = Vec<Box<dyn std::any::Any>>;

/// What happens in its life, and what is left of it that goes after the task.
const LIVES_OF: [Named<Lives>; 9] = [
    ("nothing", |_| Vec::new()),
    ("an observer", |task| {
        vec![Box::new((task.observe(), task.observe()))]
    }),
    ("a completion callback", |task| {
        task.observe().on_done(drop).unwrap().forget();
        vec![Box::new(task.observe().on_done(drop).unwrap())]
    }),
    ("an abort callback", |task| {
        task.on_abort(|| {}).unwrap().forget();
        vec![Box::new(task.on_abort(|| {}).unwrap())]
    }),
    ("a reporter", |task| {
        task.reporter().advance(1);
        vec![Box::new(task.reporter())]
    }),
    ("other units", |task| {
        task.set_units("rows").unwrap();
        Vec::new()
    }),
    ("a child that ended", |task| {
        task.child("c").start().unwrap().finish().unwrap();
        task.child("c").start().unwrap().fail("no space").unwrap();
        Vec::new()
    }),
    ("a child that ends later", |task| {
        vec![Box::new(task.child("c").start().unwrap())]
    }),
    ("a child that is watched", |task| {
        let child = task.child("c").start().unwrap();
        child.observe().on_done(drop).unwrap().forget();
        vec![
            Box::new((child.observe(), child.on_abort(|| {}).unwrap())),
            Box::new(child),
        ]
    }),
];

const ENDS: [Named<fn(Task)>; 7] = [
    ("finish", |task| task.finish().unwrap()),
    ("fail", |task| task.fail("no space").unwrap()),
    ("drop", drop),
    ("abort", |task| {
        task.abort("enough").unwrap();
        assert!(task.finish().unwrap_err().is_aborted());
    }),
    ("shared finish", |task| {
        let task = task.share();
        let other = task.clone();
        task.finish().unwrap();
        assert!(other.finish().is_err());
    }),
    ("shared fail", |task| task.share().fail("no space").unwrap()),
    ("shared drop", |task| drop(task.share())),
];

/// How a root that is kept goes.
const GOINGS: [Named<Goes>; 3] = [
    ("read", |host, root| {
        drop(host.manager.take_status(root.id()).unwrap())
    }),
    ("drained", |host, _| {
        assert!(host.module.drain().unwrap() > 0)
    }),
    ("expired", |host, _| {
        host.clock.advance(TTL);
        assert!(host.manager.tick() > 0);
    }),
];

fn host() -> Host {
    let clock = ManualClock::new();
    let builder = Manager::builder().clock(Clock::Manual(clock.clone()));
    let manager = builder.user_task_ttl(TTL).build().unwrap();
    let module = manager.register_module("m").unwrap();
    Host {
        manager,
        clock,
        module,
    }
}

/// The places in which tasks and what hung on them were.
#[derive(Default)]
struct Places([HashSet<u32>; 4]);

impl Places {
    fn add(&mut self, slot: &'static crate::node::slot::Slot) {
        let realm = slot.engine().realm;
        let [slots, extras, kids, trees] = &mut self.0;
        slots.insert(slot.number());
        extras.extend(slot.extras(realm).map(Numbered::number));
        kids.extend(slot.kids(realm).map(Numbered::number));
        trees.extend(slot.find_tree(realm).map(Numbered::number));
    }

    fn are_few(&self) -> bool {
        self.0.iter().all(|used| used.len() <= PLACES)
    }
}

/// Checks that so many lives take few places. Other tests take from the same stocks, and may come
/// in between; what is lost is lost in every try.
fn check_places(what: &str, mut live: impl FnMut(usize, &mut Places)) {
    const TRIES: usize = 20;

    let mut used = Vec::new();
    for _ in 0..TRIES {
        let mut places = Places::default();
        (0..LIVES).for_each(|at| live(at, &mut places));
        if places.are_few() {
            return;
        }
        used.push(places.0.each_ref().map(HashSet::len));
    }
    panic!("{what}: {used:?} places");
}

#[test]
fn life_7_a_slot_is_free_again_in_whatever_way_its_task_goes() {
    let host = host();
    for (birth, describe) in BIRTHS {
        for (life, live) in LIVES_OF {
            for (end, end_it) in ENDS {
                for is_child in [false, true] {
                    let root = host.module.task("root").start().unwrap();
                    let what = format!("{birth}, {life}, {end}, child: {is_child}");
                    check_places(&what, |at, places| {
                        let builder = match is_child {
                            true => root.child("t"),
                            false => host.module.task("t"),
                        };
                        let task = describe(builder, at).start().unwrap();
                        let slot = task.task.slot;
                        let left = live(&task);
                        end_it(task);
                        places.add(slot);
                        drop(left);
                    });
                }
            }
        }
    }
}

#[test]
fn ttl_2_a_slot_is_free_again_in_whatever_way_a_root_goes_that_was_kept() {
    let host = host();
    for (birth, describe) in BIRTHS {
        for (going, go) in GOINGS {
            for is_held in [false, true] {
                let what = format!("{birth}, {going}, held: {is_held}");
                check_places(&what, |at, places| {
                    let task = describe(host.module.task("t").user_task(), at)
                        .start()
                        .unwrap();
                    let (slot, observer) = (task.task.slot, task.observe());
                    task.child("c").start().unwrap().finish().unwrap();
                    task.finish().unwrap();
                    let kept = is_held.then(|| observer.clone());
                    go(&host, &observer);
                    assert!(host.manager.status(observer.id()).unwrap_err().is_gone());
                    places.add(slot);
                    drop((observer, kept));
                });
            }
        }
    }
}

#[test]
fn id_1_a_task_that_was_refused_leaves_no_place_behind() {
    let host = host();
    let root = host.module.task("root").start().unwrap();
    let id = root.child("lives").id(Uuid::from_u128(7)).start().unwrap();
    let long = "x".repeat(256);
    type Refuse<'a> = &'a dyn Fn() -> crate::Result<Task>;
    let refused: [(&str, Refuse<'_>); 5] = [
        ("root's id", &|| host.module.task("t").id(id.id()).start()),
        ("child's id", &|| root.child("t").id(id.id()).start()),
        ("root's entity", &|| {
            host.module.task("t").entity(&long).start()
        }),
        ("child's entity", &|| root.child("t").entity(&long).start()),
        ("nil id", &|| root.child("t").id(Uuid::nil()).start()),
    ];
    for (what, refuse) in refused {
        check_places(what, |_, places| {
            refuse().unwrap_err();
            // The next to come has what the one before gave back.
            let next = root.child("t").start().unwrap();
            places.add(next.task.slot);
            next.on_abort(|| {}).unwrap().forget();
            places.add(next.task.slot);
            next.finish().unwrap();
        });
    }
}

#[test]
fn ttl_2_the_thread_forgets_what_has_expired_and_what_expires_sooner_wakes_it() {
    let manager = Manager::builder().user_task_ttl(TTL).build().unwrap();
    let module = manager.register_module("m").unwrap();
    let finish = || {
        let task = module.task("t").user_task().start().unwrap();
        let observer = task.observe();
        task.finish().unwrap();
        observer
    };
    // Nothing looks for it, so that nothing but the thread forgets it.
    let is_gone = |observer: &Observer| {
        let (held, _) = observer.registered().unwrap();
        held.slot().word.load().has(GONE)
    };
    let stays = finish();
    manager.set_user_task_ttl(Duration::from_millis(1)).unwrap();
    for _ in 0..3 {
        let goes = finish();
        let begun = std::time::Instant::now();
        while !is_gone(&goes) {
            assert!(begun.elapsed() < TTL, "nobody has forgotten it");
            std::thread::yield_now();
        }
    }
    assert!(!is_gone(&stays));
}

#[test]
fn ttl_2_deadlines_of_roots_that_were_read_or_drained_do_not_pile_up() {
    let host = host();
    let finish = || {
        let task = host.module.task("t").user_task().start().unwrap();
        let (id, engine) = (task.id(), task.task.engine());
        task.finish().unwrap();
        (id, engine)
    };
    let (stays, engine) = finish();
    let entries = || engine.retention.lock().queue.all().len();
    for _ in 0..300 {
        let (id, _) = finish();
        host.manager.take_status(id).unwrap();
    }
    assert!(entries() < 150, "{} entries for one root", entries());
    assert!(host.manager.status(stays).is_ok());
    for _ in 0..300 {
        finish();
    }
    assert_eq!(host.module.drain().unwrap(), 301);
    assert!(entries() < 150, "{} entries for no root", entries());
}

#[test]
fn wait_3_callbacks_that_are_taken_back_leave_nothing_with_a_task_that_works_on() {
    let host = host();
    let task = host.module.task("t").start().unwrap();
    let stays = (
        task.on_abort(|| {}).unwrap(),
        task.observe().on_done(drop).unwrap(),
    );
    for _ in 0..100 {
        drop(task.on_abort(|| {}).unwrap());
        drop(task.observe().on_done(drop).unwrap());
        drop(task.reporter());
    }
    let parts = task.task.slot.extras(task.task.realm()).unwrap().lock();
    let kept = (parts.aborts.len(), parts.done.len(), parts.cells.len());
    drop(parts);
    assert_eq!(kept, (1, 1, 0));
    drop(stays);
}
