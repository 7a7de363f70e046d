//! From the core's views to the package's frozen objects.

use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};
use taskmgr::{
    AbortInfo, ChildCounts, ChildId, CloseReport, Kind, Listing, Missing, Name, Progress, State,
    Stats, Status, Tree,
};

use crate::args::StateWord;

macro_rules! class {
    ($py:expr, $name:literal) => {{
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        CLASS.import($py, "taskmgr._views", $name)?
    }};
}

/// Calls a class with these keywords.
macro_rules! build {
    ($py:expr, $name:literal, { $($key:ident: $value:expr,)* }) => {{
        let kwargs = PyDict::new($py);
        $(kwargs.set_item(pyo3::intern!($py, stringify!($key)), $value)?;)*
        class!($py, $name).call((), Some(&kwargs))
    }};
}

/// The member of `taskmgr.State`.
pub(crate) fn state(py: Python<'_>, state: State) -> PyResult<Bound<'_, PyAny>> {
    macro_rules! member {
        ($name:literal) => {{
            static MEMBER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            MEMBER.get_or_try_init(py, || class!(py, "State").getattr($name).map(Bound::unbind))
        }};
    }
    let member = match state {
        State::Created => member!("CREATED"),
        State::Running => member!("RUNNING"),
        State::Suspended => member!("SUSPENDED"),
        State::Done => member!("DONE"),
        State::Failed => member!("FAILED"),
    };
    member.map(|member| member.bind(py).clone())
}

fn kind(py: Python<'_>, kind: Kind) -> PyResult<Bound<'_, PyAny>> {
    let name = match kind {
        Kind::Node => "NODE",
        Kind::Cluster => "CLUSTER",
    };
    class!(py, "Kind").getattr(name)
}

fn progress<'py>(py: Python<'py>, shown: &Progress) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "Progress").call1((
        shown.completed,
        shown.total,
        shown.total_known,
        shown.units.as_str(),
    ))
}

fn abort<'py>(py: Python<'py>, shown: &AbortInfo) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "AbortInfo").call1((
        &shown.reason,
        shown.requested_at,
        shown.polls,
        shown.last_poll,
    ))
}

fn children<'py>(py: Python<'py>, shown: &Status) -> PyResult<Bound<'py, PyTuple>> {
    let class = class!(py, "ChildId");
    let children: PyResult<Vec<_>> = shown
        .children
        .iter()
        .map(|child| class.call1((child.task_id, child.node.as_str())))
        .collect();
    PyTuple::new(py, children?)
}

fn child_counts<'py>(py: Python<'py>, shown: &Status) -> PyResult<Bound<'py, PyAny>> {
    let counts = shown.child_counts;
    class!(py, "ChildCounts").call1((
        counts.live,
        counts.succeeded,
        counts.failed,
        counts.not_kept,
    ))
}

pub(crate) fn status<'py>(py: Python<'py>, shown: &Status) -> PyResult<Bound<'py, PyAny>> {
    build!(py, "Status", {
        id: shown.id,
        type: shown.type_.as_str(),
        kind: kind(py, shown.kind)?,
        module: shown.module.as_str(),
        scope: shown.scope.as_str(),
        state: state(py, shown.state)?,
        is_abortable: shown.is_abortable,
        start_time: shown.start_time,
        end_time: shown.end_time,
        error: shown.error.as_deref(),
        parent_id: shown.parent_id,
        sequence_number: shown.sequence_number,
        shard: shown.shard,
        keyspace: shown.keyspace.as_str(),
        table: shown.table.as_str(),
        entity: shown.entity.as_str(),
        progress: progress(py, &shown.progress)?,
        children: children(py, shown)?,
        internal: shown.internal,
        user_task: shown.user_task,
        settled: shown.settled,
        created_at: shown.created_at,
        suspend_requested: shown.suspend_requested,
        abort: shown.abort.as_ref().map(|info| abort(py, info)).transpose()?,
        child_counts: child_counts(py, shown)?,
        first_error: shown.first_error.as_deref(),
    })
}

pub(crate) fn statuses<'py>(py: Python<'py>, shown: &[Status]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    shown.iter().map(|one| status(py, one)).collect()
}

