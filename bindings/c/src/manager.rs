//! The one manager of a node.

use std::mem::MaybeUninit;
use std::time::Duration;

#[cfg(feature = "http")]
use taskmgr::ErrorCode;
use taskmgr::{Clock, Manager, ManagerBuilder};

use crate::clock::taskmgr_clock;
use crate::close_report::taskmgr_close_report;
use crate::code::taskmgr_code;
use crate::failure::Failure;
use crate::filter::{self, taskmgr_filter};
use crate::guard;
use crate::handle::{Kept, Place, ValuePlace, get};
use crate::module::taskmgr_module;
use crate::stats::taskmgr_stats_list;
use crate::strings::taskmgr_strings;
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};
use crate::time::{duration, millis};
use crate::versioned::{Given, Versioned, read};

/// What a manager shall be. `TASKMGR_MANAGER_CONFIG` initializes it with the defaults. Text
/// and clock are borrowed for the call. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_manager_config<'a> {
    /// `sizeof(taskmgr_manager_config)`.
    pub size: usize,
    /// The address of this node, as children's ids are shown with it.
    pub node: taskmgr_str<'a>,
    /// A clock for tests, or NULL for the machine's. With a clock of its own a manager has no
    /// background thread.
    pub clock: Option<&'a taskmgr_clock>,
    /// For how long a finished root stays; 0, the default, forgets it at once.
    pub task_ttl_ms: u64,
    /// For how long one that a user started stays; an hour by default.
    pub user_task_ttl_ms: u64,
    /// How long a provider of virtual tasks may take to answer; 5 s by default.
    pub provider_deadline_ms: u64,
    /// How many succeeded children a parent keeps, and how many failed ones; 1,024 by default.
    pub max_kept_children: usize,
    /// How many finished descendants a whole tree keeps; 16,384 by default.
    pub max_kept_per_root: usize,
    /// How many roots that are gone are remembered, with the reason; 4,096 by default.
    pub tombstones: usize,
    /// About how many bytes all finished roots may take with what they keep; 64 MiB by default.
    /// Beyond it the oldest go before their time: those that succeeded, then those of users that
    /// did, then those that failed, then those of users that failed.
    pub max_finished_bytes: u64,
    /// How many modules may be registered or closing at once; 65,536 by default. A further one is
    /// refused: EXHAUSTED.
    pub max_modules: usize,
    /// How many tasks may live at once, which are those that have not settled; TASKMGR_NO_LIMIT, the
    /// default, for no bound but memory. A further one is refused: EXHAUSTED. With a bound making
    /// and ending tasks takes longer.
    pub max_live_tasks: usize,
    /// Not 0, as by default: a background thread forgets roots whose time has come. Without it
    /// call `taskmgr_manager_tick`.
    pub reaper: u8,
    /// Not 0: reading the status of a settled root over REST leaves it registered.
    pub keep_on_read: u8,
    /// 0.
    pub reserved: [u8; 6],
}

// SAFETY: integers, text and a handle of C without padding: 8 + 16 + 8 + 8 * 8 + 8 bytes. That
// the handle is null or valid is what C promises for every handle.
unsafe impl Versioned for taskmgr_manager_config<'_> {
    const NAME: &'static str = "taskmgr_manager_config";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 6;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            node: taskmgr_str::EMPTY,
            clock: None,
            task_ttl_ms: 0,
            user_task_ttl_ms: 3_600_000,
            provider_deadline_ms: 5_000,
            max_kept_children: 1_024,
            max_kept_per_root: 16_384,
            tombstones: 4_096,
            max_finished_bytes: 64 << 20,
            max_modules: 65_536,
            max_live_tasks: usize::MAX,
            reaper: 1,
            keep_on_read: 0,
            reserved: [0; 6],
        }
    }
}

