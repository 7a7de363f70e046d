//! Providers, and what they describe.

use std::ffi::c_void;

use taskmgr_c::code::{TASKMGR_INVALID_ARGUMENT, TASKMGR_OK, TASKMGR_PROVIDER, taskmgr_code};
use taskmgr_c::error::taskmgr_set_error;
use taskmgr_c::id::{taskmgr_id, taskmgr_id_is_nil};
use taskmgr_c::provider::*;
use taskmgr_c::text::taskmgr_str;
use taskmgr_c::virtual_task::{taskmgr_child, taskmgr_virtual_task};

use super::callbacks::gone;
use super::given::{NIL, Sized, Text, VIRTUAL, id, tail};
use super::pool::{Handle, Held};
use super::run::Run;
use super::shared::{Data, data};
use crate::bytes::Bytes;

/// A description of a virtual task, given to `call`.
fn described<R>(
    bytes: &mut Bytes<'_>,
    of: taskmgr_id,
    call: impl FnOnce(*const taskmgr_virtual_task<'_>, bool) -> R,
) -> R {
    let wild = bytes.one_in(4);
    let type_ = match bytes.one_in(4) {
        true => Text::new(bytes),
        false => Text::of("topology change"),
    };
    let texts: [Text; 7] = std::array::from_fn(|_| match wild {
        true => Text::new(bytes),
        false => Text::of(""),
    });
    let [scope, keyspace, table, entity, error, units, node] = &texts;
    let children = [taskmgr_child {
        id: id(bytes, &[]),
        node: node.str(),
    }];
    let mut task = taskmgr_virtual_task {
        size: 0,
        id: of,
        parent_id: NIL,
        r#type: type_.str(),
        scope: scope.str(),
        keyspace: keyspace.str(),
        table: table.str(),
        entity: entity.str(),
        error: error.str(),
        progress_units: units.str(),
        progress_completed: 3,
        progress_total: 7,
        sequence_number: 1,
        created_at: 0,
        start_time: 1,
        end_time: 0,
        children: std::ptr::null(),
        children_len: 0,
        shard: 0,
        state: 1 + bytes.below(5) as i32,
        abortable: bytes.byte() & 1,
        internal: 0,
        user_task: 0,
        reserved: [0; 5],
    };
    if wild {
        task.parent_id = id(bytes, &[]);
        task.progress_completed = bytes.number();
        task.progress_total = bytes.number();
        task.sequence_number = bytes.number();
        task.created_at = bytes.number() as i64;
        task.start_time = bytes.number() as i64;
        task.end_time = bytes.number() as i64;
        task.shard = bytes.number() as u32;
        task.state = bytes.number() as i32;
        task.internal = bytes.byte() & 1;
        task.user_task = bytes.byte() & 1;
        task.reserved = tail(bytes);
        (task.children, task.children_len) = match bytes.below(4) {
            0 | 1 => (children.as_ptr(), 1),
            2 => (std::ptr::null(), bytes.number() as usize),
            _ => (children.as_ptr(), 0),
        };
    }
    let task = Sized::new(bytes, task, |task| &mut task.size);
    call(task.as_ptr(), task.readable)
}

/// What a function of the provider returns: often what it should.
fn returned(bytes: &mut Bytes<'_>) -> taskmgr_code {
    match bytes.below(16) {
        0..=11 => TASKMGR_OK,
        12 => {
            let message = Text::new(bytes);
            taskmgr_set_error(TASKMGR_PROVIDER, message.str())
        }
        13 => {
            let message = Text::new(bytes);
            taskmgr_set_error(bytes.number() as taskmgr_code, message.str())
        }
        _ => bytes.number() as taskmgr_code,
    }
}

fn called(user_data: *mut c_void, work: impl FnOnce(&Data, &mut Bytes<'_>)) -> taskmgr_code {
    let Some(data) = data(user_data) else {
        gone(user_data);
        return TASKMGR_OK;
    };
    let script = data.script(48);
    let mut bytes = Bytes::new(&script);
    let code = returned(&mut bytes);
    work(&data, &mut bytes);
    code
}

extern "C" fn list(user_data: *mut c_void, sink: Option<&mut taskmgr_list_sink>) -> taskmgr_code {
    let sink: *mut taskmgr_list_sink = sink.map_or(std::ptr::null_mut(), |sink| sink);
    called(user_data, |data, bytes| {
        data.shared
            .demand(!sink.is_null(), || "list got no sink".to_owned());
        for _ in 0..bytes.below(4) {
            let of = bytes.pick(&VIRTUAL).unwrap_or(NIL);
            described(bytes, of, |task, readable| {
                // SAFETY: the sink is lent for this call; the task is as large as it says, or
                // says what is refused unread.
                let code = unsafe { taskmgr_list_sink_add(sink.as_mut(), task) };
                data.shared.code("list_sink_add", code);
                data.shared
                    .demand(readable || code == TASKMGR_INVALID_ARGUMENT, || {
                        format!("list_sink_add returned {code}")
                    });
            });
        }
    })
}

extern "C" fn status(
    user_data: *mut c_void,
    id: taskmgr_id,
    sink: Option<&mut taskmgr_status_sink>,
) -> taskmgr_code {
    let sink: *mut taskmgr_status_sink = sink.map_or(std::ptr::null_mut(), |sink| sink);
    called(user_data, |data, bytes| {
        let of = match bytes.one_in(8) {
            // Another's.
            true => bytes.pick(&VIRTUAL).unwrap_or(NIL),
            false => id,
        };
        // Of the nil id a provider is asked too; what it makes of it is its affair.
        if !VIRTUAL.contains(&of) || taskmgr_id_is_nil(id) {
            return;
        }
        described(bytes, of, |task, readable| {
            // SAFETY: as in `list`.
            let code = unsafe { taskmgr_status_sink_set(sink.as_mut(), task) };
            data.shared.code("status_sink_set", code);
            data.shared
                .demand(readable || code == TASKMGR_INVALID_ARGUMENT, || {
                    format!("status_sink_set returned {code}")
                });
        });
    })
}

extern "C" fn abort(
    user_data: *mut c_void,
    _id: taskmgr_id,
    reason: taskmgr_str<'_>,
) -> taskmgr_code {
    called(user_data, |data, _| {
        data.shared.text("the reason of an abort", reason);
    })
}

extern "C" fn watch(
    user_data: *mut c_void,
    id: taskmgr_id,
    completion: Option<Box<taskmgr_completion>>,
) -> taskmgr_code {
    let completion = completion.map(Handle::of_box);
    called(user_data, |data, bytes| {
        let Some(completion) = completion else {
            return data.shared.fault("watch got no completion");
        };
        match bytes.below(4) {
            0 => complete(data, bytes, id, completion),
            1 => taskmgr_completion_free(Some(completion.into_box())),
            _ => data.shared.watch(completion),
        }
    })
}

fn complete(
    data: &Data,
    bytes: &mut Bytes<'_>,
    id: taskmgr_id,
    completion: Handle<taskmgr_completion>,
) {
    described(bytes, id, |task, _| {
        // SAFETY: the task is as large as it says, or says what is refused unread.
        let code = unsafe { taskmgr_completion_complete(Some(completion.into_box()), task) };
        data.shared.code("completion_complete", code);
    });
}

extern "C" fn contains(
    user_data: *mut c_void,
    id: taskmgr_id,
    contains: Option<&mut i32>,
) -> taskmgr_code {
    called(user_data, |data, bytes| match contains {
        Some(contains) => *contains = i32::from(VIRTUAL.contains(&id)) * bytes.number() as i32,
        None => data.shared.fault("contains got no place"),
    })
}

impl Run<'_> {
    fn register_provider(&mut self) {
        let module = self.modules.pick(&mut self.bytes);
        let bytes = &mut self.bytes;
        // No handles: a provider that keeps its manager, or an observer of its tasks, stays.
        let (user_data, destroy) = self.shared.user_data(bytes, Held::default());
        let missing = match bytes.one_in(8) {
            true => bytes.below(5),
            false => usize::MAX,
        };
        let table = taskmgr_provider {
            size: 0,
            user_data,
            destroy,
            list: (missing != 0).then_some(list),
            status: (missing != 1).then_some(status),
            abort: (missing != 2).then_some(abort),
            watch: (missing != 3).then_some(watch),
            contains: bytes.flag().then_some(contains),
        };
        let table = Sized::new(bytes, table, |table| &mut table.size);
        // SAFETY: the table is as large as it says, or says what is refused unread.
        let code = unsafe { taskmgr_module_register_provider(module, table.as_ptr()) };
        self.shared.code("register_provider", code);
        self.refused_if_unreadable("register_provider", &table, code);
        self.shared.demand(missing > 3 || code != TASKMGR_OK, || {
            "a provider without a function was taken".to_owned()
        });
        if !table.readable {
            // Nobody knows of it.
            self.shared.take_back((user_data, destroy));
        }
    }

    pub(super) fn call_provider(&mut self) {
        match self.bytes.below(8) {
            0..=3 => self.register_provider(),
            4 => {
                // Without a sink.
                let code = described(&mut self.bytes, VIRTUAL[0], |task, _| {
                    // SAFETY: the task is as large as it says, or says what is refused unread.
                    unsafe { taskmgr_list_sink_add(None, task) }
                });
                self.shared.code("list_sink_add", code);
                let code = described(&mut self.bytes, VIRTUAL[0], |task, _| {
                    // SAFETY: as above.
                    unsafe { taskmgr_status_sink_set(None, task) }
                });
                self.shared.code("status_sink_set", code);
            }
            _ => self.tell_a_completion(),
        }
    }

    fn tell_a_completion(&mut self) {
        let at = self.bytes.below(8);
        let completion = match self.bytes.one_in(16) {
            true => None,
            false => self.shared.completion(at),
        };
        let asked = completion.map(Handle::get);
        taskmgr_completion_is_cancelled(asked);
        let completion = completion.map(Handle::into_box);
        match self.bytes.below(3) {
            0 => {
                let of = self.bytes.pick(&VIRTUAL).unwrap_or(NIL);
                let code = described(&mut self.bytes, of, |task, _| {
                    // SAFETY: the task is as large as it says, or says what is refused unread.
                    unsafe { taskmgr_completion_complete(completion, task) }
                });
                self.shared.code("completion_complete", code);
            }
            1 => {
                let message = Text::new(&mut self.bytes);
                let given = self.bytes.number() as taskmgr_code;
                let code = taskmgr_completion_fail(completion, given, message.str());
                self.shared.code("completion_fail", code);
                self.shared.demand(given != 0 || code != TASKMGR_OK, || {
                    "a completion has failed with OK".to_owned()
                });
            }
            _ => taskmgr_completion_free(completion),
        }
        self.shared.no_panic("a completion");
    }
}
