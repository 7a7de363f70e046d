//! Describing a manager before it is built.

use std::sync::Arc;
use std::time::Duration;

use super::{Manager, Shared};
use crate::clock::Clock;
use crate::engine::{Config, Engine};
use crate::error::Result;
use crate::names::check_name;
use crate::tree::room::Bounds;
use crate::view::Name;

/// What a manager shall be.
///
/// ```
/// use std::time::Duration;
/// use taskmgr::{Clock, Manager};
///
/// let manager = Manager::builder()
///     .task_ttl(Duration::from_secs(10))
///     .user_task_ttl(Duration::from_secs(3600))
///     .clock(Clock::System)
///     .node("10.0.0.1")
///     .reaper(true)
///     .keep_on_read(false)
///     .max_kept_children(1024)
///     .max_kept_per_root(16_384)
///     .tombstones(4096)
///     .max_finished_bytes(64 << 20)
///     .provider_deadline(Duration::from_secs(5))
///     .max_modules(65_536)
///     .max_live_tasks(1_000_000)
///     .build()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until it is built"]
pub struct ManagerBuilder {
    task_ttl: Duration,
    user_task_ttl: Duration,
    clock: Clock,
    node: String,
    reaper: bool,
    keep_on_read: bool,
    max_kept_children: usize,
    max_kept_per_root: usize,
    tombstones: usize,
    max_finished_bytes: u64,
    provider_deadline: Duration,
    max_modules: usize,
    max_live_tasks: usize,
}

impl Default for ManagerBuilder {
    fn default() -> Self {
        Self {
            task_ttl: Duration::ZERO,
            user_task_ttl: Duration::from_secs(3600),
            clock: Clock::System,
            node: String::new(),
            reaper: true,
            keep_on_read: false,
            max_kept_children: 1024,
            max_kept_per_root: 16_384,
            tombstones: 4096,
            max_finished_bytes: 64 << 20,
            provider_deadline: Duration::from_secs(5),
            max_modules: 65_536,
            max_live_tasks: usize::MAX,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $example:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// ```
            /// # use std::time::Duration;
            #[doc = concat!("let builder = taskmgr::Manager::builder().", stringify!($name), "(", $example, ");")]
            /// # builder.build()?;
            /// # Ok::<(), taskmgr::Error>(())
            /// ```
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $name;
                self
            }
        )*
    };
}

impl ManagerBuilder {
    setters! {
        /// For how long a finished root stays; 0, the default, forgets it at once.
        task_ttl: Duration = "Duration::from_secs(60)";
        /// For how long one that a user started stays; an hour by default.
        user_task_ttl: Duration = "Duration::from_secs(600)";
        /// Where the time comes from.
        clock: Clock = "taskmgr::Clock::System";
        /// Whether a background thread forgets roots whose time has come; a process has one for all
        /// managers, which starts with the first root that is kept. Without it, call
        /// [`Manager::tick`].
        reaper: bool = "false";
        /// Whether reading the status of a settled root over REST leaves it registered, as
        /// today's ScyllaDB does.
        keep_on_read: bool = "true";
        /// How many succeeded children a parent keeps, and how many failed ones.
        max_kept_children: usize = "100";
        /// How many finished descendants a whole tree keeps.
        max_kept_per_root: usize = "1000";
        /// How many roots that are gone are remembered, with the reason; 0 for none.
        tombstones: usize = "0";
        /// About how many bytes all finished roots may take with what they keep; 64 MiB by default.
        /// Beyond it the oldest go before their time: those that succeeded, then those of users
        /// that did, then those that failed, then those of users that failed. One that takes more by
        /// itself goes as it settles; so with 0 none is kept. What a root takes is estimated once,
        /// as it settles: its blocks, what is kept of its descendants, and their texts.
        max_finished_bytes: u64 = "16 << 20";
        /// How long a provider of virtual tasks may take to answer.
        provider_deadline: Duration = "Duration::from_millis(200)";
        /// How many modules may be registered or closing at once; a further one is refused as
        /// [`Exhausted`](crate::ErrorCode::Exhausted).
        max_modules: usize = "100";
        /// How many tasks may live at once, which are those that have not settled; none but memory
        /// by default, for which `usize::MAX` stands. A further one is refused as
        /// [`Exhausted`](crate::ErrorCode::Exhausted), and only then. With a bound tasks are
        /// counted under a lock of the manager's as they are made and as they settle, and both take
        /// the long way; without one nothing is counted.
        max_live_tasks: usize = "100_000";
    }

    /// The address of this node, as children's ids are shown with it.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().node("10.0.0.1").build()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = node.into();
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) for a TTL above 100 years or an
    /// address that is no name; [`Exhausted`](crate::ErrorCode::Exhausted) in a process that is
    /// more than 15 forks away from the first that built one.
    ///
    /// ```
    /// use std::time::Duration;
    /// assert!(taskmgr::Manager::builder().task_ttl(Duration::MAX).build().is_err());
    /// ```
    pub fn build(self) -> Result<Manager> {
        check_name("node address", &self.node, false)?;
        let node = Name::from(self.node);
        let config = Config {
            node: node.clone(),
            bounds: Bounds {
                per_parent: self.max_kept_children,
                per_root: self.max_kept_per_root,
            },
            tombstones: self.tombstones,
            max_finished_bytes: self.max_finished_bytes,
            provider_deadline: self.provider_deadline,
            reaper: self.reaper && can_sleep_by(&self.clock),
            max_modules: self.max_modules,
            max_live_tasks: match self.max_live_tasks {
                usize::MAX => u64::MAX,
                most => most as u64,
            },
        };
        let engine = Engine::start(config, self.clock, self.task_ttl, self.user_task_ttl)?;
        Ok(Manager(Arc::new(Shared {
            engine,
            node,
            keep_on_read: self.keep_on_read,
        })))
    }
}

/// Nobody can sleep until a time of a clock that the host moves. In a model a thread sleeps until
/// it is woken, whatever the clock.
fn can_sleep_by(clock: &Clock) -> bool {
    cfg!(all(test, loom)) || matches!(clock, Clock::System)
}
