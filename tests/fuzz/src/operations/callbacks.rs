//! Callbacks, which call back.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr_c::callback::{taskmgr_destroy, taskmgr_nonblocking};
use taskmgr_c::code::{TASKMGR_OK, TASKMGR_TIMEOUT, TASKMGR_WOULD_DEADLOCK, taskmgr_code};
use taskmgr_c::error::taskmgr_last_error_code;
use taskmgr_c::manager::{taskmgr_manager_close, taskmgr_manager_modules, taskmgr_manager_tick};
use taskmgr_c::observer::{
    taskmgr_observer_abort, taskmgr_observer_is_terminal, taskmgr_observer_status,
    taskmgr_observer_wait,
};
use taskmgr_c::state::taskmgr_state_is_terminal;
use taskmgr_c::status::{taskmgr_status, taskmgr_status_clone};
use taskmgr_c::status_fields::taskmgr_status_state;
use taskmgr_c::strings::taskmgr_strings;

use super::given::Text;
use super::look::look_at_status;
use super::pool::{Free, Held, Out};
use super::run::Run;
use super::shared::{DOOMED, Data, data};
use crate::bytes::Bytes;

impl Run<'_> {
    /// User data with handles of its own now and then.
    pub(super) fn user_data(&mut self) -> (*mut c_void, taskmgr_destroy) {
        let mut held = Held::default();
        if self.bytes.one_in(4) {
            held.observer = self.copy_of_an_observer();
        }
        if self.bytes.one_in(8) {
            held.manager = self.copy_of_a_manager();
        }
        let shared = self.shared.clone();
        shared.user_data(&mut self.bytes, held)
    }
}

/// What a callback does.
fn act(data: &Data, once: bool) {
    let calls = data
        .calls
        .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    data.shared.demand(!once || calls == 0, || {
        format!("a callback was called {} times", calls + 1)
    });
    let script = data.script(6);
    let mut bytes = Bytes::new(&script);
    for _ in 0..2 {
        step(data, &mut bytes);
    }
}

fn step(data: &Data, bytes: &mut Bytes<'_>) {
    let shared = &data.shared;
    let (manager, observer) = {
        let held = data.held();
        (held.manager, held.observer)
    };
    let (manager, observer) = (
        manager.map(super::pool::Handle::get),
        observer.map(super::pool::Handle::get),
    );
    match bytes.below(16) {
        1 | 2 => {
            // The handle whose call runs this callback.
            let doomed = DOOMED.with(|doomed| doomed.borrow_mut().take());
            if let Some(held) = doomed {
                held.free_now();
            }
        }
        3 => data.held().free(),
        4 => {
            let code = taskmgr_manager_close(manager, 1_000_000, None);
            shared.code("close in a callback", code);
        }
        5 | 6 => {
            // Without end, but not in a callback.
            let code = taskmgr_observer_wait(observer, u64::MAX, None);
            shared.code("wait in a callback", code);
        }
        7 => {
            let code = taskmgr_observer_wait(observer, 0, None);
            shared.code("wait(0) in a callback", code);
            shared.demand(code != TASKMGR_WOULD_DEADLOCK || observer.is_some(), || {
                format!("waiting on NULL returned {code}")
            });
        }
        8 => {
            let reason = Text::new(bytes);
            shared.code(
                "abort in a callback",
                taskmgr_observer_abort(observer, reason.str()),
            );
        }
        9 | 10 => {
            let mut out = Out::new(bytes);
            let code = taskmgr_observer_status(observer, out.place());
            if let Some(status) = out.needed(shared, "status in a callback", code) {
                look_at_status(shared, status.get());
                taskmgr_status::free(status);
            }
        }
        11 => {
            let mut out = Out::<taskmgr_strings>::new(bytes);
            let code = taskmgr_manager_modules(manager, out.place());
            if let Some(names) = out.needed(shared, "modules in a callback", code) {
                taskmgr_strings::free(names);
            }
        }
        12 => {
            taskmgr_manager_tick(manager);
            let mut terminal = MaybeUninit::new(true);
            let code = taskmgr_observer_is_terminal(observer, Some(&mut terminal));
            shared.code("is_terminal in a callback", code);
        }
        _ => {}
    }
}

pub(super) extern "C" fn on_abort(user_data: *mut c_void) {
    match data(user_data) {
        Some(data) => act(&data, true),
        None => gone(user_data),
    }
}

pub(super) extern "C" fn on_done(
    user_data: *mut c_void,
    code: taskmgr_code,
    status: Option<&taskmgr_status>,
) {
    let Some(data) = data(user_data) else {
        return gone(user_data);
    };
    let shared = &data.shared;
    match status {
        Some(status) => {
            let state = taskmgr_status_state(Some(status));
            shared.demand(
                code == TASKMGR_OK && taskmgr_state_is_terminal(state),
                || format!("on_done is told {code} and a task in state {state}"),
            );
            look_at_status(shared, status);
            let mut out = Out::new(&mut Bytes::new(&[]));
            let copied = taskmgr_status_clone(Some(status), out.place());
            if let Some(copy) = out.needed(shared, "status_clone", copied) {
                taskmgr_status::free(copy);
            }
        }
        None => {
            let last = taskmgr_last_error_code();
            shared.demand(
                code != TASKMGR_OK && code != TASKMGR_TIMEOUT && last == code,
                || format!("on_done is told {code} without a status; the last error is {last}"),
            );
        }
    }
    act(&data, true);
}

pub(super) extern "C" fn work(user_data: *mut c_void) {
    match data(user_data) {
        Some(data) => act(&data, false),
        None => gone(user_data),
    }
}

/// No user data was given, or it was destroyed.
pub(super) fn gone(user_data: *mut c_void) {
    if !user_data.is_null() {
        eprintln!("a callback got user data {user_data:?}, which was destroyed");
        std::process::abort();
    }
}

impl Run<'_> {
    pub(super) fn nonblocking(&mut self) {
        let (data, destroy) = self.user_data();
        let work = (!self.bytes.one_in(16)).then_some(work as extern "C" fn(*mut c_void));
        self.shared
            .code("nonblocking", taskmgr_nonblocking(work, data));
        // It stays the caller's.
        self.shared.take_back((data, destroy));
    }
}
