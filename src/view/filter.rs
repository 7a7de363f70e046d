//! Which tasks a list shows.

use super::{Name, State, Stats};

/// Which tasks of a module to list; nothing set means all that are not internal.
///
/// An empty string is no filter.
///
/// ```
/// use taskmgr::{Filter, State};
/// let failed = Filter::new().keyspace("ks").state(State::Failed).internal(true).limit(100);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only tasks on this keyspace.
    pub keyspace: Option<String>,
    /// Only tasks on this table.
    pub table: Option<String>,
    /// Only tasks of this type.
    pub type_: Option<String>,
    /// Only tasks of this scope.
    pub scope: Option<String>,
    /// Only tasks in this state.
    pub state: Option<State>,
    /// Internal tasks too.
    pub internal: bool,
    /// The oldest so many.
    pub limit: Option<usize>,
}

impl Filter {
    /// A filter that lets every task through that is not internal.
    ///
    /// ```
    /// assert!(!taskmgr::Filter::new().internal);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Only tasks on this keyspace.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().keyspace("ks");
    /// ```
    pub fn keyspace(mut self, keyspace: &str) -> Self {
        self.keyspace = non_empty(keyspace);
        self
    }

    /// Only tasks on this table.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().table("events");
    /// ```
    pub fn table(mut self, table: &str) -> Self {
        self.table = non_empty(table);
        self
    }

    /// Only tasks of this type.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().task_type("major compaction");
    /// ```
    pub fn task_type(mut self, type_: &str) -> Self {
        self.type_ = non_empty(type_);
        self
    }

    /// Only tasks of this scope.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().scope("keyspace");
    /// ```
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = non_empty(scope);
        self
    }

    /// Only tasks in this state.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().state(taskmgr::State::Running);
    /// ```
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Whether to list internal tasks too.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().internal(true);
    /// ```
    pub fn internal(mut self, internal: bool) -> Self {
        self.internal = internal;
        self
    }

    /// At most so many tasks, the oldest first.
    ///
    /// ```
    /// let filter = taskmgr::Filter::new().limit(100);
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn lets_through(&self, stats: &Stats) -> bool {
        (self.internal || !stats.internal)
            && self.lets_names_through(&stats.type_, &stats.scope, &stats.keyspace, &stats.table)
            && self.state.is_none_or(|state| state == stats.state)
    }

    /// What is asked of names alone, which many tasks share.
    pub(crate) fn lets_names_through(
        &self,
        type_: &Name,
        scope: &Name,
        keyspace: &Name,
        table: &Name,
    ) -> bool {
        let same = |wanted: &Option<String>, name: &Name| {
            wanted
                .as_deref()
                .is_none_or(|w| w.is_empty() || w == name.as_str())
        };
        same(&self.keyspace, keyspace)
            && same(&self.table, table)
            && same(&self.type_, type_)
            && same(&self.scope, scope)
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
