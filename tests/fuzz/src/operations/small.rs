//! What stands by itself: versions, codes, ids, errors, and null pointers everywhere.

use taskmgr_c::code::{TASKMGR_OK, taskmgr_code};
use taskmgr_c::code_name::taskmgr_code_name;
use taskmgr_c::error::*;
use taskmgr_c::id::*;
use taskmgr_c::state::{
    taskmgr_gone_reason_name, taskmgr_kind_name, taskmgr_state_is_terminal, taskmgr_state_name,
};
use taskmgr_c::version::{taskmgr_check_version, taskmgr_version, taskmgr_version_text};

use super::given::{NIL, Text};
use super::pool::Value;
use super::run::Run;
use super::shared::last_message;

impl Run<'_> {
    pub(super) fn call_small(&mut self) {
        let number = self.bytes.number();
        match self.bytes.below(8) {
            0 => {
                for text in [
                    taskmgr_code_name(number as i32),
                    taskmgr_state_name(number as i32),
                    taskmgr_kind_name(number as i32),
                    taskmgr_gone_reason_name(number as i32),
                    taskmgr_version_text(),
                ] {
                    let text = self.shared.text("a name", text);
                    self.shared
                        .demand(!text.is_empty(), || "a name is empty".to_owned());
                }
                taskmgr_state_is_terminal(number as i32);
            }
            1 => {
                let runs = taskmgr_version();
                let minor = self.bytes.number() as u32;
                let code = taskmgr_check_version(number as u32, minor, 0);
                self.shared.code("check_version", code);
                let newer = (number as u32, minor) > (runs / 1_000_000, runs / 1_000 % 1_000);
                self.shared.demand(!newer || code != TASKMGR_OK, || {
                    format!("version {number}.{minor} is taken")
                });
            }
            2 => {
                let message = Text::new(&mut self.bytes);
                let code = taskmgr_set_error(number as taskmgr_code, message.str());
                let last = taskmgr_last_error_code();
                self.shared.demand(code != TASKMGR_OK && last == code, || {
                    format!("set_error({number}) returned {code}; the last error is {last}")
                });
            }
            3 => {
                taskmgr_clear_error();
                let (code, id) = (taskmgr_last_error_code(), taskmgr_last_error_id());
                let rest = taskmgr_last_error_final_state() + taskmgr_last_error_gone_reason();
                let text = last_message();
                self.shared.demand(
                    code == TASKMGR_OK
                        && taskmgr_id_is_nil(id)
                        && rest == 0
                        && text.as_deref() == Some(""),
                    || format!("nothing is left but {code}, {id:?}, {rest}"),
                );
            }
            4 | 5 => {
                let text = Text::new(&mut self.bytes);
                let mut id = Value::new(&mut self.bytes, taskmgr_id { bytes: [7; 16] });
                let code = taskmgr_id_parse(text.str(), id.place());
                let ok = self.shared.code("id_parse", code);
                let id = id.get();
                self.shared
                    .demand(ok || id.is_none_or(|id| taskmgr_id_is_nil(id)), || {
                        format!("id_parse returned {code} and {id:?}")
                    });
            }
            6 => {
                let id = self.id();
                // SAFETY: a null pointer is refused.
                let text = unsafe { taskmgr_id_format(id, std::ptr::null_mut()) };
                self.shared
                    .demand(text.is_null(), || "NULL was written to".to_owned());
                let random = taskmgr_id_random();
                self.shared.demand(!taskmgr_id_equal(random, NIL), || {
                    "a random id is the nil id".to_owned()
                });
            }
            _ => self.nothing(),
        }
        self.shared.no_panic("a small call");
    }

    /// Every `_free` and every getter takes a null pointer.
    fn nothing(&mut self) {
        use taskmgr_c::callback::*;
        use taskmgr_c::clock::*;
        use taskmgr_c::close_report::*;
        use taskmgr_c::http::{api::*, request::*, response::*, server::*, waiting::*};
        use taskmgr_c::manager::*;
        use taskmgr_c::module::*;
        use taskmgr_c::observer::*;
        use taskmgr_c::provider::*;
        use taskmgr_c::reporter::*;
        use taskmgr_c::stats::*;
        use taskmgr_c::status::*;
        use taskmgr_c::status_fields::*;
        use taskmgr_c::strings::*;
        use taskmgr_c::task::*;

        macro_rules! each {
            ($($call:ident)*) => { $($call(None);)* };
        }
        each!(
            taskmgr_abort_guard_free taskmgr_abort_guard_forget taskmgr_done_guard_free
            taskmgr_done_guard_forget taskmgr_clock_free taskmgr_close_report_free
            taskmgr_close_report_is_complete taskmgr_close_report_still_running
            taskmgr_http_api_free taskmgr_http_api_pending_waits taskmgr_http_request_method
            taskmgr_http_request_path taskmgr_http_request_host taskmgr_http_response_free
            taskmgr_http_response_status taskmgr_http_response_content_type
            taskmgr_http_response_allow taskmgr_http_response_body taskmgr_http_server_free
            taskmgr_http_server_address taskmgr_http_server_port
            taskmgr_http_server_pending_waits taskmgr_http_waiting_free
            taskmgr_http_waiting_time_left taskmgr_http_waiting_is_ready taskmgr_manager_free
            taskmgr_manager_node taskmgr_manager_keep_on_read taskmgr_manager_tick
            taskmgr_manager_task_ttl taskmgr_manager_user_task_ttl taskmgr_module_free
            taskmgr_manager_finished_bytes taskmgr_manager_evicted
            taskmgr_module_name taskmgr_observer_free taskmgr_observer_id
            taskmgr_observer_suspend taskmgr_observer_resume taskmgr_completion_free
            taskmgr_completion_is_cancelled taskmgr_reporter_free taskmgr_reporter_id
            taskmgr_stats_list_free taskmgr_stats_list_len taskmgr_stats_list_missing_len
            taskmgr_stats_id taskmgr_stats_type
            taskmgr_stats_kind taskmgr_stats_scope taskmgr_stats_state
            taskmgr_stats_sequence_number taskmgr_stats_keyspace taskmgr_stats_table
            taskmgr_stats_entity taskmgr_stats_shard taskmgr_stats_start_time
            taskmgr_stats_end_time taskmgr_stats_created_at taskmgr_stats_internal
            taskmgr_status_list_free taskmgr_status_list_len taskmgr_status_list_drawn
            taskmgr_status_free
            taskmgr_status_id taskmgr_status_type taskmgr_status_kind taskmgr_status_scope
            taskmgr_status_state taskmgr_status_sequence_number taskmgr_status_keyspace
            taskmgr_status_table taskmgr_status_entity taskmgr_status_shard
            taskmgr_status_start_time taskmgr_status_end_time taskmgr_status_created_at
            taskmgr_status_internal taskmgr_status_module taskmgr_status_is_abortable
            taskmgr_status_error taskmgr_status_parent_id taskmgr_status_progress_units
            taskmgr_status_progress_completed taskmgr_status_progress_total
            taskmgr_status_progress_total_known taskmgr_status_user_task taskmgr_status_settled
            taskmgr_status_suspend_requested taskmgr_status_abort_requested
            taskmgr_status_abort_reason taskmgr_status_abort_requested_at
            taskmgr_status_abort_polls taskmgr_status_abort_last_poll
            taskmgr_status_children_live taskmgr_status_children_succeeded
            taskmgr_status_children_failed taskmgr_status_children_not_kept
            taskmgr_status_first_error taskmgr_status_children_len taskmgr_strings_free
            taskmgr_strings_len taskmgr_task_finish taskmgr_task_start_created
            taskmgr_task_check_abort taskmgr_task_checkpoint taskmgr_task_abort_requested
            taskmgr_task_id taskmgr_reporter_abort_requested taskmgr_reporter_check_abort
        );
        let index = self.bytes.number() as usize;
        taskmgr_stats_list_at(None, index);
        taskmgr_stats_list_missing_at(None, index);
        taskmgr_status_list_at(None, index);
        taskmgr_status_child_id(None, index);
        taskmgr_status_child_node(None, index);
        taskmgr_strings_at(None, index);
        // SAFETY: a null pointer is nothing.
        unsafe { taskmgr_task_free(std::ptr::null_mut()) };
    }
}
