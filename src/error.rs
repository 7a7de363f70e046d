//! What can go wrong: one opaque error with a stable code, a message, and the values as fields.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::view::State;

/// The result of every call that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the host's own, as [`Task::run`](crate::Task::run) takes it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// The message says what was asked, what was found and what to do; [`code`](Error::code)
/// is stable and the same in every language.
///
/// ```
/// use taskmgr::{ErrorCode, Manager};
///
/// let manager = Manager::builder().build()?;
/// let error = manager.module("repair").unwrap_err();
/// assert_eq!(error.code(), ErrorCode::UnknownModule);
/// assert!(error.to_string().contains("repair"));
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: ErrorCode,
    message: String,
    id: Option<Uuid>,
    gone: Option<(GoneReason, State)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal,)*) => {
        /// The kind of an [`Error`]; the numbers are stable and shared by every language.
        ///
        /// ```
        /// use taskmgr::ErrorCode;
        /// assert_eq!(ErrorCode::NotFound as i32, 5);
        /// assert_eq!(ErrorCode::NotFound.as_str(), "not_found");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl ErrorCode {
            /// Every code, in order of their numbers.
            ///
            /// ```
            /// use taskmgr::ErrorCode;
            /// let named = |word| ErrorCode::ALL.iter().find(move |code| code.as_str() == word);
            /// assert_eq!(named("timeout"), Some(&ErrorCode::Timeout));
            /// ```
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as a word, as the other languages name it.
            ///
            /// ```
            /// assert_eq!(taskmgr::ErrorCode::Timeout.as_str(), "timeout");
            /// ```
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    /// A name, a number or a duration that cannot be.
    InvalidArgument = 1 "invalid_argument",
    /// A module of that name is registered already, or still closing.
    ModuleExists = 2 "module_exists",
    /// No module of that name is registered.
    UnknownModule = 3 "unknown_module",
    /// The id lives already.
    IdInUse = 4 "id_in_use",
    /// No task has that id, nor is one remembered that had it: of roots that are gone the latest
    /// are, and a child that has folded for as long as its parent keeps it.
    NotFound = 5 "not_found",
    /// The task was there and is no longer; [`Error::gone`] tells why.
    Gone = 6 "gone",
    /// A task that has ended takes no children.
    ParentTerminal = 7 "parent_terminal",
    /// The task was started before.
    AlreadyStarted = 8 "already_started",
    /// The task has ended before.
    AlreadyFinished = 9 "already_finished",
    /// The task is not marked abortable.
    NotAbortable = 10 "not_abortable",
    /// The task was told to abort.
    Aborted = 11 "aborted",
    /// The time given to a wait has passed.
    Timeout = 12 "timeout",
    /// The task, or a descendant of it, is still at work.
    NotSettled = 13 "not_settled",
    /// The call would have to block inside a callback or a provider.
    WouldDeadlock = 14 "would_deadlock",
    /// The module or the manager is closed.
    Closed = 15 "closed",
    /// The process was forked since the manager was built.
    Forked = 16 "forked",
    /// The provider of a virtual task failed, panicked or took too long.
    Provider = 17 "provider",
    /// The call makes no sense for this kind of task.
    NotSupported = 18 "not_supported",
    /// More tasks, modules, forks or handles than there is room for or the host allows, or a result
    /// for which there is no memory.
    Exhausted = 19 "exhausted",
    /// The work that a task tracked has failed.
    TaskFailed = 20 "task_failed",
    /// The task was finished before it was started: it has failed.
    NotStarted = 21 "not_started",
}

/// Why a task that was there is there no longer.
///
/// ```
/// assert_eq!(taskmgr::GoneReason::Drained.as_str(), "drained");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GoneReason {
    /// Its time to live has passed.
    Expired,
    /// Its status was taken.
    Read,
    /// Its module was drained or closed.
    Drained,
    /// It has ended and is part of its parent now.
    Folded,
    /// The settled roots took more than
    /// [`max_finished_bytes`](crate::ManagerBuilder::max_finished_bytes).
    Evicted,
}

impl GoneReason {
    /// The reason as a word.
    ///
    /// ```
    /// assert_eq!(taskmgr::GoneReason::Expired.as_str(), "expired");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Read => "read",
            Self::Drained => "drained",
            Self::Folded => "folded",
            Self::Evicted => "evicted",
        }
    }
}

