//! What a manager leaves when it is gone, and how the next comes to live in it.
//!
//! A manager's inside is a shell that is never given back, as whoever has a task of it gets to it
//! without a count. It goes to the next manager once nobody's task is of the one before:
//!
//! 1. It is offered when the manager is closed or dropped, nothing of it runs, and all its modules
//!    are given up. Their gates are shut, so no task of it is born any more: whoever still has one
//!    has one that has settled, and there are ever fewer of them.
//! 2. From time to time all slots are gone through. A shell to which none leads that lives is free.
//!    Whoever ends or lets go of a task uses its manager before the last reference goes, save to
//!    take a host's id back, which is compared with the place of its task first, and to keep the
//!    queues of what is kept in order, which anybody may do at any time.
//! 3. A handle that counts nothing (of a module, a virtual task, a callback, a builder) may come
//!    later. It acts for a registration, whose number is never given again, or for a watch, with a
//!    number that is never given again: see [`SpareModules`](super::SpareModules). What it collects
//!    without either it drops where the shell has another `uid` afterwards.
//! 4. So all that changes from one to the next is atomic or under a lock. The clock does not
//!    change: it goes to one that goes by the same.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::{Config, Engine, OPEN_WITH_BOUND, Retained, Stage};
use crate::arena::Realm;
use crate::clock::{Clock, nanos};
use crate::index::Tombstones;
use crate::sync::{AtomicBool, AtomicU64, Lock, Ordering, sized};
use crate::tree::room::Bounds;
use crate::view::Name;

/// What a manager was built with, as its shell has it.
#[derive(Debug)]
pub(super) struct Settings {
    node: Lock<Name>,
    /// In one word, for each half of which more is as good as none: every end of a child reads it.
    bounds: AtomicU64,
    provider_deadline: AtomicU64,
    reaper: AtomicBool,
    max_modules: AtomicU64,
    max_finished_bytes: AtomicU64,
    max_live_tasks: AtomicU64,
}

impl Settings {
    pub(super) fn none() -> Self {
        Self {
            node: Lock::new(Name::EMPTY),
            bounds: AtomicU64::new(0),
            provider_deadline: AtomicU64::new(0),
            reaper: AtomicBool::new(false),
            max_modules: AtomicU64::new(0),
            max_finished_bytes: AtomicU64::new(0),
            max_live_tasks: AtomicU64::new(u64::MAX),
        }
    }

    fn set(&self, config: &Config, node: Name) {
        let set = |place: &AtomicU64, to| place.store(to, Ordering::Relaxed);
        *self.node.lock() = node;
        let half = |bound: usize| u64::from(u32::try_from(bound).unwrap_or(u32::MAX));
        let Bounds {
            per_parent,
            per_root,
        } = config.bounds;
        set(&self.bounds, half(per_root) << 32 | half(per_parent));
        set(&self.provider_deadline, nanos(config.provider_deadline));
        self.reaper.store(config.reaper, Ordering::Relaxed);
        set(&self.max_modules, config.max_modules as u64);
        set(&self.max_finished_bytes, config.max_finished_bytes);
        set(&self.max_live_tasks, config.max_live_tasks);
    }
}

impl Engine {
    /// The address that the manager was given.
    pub(crate) fn node(&self) -> Name {
        self.settings.node.lock().clone()
    }

    #[inline(always)]
    pub(super) fn bounds(&self) -> Bounds {
        let bounds = self.settings.bounds.load(Ordering::Relaxed);
        Bounds {
            per_parent: bounds as u32 as usize,
            per_root: (bounds >> 32) as usize,
        }
    }

    pub(crate) fn provider_deadline(&self) -> Duration {
        Duration::from_nanos(self.settings.provider_deadline.load(Ordering::Relaxed))
    }

    pub(super) fn max_modules(&self) -> usize {
        self.settings.max_modules.load(Ordering::Relaxed) as usize
    }

    pub(super) fn max_finished_bytes(&self) -> u64 {
        self.settings.max_finished_bytes.load(Ordering::Relaxed)
    }

    /// How many tasks may live at once, if there is a bound.
    #[inline]
    pub(super) fn max_live_tasks(&self) -> Option<u64> {
        let most = self.settings.max_live_tasks.load(Ordering::Relaxed);
        (most != u64::MAX).then_some(most)
    }

    pub(super) fn is_to_be_reaped(&self) -> bool {
        self.settings.reaper.load(Ordering::Relaxed)
    }