impl taskmgr_manager_config<'_> {
    fn builder(&self) -> Result<ManagerBuilder, Failure> {
        let builder = Manager::builder()
            .node(self.node.get("the node's address")?)
            .task_ttl(duration(self.task_ttl_ms))
            .user_task_ttl(duration(self.user_task_ttl_ms))
            .provider_deadline(duration(self.provider_deadline_ms))
            .max_kept_children(self.max_kept_children)
            .max_kept_per_root(self.max_kept_per_root)
            .tombstones(self.tombstones)
            .max_finished_bytes(self.max_finished_bytes)
            .max_modules(self.max_modules)
            .max_live_tasks(self.max_live_tasks)
            .reaper(self.reaper != 0)
            .keep_on_read(self.keep_on_read != 0);
        Ok(match self.clock {
            Some(clock) => builder.clock(Clock::Manual(clock.0.clone())),
            None => builder,
        })
    }
}

/// Keeps track of a node's long-running operations. When its last handle is freed without
/// `taskmgr_manager_close`, new tasks are refused and all that run are told to abort, but not
/// waited for; handles of tasks that are left still report, finish, and can be waited for.
/// Since 0.1.0.
pub struct taskmgr_manager {
    manager: Kept<Manager>,
    node: (Texts, Span),
}

impl taskmgr_manager {
    fn new(manager: Manager) -> Self {
        let node = Texts::one(manager.node());
        Self {
            manager: Kept::new(manager),
            node,
        }
    }
}

pub(crate) fn node_manager(manager: Option<&taskmgr_manager>) -> Result<&Manager, Failure> {
    get(manager, "manager").map(|manager| &*manager.manager)
}

/// A copy, for calls that may run callbacks: one of those may free the handle.
pub(crate) fn kept(manager: Option<&taskmgr_manager>) -> Result<Manager, Failure> {
    get(manager, "manager").map(|manager| manager.manager.keep())
}

/// Refuses in a forked child, where the core does not have to be asked.
#[cfg(feature = "http")]
pub(crate) fn check_fork(manager: &Manager) -> Result<(), Failure> {
    match manager.modules() {
        Err(error) if error.code() == ErrorCode::Forked => Err(error.into()),
        _ => Ok(()),
    }
}

/// Makes a manager. A null `config` is one with the defaults.
///
/// `*manager` is the caller's, to be freed with `taskmgr_manager_free`; NULL after an error.
/// Threads: any. Errors: INVALID_ARGUMENT for a TTL above 100 years or an address that is no
/// name; EXHAUSTED in a process that is more than 15 forks away from the first that made one.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_manager_create(
    config: *const taskmgr_manager_config<'_>,
    manager: Option<&mut MaybeUninit<*mut taskmgr_manager>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(manager, "manager")?;
        let config = match config.is_null() {
            true => Given::Other(taskmgr_manager_config::defaults()),
            // SAFETY: the C program promises that the config is as large as it says.
            false => unsafe { read(config, "config") }?,
        };
        place.give(taskmgr_manager::new(config.builder()?.build()?));
        Ok(())
    })
}

/// Makes one more handle of the same manager.
///
/// `*copy` is the caller's, to be freed with `taskmgr_manager_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_clone(
    manager: Option<&taskmgr_manager>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_manager>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        place.give(taskmgr_manager::new(kept(manager)?));
        Ok(())
    })
}

/// Frees a handle of a manager; the last one ends it without waiting. An HTTP server holds a
/// handle of its own.
///
/// Takes `manager`; NULL is nothing. Threads: any, once no other call uses this handle; a
/// callback that such a call runs may. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_free(manager: Option<Box<taskmgr_manager>>) {
    guard::value((), || {
        drop(manager);
        Ok(())
    });
}

