//! One manager's inside: alone joins trees, ids, retention and providers.

mod abort;
mod close;
mod create;
mod end;
mod find;
mod ids;
mod live;
mod modules;
mod registration;
mod retain;
#[cfg(all(test, not(loom)))]
mod reuse;
mod shared;
mod shell;
mod short_end;
mod spare;
mod suspend;
mod wait;
mod watch;

use std::fmt;
use std::time::Duration;

use crate::arena::{Held, Realm};
use crate::clock::{Clock, Tick, Ticks, nanos};
use crate::error::{Error, ErrorCode, Result};
use crate::eviction::Evictions;
use crate::index::{HostIds, Tombstones};
use crate::names::{Given, Keep};
use crate::node::extras::Extras;
use crate::node::slot::Slot;
use crate::node::word::{ENDING, PARTS, TERMINAL};
use crate::retention::Retention;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Condvar, Lock, Ordering};
use crate::tree::room::Bounds;
use crate::tree::root::Tree;
use crate::view::Name;

pub(crate) use create::{ParentSpec, Spec, Traits};
pub(crate) use end::{Handle, Outcome};
pub(crate) use find::{Found, Question, Sought};
use live::Live;
use registration::Modules;
pub(crate) use registration::{ModuleCore, Registration};
pub use shared::RawTask;
use shell::Settings;
pub(crate) use shell::Shells;
pub(crate) use spare::SpareModules;
use watch::Watches;

/// What a manager was built with.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) node: Name,
    pub(crate) bounds: Bounds,
    pub(crate) tombstones: usize,
    pub(crate) provider_deadline: Duration,
    pub(crate) reaper: bool,
    pub(crate) max_modules: usize,
    pub(crate) max_finished_bytes: u64,
    /// `u64::MAX` for none.
    pub(crate) max_live_tasks: u64,
}

/// Lives as long as the process, as handles may: a manager that is gone leaves this shell, with
/// nothing in it, to another. So no handle counts references to it, and nothing on a worker's path
/// does; see [`shell`] for when it goes to the next.
pub(crate) struct Engine {
    uid: AtomicU32,
    pub(crate) realm: &'static Realm,
    settings: Settings,
    pub(crate) ticks: Ticks,
    task_ttl: AtomicU64,
    user_task_ttl: AtomicU64,
    modules: Lock<Modules>,
    /// Notified under the modules' lock when the last close of a module that keeps the name
    /// taken returns.
    closes_returned: Condvar,
    stage: AtomicU32,
    /// Set once the deadline of a close has passed, and never reset: nobody is kept waiting any
    /// more, whatever the stage is or will be.
    overdue: AtomicBool,
    host_ids: HostIds,
    tombstones: Lock<Tombstones>,
    retention: Lock<Retained>,
    /// What all settled roots take that are kept.
    finished_bytes: AtomicU64,
    /// How many have gone for it.
    evicted: AtomicU64,
    live: Live,
    watches: Watches,
}

#[derive(Debug, Default)]
struct Retained {
    queue: Retention,
    /// The same roots, in the order in which they go when they take too much.
    evictions: Evictions,
    /// Whether the process's thread sees to the queue.
    is_reaped: bool,
}

/// How far a manager's end has come. It only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stage {
    Open = 0,
    /// Closed or dropped; what still runs is still found.
    Closing = 2,
    /// Nothing runs any more, or nobody is left to ask for it.
    Closed = 3,
}

/// The word of a manager that is open, and has a bound of live tasks: all of its births take the
/// long way, by the one comparison by which any does whose manager is not open.
const OPEN_WITH_BOUND: u32 = 1;

/// A task and its tree, as handles hold them: references that stay valid, and count nothing.
#[derive(Clone, Copy)]
pub(crate) struct TaskRef {
    pub(crate) slot: &'static Slot,
    pub(crate) tree: &'static Tree,
}

impl Engine {
    pub(crate) fn start(
        config: Config,
        clock: Clock,
        task_ttl: Duration,
        user_task_ttl: Duration,
    ) -> Result<&'static Self> {
        check_ttl(TASK_TTL, task_ttl)?;
        check_ttl(USER_TASK_TTL, user_task_ttl)?;
        let realm = Realm::current()?;
        let engine = match realm.shells.take(realm, &clock) {
            Some(shell) => shell,
            None => {
                let shell: &'static Self = Box::leak(Box::new(Self::shell(realm, clock)));
                realm.remember(shell);
                shell
            }
        };
        realm.open_managers.fetch_add(1, Ordering::SeqCst);
        engine.begin(&config, [task_ttl, user_task_ttl]);
        Ok(engine)
    }

    /// Nobody's yet.
    fn shell(realm: &'static Realm, clock: Clock) -> Self {
        Self {
            uid: AtomicU32::new(0),
            realm,
            settings: Settings::none(),
            ticks: Ticks::new(clock),
            task_ttl: AtomicU64::new(0),
            user_task_ttl: AtomicU64::new(0),
            modules: Lock::default(),
            closes_returned: Condvar::default(),
            stage: AtomicU32::new(Stage::Closed as u32),
            overdue: AtomicBool::new(false),
            host_ids: HostIds::default(),
            tombstones: Lock::new(Tombstones::new(0)),
            retention: Lock::default(),
            finished_bytes: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            live: Live::default(),
            watches: Watches::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Tick {
        self.ticks.now()
    }

    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::SeqCst) {
            0 | OPEN_WITH_BOUND => Stage::Open,
            2 => Stage::Closing,
            _ => Stage::Closed,
        }
    }

    /// Whether the manager is open, and its tasks are not counted.
    #[inline]
    fn is_plainly_open(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == Stage::Open as u32
    }

    /// It has come so far at least.
    fn raise_stage(&self, stage: Stage) {
        let before = self.stage.fetch_max(stage as u32, Ordering::SeqCst);
        if stage == Stage::Closed && before != Stage::Closed as u32 {
            self.realm.open_managers.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether the deadline of a close has passed.
    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::SeqCst)
    }

    /// Whether the engine answers in this process, and still has anything to answer for.
    pub(crate) fn check(&self) -> Result<()> {
        self.realm.check_fork()?;
        match self.stage() {
            Stage::Closed => Err(Error::closed("the manager")),
            _ => Ok(()),
        }
    }

    /// The same as a yes or no.
    #[inline]
    pub(crate) fn answers(&self) -> bool {
        !self.realm.is_forked() && self.stage() != Stage::Closed
    }

    pub(crate) fn task_ttl(&self) -> Duration {
        Duration::from_nanos(self.task_ttl.load(Ordering::Relaxed))
    }

    pub(crate) fn user_task_ttl(&self) -> Duration {
        Duration::from_nanos(self.user_task_ttl.load(Ordering::Relaxed))
    }

    pub(crate) fn set_task_ttl(&self, ttl: Duration) -> Result<Duration> {
        self.check()?;
        set_ttl(&self.task_ttl, TASK_TTL, ttl)
    }

    pub(crate) fn set_user_task_ttl(&self, ttl: Duration) -> Result<Duration> {
        self.check()?;
        set_ttl(&self.user_task_ttl, USER_TASK_TTL, ttl)
    }
}

