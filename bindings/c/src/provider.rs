//! Virtual tasks: a table of functions of the host.

use std::ffi::c_void;

use taskmgr::{BoxError, Completion, Provider, Stats, Status, Uuid};

use crate::callback::{UserData, taskmgr_destroy};
use crate::code::taskmgr_code;
use crate::failure::{Failure, invalid, null};
use crate::guard;
use crate::handle::{get, get_mut};
use crate::id::taskmgr_id;
use crate::last_error::of_host;
use crate::module::taskmgr_module;
use crate::text::taskmgr_str;
use crate::texts::Texts;
use crate::versioned::{Versioned, read};
use crate::virtual_task::{self, taskmgr_virtual_task};

/// Takes the tasks that a provider lists. Since 0.1.0.
pub struct taskmgr_list_sink(Vec<Stats>);

/// Takes the status that a provider tells. Since 0.1.0.
pub struct taskmgr_status_sink(Option<Status>);

/// Tells those who wait for a virtual task how it has ended. Since 0.1.0.
pub struct taskmgr_completion(Completion);

/// Answers for tasks that live elsewhere: in the whole cluster, in another process.
/// `TASKMGR_PROVIDER_INIT` initializes it with no function set; `list`, `status`, `abort` and
/// `watch` are needed.
///
/// Every function is called on a thread of the library's own, several at once, and given up
/// after the manager's `provider_deadline_ms`; its answer is then thrown away. It returns
/// `TASKMGR_OK`, or another code, which whoever asked gets with the message that it set by
/// `taskmgr_set_error`. It must not throw or jump out; calls that would block return
/// `TASKMGR_WOULD_DEADLOCK` in it. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_provider {
    /// `sizeof(taskmgr_provider)`.
    pub size: usize,
    /// Given to each function; any thread may have it.
    pub user_data: *mut c_void,
    /// Destroys the user data, once: when registering it fails, or else when its module is closed
    /// or the manager freed, no call to it is under way, and no observer of its tasks is left.
    /// May be NULL.
    pub destroy: taskmgr_destroy,
    /// Gives all its tasks to `taskmgr_list_sink_add`.
    pub list: Option<
        extern "C" fn(user_data: *mut c_void, sink: Option<&mut taskmgr_list_sink>) -> taskmgr_code,
    >,
    /// Gives the status of one of its tasks to `taskmgr_status_sink_set`; for an id that is not
    /// its own it returns `TASKMGR_OK` without that.
    pub status: Option<
        extern "C" fn(
            user_data: *mut c_void,
            id: taskmgr_id,
            sink: Option<&mut taskmgr_status_sink>,
        ) -> taskmgr_code,
    >,
    /// Aborts one of its tasks; called only if its status says that it is abortable. The reason
    /// is borrowed for the call.
    pub abort: Option<
        extern "C" fn(
            user_data: *mut c_void,
            id: taskmgr_id,
            reason: taskmgr_str<'_>,
        ) -> taskmgr_code,
    >,
    /// Sees to it that `completion` is completed when the task has ended, at once if it has; it
    /// must not wait for that itself. The completion is the provider's from here on, also if it
    /// fails: to be given to `taskmgr_completion_complete`, `_fail` or `_free`, on any thread.
    pub watch: Option<
        extern "C" fn(
            user_data: *mut c_void,
            id: taskmgr_id,
            completion: Option<Box<taskmgr_completion>>,
        ) -> taskmgr_code,
    >,
    /// Sets `*contains` to whether an id is its own. May be NULL: `status` is asked then.
    pub contains: Option<
        extern "C" fn(
            user_data: *mut c_void,
            id: taskmgr_id,
            contains: Option<&mut i32>,
        ) -> taskmgr_code,
    >,
}

// SAFETY: pointers of C without padding: 8 words.
unsafe impl Versioned for taskmgr_provider {
    const NAME: &'static str = "taskmgr_provider";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 0;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            user_data: std::ptr::null_mut(),
            destroy: None,
            list: None,
            status: None,
            abort: None,
            watch: None,
            contains: None,
        }
    }

    fn refused(&self) {
        drop(UserData::new(self.user_data, self.destroy));
    }
}

/// A table whose functions are all there.
struct Functions {
    user_data: UserData,
    list: extern "C" fn(*mut c_void, Option<&mut taskmgr_list_sink>) -> taskmgr_code,
    status:
        extern "C" fn(*mut c_void, taskmgr_id, Option<&mut taskmgr_status_sink>) -> taskmgr_code,
    abort: extern "C" fn(*mut c_void, taskmgr_id, taskmgr_str<'_>) -> taskmgr_code,
    watch: extern "C" fn(*mut c_void, taskmgr_id, Option<Box<taskmgr_completion>>) -> taskmgr_code,
    contains: Option<extern "C" fn(*mut c_void, taskmgr_id, Option<&mut i32>) -> taskmgr_code>,
}

impl Functions {
    fn of(table: &taskmgr_provider) -> Result<Self, Failure> {
        // Taken before anything can fail, so that it is destroyed on every path.
        let user_data = UserData::new(table.user_data, table.destroy);
        let missing = |name: &str| null(&format!("the provider's function {name}"));
        Ok(Self {
            user_data,
            list: table.list.ok_or_else(|| missing("list"))?,
            status: table.status.ok_or_else(|| missing("status"))?,
            abort: table.abort.ok_or_else(|| missing("abort"))?,
            watch: table.watch.ok_or_else(|| missing("watch"))?,
            contains: table.contains,
        })
    }

