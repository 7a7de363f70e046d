//! One run: what it has, which call comes next, and how it ends.

use std::sync::Arc;

use taskmgr_c::callback::{
    taskmgr_abort_guard, taskmgr_abort_guard_forget, taskmgr_done_guard, taskmgr_done_guard_forget,
};
use taskmgr_c::clock::taskmgr_clock;
use taskmgr_c::close_report::{taskmgr_close_report_free, taskmgr_close_report_is_complete};
use taskmgr_c::code::{TASKMGR_CLOSED, TASKMGR_OK};
use taskmgr_c::error::taskmgr_clear_error;
use taskmgr_c::http::api::taskmgr_http_api;
use taskmgr_c::http::server::taskmgr_http_server;
use taskmgr_c::http::waiting::taskmgr_http_waiting;
use taskmgr_c::id::taskmgr_id;
use taskmgr_c::manager::{taskmgr_manager, taskmgr_manager_close};
use taskmgr_c::module::taskmgr_module;
use taskmgr_c::observer::taskmgr_observer;
use taskmgr_c::owner::taskmgr_task;
use taskmgr_c::provider::taskmgr_completion_free;
use taskmgr_c::reporter::taskmgr_reporter;
use taskmgr_c::status::taskmgr_status;

use super::given;
use super::pool::{Free, Held, Out, Pool};
use super::shared::{DOOMED, Shared};
use crate::bytes::Bytes;

/// So that no input takes long.
const MOST_CALLS: usize = 200;

