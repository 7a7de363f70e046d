//! Times and durations.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time: nanoseconds since 1970-01-01T00:00:00Z; 0 is a time that has not come. Since 0.1.0.
pub type taskmgr_time_ns = i64;

/// No time: what has not happened.
pub const TASKMGR_NO_TIME: taskmgr_time_ns = 0;

/// A duration without end, for waits. All durations are milliseconds.
pub const TASKMGR_FOREVER: u64 = u64::MAX;

pub(crate) fn time_ns(time: Option<SystemTime>) -> taskmgr_time_ns {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(TASKMGR_NO_TIME, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// The time of a number; none for 0 and for what lies before 1970.
pub(crate) fn given_time(number: taskmgr_time_ns) -> Option<SystemTime> {
    let since = u64::try_from(number).ok().filter(|since| *since > 0)?;
    Some(UNIX_EPOCH + Duration::from_nanos(since))
}

/// A duration; `TASKMGR_FOREVER` is longer than any that is waited for.
pub(crate) fn duration(ms: u64) -> Duration {
    match ms {
        TASKMGR_FOREVER => Duration::MAX,
        ms => Duration::from_millis(ms),
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(TASKMGR_FOREVER)
}
