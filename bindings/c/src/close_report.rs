//! What closing has left behind.

use taskmgr::CloseReport;

use crate::guard;
use crate::handle::get;
use crate::stats::taskmgr_stats_list;

/// What closing a module or a manager has left behind. Since 0.1.0.
pub struct taskmgr_close_report(taskmgr_stats_list);

impl taskmgr_close_report {
    pub(crate) fn new(report: CloseReport) -> Self {
        Self(taskmgr_stats_list::new(report.still_running))
    }
}

/// Whether everything has ended.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_close_report_is_complete(report: Option<&taskmgr_close_report>) -> bool {
    guard::value(false, || Ok(get(report, "report")?.0.is_empty()))
}

/// The tasks that had not ended by the deadline.
///
/// The list is borrowed from the report. Threads: any. Errors: NULL for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_close_report_still_running(
    report: Option<&taskmgr_close_report>,
) -> Option<&taskmgr_stats_list> {
    guard::value(None, || Ok(Some(&get(report, "report")?.0)))
}

/// Frees a report, and with it all that was borrowed from it.
///
/// Takes `report`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_close_report_free(report: Option<Box<taskmgr_close_report>>) {
    guard::value((), || {
        drop(report);
        Ok(())
    });
}
