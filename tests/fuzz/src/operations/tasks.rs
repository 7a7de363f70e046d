//! Owners, reporters and observers.

use std::ffi::c_void;

use taskmgr_c::callback::{taskmgr_callback, taskmgr_done_callback};
use taskmgr_c::code::{TASKMGR_INVALID_ARGUMENT, TASKMGR_OK};
use taskmgr_c::id::taskmgr_id_is_nil;
use taskmgr_c::module::taskmgr_module;
use taskmgr_c::observer::*;
use taskmgr_c::owner::taskmgr_task;
use taskmgr_c::reporter::*;
use taskmgr_c::status::{taskmgr_status, taskmgr_status_list};
use taskmgr_c::status_fields::taskmgr_status_suspend_requested;
use taskmgr_c::task::*;
use taskmgr_c::task_spec::taskmgr_task_spec;

use super::callbacks;
use super::given::{self, NIL, Sized, Text};
use super::look::{look_at_status, look_at_tree};
use super::pool::{Free, Handle, Out, Value};
use super::run::Run;
use crate::bytes::Bytes;

/// The texts of a spec.
struct Texts([Text; 6]);

impl Texts {
    fn new(bytes: &mut Bytes<'_>) -> Self {
        // Most specs have a type and no more.
        let many = bytes.one_in(4);
        let mut text = |at: usize| match (at, many) {
            (0, _) | (_, true) => Text::new(bytes),
            _ => Text::of(""),
        };
        Self(std::array::from_fn(&mut text))
    }
}