pub(crate) fn stats<'py>(py: Python<'py>, shown: &Stats) -> PyResult<Bound<'py, PyAny>> {
    build!(py, "Stats", {
        id: shown.id,
        type: shown.type_.as_str(),
        kind: kind(py, shown.kind)?,
        scope: shown.scope.as_str(),
        state: state(py, shown.state)?,
        sequence_number: shown.sequence_number,
        keyspace: shown.keyspace.as_str(),
        table: shown.table.as_str(),
        entity: shown.entity.as_str(),
        shard: shown.shard,
        start_time: shown.start_time,
        end_time: shown.end_time,
        created_at: shown.created_at,
        internal: shown.internal,
    })
}

pub(crate) fn list<'py>(py: Python<'py>, shown: &[Stats]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    shown.iter().map(|one| stats(py, one)).collect()
}

/// What a list of a module has, and what it has to do without, which is logged.
pub(crate) fn listing<'py>(py: Python<'py>, shown: &Listing) -> PyResult<Bound<'py, PyAny>> {
    let missing: Vec<String> = shown.missing.iter().map(ToString::to_string).collect();
    class!(py, "Listing").call1((list(py, &shown.tasks)?, PyTuple::new(py, missing)?))
}

/// Logs what is missing where no list is shown.
pub(crate) fn warn_of(py: Python<'_>, missing: &[Missing]) -> PyResult<()> {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let missing = PyTuple::new(py, missing)?;
    class!(py, "_warn_of").call1((missing,)).map(|_| ())
}

pub(crate) fn tree<'py>(py: Python<'py>, shown: &[Status]) -> PyResult<Bound<'py, PyAny>> {
    let statuses = PyTuple::new(py, statuses(py, shown)?)?;
    class!(py, "Tree").call1((statuses,))
}

pub(crate) fn close_report<'py>(
    py: Python<'py>,
    report: &CloseReport,
) -> PyResult<Bound<'py, PyAny>> {
    let running = PyTuple::new(py, list(py, &report.still_running)?)?;
    class!(py, "CloseReport").call1((running,))
}

/// A value of an attribute, with an error that names it.
fn given<'py, T>(view: &Bound<'py, PyAny>, name: &str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    view.getattr(name)?.extract::<T>().map_err(|error| {
        let error: PyErr = error.into();
        let text = format!(
            "{name} of what a provider answered: {}",
            error.value(view.py())
        );
        pyo3::exceptions::PyTypeError::new_err(text)
    })
}

fn given_name(view: &Bound<'_, PyAny>, name: &str) -> PyResult<Name> {
    given::<String>(view, name).map(Name::from)
}

fn given_class(view: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>, what: &str) -> PyResult<()> {
    if view.is_instance(class)? {
        return Ok(());
    }
    Err(pyo3::exceptions::PyTypeError::new_err(format!(
        "a provider answers with a taskmgr.{what}, not a {}",
        view.get_type().name()?
    )))
}

/// What a provider listed.
pub(crate) fn given_stats(view: &Bound<'_, PyAny>) -> PyResult<Stats> {
    given_class(view, class!(view.py(), "Stats"), "Stats")?;
    let mut stats = Stats::new(given(view, "id")?, given_name(view, "type")?);
    stats.scope = given_name(view, "scope")?;
    stats.state = given::<StateWord>(view, "state")?.0;
    stats.sequence_number = given(view, "sequence_number")?;
    stats.keyspace = given_name(view, "keyspace")?;
    stats.table = given_name(view, "table")?;
    stats.entity = given_name(view, "entity")?;
    stats.shard = given(view, "shard")?;
    stats.start_time = given(view, "start_time")?;
    stats.end_time = given(view, "end_time")?;
    stats.created_at = given(view, "created_at")?;
    stats.internal = given(view, "internal")?;
    Ok(stats)
}