impl Error {
    /// An error for a provider or a binding to return.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// let error = Error::new(ErrorCode::Provider, "the coordinator is away");
    /// assert_eq!(error.to_string(), "the coordinator is away");
    /// ```
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            id: None,
            gone: None,
            source: None,
        }))
    }

    /// What kind of error this is.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// assert_eq!(Error::new(ErrorCode::Timeout, "late").code(), ErrorCode::Timeout);
    /// ```
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The task that the error is about.
    ///
    /// ```
    /// use taskmgr::{Manager, Uuid};
    /// let manager = Manager::builder().build()?;
    /// let id = Uuid::new_v4();
    /// assert_eq!(manager.status(id).unwrap_err().id(), Some(id));
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn id(&self) -> Option<Uuid> {
        self.0.id
    }

    /// Why the task is gone and how it had ended, for [`ErrorCode::Gone`].
    ///
    /// ```
    /// use taskmgr::{GoneReason, Manager, State};
    /// let manager = Manager::builder().build()?; // a task TTL of 0: forgotten at once
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// let id = task.id();
    /// task.finish()?;
    /// let error = manager.status(id).unwrap_err();
    /// assert_eq!(error.gone(), Some((GoneReason::Expired, State::Done)));
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn gone(&self) -> Option<(GoneReason, State)> {
        self.0.gone
    }

    /// Whether the task was told to abort.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// assert!(Error::new(ErrorCode::Aborted, "aborted: shutdown").is_aborted());
    /// ```
    pub fn is_aborted(&self) -> bool {
        self.0.code == ErrorCode::Aborted
    }

    /// Whether a wait has timed out.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// assert!(Error::new(ErrorCode::Timeout, "late").is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        self.0.code == ErrorCode::Timeout
    }

    /// Whether no task has the id, nor is one remembered that had it.
    ///
    /// ```
    /// use taskmgr::{Manager, Uuid};
    /// let manager = Manager::builder().build()?;
    /// assert!(manager.status(Uuid::new_v4()).unwrap_err().is_not_found());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn is_not_found(&self) -> bool {
        self.0.code == ErrorCode::NotFound
    }

    /// Whether the task was there and is no longer.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// assert!(Error::new(ErrorCode::Gone, "expired").is_gone());
    /// ```
    pub fn is_gone(&self) -> bool {
        self.0.code == ErrorCode::Gone
    }

    /// Whether the module or the manager is closed.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// assert!(Error::new(ErrorCode::Closed, "closed").is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.code == ErrorCode::Closed
    }

    /// Whether the task is not marked abortable.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert!(task.observe().abort("now").unwrap_err().is_not_abortable());
    /// # task.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn is_not_abortable(&self) -> bool {
        self.0.code == ErrorCode::NotAbortable
    }

    pub(crate) fn with_id(mut self, id: Uuid) -> Self {
        self.0.id = Some(id);
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    pub(crate) fn not_found(id: Uuid) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("no task has the id {id}; list a module to see the ids there are"),
        )
        .with_id(id)
    }

    pub(crate) fn task_gone(id: Uuid, reason: GoneReason, state: State) -> Self {
        let what = match reason {
            GoneReason::Expired => "its time to live has passed",
            GoneReason::Read => "its status was read",
            GoneReason::Drained => "its module was drained or closed",
            GoneReason::Folded => "it is part of its parent now",
            GoneReason::Evicted => "finished tasks took more than max_finished_bytes",
        };
        let mut error = Self::new(
            ErrorCode::Gone,
            format!(
                "task {id} is gone ({}): it ended as {}, and {what}",
                reason.as_str(),
                state.as_str()
            ),
        )
        .with_id(id);
        error.0.gone = Some((reason, state));
        error
    }

    pub(crate) fn not_abortable(id: Uuid) -> Self {
        Self::new(
            ErrorCode::NotAbortable,
            format!("task {id} is not abortable; only its owner, or closing its module, ends it"),
        )
        .with_id(id)
    }

    pub(crate) fn aborted(id: Uuid, reason: &str) -> Self {
        Self::new(ErrorCode::Aborted, format!("aborted: {reason}")).with_id(id)
    }

    pub(crate) fn finished(id: Uuid) -> Self {
        Self::new(
            ErrorCode::AlreadyFinished,
            format!("task {id} has ended before; a task ends once"),
        )
        .with_id(id)
    }

    pub(crate) fn started(id: Uuid) -> Self {
        Self::new(
            ErrorCode::AlreadyStarted,
            format!("task {id} was started before; a task starts once"),
        )
        .with_id(id)
    }

    pub(crate) fn not_started(id: Uuid) -> Self {
        Self::new(
            ErrorCode::NotStarted,
            format!("task {id} was finished before it was started, and has failed; start it first"),
        )
        .with_id(id)
    }

    pub(crate) fn timeout(id: Uuid) -> Self {
        Self::new(
            ErrorCode::Timeout,
            format!("task {id} had not ended when the time given to the wait had passed"),
        )
        .with_id(id)
    }

    pub(crate) fn would_deadlock(what: &str) -> Self {
        Self::new(
            ErrorCode::WouldDeadlock,
            format!(
                "{what} would block inside a callback or a provider; ask without blocking, \
                 or do it on a thread of its own"
            ),
        )
    }

    pub(crate) fn closed(what: &str) -> Self {
        Self::new(ErrorCode::Closed, format!("{what} is closed"))
    }

    pub(crate) fn forked() -> Self {
        Self::new(
            ErrorCode::Forked,
            "the process was forked since this manager was built; build one in the child",
        )
    }

    /// With its causes in its own words, as nobody else's code makes them up later.
    pub(crate) fn without_source(mut self) -> Self {
        if self.0.source.is_some() {
            self.0.message = chain(&self);
            self.0.source = None;
        }
        self
    }

    pub(crate) fn from_work(source: BoxError, id: Uuid) -> Self {
        match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => {
                let mut error = Self::new(ErrorCode::TaskFailed, source.to_string()).with_id(id);
                error.0.source = Some(Arc::from(source));
                error
            }
        }
    }
}

