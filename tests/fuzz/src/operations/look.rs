//! What a status, a list and a report may say.

use taskmgr_c::close_report::{
    taskmgr_close_report, taskmgr_close_report_is_complete, taskmgr_close_report_still_running,
};
use taskmgr_c::id::{
    TASKMGR_ID_TEXT, taskmgr_id_equal, taskmgr_id_format, taskmgr_id_is_nil, taskmgr_id_parse,
};
use taskmgr_c::observer::{
    taskmgr_observer, taskmgr_observer_id, taskmgr_observer_is_terminal, taskmgr_observer_status,
};
use taskmgr_c::state::*;
use taskmgr_c::stats::*;
use taskmgr_c::status::*;
use taskmgr_c::status_fields::*;
use taskmgr_c::text::TASKMGR_NUL;

use super::given::raw_str;
use super::pool::{Free, Out};
use super::run::Run;
use super::shared::Shared;
use crate::bytes::Bytes;

impl Run<'_> {
    pub(super) fn look_at(&mut self, status: &taskmgr_status) {
        look_at_status(&self.shared, status);
    }

    /// All tasks have ended or are virtual; their managers may be there or not.
    pub(super) fn observe_the_end(&mut self, observer: &taskmgr_observer) {
        let mut out = Out::new(&mut Bytes::new(&[]));
        let code = taskmgr_observer_status(Some(observer), out.place());
        let Some(status) = out.needed(&self.shared, "observer_status", code) else {
            return;
        };
        let mut terminal = std::mem::MaybeUninit::new(false);
        let code = taskmgr_observer_is_terminal(Some(observer), Some(&mut terminal));
        self.shared.code("observer_is_terminal", code);
        let status_of = Some(status.get());
        if taskmgr_status_kind(status_of) == TASKMGR_KIND_NODE {
            let state = taskmgr_status_state(status_of);
            self.shared.demand(taskmgr_state_is_terminal(state), || {
                format!("a task that nobody owns is in state {state}")
            });
            let (one, other) = (
                taskmgr_status_id(status_of),
                taskmgr_observer_id(Some(observer)),
            );
            self.shared.demand(taskmgr_id_equal(one, other), || {
                format!("the status of {other:?} is that of {one:?}")
            });
        }
        self.look_at(status.get());
        taskmgr_status::free(status);
    }
}

pub(super) fn look_at_status(shared: &Shared, status: &taskmgr_status) {
    let it = Some(status);
    for (what, text) in [
        ("type", taskmgr_status_type(it)),
        ("scope", taskmgr_status_scope(it)),
        ("keyspace", taskmgr_status_keyspace(it)),
        ("table", taskmgr_status_table(it)),
        ("entity", taskmgr_status_entity(it)),
        ("module", taskmgr_status_module(it)),
        ("error", taskmgr_status_error(it)),
        ("first error", taskmgr_status_first_error(it)),
        ("units", taskmgr_status_progress_units(it)),
        ("reason", taskmgr_status_abort_reason(it)),
        ("state", taskmgr_state_name(taskmgr_status_state(it))),
        ("kind", taskmgr_kind_name(taskmgr_status_kind(it))),
    ] {
        let text = shared.text(what, text);
        let name = matches!(what, "type" | "state" | "kind" | "module");
        let virtual_ = taskmgr_status_kind(it) == TASKMGR_KIND_CLUSTER;
        shared.demand(!name || virtual_ || !text.is_empty(), || {
            format!("{what} is empty")
        });
        shared.demand(
            text != "unknown" || !matches!(what, "state" | "kind"),
            || format!("the {what} has no name"),
        );
    }
    look_at_id(shared, it);
    look_at_numbers(shared, it);
    for index in 0..taskmgr_status_children_len(it) {
        let child = taskmgr_status_child_id(it, index);
        let virtual_ = taskmgr_status_kind(it) == TASKMGR_KIND_CLUSTER;
        shared.demand(virtual_ || !taskmgr_id_is_nil(child), || {
            format!("child {index} has the nil id")
        });
        shared.text("a child's node", taskmgr_status_child_node(it, index));
    }
    for index in [taskmgr_status_children_len(it), usize::MAX] {
        let none = taskmgr_id_is_nil(taskmgr_status_child_id(it, index));
        let node = shared.text("no child's node", taskmgr_status_child_node(it, index));
        shared.demand(none && node.is_empty(), || {
            format!("there is a child {index}, behind the last")
        });
    }
    shared.no_panic("a getter of status");
}

fn look_at_id(shared: &Shared, status: Option<&taskmgr_status>) {
    let id = taskmgr_status_id(status);
    shared.demand(!taskmgr_id_is_nil(id), || {
        "a task has the nil id".to_owned()
    });
    let mut text = [0; TASKMGR_ID_TEXT];
    // SAFETY: it has the room.
    let written = unsafe { taskmgr_id_format(id, text.as_mut_ptr()) };
    let mut read = std::mem::MaybeUninit::new(id);
    let code = taskmgr_id_parse(raw_str(written, TASKMGR_NUL), Some(&mut read));
    shared.code("id_parse", code);
    // SAFETY: it was written when it was made.
    let read = unsafe { read.assume_init() };
    shared.demand(taskmgr_id_equal(read, id), || {
        format!("{id:?} is {read:?} when it is read again")
    });
    taskmgr_status_parent_id(status);
}

