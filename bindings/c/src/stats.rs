//! The short view of tasks, as lists show it.

use std::sync::Arc;

use taskmgr::{Listing, Missing, Stats};

use crate::guard;
use crate::handle::get;
use crate::id::taskmgr_id;
use crate::state::{kind, state, taskmgr_kind, taskmgr_state};
use crate::strings::{at, taskmgr_strings};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};
use crate::time::{taskmgr_time_ns, time_ns};

/// The short view of one task; always part of a list, and borrowed from it. Since 0.1.0.
pub struct taskmgr_stats {
    stats: Stats,
    names: Names,
    texts: Arc<Texts>,
}

#[derive(Clone, Copy, Default)]
struct Names {
    type_: Span,
    scope: Span,
    keyspace: Span,
    table: Span,
    entity: Span,
}

impl Names {
    fn add(texts: &mut Texts, last: Self, stats: &Stats) -> Self {
        Self {
            type_: texts.add_or(last.type_, &stats.type_),
            scope: texts.add_or(last.scope, &stats.scope),
            keyspace: texts.add_or(last.keyspace, &stats.keyspace),
            table: texts.add_or(last.table, &stats.table),
            entity: texts.add_or(last.entity, &stats.entity),
        }
    }
}

/// The short views of several tasks. Since 0.1.0.
pub struct taskmgr_stats_list {
    all: Vec<taskmgr_stats>,
    missing: taskmgr_strings,
}

impl taskmgr_stats_list {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What a list of a module has, and what it has to do without.
    pub(crate) fn listed(listing: Listing) -> Self {
        let missing: Vec<String> = listing.missing.iter().map(Missing::to_string).collect();
        Self {
            missing: taskmgr_strings::new(&missing),
            ..Self::new(listing.tasks)
        }
    }

    pub(crate) fn new(all: Vec<Stats>) -> Self {
        let (mut texts, mut last) = (Texts::default(), Names::default());
        let mut names = Vec::with_capacity(all.len());
        for stats in &all {
            last = Names::add(&mut texts, last, stats);
            names.push(last);
        }
        let texts = Arc::new(texts);
        let of = |(stats, names)| taskmgr_stats {
            stats,
            names,
            texts: Arc::clone(&texts),
        };
        Self {
            all: all.into_iter().zip(names).map(of).collect(),
            missing: taskmgr_strings::new(&[]),
        }
    }
}

/// How many tasks there are.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_list_len(list: Option<&taskmgr_stats_list>) -> usize {
    guard::value(0, || Ok(get(list, "list")?.all.len()))
}

/// The task at `index`, counted from 0.
///
/// The result is borrowed from the list. Threads: any. Errors: NULL, and the last error
/// INVALID_ARGUMENT, where there is none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_list_at(
    list: Option<&taskmgr_stats_list>,
    index: usize,
) -> Option<&taskmgr_stats> {
    guard::value(None, || at(&get(list, "list")?.all, index).map(Some))
}

/// How many providers of virtual tasks gave no answer in time, so that their tasks are missing;
/// 0 if the list is complete.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_list_missing_len(list: Option<&taskmgr_stats_list>) -> usize {
    guard::value(0, || Ok(get(list, "list")?.missing.len()))
}

/// Whose tasks are missing, and why, in words; `index` counts from 0.
///
/// The text is borrowed from the list. Threads: any. Errors: empty text, and the last error
/// INVALID_ARGUMENT, where there is none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_list_missing_at(
    list: Option<&taskmgr_stats_list>,
    index: usize,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || get(list, "list")?.missing.at(index))
}

/// Frees a list, and with it all that was borrowed from it.
///
/// Takes `list`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_list_free(list: Option<Box<taskmgr_stats_list>>) {
    guard::value((), || {
        drop(list);
        Ok(())
    });
}

/// The task's id.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_id(stats: Option<&taskmgr_stats>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(stats.id.into())
    })
}

/// What operation the task covers.
///
/// The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_type(stats: Option<&taskmgr_stats>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let stats = get(stats, "stats")?;
        Ok(stats.texts.get(stats.names.type_))
    })
}

/// Who answers for it: `TASKMGR_KIND_NODE` or `TASKMGR_KIND_CLUSTER`.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_kind(stats: Option<&taskmgr_stats>) -> taskmgr_kind {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(kind(stats.kind))
    })
}

/// For which part of the operation it is responsible.
///
/// The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_scope(stats: Option<&taskmgr_stats>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let stats = get(stats, "stats")?;
        Ok(stats.texts.get(stats.names.scope))
    })
}

/// Where it is in its life.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_state(stats: Option<&taskmgr_stats>) -> taskmgr_state {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(state(stats.state))
    })
}

/// The number of its tree in its module and shard, from 1.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_sequence_number(stats: Option<&taskmgr_stats>) -> u64 {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(stats.sequence_number)
    })
}

/// The keyspace that it works on, or "".
///
/// The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_keyspace(stats: Option<&taskmgr_stats>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let stats = get(stats, "stats")?;
        Ok(stats.texts.get(stats.names.keyspace))
    })
}

/// The table that it works on, or "".
///
/// The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_table(stats: Option<&taskmgr_stats>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let stats = get(stats, "stats")?;
        Ok(stats.texts.get(stats.names.table))
    })
}

/// What else tells it from its siblings, or "".
///
/// The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_entity(stats: Option<&taskmgr_stats>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let stats = get(stats, "stats")?;
        Ok(stats.texts.get(stats.names.entity))
    })
}

/// The shard that it runs on.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_shard(stats: Option<&taskmgr_stats>) -> u32 {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(stats.shard)
    })
}

/// When it started; `TASKMGR_NO_TIME` if it has not.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_start_time(stats: Option<&taskmgr_stats>) -> taskmgr_time_ns {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(time_ns(stats.start_time))
    })
}

/// When it ended; `TASKMGR_NO_TIME` if it has not.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_end_time(stats: Option<&taskmgr_stats>) -> taskmgr_time_ns {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(time_ns(stats.end_time))
    })
}

/// When it was made.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_created_at(stats: Option<&taskmgr_stats>) -> taskmgr_time_ns {
    guard::value(0, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(time_ns(Some(stats.created_at)))
    })
}

/// Whether lists leave it out unless asked.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_stats_internal(stats: Option<&taskmgr_stats>) -> bool {
    guard::value(false, || {
        let stats = &get(stats, "stats")?.stats;
        Ok(stats.internal)
    })
}