impl Run<'_> {
    fn spec<'t>(&mut self, texts: &'t Texts) -> Sized<taskmgr_task_spec<'t>> {
        let bytes = &mut self.bytes;
        let [type_, scope, keyspace, table, entity, units] = &texts.0;
        let plain = !bytes.one_in(4);
        let mut spec = taskmgr_task_spec {
            size: 0,
            r#type: type_.str(),
            scope: scope.str(),
            keyspace: keyspace.str(),
            table: table.str(),
            entity: entity.str(),
            units: units.str(),
            total: u64::MAX,
            id: NIL,
            parent_id: NIL,
            parent: None,
            module: None,
            shard: u32::MAX,
            abortable: bytes.byte() & 1,
            internal: 0,
            user_task: 0,
            reserved: 0,
        };
        if !plain {
            spec.total = bytes.number();
            spec.shard = bytes.number() as u32;
            let flags = bytes.byte();
            spec.internal = flags & 2;
            spec.user_task = flags & 4;
            if flags & 8 != 0 {
                spec.id = given::host_id(bytes);
            }
            if flags & 16 != 0 {
                spec.parent_id = given::id(bytes, &self.ids);
            }
            if flags & 32 != 0 {
                spec.parent = self.observers.handle(bytes).map(Handle::get);
            }
            if flags & 64 != 0 {
                spec.module = self.modules.handle(bytes).map(Handle::get);
            }
            [spec.reserved] = given::tail(bytes);
        }
        Sized::new(bytes, spec, |spec| &mut spec.size)
    }

    fn has_task(&mut self, call: &str, task: Option<Handle<taskmgr_task>>) {
        if let Some(task) = task {
            let id = taskmgr_task_id(Some(task.get()));
            self.shared.demand(!taskmgr_id_is_nil(id), || {
                format!("{call} gave a task with the nil id")
            });
            self.knows(id);
            self.tasks.add(task);
        }
    }

    pub(super) fn call_task(&mut self) {
        match self.bytes.below(32) {
            0..=3 => self.new_task(),
            4..=7 => self.new_child(),
            8 => {
                let task = self.tasks.pick(&mut self.bytes);
                self.shared
                    .code("task_start_created", taskmgr_task_start_created(task));
            }
            9 | 10 => Self::doomed(
                |run| &mut run.tasks,
                |held| &mut held.task,
                self,
                |run, task| {
                    run.shared
                        .code("task_finish", taskmgr_task_finish(Some(task)));
                },
            ),
            11 => {
                let error = Text::new(&mut self.bytes);
                Self::doomed(
                    |run| &mut run.tasks,
                    |held| &mut held.task,
                    self,
                    |run, task| {
                        let code = taskmgr_task_fail(Some(task), error.str());
                        run.shared.code("task_fail", code);
                    },
                );
            }
            12 => {
                let reason = Text::new(&mut self.bytes);
                Self::doomed(
                    |run| &mut run.tasks,
                    |held| &mut held.task,
                    self,
                    |run, task| {
                        let code = taskmgr_task_abort(Some(task), reason.str());
                        run.shared.code("task_abort", code);
                    },
                );
            }
            13..=16 => self.count_with_task(),
            17 => {
                let task = self.tasks.pick(&mut self.bytes);
                let units = Text::new(&mut self.bytes);
                self.shared
                    .code("task_set_units", taskmgr_task_set_units(task, units.str()));
            }
            18 | 19 => self.task_looks_for_an_abort(),
            20..=22 => {
                let task = self.tasks.pick(&mut self.bytes);
                let (data, destroy) = self.user_data();
                let mut out = Out::new(&mut self.bytes);
                let callback = self.abort_callback();
                let code = taskmgr_task_on_abort(task, callback, data, destroy, out.place());
                if let Some(guard) = out.optional(&self.shared, "task_on_abort", code) {
                    self.abort_guards.add(guard);
                }
            }
            23 | 24 => {
                let task = self.tasks.pick(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_task_status(task, out.place());
                let status = out.needed(&self.shared, "task_status", code);
                self.has_status(status);
            }
            25 | 26 => {
                let task = self.tasks.pick(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_task_observe(task, out.place());
                if let Some(observer) = out.needed(&self.shared, "task_observe", code) {
                    self.observers.add(observer);
                }
            }
            27 | 28 => {
                let task = self.tasks.pick(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_task_reporter(task, out.place());
                if let Some(reporter) = out.needed(&self.shared, "task_reporter", code) {
                    self.reporters.add(reporter);
                }
            }
            29 => {
                let task = self.tasks.pick(&mut self.bytes);
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_task_clone(task, out.place());
                let copy = out.needed(&self.shared, "task_clone", code);
                self.has_task("task_clone", copy);
            }
            _ => self.tasks.free_one(&mut self.bytes),
        }
    }

    fn new_task(&mut self) {
        let texts = Texts::new(&mut self.bytes);
        let spec = self.spec(&texts);
        let module: Option<&taskmgr_module> = self.modules.pick(&mut self.bytes);
        let mut out = Out::new(&mut self.bytes);
        let start = !self.bytes.one_in(4);
        // SAFETY: the spec is as large as it says, or says what is refused unread.
        let code = unsafe {
            match start {
                true => taskmgr_task_start(module, spec.as_ptr(), out.place()),
                false => taskmgr_task_create(module, spec.as_ptr(), out.place()),
            }
        };
        self.refused_if_unreadable("task_start", &spec, code);
        let task = out.needed(&self.shared, "task_start", code);
        self.has_task("task_start", task);
    }

    fn new_child(&mut self) {
        let texts = Texts::new(&mut self.bytes);
        let spec = self.spec(&texts);
        let of_reporter = self.bytes.one_in(4);
        let start = !self.bytes.one_in(4);
        let mut out = Out::new(&mut self.bytes);
        // SAFETY: the spec is as large as it says, or says what is refused unread.
        let code = unsafe {
            if of_reporter {
                let parent = self.reporters.pick(&mut self.bytes);
                match start {
                    true => taskmgr_reporter_child_start(parent, spec.as_ptr(), out.place()),
                    false => taskmgr_reporter_child_create(parent, spec.as_ptr(), out.place()),
                }
            } else {
                let parent = self.tasks.pick(&mut self.bytes);
                match start {
                    true => taskmgr_task_child_start(parent, spec.as_ptr(), out.place()),
                    false => taskmgr_task_child_create(parent, spec.as_ptr(), out.place()),
                }
            }
        };
        self.refused_if_unreadable("child_start", &spec, code);
        let task = out.needed(&self.shared, "child_start", code);
        self.has_task("child_start", task);
    }

    pub(super) fn refused_if_unreadable<T>(&self, call: &str, given: &Sized<T>, code: i32) {
        self.shared
            .demand(given.readable || code == TASKMGR_INVALID_ARGUMENT, || {
                format!("{call} was given a struct of no size, and returned {code}")
            });
    }

    fn count_with_task(&mut self) {
        let task = self.tasks.pick(&mut self.bytes);
        let n = self.bytes.number();
        match self.bytes.below(4) {
            0 => taskmgr_task_advance(task, n),
            1 => {
                let code = taskmgr_task_try_advance(task, n);
                self.shared.code("task_try_advance", code);
                let wrong = n > 1 << 53 || task.is_none();
                self.shared.demand(wrong == (code != TASKMGR_OK), || {
                    format!("task_try_advance({n}) returned {code}")
                });
            }
            2 => taskmgr_task_set_completed(task, n),
            _ => taskmgr_task_set_total(task, n),
        }
        self.shared.no_panic("counting with a task");
    }

    fn task_looks_for_an_abort(&mut self) {
        let task = self.tasks.pick(&mut self.bytes);
        let asked = taskmgr_task_abort_requested(task);
        let code = taskmgr_task_check_abort(task);
        self.shared.code("task_check_abort", code);
        self.shared
            .demand(task.is_none() || asked == (code != TASKMGR_OK), || {
                format!("abort_requested is {asked}, and check_abort returned {code}")
            });
        let mut out = Out::<taskmgr_status>::new(&mut Bytes::new(&[]));
        let code = taskmgr_task_status(task, out.place());
        if let Some(status) = out.optional(&self.shared, "task_status", code) {
            let suspended = taskmgr_status_suspend_requested(Some(status.get()));
            taskmgr_status::free(status);
            // Nobody would wake it.
            if !suspended {
                self.shared
                    .code("task_checkpoint", taskmgr_task_checkpoint(task));
            }
        }
    }

    fn abort_callback(&mut self) -> taskmgr_callback {
        (!self.bytes.one_in(16)).then_some(callbacks::on_abort as extern "C" fn(*mut c_void))
    }

    pub(super) fn done_callback(&mut self) -> taskmgr_done_callback {
        match self.bytes.one_in(16) {
            true => None,
            false => Some(callbacks::on_done),
        }
    }

    pub(super) fn has_status(&mut self, status: Option<Handle<taskmgr_status>>) {
        if let Some(status) = status {
            look_at_status(&self.shared, status.get());
            match self.bytes.one_in(8) {
                true => self.statuses.add(status),
                false => taskmgr_status::free(status),
            }
        }
    }

    pub(super) fn has_tree(&mut self, tree: Option<Handle<taskmgr_status_list>>) {
        if let Some(tree) = tree {
            look_at_tree(&self.shared, tree.get());
            taskmgr_status_list::free(tree);
        }
    }

    pub(super) fn copy_of_an_observer(&mut self) -> Option<Handle<taskmgr_observer>> {
        let observer = self.observers.pick(&mut self.bytes);
        let mut out = Out::new(&mut Bytes::new(&[]));
        let code = taskmgr_observer_clone(observer, out.place());
        out.optional(&self.shared, "observer_clone", code)
    }

    pub(super) fn call_reporter_or_observer(&mut self) {
        match self.bytes.flag() {
            false => self.call_reporter(),
            true => self.call_observer(),
        }
    }

    fn call_reporter(&mut self) {
        let reporter = self.reporters.pick(&mut self.bytes);
        let n = self.bytes.number();
        match self.bytes.below(16) {
            0 => taskmgr_reporter_advance(reporter, n),
            1 => {
                let code = taskmgr_reporter_try_advance(reporter, n);
                self.shared.code("reporter_try_advance", code);
            }
            2 => taskmgr_reporter_set_completed(reporter, n),
            3 => taskmgr_reporter_set_total(reporter, n),
            4 => {
                let units = Text::new(&mut self.bytes);
                let code = taskmgr_reporter_set_units(reporter, units.str());
                self.shared.code("reporter_set_units", code);
            }
            5 | 6 => {
                let asked = taskmgr_reporter_abort_requested(reporter);
                let code = taskmgr_reporter_check_abort(reporter);
                self.shared.code("reporter_check_abort", code);
                self.shared
                    .demand(reporter.is_none() || asked == (code != TASKMGR_OK), || {
                        format!("abort_requested is {asked}, and check_abort returned {code}")
                    });
            }
            7 => {
                let reason = Text::new(&mut self.bytes);
                Self::doomed(
                    |run| &mut run.reporters,
                    |held| &mut held.reporter,
                    self,
                    |run, reporter| {
                        let code = taskmgr_reporter_abort(Some(reporter), reason.str());
                        run.shared.code("reporter_abort", code);
                    },
                );
            }
            8 | 9 => {
                let (data, destroy) = self.user_data();
                let mut out = Out::new(&mut self.bytes);
                let callback = self.abort_callback();
                let code =
                    taskmgr_reporter_on_abort(reporter, callback, data, destroy, out.place());
                if let Some(guard) = out.optional(&self.shared, "reporter_on_abort", code) {
                    self.abort_guards.add(guard);
                }
            }
            10 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_reporter_status(reporter, out.place());
                let status = out.needed(&self.shared, "reporter_status", code);
                self.has_status(status);
            }
            11 | 12 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_reporter_observe(reporter, out.place());
                if let Some(observer) = out.needed(&self.shared, "reporter_observe", code) {
                    self.observers.add(observer);
                }
            }
            13 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_reporter_clone(reporter, out.place());
                if let Some(copy) = out.needed(&self.shared, "reporter_clone", code) {
                    self.reporters.add(copy);
                }
            }
            14 => {
                let id = taskmgr_reporter_id(reporter);
                self.shared
                    .demand(taskmgr_id_is_nil(id) == reporter.is_none(), || {
                        format!("a reporter has the id {id:?}")
                    });
            }
            _ => self.reporters.free_one(&mut self.bytes),
        }
        self.shared.no_panic("a call on a reporter");
    }

    fn call_observer(&mut self) {
        let observer = self.observers.pick(&mut self.bytes);
        match self.bytes.below(16) {
            0 | 1 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_observer_status(observer, out.place());
                let status = out.needed(&self.shared, "observer_status", code);
                self.has_status(status);
            }
            2 | 3 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_observer_status_tree(observer, out.place());
                let tree = out.needed(&self.shared, "observer_status_tree", code);
                self.has_tree(tree);
            }
            4..=6 => self.wait(observer),
            7 | 8 => {
                let reason = Text::new(&mut self.bytes);
                Self::doomed(
                    |run| &mut run.observers,
                    |held| &mut held.observer,
                    self,
                    |run, observer| {
                        let code = taskmgr_observer_abort(Some(observer), reason.str());
                        run.shared.code("observer_abort", code);
                    },
                );
            }
            9 => {
                let code = taskmgr_observer_suspend(observer);
                self.shared.code("observer_suspend", code);
            }
            10 => {
                let code = taskmgr_observer_resume(observer);
                self.shared.code("observer_resume", code);
            }
            11 | 12 => {
                let (data, destroy) = self.user_data();
                let mut out = Out::new(&mut self.bytes);
                let callback = self.done_callback();
                let code = taskmgr_observer_on_done(observer, callback, data, destroy, out.place());
                if let Some(guard) = out.optional(&self.shared, "observer_on_done", code) {
                    self.done_guards.add(guard);
                }
            }
            13 => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_observer_clone(observer, out.place());
                if let Some(copy) = out.needed(&self.shared, "observer_clone", code) {
                    self.observers.add(copy);
                }
            }
            14 => {
                let id = taskmgr_observer_id(observer);
                self.shared
                    .demand(taskmgr_id_is_nil(id) == observer.is_none(), || {
                        format!("an observer has the id {id:?}")
                    });
            }
            _ => self.observers.free_one(&mut self.bytes),
        }
    }

    /// For no time, or a moment, or without end for what has ended.
    fn wait(&mut self, observer: Option<&taskmgr_observer>) {
        let mut terminal = Value::new(&mut self.bytes, true);
        let code = taskmgr_observer_is_terminal(observer, terminal.place());
        self.shared.code("observer_is_terminal", code);
        let over = terminal.get() == Some(true) && code == TASKMGR_OK;
        let regular = over && self.is_regular(observer);
        let timeout = match (regular, self.bytes.below(8)) {
            (true, 0) => u64::MAX,
            (true, 1) => u64::MAX - 1,
            (_, 2) => 1,
            _ => 0,
        };
        let mut out = Out::new(&mut self.bytes);
        let code = taskmgr_observer_wait(observer, timeout, out.place());
        self.shared.demand(!regular || code == TASKMGR_OK, || {
            format!("waiting for what has ended returned {code}")
        });
        let status = out.optional(&self.shared, "observer_wait", code);
        self.has_status(status);
    }

    fn is_regular(&self, observer: Option<&taskmgr_observer>) -> bool {
        let mut out = Out::<taskmgr_status>::new(&mut Bytes::new(&[]));
        let code = taskmgr_observer_status(observer, out.place());
        let status = out.optional(&self.shared, "observer_status", code);
        status.is_some_and(|status| {
            let kind = taskmgr_c::status_fields::taskmgr_status_kind(Some(status.get()));
            taskmgr_status::free(status);
            kind == taskmgr_c::state::TASKMGR_KIND_NODE
        })
    }
}