/// Closes all modules and the manager with them: as `taskmgr_module_close`. Whoever still waits
/// for a task at the deadline, or comes later, gets CLOSED. Closing again waits on for what still
/// runs, and is answered in the same way: with a complete report once nothing does.
///
/// The library's threads that served this manager are gone when this returns, unless it is called
/// in a callback: save those in a call of a provider that has passed its deadline, or this one.
/// After the last manager of a process none is left, so that the library can be unloaded.
///
/// `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
/// error, and `report` may be NULL. The handle stays, to be freed.
/// Threads: any. Errors: WOULD_DEADLOCK in a callback, unless the deadline is 0. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_close(
    manager: Option<&taskmgr_manager>,
    deadline_ms: u64,
    report: Option<&mut MaybeUninit<*mut taskmgr_close_report>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::optional(report);
        let closed = kept(manager)?.close(duration(deadline_ms))?;
        if let Some(place) = place {
            place.give(taskmgr_close_report::new(closed));
        }
        Ok(())
    })
}

/// Registers a module. Names are non-empty, at most 255 bytes, and printable.
///
/// `*module` is the caller's, to be freed with `taskmgr_module_free`, which does not unregister
/// it; NULL after an error. Threads: any. Errors: MODULE_EXISTS if one of that name is
/// registered or still closing, INVALID_ARGUMENT for the name, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_register_module(
    manager: Option<&taskmgr_manager>,
    name: taskmgr_str<'_>,
    module: Option<&mut MaybeUninit<*mut taskmgr_module>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(module, "module")?;
        let name = name.get("the name")?;
        let registered = node_manager(manager)?.register_module(name)?;
        place.give(taskmgr_module::new(registered));
        Ok(())
    })
}

/// The module of this name.
///
/// `*module` is the caller's, to be freed with `taskmgr_module_free`; NULL after an error.
/// Threads: any. Errors: UNKNOWN_MODULE, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_module(
    manager: Option<&taskmgr_manager>,
    name: taskmgr_str<'_>,
    module: Option<&mut MaybeUninit<*mut taskmgr_module>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(module, "module")?;
        let found = node_manager(manager)?.module(name.get("the name")?)?;
        place.give(taskmgr_module::new(found));
        Ok(())
    })
}

/// The names of all modules, in order of registration.
///
/// `*names` is the caller's, to be freed with `taskmgr_strings_free`; NULL after an error.
/// Threads: any. Errors: CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_modules(
    manager: Option<&taskmgr_manager>,
    names: Option<&mut MaybeUninit<*mut taskmgr_strings>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(names, "names")?;
        place.give(taskmgr_strings::new(&node_manager(manager)?.modules()?));
        Ok(())
    })
}

/// The tasks of a module, as `taskmgr_module_list` gives them.
///
/// `*list` is the caller's, to be freed with `taskmgr_stats_list_free`; NULL after an error.
/// Threads: any. Errors: UNKNOWN_MODULE, and those of `taskmgr_module_list`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_manager_list(
    manager: Option<&taskmgr_manager>,
    module: taskmgr_str<'_>,
    filter: *const taskmgr_filter<'_>,
    list: Option<&mut MaybeUninit<*mut taskmgr_stats_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(list, "list")?;
        // SAFETY: the C program promises that the filter is as large as it says.
        let filter = unsafe { filter::given(filter) }?;
        let listing = node_manager(manager)?.listing(module.get("the module's name")?, &filter)?;
        place.give(taskmgr_stats_list::listed(listing));
        Ok(())
    })
}

/// Unregisters all settled roots of a module; `*drained` is how many there were, and `drained`
/// may be NULL.
///
/// Threads: any. Errors: UNKNOWN_MODULE, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_drain(
    manager: Option<&taskmgr_manager>,
    module: taskmgr_str<'_>,
    drained: Option<&mut MaybeUninit<usize>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::optional(drained, 0);
        let count = node_manager(manager)?.drain(module.get("the module's name")?)?;
        if let Some(place) = place {
            place.give(count);
        }
        Ok(())
    })
}