/// The text of an error and of what caused it, each said once: many errors tell their cause
/// themselves. It is the host's code that is asked.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    /// Beyond it a chain goes in a circle.
    const MOST: usize = 64;

    let mut text = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    for cause in causes.take(MOST).map(|cause| cause.to_string()) {
        if !says(&text, &cause) {
            text = match text.is_empty() {
                true => cause,
                false => format!("{text}: {cause}"),
            };
        }
    }
    text
}

/// Whether a text has the other one as words of its own.
fn says(text: &str, words: &str) -> bool {
    let is_apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let mut found = text.match_indices(words);
    words.is_empty()
        || found.any(|(at, _)| {
            is_apart(text[..at].chars().next_back())
                && is_apart(text[at + words.len()..].chars().next())
        })
}

/// `{:#}` tells the causes, too, each once.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => f.write_str(&chain(self)),
            false => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({}: {})", self.0.code.as_str(), self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|e| e as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Layer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (first, rest) = texts.split_first().unwrap();
        Layer(first, (!rest.is_empty()).then(|| Box::new(layers(rest))))
    }

    #[test]
    fn life_3_a_chain_of_causes_is_told_and_none_twice() {
        for (texts, told) in [
            (vec!["cannot repair"], "cannot repair"),
            (
                vec!["cannot repair", "disk full"],
                "cannot repair: disk full",
            ),
            (
                vec!["cannot repair: disk full", "disk full"],
                "cannot repair: disk full",
            ),
            (
                vec!["cannot repair (disk full)", "disk full", "errno 28"],
                "cannot repair (disk full): errno 28",
            ),
            (vec!["same", "same", "same"], "same"),
            (vec!["errno 281", "errno 28"], "errno 281: errno 28"),
            (vec!["", "disk full", ""], "disk full"),
            (vec!["größe", "ö"], "größe: ö"),
        ] {
            assert_eq!(chain(&layers(&texts)), told);
            let error = Error::from_work(Box::new(layers(&texts)), Uuid::nil());
            assert_eq!(
                (format!("{error}"), format!("{error:#}")),
                (texts[0].to_owned(), told.to_owned())
            );
            let source = error.source().unwrap();
            assert!(source.is::<Layer>(), "the work's own error");
        }
    }

    #[test]
    fn life_3_a_chain_in_a_circle_comes_to_an_end() {
        #[derive(Debug)]
        struct Circle;

        impl fmt::Display for Circle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again")
            }
        }

        impl StdError for Circle {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&Circle)
            }
        }

        assert_eq!(chain(&Circle), "again");
    }
}