/// What a run has, and what is left of its bytes.
pub(super) struct Run<'a> {
    pub(super) bytes: Bytes<'a>,
    pub(super) shared: Arc<Shared>,
    pub(super) ids: Vec<taskmgr_id>,
    pub(super) clocks: Pool<taskmgr_clock>,
    pub(super) managers: Pool<taskmgr_manager>,
    pub(super) modules: Pool<taskmgr_module>,
    pub(super) tasks: Pool<taskmgr_task>,
    pub(super) reporters: Pool<taskmgr_reporter>,
    pub(super) observers: Pool<taskmgr_observer>,
    pub(super) abort_guards: Pool<taskmgr_abort_guard>,
    pub(super) done_guards: Pool<taskmgr_done_guard>,
    pub(super) statuses: Pool<taskmgr_status>,
    pub(super) apis: Pool<taskmgr_http_api>,
    pub(super) waitings: Pool<taskmgr_http_waiting>,
    pub(super) servers: Pool<taskmgr_http_server>,
    pub(super) servers_made: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        taskmgr_clear_error();
        Self {
            bytes: Bytes::new(data),
            shared: Arc::default(),
            ids: Vec::new(),
            clocks: Pool::default(),
            managers: Pool::default(),
            modules: Pool::default(),
            tasks: Pool::default(),
            reporters: Pool::default(),
            observers: Pool::default(),
            abort_guards: Pool::default(),
            done_guards: Pool::default(),
            statuses: Pool::default(),
            apis: Pool::default(),
            waitings: Pool::default(),
            servers: Pool::default(),
            servers_made: 0,
        }
    }

    pub(super) fn calls(&mut self) {
        self.create_manager();
        self.register_module();
        for _ in 0..MOST_CALLS {
            if self.bytes.is_empty() {
                break;
            }
            self.call();
        }
    }

    fn call(&mut self) {
        match self.bytes.byte() {
            0..=63 => self.call_task(),
            64..=95 => self.call_reporter_or_observer(),
            96..=127 => self.call_of_id(),
            128..=175 => self.call_manager(),
            176..=191 => self.call_provider(),
            192..=207 => self.call_http(),
            208..=223 => self.free_something(),
            224..=231 => self.call_small(),
            232..=239 => self.call_threads(),
            _ => self.call_task(),
        }
    }

    pub(super) fn id(&mut self) -> taskmgr_id {
        given::id(&mut self.bytes, &self.ids)
    }

    pub(super) fn knows(&mut self, id: taskmgr_id) {
        if self.ids.len() < 64 {
            self.ids.push(id);
        }
    }

    fn free_something(&mut self) {
        let bytes = &mut self.bytes;
        match bytes.below(16) {
            0..=3 => self.tasks.free_one(bytes),
            4 | 5 => self.reporters.free_one(bytes),
            6 | 7 => self.observers.free_one(bytes),
            8 => self.abort_guards.free_one(bytes),
            9 => self.done_guards.free_one(bytes),
            10 => taskmgr_abort_guard_forget(
                self.abort_guards
                    .take(bytes)
                    .map(super::pool::Handle::into_box),
            ),
            11 => taskmgr_done_guard_forget(
                self.done_guards
                    .take(bytes)
                    .map(super::pool::Handle::into_box),
            ),
            12 => self.modules.free_one(bytes),
            13 => self.managers.free_one(bytes),
            14 => self.clocks.free_one(bytes),
            _ => {
                self.statuses.free_one(bytes);
                self.waitings.free_one(bytes);
                self.apis.free_one(bytes);
                self.servers.free_one(bytes);
            }
        }
        self.shared.no_panic("_free");
    }

    /// Makes a call on a handle that a callback in it may free.
    pub(super) fn doomed<T: Free + 'static>(
        pool: impl Fn(&mut Self) -> &mut Pool<T>,
        slot: impl Fn(&mut Held) -> &mut Option<super::pool::Handle<T>>,
        run: &mut Self,
        call: impl FnOnce(&mut Self, &'static T),
    ) {
        let mut bytes = std::mem::replace(&mut run.bytes, Bytes::new(&[]));
        let handle = pool(run).take(&mut bytes);
        run.bytes = bytes;
        let Some(handle) = handle else {
            return;
        };
        let mut held = Held::default();
        *slot(&mut held) = Some(handle);
        DOOMED.with(|doomed| *doomed.borrow_mut() = Some(held));
        call(run, handle.get());
        let left = DOOMED.with(|doomed| doomed.borrow_mut().take());
        if let Some(handle) = left.and_then(|mut held| slot(&mut held).take()) {
            pool(run).add(handle);
        }
    }

    /// Frees all, and looks whether anything is left.
    pub(super) fn end(mut self) {
        while let Some(completion) = self.shared.completion(0) {
            taskmgr_completion_free(Some(completion.into_box()));
        }
        self.tasks.free_all();
        // What a callback holds it may hold for as long as its task runs; it runs no more.
        for manager in self.managers.all() {
            let mut report = Out::new(&mut Bytes::new(&[]));
            let code = taskmgr_manager_close(Some(manager.get()), 0, report.place());
            self.shared
                .demand(matches!(code, TASKMGR_OK | TASKMGR_CLOSED), || {
                    format!("closing a manager at the end returned {code}")
                });
            if let Some(report) = report.optional(&self.shared, "close", code) {
                let complete = taskmgr_close_report_is_complete(Some(report.get()));
                taskmgr_close_report_free(Some(report.into_box()));
                self.shared
                    .demand(complete, || "a task runs that nobody owns".to_owned());
            }
        }
        self.reporters.free_all();
        for observer in self.observers.all().to_vec() {
            self.observe_the_end(observer.get());
        }
        self.servers.free_all();
        self.waitings.free_all();
        self.apis.free_all();
        self.abort_guards.free_all();
        self.done_guards.free_all();
        self.modules.free_all();
        self.managers.free_all();
        for status in self.statuses.all().to_vec() {
            self.look_at(status.get());
        }
        self.statuses.free_all();
        self.observers.free_all();
        self.clocks.free_all();
        // A provider's watch that was given up may have come later.
        while let Some(completion) = self.shared.completion(0) {
            taskmgr_completion_free(Some(completion.into_box()));
        }
        self.shared.no_panic("the end");
        self.shared.settle();
    }
}
