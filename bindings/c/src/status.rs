//! The full view of a task.

use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use taskmgr::{Status, Tree};

use crate::code::taskmgr_code;
use crate::guard;
use crate::handle::{Place, get};
use crate::strings::at;
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

/// The full view of a task at one moment; it does not change. Owned by the caller where it was
/// given by itself, borrowed from its list otherwise. Since 0.1.0.
#[derive(Clone)]
pub struct taskmgr_status {
    pub(crate) status: Status,
    pub(crate) names: Names,
    pub(crate) nodes: Vec<Span>,
    pub(crate) texts: Arc<Texts>,
}

/// Where its texts are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Names {
    pub(crate) type_: Span,
    pub(crate) module: Span,
    pub(crate) scope: Span,
    pub(crate) keyspace: Span,
    pub(crate) table: Span,
    pub(crate) entity: Span,
    pub(crate) units: Span,
    pub(crate) error: Span,
    pub(crate) first_error: Span,
    pub(crate) reason: Span,
    pub(crate) node: Span,
}

impl Names {
    fn add(texts: &mut Texts, last: Self, status: &Status) -> (Self, Vec<Span>) {
        let reason = status.abort.as_ref().map(|abort| abort.reason.as_str());
        let mut names = Self {
            type_: texts.add_or(last.type_, &status.type_),
            module: texts.add_or(last.module, &status.module),
            scope: texts.add_or(last.scope, &status.scope),
            keyspace: texts.add_or(last.keyspace, &status.keyspace),
            table: texts.add_or(last.table, &status.table),
            entity: texts.add_or(last.entity, &status.entity),
            units: texts.add_or(last.units, &status.progress.units),
            error: texts.add_or(last.error, status.error.as_deref().unwrap_or_default()),
            first_error: texts.add_or(
                last.first_error,
                status.first_error.as_deref().unwrap_or_default(),
            ),
            reason: texts.add_or(last.reason, reason.unwrap_or_default()),
            node: last.node,
        };
        let nodes = status.children.iter().map(|child| {
            names.node = texts.add_or(names.node, &child.node);
            names.node
        });
        let nodes = nodes.collect();
        (names, nodes)
    }
}

/// The full views of several tasks, e.g. of a whole tree. Since 0.1.0.
pub struct taskmgr_status_list {
    all: Vec<taskmgr_status>,
    /// The tree as text, once somebody has asked.
    drawn: OnceLock<(Texts, Span)>,
}

impl taskmgr_status_list {
    pub(crate) fn new(all: Vec<Status>) -> Self {
        let (mut texts, mut last) = (Texts::default(), Names::default());
        let mut of_each = Vec::with_capacity(all.len());
        for status in &all {
            let (names, nodes) = Names::add(&mut texts, last, status);
            last = names;
            of_each.push((names, nodes));
        }
        let texts = Arc::new(texts);
        let of = |(status, (names, nodes))| taskmgr_status {
            status,
            names,
            nodes,
            texts: Arc::clone(&texts),
        };
        Self {
            all: all.into_iter().zip(of_each).map(of).collect(),
            drawn: OnceLock::new(),
        }
    }
}

impl taskmgr_status {
    pub(crate) fn one(status: Status) -> Self {
        let mut texts = Texts::default();
        let (names, nodes) = Names::add(&mut texts, Names::default(), &status);
        Self {
            status,
            names,
            nodes,
            texts: Arc::new(texts),
        }
    }
}

/// How many tasks there are.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_list_len(list: Option<&taskmgr_status_list>) -> usize {
    guard::value(0, || Ok(get(list, "list")?.all.len()))
}

/// The task at `index`, counted from 0: the one that was asked for, then all below it,
/// breadth-first, siblings in order of creation.
///
/// The result is borrowed from the list. Threads: any. Errors: NULL, and the last error
/// INVALID_ARGUMENT, where there is none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_list_at(
    list: Option<&taskmgr_status_list>,
    index: usize,
) -> Option<&taskmgr_status> {
    guard::value(None, || at(&get(list, "list")?.all, index).map(Some))
}

/// The trees as plain text, to print: a line for each task, with the branches that lead to it, what
/// it is, its state, its fraction and amounts, and why it failed or that it is told to abort. Each
/// line ends with a line break.
///
/// Of the children of one task the first 24 are drawn, and of a tree the first 32 levels; "and
/// 3,976 more" says what is not.
///
/// The text is drawn at the first call, and borrowed from the list. Threads: any. Errors: empty text
/// for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_list_drawn(list: Option<&taskmgr_status_list>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let list = get(list, "list")?;
        let draw = || Texts::one(&Tree::new(list.all.iter().map(|one| &one.status)).to_string());
        let (texts, span) = list.drawn.get_or_init(draw);
        Ok(texts.get(*span))
    })
}

/// Frees a list, and with it all that was borrowed from it.
///
/// Takes `list`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_list_free(list: Option<Box<taskmgr_status_list>>) {
    guard::value((), || {
        drop(list);
        Ok(())
    });
}

/// Copies a status, e.g. one that is borrowed.
///
/// `*copy` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_clone(
    status: Option<&taskmgr_status>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        place.give(get(status, "status")?.clone());
        Ok(())
    })
}

/// Frees a status, and with it the texts that were borrowed from it. Not for one that is
/// itself borrowed from a list or from a callback.
///
/// Takes `status`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_free(status: Option<Box<taskmgr_status>>) {
    guard::value((), || {
        drop(status);
        Ok(())
    });
}