fn look_at_numbers(shared: &Shared, status: Option<&taskmgr_status>) {
    let state = taskmgr_status_state(status);
    let (completed, total) = (
        taskmgr_status_progress_completed(status),
        taskmgr_status_progress_total(status),
    );
    shared.demand(completed <= total, || {
        format!("{completed} of {total} units are done")
    });
    let settled = taskmgr_status_settled(status);
    let regular = taskmgr_status_kind(status) == TASKMGR_KIND_NODE;
    let live = taskmgr_status_children_live(status);
    let ended = taskmgr_status_children_succeeded(status) + taskmgr_status_children_failed(status);
    let listed = taskmgr_status_children_len(status) as u64;
    if regular {
        shared.demand(completed <= 1 << 53 && total <= 1 << 53, || {
            format!("{completed} of {total} units are more than 2^53")
        });
        shared.demand(!settled || taskmgr_state_is_terminal(state), || {
            format!("a task is settled in state {state}")
        });
        shared.demand(!settled || live == 0, || {
            format!("a task has settled with {live} live children")
        });
        shared.demand(listed <= live + ended, || {
            format!("{listed} children are listed, {live} live and {ended} have ended")
        });
        let (started, over) = (
            taskmgr_status_start_time(status),
            taskmgr_status_end_time(status),
        );
        shared.demand(
            (over != 0) == taskmgr_state_is_terminal(state) && started >= 0 && over >= 0,
            || format!("a task in state {state} started at {started} and ended at {over}"),
        );
        shared.demand(
            state != TASKMGR_STATE_RUNNING || taskmgr_status_sequence_number(status) > 0,
            || "a task has the number 0".to_owned(),
        );
    }
    taskmgr_status_progress_total_known(status);
    taskmgr_status_children_not_kept(status);
    taskmgr_status_shard(status);
    taskmgr_status_created_at(status);
    taskmgr_status_internal(status);
    taskmgr_status_is_abortable(status);
    taskmgr_status_user_task(status);
    taskmgr_status_suspend_requested(status);
    let aborted = taskmgr_status_abort_requested(status);
    let at = taskmgr_status_abort_requested_at(status);
    shared.demand(aborted || at == 0, || {
        format!("a task that was not aborted was at {at}")
    });
    taskmgr_status_abort_polls(status);
    taskmgr_status_abort_last_poll(status);
}

pub(super) fn look_at_tree(shared: &Shared, list: &taskmgr_status_list) {
    let len = taskmgr_status_list_len(Some(list));
    shared.demand(len > 0, || "a tree has no task".to_owned());
    for index in 0..len.min(64) {
        match taskmgr_status_list_at(Some(list), index) {
            Some(status) => look_at_status(shared, status),
            None => shared.fault(format!("a tree of {len} has no task {index}")),
        }
    }
    let drawn = shared.text("a drawn tree", taskmgr_status_list_drawn(Some(list)));
    shared.demand(drawn.is_empty() || drawn.ends_with('\n'), || {
        format!("a drawn tree ends within a line: {drawn:?}")
    });
    let behind = taskmgr_status_list_at(Some(list), len).is_some();
    shared.demand(!behind, || format!("a tree of {len} has a task {len}"));
}

pub(super) fn look_at_list(shared: &Shared, list: &taskmgr_stats_list) {
    let len = taskmgr_stats_list_len(Some(list));
    for index in 0..len.min(64) {
        let Some(stats) = taskmgr_stats_list_at(Some(list), index) else {
            shared.fault(format!("a list of {len} has no task {index}"));
            continue;
        };
        let it = Some(stats);
        for (what, text) in [
            ("type", taskmgr_stats_type(it)),
            ("scope", taskmgr_stats_scope(it)),
            ("keyspace", taskmgr_stats_keyspace(it)),
            ("table", taskmgr_stats_table(it)),
            ("entity", taskmgr_stats_entity(it)),
        ] {
            shared.text(what, text);
        }
        shared.demand(!taskmgr_id_is_nil(taskmgr_stats_id(it)), || {
            "a task in a list has the nil id".to_owned()
        });
        let state = shared.text("state", taskmgr_state_name(taskmgr_stats_state(it)));
        let kind = shared.text("kind", taskmgr_kind_name(taskmgr_stats_kind(it)));
        shared.demand(state != "unknown" && kind != "unknown", || {
            format!("a task in a list is {state} and {kind}")
        });
        taskmgr_stats_sequence_number(it);
        taskmgr_stats_shard(it);
        taskmgr_stats_start_time(it);
        taskmgr_stats_end_time(it);
        taskmgr_stats_created_at(it);
        taskmgr_stats_internal(it);
    }
    let missing = taskmgr_stats_list_missing_len(Some(list));
    for index in 0..missing {
        let text = shared.text("missing", taskmgr_stats_list_missing_at(Some(list), index));
        shared.demand(!text.is_empty(), || {
            format!("what is missing at {index} has no words")
        });
    }
    for index in [len, usize::MAX] {
        let behind = taskmgr_stats_list_at(Some(list), index).is_some();
        shared.demand(!behind, || format!("a list of {len} has a task {index}"));
    }
    shared.no_panic("a getter of stats");
}

pub(super) fn look_at_report(shared: &Shared, report: &taskmgr_close_report) {
    let complete = taskmgr_close_report_is_complete(Some(report));
    let Some(left) = taskmgr_close_report_still_running(Some(report)) else {
        return shared.fault("a report has no list");
    };
    let len = taskmgr_stats_list_len(Some(left));
    shared.demand(complete == (len == 0), || {
        format!("a report with {len} tasks says {complete} to being complete")
    });
    look_at_list(shared, left);
}
