//! Managers, modules, clocks, and what is asked by id.

use std::mem::MaybeUninit;

use taskmgr_c::clock::{taskmgr_clock_advance, taskmgr_clock_create, taskmgr_clock_set_wall};
use taskmgr_c::code::{TASKMGR_GONE, TASKMGR_OK, taskmgr_code};
use taskmgr_c::error::{
    taskmgr_last_error_final_state, taskmgr_last_error_gone_reason, taskmgr_last_error_id,
};
use taskmgr_c::filter::taskmgr_filter;
use taskmgr_c::id::{taskmgr_id, taskmgr_id_equal, taskmgr_id_is_nil};
use taskmgr_c::manager::*;
use taskmgr_c::manager_tasks::*;
use taskmgr_c::module::*;
use taskmgr_c::state::{taskmgr_gone_reason_name, taskmgr_state_is_terminal, taskmgr_state_name};
use taskmgr_c::stats::taskmgr_stats_list;
use taskmgr_c::status::{taskmgr_status, taskmgr_status_list};
use taskmgr_c::strings::{taskmgr_strings, taskmgr_strings_at, taskmgr_strings_len};

use super::given::{Sized, Text, tail};
use super::look::{look_at_list, look_at_report};
use super::pool::{Free, Handle, Out, Value};
use super::run::Run;
use crate::bytes::Bytes;

/// What asks for the task of an id.
type Ask<T> = extern "C" fn(
    Option<&taskmgr_manager>,
    taskmgr_id,
    Option<&mut MaybeUninit<*mut T>>,
) -> taskmgr_code;

/// So that a close gives up at once where something is left.
const DEADLINES: [u64; 4] = [0, 0, 0, 1];