impl TaskRef {
    /// The task that is held.
    pub(crate) fn of(held: &Held) -> Self {
        let slot = held.slot();
        let tree = slot
            .find_tree(held.engine().realm)
            .expect("a task that is held has a tree");
        Self { slot, tree }
    }

    #[inline(always)]
    pub(crate) fn engine(&self) -> &'static Engine {
        self.slot.engine()
    }

    #[inline]
    pub(crate) fn realm(&self) -> &'static Realm {
        self.engine().realm
    }

    /// Names the units of a task that works. Its other names stay, so that whoever reads them
    /// meanwhile finds one set or the other, and both are right. Where other handles may end the
    /// task meanwhile, it has `PARTS`: then its end, and this, go through the lock of its extras.
    pub(crate) fn set_units(&self, units: &str) -> Result<()> {
        let realm = self.realm();
        realm.check_fork()?;
        let names = self.slot.names(realm);
        if Engine::has_ended(*self) || *names.units == *units {
            return Ok(());
        }
        let given = Given {
            units,
            ..names.given()
        };
        // What one task alone has is given to it before anybody else sees it, or never.
        let set = match realm.recent_names(names.group.title(), &given) {
            Some(set) => Some(set),
            None => realm
                .intern_new(names.group, &given, Keep::AtOnce)?
                .interned(),
        };
        let set = set.ok_or_else(|| Error::new(ErrorCode::Exhausted, TOO_MANY_NAMES))?;
        let _parts = match self.slot.word.load().has(PARTS) {
            true => self.slot.extras(realm).map(Extras::lock),
            false => None,
        };
        if !self.slot.word.load().has(ENDING | TERMINAL) {
            self.slot.set_names(set);
        }
        Ok(())
    }

    /// The same for a handle that is not alone.
    pub(crate) fn set_units_of_shared(&self, units: &str) -> Result<()> {
        self.realm().check_fork()?;
        if Engine::has_ended(*self) {
            return Ok(());
        }
        self.slot.extras_or_new(self.realm());
        // From here on nobody ends the task without that lock.
        self.slot.word.mark(PARTS);
        self.set_units(units)
    }
}

const TOO_MANY_NAMES: &str = "the process has more combinations of names than it keeps, and none \
                              with these units; name them when the task is made";

/// A hundred years: ticks, which hold 584, have room for what comes after.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

const TASK_TTL: &str = "TTL of tasks";
const USER_TASK_TTL: &str = "TTL of user tasks";

/// With the fraction of a second by which it may be too long.
fn check_ttl(what: &str, ttl: Duration) -> Result<()> {
    if ttl > MAX_TTL {
        let given = match (ttl.as_secs(), ttl.subsec_nanos()) {
            _ if ttl == Duration::MAX => "for ever".to_owned(),
            (seconds, 0) => format!("{seconds} s"),
            (seconds, nanos) => {
                let fraction = format!("{nanos:09}");
                format!("{seconds}.{} s", fraction.trim_end_matches('0'))
            }
        };
        let most = MAX_TTL.as_secs();
        return Err(Error::invalid(format!(
            "the {what} is {given}, which does not fit; the longest is {most} s"
        )));
    }
    Ok(())
}

fn set_ttl(place: &AtomicU64, what: &str, ttl: Duration) -> Result<Duration> {
    check_ttl(what, ttl)?;
    Ok(Duration::from_nanos(
        place.swap(nanos(ttl), Ordering::AcqRel),
    ))
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.uid())
    }
}

impl fmt::Debug for ModuleCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.group.fmt(f)
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::names::Group;

    #[test]
    fn a_manager_is_a_few_hundred_bytes_and_its_modules_less() {
        assert!(size_of::<Engine>() <= 640, "{} bytes", size_of::<Engine>());
        let module = size_of::<ModuleCore>() + size_of::<Group>();
        assert!(module <= 320, "{module} bytes");
    }
}