/// Closes a module by its name: as `taskmgr_module_close`.
///
/// `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
/// error, and `report` may be NULL. Threads: any. Errors: UNKNOWN_MODULE, CLOSED,
/// WOULD_DEADLOCK in a callback. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_close_module(
    manager: Option<&taskmgr_manager>,
    module: taskmgr_str<'_>,
    deadline_ms: u64,
    report: Option<&mut MaybeUninit<*mut taskmgr_close_report>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::optional(report);
        let module = module.get("the module's name")?;
        let closed = kept(manager)?.close_module(module, duration(deadline_ms))?;
        if let Some(place) = place {
            place.give(taskmgr_close_report::new(closed));
        }
        Ok(())
    })
}

/// The address that the manager was given.
///
/// The text is borrowed from `manager`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_node(manager: Option<&taskmgr_manager>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let (texts, span) = &get(manager, "manager")?.node;
        Ok(texts.get(*span))
    })
}

/// Whether reading the status of a settled root over REST leaves it registered.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_keep_on_read(manager: Option<&taskmgr_manager>) -> bool {
    guard::value(false, || Ok(node_manager(manager)?.keep_on_read()))
}

/// For how long a finished root stays, in milliseconds.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_task_ttl(manager: Option<&taskmgr_manager>) -> u64 {
    guard::value(0, || Ok(millis(node_manager(manager)?.task_ttl())))
}

/// For how long a finished root that a user started stays, in milliseconds.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_user_task_ttl(manager: Option<&taskmgr_manager>) -> u64 {
    guard::value(0, || Ok(millis(node_manager(manager)?.user_task_ttl())))
}

/// About how many bytes the finished roots take that are kept, with all that they keep.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_finished_bytes(manager: Option<&taskmgr_manager>) -> u64 {
    guard::value(0, || Ok(node_manager(manager)?.finished_bytes()))
}

/// How many finished roots have gone before their time, as all of them took too much:
/// `TASKMGR_GONE_EVICTED` is told of each.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_evicted(manager: Option<&taskmgr_manager>) -> u64 {
    guard::value(0, || Ok(node_manager(manager)?.evicted()))
}

/// Sets for how long a root stays that settles from now on; `*before` is what it was, and
/// `before` may be NULL.
///
/// Threads: any. Errors: INVALID_ARGUMENT above 100 years, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_set_task_ttl(
    manager: Option<&taskmgr_manager>,
    ttl_ms: u64,
    before: Option<&mut MaybeUninit<u64>>,
) -> taskmgr_code {
    guard::code(|| set_ttl(manager, ttl_ms, before, Manager::set_task_ttl))
}

/// Sets for how long a root stays that a user started and that settles from now on; `*before`
/// is what it was, and `before` may be NULL.
///
/// Threads: any. Errors: INVALID_ARGUMENT above 100 years, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_set_user_task_ttl(
    manager: Option<&taskmgr_manager>,
    ttl_ms: u64,
    before: Option<&mut MaybeUninit<u64>>,
) -> taskmgr_code {
    guard::code(|| set_ttl(manager, ttl_ms, before, Manager::set_user_task_ttl))
}

fn set_ttl(
    manager: Option<&taskmgr_manager>,
    ttl_ms: u64,
    before: Option<&mut MaybeUninit<u64>>,
    set: impl FnOnce(&Manager, Duration) -> taskmgr::Result<Duration>,
) -> Result<(), Failure> {
    let place = ValuePlace::optional(before, 0);
    let was = set(node_manager(manager)?, duration(ttl_ms))?;
    if let Some(place) = place {
        place.give(millis(was));
    }
    Ok(())
}

/// Forgets the roots whose time has come, for hosts without the background thread; how many
/// there were. What has expired is never shown, swept or not.
///
/// Threads: any. Errors: 0 for NULL, for a closed manager and in a forked child. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_tick(manager: Option<&taskmgr_manager>) -> usize {
    guard::value(0, || Ok(node_manager(manager)?.tick()))
}
