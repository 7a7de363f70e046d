//! What the callbacks, the providers and the routes of one run share, and what was found wrong.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taskmgr_c::callback::taskmgr_destroy;
use taskmgr_c::code::{TASKMGR_OK, TASKMGR_PANIC, taskmgr_code};
use taskmgr_c::code_name::taskmgr_code_name;
use taskmgr_c::error::{taskmgr_last_error, taskmgr_last_error_code};
use taskmgr_c::provider::taskmgr_completion;
use taskmgr_c::text::taskmgr_str;

use super::given::parts;
use super::pool::{Handle, Held};
use crate::bytes::Bytes;

/// Far beyond what it takes to drop a few values on a busy machine.
const DROPPED_BY: Duration = Duration::from_secs(120);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all of one run share.
#[derive(Default)]
pub(super) struct Shared {
    faults: Mutex<Vec<String>>,
    alive: Mutex<usize>,
    destroyed: Condvar,
    completions: Mutex<Vec<Handle<taskmgr_completion>>>,
}

/// The user data of all runs by its number: the pointer that the library has is no more than
/// that, so that one which is used too late is noticed and harms nobody.
static DATA: LazyLock<Mutex<HashMap<usize, Arc<Data>>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// What a callback, a provider or a route of the host finds behind its pointer.
pub(super) struct Data {
    pub(super) shared: Arc<Shared>,
    pub(super) script: Vec<u8>,
    at: AtomicUsize,
    pub(super) calls: AtomicUsize,
    /// Handles of its own, which go when it goes, or when its callback says so.
    pub(super) held: Mutex<Held>,
}

impl Data {
    /// The next stretch of its script, which goes round.
    pub(super) fn script(&self, len: usize) -> Vec<u8> {
        let from = self.at.fetch_add(len, Ordering::Relaxed);
        let all = self.script.len();
        (from..from + len)
            .map(|at| match all {
                0 => 0,
                all => self.script[at % all],
            })
            .collect()
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

thread_local! {
    /// The handle whose call is under way, for a callback in it to free.
    pub(super) static DOOMED: RefCell<Option<Held>> = const { RefCell::new(None) };
}

pub(super) fn data(user_data: *mut c_void) -> Option<Arc<Data>> {
    lock(&DATA).get(&(user_data as usize)).cloned()
}

extern "C" fn destroy(user_data: *mut c_void) {
    let Some(data) = lock(&DATA).remove(&(user_data as usize)) else {
        // Destroyed twice, or not what was given. There is no run to blame it on.
        eprintln!("user data {user_data:?} is destroyed, and is none");
        std::process::abort();
    };
    // It may free handles, and so call others.
    data.held().free();
    let shared = Arc::clone(&data.shared);
    drop(data);
    *lock(&shared.alive) -= 1;
    shared.destroyed.notify_all();
}

impl Shared {
    /// User data: none now and then, else such as has to be destroyed once.
    pub(super) fn user_data(
        self: &Arc<Self>,
        bytes: &mut Bytes<'_>,
        held: Held,
    ) -> (*mut c_void, taskmgr_destroy) {
        if bytes.one_in(16) {
            held.free_now();
            return (std::ptr::null_mut(), None);
        }
        let len = bytes.below(24);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        *lock(&self.alive) += 1;
        let data = Data {
            shared: Arc::clone(self),
            script: bytes.take(len).to_vec(),
            at: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            held: Mutex::new(held),
        };
        lock(&DATA).insert(number, Arc::new(data));
        (number as *mut c_void, Some(destroy))
    }

    /// What the library could not know of is taken back.
    pub(super) fn take_back(&self, user_data: (*mut c_void, taskmgr_destroy)) {
        if let (data, Some(destroy)) = user_data {
            destroy(data);
        }
    }

    pub(super) fn fault(&self, fault: impl Into<String>) {
        let fault = fault.into();
        say(|| format!("WRONG: {fault}"));
        lock(&self.faults).push(fault);
    }

    pub(super) fn demand(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(what());
        }
    }

    /// What a call has returned; whether it was OK.
    pub(super) fn code(&self, call: &str, code: taskmgr_code) -> bool {
        say(|| format!("{call}: {}", name_of(code)));
        if code == TASKMGR_OK {
            return true;
        }
        let message = last_message();
        say(|| format!("    {message:?}"));
        self.demand(code != TASKMGR_PANIC, || {
            format!("{call} has panicked: {message:?}")
        });
        self.demand(matches!(code, 1..=21 | 101..=102), || {
            format!("{call} returned {code}, which is no code")
        });
        let kept = taskmgr_last_error_code();
        self.demand(kept == code, || {
            format!("{call} returned {code}, and the last error is {kept}")
        });
        let message = message.unwrap_or_else(|| "no UTF-8".to_owned());
        self.demand(!message.is_empty() && message != "no UTF-8", || {
            format!("{call} returned {code} with the message {message:?}")
        });
        false
    }

    /// A call that returns a value may have failed, but not panicked.
    pub(super) fn no_panic(&self, call: &str) {
        say(|| format!("{call} = …"));
        if taskmgr_last_error_code() == TASKMGR_PANIC {
            self.fault(format!("{call} has panicked: {:?}", last_message()));
        }
    }

    /// A text that the library gave; all but bodies and errors have no NUL inside.
    pub(super) fn text(&self, what: &str, text: taskmgr_str<'_>) -> String {
        let (data, len) = parts(text);
        if data.is_null() || len > 1 << 28 {
            self.fault(format!("{what} is {data:?} of length {len}"));
            return String::new();
        }
        // SAFETY: the library promises so many bytes and a NUL behind them.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len + 1) };
        self.demand(bytes[len] == 0, || format!("{what} has no NUL behind it"));
        match std::str::from_utf8(&bytes[..len]) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                self.fault(format!("{what} is not UTF-8: {error}"));
                String::new()
            }
        }
    }

    pub(super) fn watch(&self, completion: Handle<taskmgr_completion>) {
        lock(&self.completions).push(completion);
    }

    pub(super) fn completion(&self, at: usize) -> Option<Handle<taskmgr_completion>> {
        let mut all = lock(&self.completions);
        match all.len() {
            0 => None,
            len => Some(all.swap_remove(at % len)),
        }
    }

    /// Sees to it that all user data goes, and that nothing was wrong.
    pub(super) fn settle(&self) {
        let alive = lock(&self.alive);
        let (alive, _) = self
            .destroyed
            .wait_timeout_while(alive, DROPPED_BY, |alive| *alive > 0)
            .unwrap_or_else(PoisonError::into_inner);
        let left = *alive;
        drop(alive);
        self.demand(left == 0, || {
            format!("user data was not destroyed, {left} in number")
        });
        let faults = lock(&self.faults);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

fn name_of(code: taskmgr_code) -> String {
    Shared::default().text("the code's name", taskmgr_code_name(code))
}

/// None for one that is not UTF-8.
pub(super) fn last_message() -> Option<String> {
    // SAFETY: it ends with a NUL, and lives until this thread's next failure.
    let text = unsafe { CStr::from_ptr(taskmgr_last_error()) };
    text.to_str().ok().map(str::to_owned)
}

/// The calls one by one, if `FUZZ_TRACE` is set.
pub(super) fn say(what: impl FnOnce() -> String) {
    static TRACED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("FUZZ_TRACE").is_some());
    if *TRACED {
        eprintln!("{}", what());
    }
}