impl Run<'_> {
    pub(super) fn create_manager(&mut self) {
        let bytes = &mut self.bytes;
        let node = Text::new(bytes);
        let plain = !bytes.one_in(4);
        let mut config = taskmgr_manager_config {
            size: 0,
            node: node.str(),
            clock: self.clocks.handle(bytes).map(Handle::get),
            task_ttl_ms: bytes.number(),
            user_task_ttl_ms: 3_600_000,
            provider_deadline_ms: 60_000,
            max_kept_children: 1_024,
            max_kept_per_root: 16_384,
            tombstones: 4_096,
            max_finished_bytes: 64 << 20,
            max_modules: 65_536,
            max_live_tasks: usize::MAX,
            reaper: 0,
            keep_on_read: bytes.byte() & 1,
            reserved: [0; 6],
        };
        if !plain {
            config.user_task_ttl_ms = bytes.number();
            config.provider_deadline_ms = bytes.number();
            config.max_kept_children = bytes.number() as usize;
            config.max_kept_per_root = bytes.number() as usize;
            config.tombstones = bytes.number() as usize;
            // The same number, so that the inputs that there are stay what they are.
            config.max_finished_bytes = config.tombstones as u64;
            config.reaper = u8::from(bytes.one_in(4));
            config.reserved = tail(bytes);
        }
        let config = Sized::new(bytes, config, |config| &mut config.size);
        let mut out = Out::new(bytes);
        // SAFETY: the config is as large as it says, or says what is refused unread.
        let code = unsafe { taskmgr_manager_create(config.as_ptr(), out.place()) };
        // A null pointer stands for the defaults here.
        if !config.as_ptr().is_null() {
            self.refused_if_unreadable("manager_create", &config, code);
        }
        if let Some(manager) = out.needed(&self.shared, "manager_create", code) {
            let shared = &self.shared;
            shared.text("node", taskmgr_manager_node(Some(manager.get())));
            self.managers.add(manager);
        }
    }

    pub(super) fn register_module(&mut self) {
        let name = Text::new(&mut self.bytes);
        let manager = self.managers.pick(&mut self.bytes);
        let mut out = Out::new(&mut self.bytes);
        let code = taskmgr_manager_register_module(manager, name.str(), out.place());
        let module = out.needed(&self.shared, "register_module", code);
        self.has_module(module);
    }

    fn has_module(&mut self, module: Option<Handle<taskmgr_module>>) {
        if let Some(module) = module {
            let name = self
                .shared
                .text("module", taskmgr_module_name(Some(module.get())));
            self.shared
                .demand(!name.is_empty(), || "a module has no name".to_owned());
            self.modules.add(module);
        }
    }

    fn filter<'t>(&mut self, texts: &'t [Text; 4]) -> Sized<taskmgr_filter<'t>> {
        let bytes = &mut self.bytes;
        let [keyspace, table, type_, scope] = texts;
        let filter = taskmgr_filter {
            size: 0,
            keyspace: keyspace.str(),
            table: table.str(),
            r#type: type_.str(),
            scope: scope.str(),
            limit: match bytes.flag() {
                true => usize::MAX,
                false => bytes.number() as usize,
            },
            state: match bytes.one_in(4) {
                true => bytes.number() as i32,
                false => bytes.below(7) as i32,
            },
            internal: bytes.byte() & 1,
            reserved: tail(bytes),
        };
        Sized::new(bytes, filter, |filter| &mut filter.size)
    }

    fn list(&mut self) {
        let all = self.bytes.flag();
        let texts = match all {
            true => std::array::from_fn(|_| Text::of("")),
            false => std::array::from_fn(|_| Text::new(&mut self.bytes)),
        };
        let filter = self.filter(&texts);
        let mut out = Out::<taskmgr_stats_list>::new(&mut self.bytes);
        // SAFETY: the filter is as large as it says, or says what is refused unread.
        let code = unsafe {
            match self.bytes.flag() {
                true => {
                    let module = self.modules.pick(&mut self.bytes);
                    taskmgr_module_list(module, filter.as_ptr(), out.place())
                }
                false => {
                    let name = Text::new(&mut self.bytes);
                    let manager = self.managers.pick(&mut self.bytes);
                    taskmgr_manager_list(manager, name.str(), filter.as_ptr(), out.place())
                }
            }
        };
        if !filter.as_ptr().is_null() {
            self.refused_if_unreadable("list", &filter, code);
        }
        if let Some(list) = out.needed(&self.shared, "list", code) {
            look_at_list(&self.shared, list.get());
            taskmgr_stats_list::free(list);
        }
    }

    fn close(&mut self) {
        let deadline = self.bytes.pick(&DEADLINES).unwrap_or(0);
        match self.bytes.below(3) {
            0 => Self::doomed(
                |run| &mut run.managers,
                |held| &mut held.manager,
                self,
                |run, manager| {
                    let mut out = Out::new(&mut run.bytes);
                    let code = taskmgr_manager_close(Some(manager), deadline, out.place());
                    let report = out.optional(&run.shared, "manager_close", code);
                    run.has_report(report);
                },
            ),
            1 => {
                let name = Text::new(&mut self.bytes);
                Self::doomed(
                    |run| &mut run.managers,
                    |held| &mut held.manager,
                    self,
                    |run, manager| {
                        let mut out = Out::new(&mut run.bytes);
                        let manager = Some(manager);
                        let code = taskmgr_manager_close_module(
                            manager,
                            name.str(),
                            deadline,
                            out.place(),
                        );
                        let report = out.optional(&run.shared, "manager_close_module", code);
                        run.has_report(report);
                    },
                );
            }
            _ => Self::doomed(
                |run| &mut run.modules,
                |held| &mut held.module,
                self,
                |run, module| {
                    let mut out = Out::new(&mut run.bytes);
                    let code = taskmgr_module_close(Some(module), deadline, out.place());
                    let report = out.optional(&run.shared, "module_close", code);
                    run.has_report(report);
                },
            ),
        }
    }

    fn has_report(
        &mut self,
        report: Option<Handle<taskmgr_c::close_report::taskmgr_close_report>>,
    ) {
        if let Some(report) = report {
            look_at_report(&self.shared, report.get());
            taskmgr_c::close_report::taskmgr_close_report::free(report);
        }
    }

    pub(super) fn call_manager(&mut self) {
        let manager = self.managers.pick(&mut self.bytes);
        match self.bytes.below(24) {
            0 | 1 => self.create_manager(),
            2..=4 => self.register_module(),
            5 | 6 => {
                let name = Text::new(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_manager_module(manager, name.str(), out.place());
                let module = out.needed(&self.shared, "manager_module", code);
                self.has_module(module);
            }
            7 => self.modules_of(manager),
            8..=11 => self.list(),
            12 => {
                let name = Text::new(&mut self.bytes);
                let mut drained = Value::new(&mut self.bytes, usize::MAX);
                let code = match self.bytes.flag() {
                    true => taskmgr_manager_drain(manager, name.str(), drained.place()),
                    false => {
                        let module = self.modules.pick(&mut self.bytes);
                        taskmgr_module_drain(module, drained.place())
                    }
                };
                let ok = self.shared.code("drain", code);
                let drained = drained.get();
                self.shared.demand(
                    drained.is_none_or(|count| count < 1_000 && (ok || count == 0)),
                    || format!("draining returned {code} and {drained:?}"),
                );
            }
            13 | 14 => self.close(),
            15 => {
                let held = self.copy_of_a_manager();
                if let Some(copy) = held {
                    self.managers.add(copy);
                }
            }
            16 => {
                let module = self.modules.pick(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_module_clone(module, out.place());
                let copy = out.needed(&self.shared, "module_clone", code);
                self.has_module(copy);
            }
            17 | 18 => self.ttl(manager),
            19 => {
                taskmgr_manager_tick(manager);
                taskmgr_manager_keep_on_read(manager);
                taskmgr_manager_finished_bytes(manager);
                taskmgr_manager_evicted(manager);
                self.shared.no_panic("tick");
            }
            20..=22 => self.clock(),
            _ => self.nonblocking(),
        }
    }

    pub(super) fn copy_of_a_manager(&mut self) -> Option<Handle<taskmgr_manager>> {
        let manager = self.managers.pick(&mut self.bytes);
        let mut out = Out::new(&mut Bytes::new(&[]));
        let code = taskmgr_manager_clone(manager, out.place());
        out.optional(&self.shared, "manager_clone", code)
    }

    fn modules_of(&mut self, manager: Option<&taskmgr_manager>) {
        let mut out = Out::<taskmgr_strings>::new(&mut self.bytes);
        let code = taskmgr_manager_modules(manager, out.place());
        let Some(names) = out.needed(&self.shared, "manager_modules", code) else {
            return;
        };
        let len = taskmgr_strings_len(Some(names.get()));
        for index in 0..len {
            let name = taskmgr_strings_at(Some(names.get()), index);
            let name = self.shared.text("a module's name", name);
            self.shared
                .demand(!name.is_empty(), || "a module has no name".to_owned());
        }
        for index in [len, usize::MAX] {
            let name = taskmgr_strings_at(Some(names.get()), index);
            let name = self.shared.text("no module's name", name);
            self.shared
                .demand(name.is_empty(), || format!("there is a module {index}"));
        }
        taskmgr_strings::free(names);
    }

    fn ttl(&mut self, manager: Option<&taskmgr_manager>) {
        let ttl = self.bytes.number();
        let mut before = Value::new(&mut self.bytes, u64::MAX);
        let user = self.bytes.flag();
        let (code, now) = match user {
            false => (
                taskmgr_manager_set_task_ttl(manager, ttl, before.place()),
                taskmgr_manager_task_ttl(manager),
            ),
            true => (
                taskmgr_manager_set_user_task_ttl(manager, ttl, before.place()),
                taskmgr_manager_user_task_ttl(manager),
            ),
        };
        self.shared.code("set_ttl", code);
        self.shared.demand(code != TASKMGR_OK || now == ttl, || {
            format!("the TTL was set to {ttl} ms, and is {now} ms")
        });
        self.shared
            .demand(code != TASKMGR_OK || ttl <= 3_153_600_000_000, || {
                format!("a TTL of {ttl} ms was taken")
            });
    }

    fn clock(&mut self) {
        let clock = self.clocks.pick(&mut self.bytes);
        let by = self.bytes.number();
        match self.bytes.below(3) {
            0 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_clock_create(out.place());
                if let Some(clock) = out.needed(&self.shared, "clock_create", code) {
                    self.clocks.add(clock);
                }
            }
            1 => {
                self.shared
                    .code("clock_advance", taskmgr_clock_advance(clock, by));
            }
            _ => {
                let code = taskmgr_clock_set_wall(clock, by as i64);
                self.shared.code("clock_set_wall", code);
            }
        }
    }

    pub(super) fn call_of_id(&mut self) {
        let id = self.id();
        let manager = self.managers.pick(&mut self.bytes);
        let shared = self.shared.clone();
        let code = match self.bytes.below(16) {
            0 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_manager_observe(manager, id, out.place());
                if let Some(observer) = out.needed(&shared, "manager_observe", code) {
                    self.observers.add(observer);
                }
                code
            }
            1..=5 => {
                let (call, ask): (_, Ask<taskmgr_status>) = match self.bytes.below(3) {
                    0 => ("manager_status", taskmgr_manager_status),
                    1 => ("manager_take_status", taskmgr_manager_take_status),
                    _ => ("manager_read_status", taskmgr_manager_read_status),
                };
                let mut out = Out::new(&mut self.bytes);
                let code = ask(manager, id, out.place());
                let status = out.needed(&shared, call, code);
                self.has_status(status);
                code
            }
            6..=8 => {
                let (call, ask): (_, Ask<taskmgr_status_list>) = match self.bytes.below(3) {
                    0 => ("manager_status_tree", taskmgr_manager_status_tree),
                    1 => ("manager_take_status_tree", taskmgr_manager_take_status_tree),
                    _ => ("manager_read_status_tree", taskmgr_manager_read_status_tree),
                };
                let mut out = Out::new(&mut self.bytes);
                let code = ask(manager, id, out.place());
                let tree = out.needed(&shared, call, code);
                self.has_tree(tree);
                code
            }
            9 | 10 => {
                let reason = Text::new(&mut self.bytes);
                let mut aborted = TASKMGR_OK;
                Self::doomed(
                    |run| &mut run.managers,
                    |held| &mut held.manager,
                    self,
                    |run, manager| {
                        aborted = taskmgr_manager_abort(Some(manager), id, reason.str());
                        run.shared.code("manager_abort", aborted);
                    },
                );
                aborted
            }
            11 => {
                let code = taskmgr_manager_suspend(manager, id);
                shared.code("manager_suspend", code);
                code
            }
            12 => {
                let code = taskmgr_manager_resume(manager, id);
                shared.code("manager_resume", code);
                code
            }
            13 => {
                let mut out = Out::new(&mut self.bytes);
                let timeout = u64::from(self.bytes.one_in(8));
                let code = taskmgr_manager_wait(manager, id, timeout, out.place());
                let status = out.optional(&shared, "manager_wait", code);
                self.has_status(status);
                code
            }
            _ => {
                let (data, destroy) = self.user_data();
                let mut out = Out::new(&mut self.bytes);
                let callback = self.done_callback();
                let code =
                    taskmgr_manager_on_done(manager, id, callback, data, destroy, out.place());
                if let Some(guard) = out.optional(&shared, "manager_on_done", code) {
                    self.done_guards.add(guard);
                }
                code
            }
        };
        if code == TASKMGR_GONE {
            let reason = taskmgr_last_error_gone_reason();
            let state = taskmgr_last_error_final_state();
            let about = taskmgr_last_error_id();
            let name = shared.text("the reason", taskmgr_gone_reason_name(reason));
            // A provider's is a code and a message, and no more.
            let of_provider = reason == 0 && taskmgr_id_is_nil(about);
            let whole = name != "unknown"
                && taskmgr_state_is_terminal(state)
                && taskmgr_id_equal(about, id);
            shared.demand(of_provider || whole, || {
                format!("{id:?} is gone: {about:?}, {name}, {state}")
            });
            shared.text("the state", taskmgr_state_name(state));
        }
    }
}
