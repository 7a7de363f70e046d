//! A clock for tests.

use std::mem::MaybeUninit;
use std::time::SystemTime;

use taskmgr::ManualClock;

use crate::code::taskmgr_code;
use crate::failure::invalid;
use crate::guard;
use crate::handle::{Place, get};
use crate::time::{duration, given_time, taskmgr_time_ns};

/// A clock for tests that stands still until it is told to move. Since 0.1.0.
pub struct taskmgr_clock(pub(crate) ManualClock);

/// Makes a clock that stands at 2020-01-01T00:00:00Z, for the field `clock` of
/// `taskmgr_manager_config`.
///
/// `*clock` is the caller's, to be freed with `taskmgr_clock_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clock_create(
    clock: Option<&mut MaybeUninit<*mut taskmgr_clock>>,
) -> taskmgr_code {
    guard::code(|| {
        Place::new(clock, "clock")?.give(taskmgr_clock(ManualClock::new()));
        Ok(())
    })
}

/// Moves a clock on, and the wall clock with it.
///
/// Threads: any, also several at once. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clock_advance(clock: Option<&taskmgr_clock>, by_ms: u64) -> taskmgr_code {
    guard::code(|| {
        get(clock, "clock")?.0.advance(duration(by_ms));
        Ok(())
    })
}

/// Sets a clock's wall time, forwards or back; TTLs do not notice.
///
/// Threads: any, also several at once. Errors: INVALID_ARGUMENT for a time before 1970.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clock_set_wall(
    clock: Option<&taskmgr_clock>,
    now: taskmgr_time_ns,
) -> taskmgr_code {
    guard::code(|| {
        let clock = get(clock, "clock")?;
        let now = match now {
            0 => SystemTime::UNIX_EPOCH,
            now => given_time(now).ok_or_else(|| {
                invalid(format!("{now} ns is before 1970; give a time since then"))
            })?,
        };
        clock.0.set_wall(now);
        Ok(())
    })
}

/// Frees a clock; managers that were made with it keep what they need of it.
///
/// Takes `clock`; NULL is nothing. Threads: any, once no other call uses it. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clock_free(clock: Option<Box<taskmgr_clock>>) {
    guard::value((), || {
        drop(clock);
        Ok(())
    });
}