/// What a provider told of a task. That it is virtual, and of which module, is not its to say.
pub(crate) fn given_status(view: &Bound<'_, PyAny>) -> PyResult<Status> {
    given_class(view, class!(view.py(), "Status"), "Status")?;
    let mut status = Status::new(given(view, "id")?, given_name(view, "type")?);
    status.scope = given_name(view, "scope")?;
    status.state = given::<StateWord>(view, "state")?.0;
    status.is_abortable = given(view, "is_abortable")?;
    status.start_time = given(view, "start_time")?;
    status.end_time = given(view, "end_time")?;
    status.error = given(view, "error")?;
    status.parent_id = given(view, "parent_id")?;
    status.sequence_number = given(view, "sequence_number")?;
    status.shard = given(view, "shard")?;
    status.keyspace = given_name(view, "keyspace")?;
    status.table = given_name(view, "table")?;
    status.entity = given_name(view, "entity")?;
    let progress = view.getattr("progress")?;
    status.progress = Progress {
        completed: given(&progress, "completed")?,
        total: given(&progress, "total")?,
        total_known: given(&progress, "total_known")?,
        units: given_name(&progress, "units")?,
    };
    for child in view.getattr("children")?.try_iter()? {
        let child = child?;
        status.children.push(ChildId {
            task_id: given(&child, "task_id")?,
            node: given_name(&child, "node")?,
        });
    }
    status.created_at = given(view, "created_at")?;
    Ok(status)
}

/// The trees of these statuses as text: use `Tree.draw`.
#[pyfunction]
pub(crate) fn draw(
    py: Python<'_>,
    statuses: Vec<Bound<'_, PyAny>>,
    children: usize,
    depth: usize,
    width: Option<usize>,
) -> PyResult<String> {
    let shown: PyResult<Vec<(Status, String)>> = statuses.iter().map(to_draw).collect();
    let shown = shown?;
    let tree = Tree::new(shown.iter().map(|(status, _)| status))
        .states(shown.iter().map(|(_, word)| word.as_str()))
        .children(children)
        .depth(depth)
        .width(width.unwrap_or(usize::MAX));
    Ok(py.detach(|| tree.to_string()))
}

/// What is drawn of a status, and the word for its state: it may come from a node that has more
/// states, text that is none, and amounts that no manager takes.
fn to_draw(view: &Bound<'_, PyAny>) -> PyResult<(Status, String)> {
    let mut status = Status::new(given(view, "id")?, any_text(view, "type")?);
    status.parent_id = given(view, "parent_id")?;
    status.scope = any_text(view, "scope")?.into();
    status.keyspace = any_text(view, "keyspace")?.into();
    status.table = any_text(view, "table")?.into();
    status.entity = any_text(view, "entity")?.into();
    status.shard = u32::try_from(any_amount(view, "shard")?).unwrap_or(u32::MAX);
    let word = any_text(view, "state")?;
    status.state = word.parse().unwrap_or(State::Running);
    let progress = view.getattr("progress")?;
    status.progress = Progress {
        completed: any_amount(&progress, "completed")?,
        total: any_amount(&progress, "total")?,
        total_known: given(&progress, "total_known")?,
        units: any_text(&progress, "units")?.into(),
    };
    if !view.getattr("error")?.is_none() {
        status.error = Some(any_text(view, "error")?);
    }
    let abort = view.getattr("abort")?;
    if !abort.is_none() {
        status.abort = Some(AbortInfo {
            reason: any_text(&abort, "reason")?,
            requested_at: None,
            polls: 0,
            last_poll: None,
        });
    }
    let counts = view.getattr("child_counts")?;
    let named = view.getattr("children")?.len()? as u64;
    status.child_counts = ChildCounts {
        // As many as it names at least: those that are elsewhere are not counted.
        live: any_amount(&counts, "live")?,
        succeeded: any_amount(&counts, "succeeded")?,
        failed: any_amount(&counts, "failed")?,
        not_kept: 0,
    };
    let counted = &mut status.child_counts;
    let known = counted.succeeded.saturating_add(counted.failed);
    counted.live = counted.live.max(named.saturating_sub(known));
    Ok((status, word))
}

fn any_text(view: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let text = view.getattr(name)?;
    Ok(text.cast::<PyString>()?.to_string_lossy().into_owned())
}

/// An amount, or the nearest that there is.
fn any_amount(view: &Bound<'_, PyAny>, name: &str) -> PyResult<u64> {
    let amount = view.getattr(name)?;
    match amount.extract() {
        Ok(amount) => Ok(amount),
        Err(_) => Ok(if amount.gt(0)? { u64::MAX } else { 0 }),
    }
}