    /// Tells its modules, and who serves it, from those of other managers.
    #[inline]
    pub(crate) fn uid(&self) -> u32 {
        self.uid.load(Ordering::SeqCst)
    }

    /// Another manager from here on, which is open once all of it is there.
    pub(super) fn begin(&self, config: &Config, ttls: [Duration; 2]) {
        /// 2^32 managers take hours at least, and no handle of one acts by its number alone.
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

        let mut uid = 0;
        while uid == 0 {
            uid = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.uid.store(uid, Ordering::SeqCst);
        let node = self.realm.kept_names.node(&config.node);
        self.settings.set(config, node);
        let [task_ttl, user_task_ttl] = ttls.map(nanos);
        self.task_ttl.store(task_ttl, Ordering::Relaxed);
        self.user_task_ttl.store(user_task_ttl, Ordering::Relaxed);
        *self.tombstones.lock() = Tombstones::new(config.tombstones);
        *self.retention.lock() = Retained::default();
        self.finished_bytes.store(0, Ordering::Relaxed);
        self.evicted.store(0, Ordering::Relaxed);
        self.overdue.store(false, Ordering::SeqCst);
        let open = match self.max_live_tasks() {
            Some(_) => OPEN_WITH_BOUND,
            None => Stage::Open as u32,
        };
        self.stage.store(open, Ordering::SeqCst);
    }

    /// The manager is gone: its shell is for the next, now or once nothing of it runs.
    pub(super) fn leave(&'static self) {
        match self.give_up_modules() {
            true => self.realm.shells.offer(self),
            false => self.realm.shells.orphan(self),
        }
    }
}

/// The shells of managers that are gone.
#[derive(Debug, Default)]
pub(crate) struct Shells(Lock<Lists>);

#[derive(Debug, Default)]
struct Lists {
    /// Something of them may run.
    orphans: VecDeque<&'static Engine>,
    /// Somebody may have a task of them.
    left: Vec<&'static Engine>,
    /// So many of them had one at the last look.
    in_use: usize,
    /// Of managers that went by the system's clock, and by one that their host moved.
    free: Vec<&'static Engine>,
    manual: VecDeque<&'static Engine>,
}

/// So many are left before all slots are gone through, and so many slots for each.
const FEW: usize = sized(32, 1);
const SLOTS: usize = 64;
/// So many shells with a clock of their own are tried; older ones stay as they are.
const MANUAL: usize = 16;

impl Shells {
    fn offer(&self, engine: &'static Engine) {
        self.0.lock().left.push(engine);
    }

    fn orphan(&self, engine: &'static Engine) {
        self.0.lock().orphans.push_back(engine);
    }

    /// A shell that nobody can reach any more, and that goes by this clock.
    pub(super) fn take(&self, realm: &'static Realm, clock: &Clock) -> Option<&'static Engine> {
        self.look_after_orphans();
        let mut lists = self.0.lock();
        // Those that were in use then are not looked through again for their own sake: a look is
        // paid for by those that came since.
        let new = lists.left.len() - lists.in_use;
        if new >= FEW.max(realm.slots.count() / SLOTS) {
            lists.free_unused(realm);
        }
        if matches!(clock, Clock::System) {
            return lists.free.pop();
        }
        let at = lists
            .manual
            .iter()
            .position(|shell| shell.ticks.are_of(clock))?;
        lists.manual.remove(at)
    }

    /// A few with each manager that is made, so that they do not add up, and no end of a task pays
    /// for it.
    fn look_after_orphans(&self) {
        const AT_ONCE: usize = 2;

        for _ in 0..AT_ONCE {
            let Some(orphan) = self.0.lock().orphans.pop_front() else {
                return;
            };
            orphan.leave();
        }
    }
}

impl Lists {
    /// Goes through all slots: some 64 for each shell that was left.
    #[cold]
    fn free_unused(&mut self, realm: &'static Realm) {
        let used: HashSet<*const Engine> = realm
            .slots
            .all()
            .filter(|slot| slot.word.load().is_live())
            .filter_map(|slot| slot.find_engine())
            .map(std::ptr::from_ref)
            .collect();
        for shell in std::mem::take(&mut self.left) {
            if used.contains(&std::ptr::from_ref(shell)) {
                self.left.push(shell);
            } else if shell.ticks.is_manual() {
                self.manual.push_front(shell);
                self.manual.truncate(MANUAL);
            } else {
                self.free.push(shell);
            }
        }
        self.in_use = self.left.len();
    }
}
