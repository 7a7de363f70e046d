//! What a list has, and what it has to do without.

use std::fmt;

use super::{Name, Stats};
use crate::error::Error;

/// The tasks of a module, and what is missing among them: see
/// [`Module::listing`](crate::Module::listing).
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let repair = manager.register_module("repair")?;
/// let listing = repair.listing(&taskmgr::Filter::new())?;
/// for missing in &listing.missing {
///     eprintln!("the list is not complete: {missing}");
/// }
/// assert!(listing.is_complete() && listing.tasks.is_empty());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "it may be incomplete"]
pub struct Listing {
    /// The tasks, by time of creation and then id.
    pub tasks: Vec<Stats>,
    /// The providers whose tasks are not among them, in order of their registration.
    pub missing: Vec<Missing>,
}

impl Listing {
    /// Whether every provider of the module has said which tasks it has.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// assert!(repair.listing(&taskmgr::Filter::new())?.is_complete());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A provider whose tasks are missing in a list, and why. `Display` says both.
///
/// ```
/// # fn show(listing: taskmgr::Listing) {
/// for missing in listing.missing {
///     println!("{}: {}", missing.module, missing.error);
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Missing {
    /// The module with which it is registered.
    pub module: Name,
    /// Which provider it is.
    pub provider: ProviderId,
    /// Why it gave no answer: it failed, panicked, took too long, or has let an earlier call
    /// pass its deadline.
    pub error: Error,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, error, .. } = self;
        write!(
            f,
            "the virtual tasks of a provider of module {:?} are missing: {error}",
            &**module
        )
    }
}

/// Which of the providers in a process answers for a task: see
/// [`Observer::provider`](crate::Observer::provider).
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let task = manager.register_module("repair")?.task("repair").start()?;
/// let provider: Option<taskmgr::ProviderId> = task.observe().provider();
/// assert_eq!(provider, None, "a regular task has none");
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProviderId(u64);

impl ProviderId {
    pub(crate) fn new(number: u64) -> Self {
        Self(number)
    }
}