    fn data(&self) -> *mut c_void {
        self.user_data.get()
    }
}

impl Provider for Functions {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        let mut sink = taskmgr_list_sink(Vec::new());
        of_host(|| (self.list)(self.data(), Some(&mut sink)))?;
        Ok(sink.0)
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        let mut sink = taskmgr_status_sink(None);
        of_host(|| (self.status)(self.data(), id.into(), Some(&mut sink)))?;
        Ok(sink.0)
    }

    fn abort(&self, id: Uuid, reason: &str) -> Result<(), BoxError> {
        let (texts, span) = Texts::one(reason);
        of_host(|| (self.abort)(self.data(), id.into(), texts.get(span)))
    }

    fn watch(&self, id: Uuid, done: Completion) -> Result<(), BoxError> {
        let completion = Box::new(taskmgr_completion(done));
        of_host(|| (self.watch)(self.data(), id.into(), Some(completion)))
    }

    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        let Some(contains) = self.contains else {
            return Ok(self.status(id)?.is_some());
        };
        let mut answer = 0;
        of_host(|| contains(self.data(), id.into(), Some(&mut answer)))?;
        Ok(answer != 0)
    }
}

/// Registers a provider of virtual tasks with a module.
///
/// The table is copied; its user data is the library's from here on, also after an error, but
/// for one: where the table itself cannot be read, because `provider` is NULL or its size is
/// none, there is no user data to be seen. Threads: any. Errors: INVALID_ARGUMENT for a
/// function that is missing, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_module_register_provider(
    module: Option<&taskmgr_module>,
    provider: *const taskmgr_provider,
) -> taskmgr_code {
    guard::code(|| {
        // SAFETY: the C program promises that the table is as large as it says.
        let given = unsafe { read(provider, "provider") }?;
        let functions = Functions::of(&given)?;
        Ok(get(module, "module")?.module.register_provider(functions)?)
    })
}

/// Adds a task to the list that a provider is asked for.
///
/// `sink` is borrowed from the library for the call of `list`; the task is copied.
/// Threads: the one that called `list`. Errors: INVALID_ARGUMENT for a task that cannot be; the
/// list goes on without it. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_list_sink_add(
    sink: Option<&mut taskmgr_list_sink>,
    task: *const taskmgr_virtual_task<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let sink = get_mut(sink, "sink")?;
        // SAFETY: the C program promises that the task is as large as it says.
        sink.0.push(unsafe { virtual_task::stats(task) }?);
        Ok(())
    })
}

/// Sets the status that a provider is asked for; set twice, the last counts.
///
/// `sink` is borrowed from the library for the call of `status`; the task is copied.
/// Threads: the one that called `status`. Errors: INVALID_ARGUMENT for a task that cannot be.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_status_sink_set(
    sink: Option<&mut taskmgr_status_sink>,
    task: *const taskmgr_virtual_task<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let sink = get_mut(sink, "sink")?;
        // SAFETY: the C program promises that the task, with its children, is as it says.
        sink.0 = Some(unsafe { virtual_task::status(task) }?);
        Ok(())
    })
}

/// The task has ended, with this final status: all who wait are told.
///
/// Takes `completion`, also after an error, upon which those who wait get PROVIDER; the task is
/// copied. Threads: any; what waits is called on this one. Errors: INVALID_ARGUMENT for a task
/// that cannot be, or has not ended. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_completion_complete(
    completion: Option<Box<taskmgr_completion>>,
    task: *const taskmgr_virtual_task<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let completion = completion.ok_or_else(|| null("completion"))?;
        // SAFETY: the C program promises that the task, with its children, is as it says.
        let status = unsafe { virtual_task::status(task) }.and_then(ended);
        match status {
            Ok(status) => {
                completion.0.complete(Ok(status));
                Ok(())
            }
            Err(failure) => {
                let told = virtual_task::unusable(&failure);
                completion.0.complete(Err(told));
                Err(failure)
            }
        }
    })
}

fn ended(status: Status) -> Result<Status, Failure> {
    match status.state.is_terminal() {
        true => Ok(status),
        false => Err(invalid(format!(
            "the virtual task is {}, so it has not ended; complete it as done or failed",
            status.state
        ))),
    }
}

/// Nobody can say how the task has ended: all who wait get this error.
///
/// Takes `completion`, also after an error, upon which those who wait get PROVIDER; the text is
/// copied. Threads: any; what waits is called on this one. Errors: INVALID_ARGUMENT for a code
/// that is none or `TASKMGR_OK`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_completion_fail(
    completion: Option<Box<taskmgr_completion>>,
    code: taskmgr_code,
    message: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let completion = completion.ok_or_else(|| null("completion"))?;
        match crate::last_error::given(code, message) {
            Ok(error) => {
                completion.0.complete(Err(error));
                Ok(())
            }
            Err(failure) => {
                let told = virtual_task::unusable(&failure);
                completion.0.complete(Err(told));
                Err(failure)
            }
        }
    })
}

/// Whether nobody waits any more, so that the provider may stop watching.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_completion_is_cancelled(completion: Option<&taskmgr_completion>) -> bool {
    guard::value(false, || {
        Ok(get(completion, "completion")?.0.is_cancelled())
    })
}

/// Frees a completion without telling how the task has ended: all who wait get PROVIDER.
///
/// Takes `completion`; NULL is nothing. Threads: any; what waits is called on this one.
/// Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_completion_free(completion: Option<Box<taskmgr_completion>>) {
    guard::value((), || {
        drop(completion);
        Ok(())
    });
}
