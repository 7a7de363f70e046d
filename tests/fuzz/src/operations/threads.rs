//! Two threads that use the same handles.

use std::sync::{Arc, Barrier};

use taskmgr_c::manager::{taskmgr_manager, taskmgr_manager_close, taskmgr_manager_drain};
use taskmgr_c::manager_tasks::taskmgr_manager_take_status;
use taskmgr_c::module::{taskmgr_module, taskmgr_module_close, taskmgr_module_list};
use taskmgr_c::observer::{
    taskmgr_observer, taskmgr_observer_abort, taskmgr_observer_resume, taskmgr_observer_status,
    taskmgr_observer_status_tree, taskmgr_observer_wait,
};
use taskmgr_c::owner::taskmgr_task;
use taskmgr_c::stats::taskmgr_stats_list;
use taskmgr_c::status::{taskmgr_status, taskmgr_status_list};
use taskmgr_c::task::*;

use super::given::{NIL, Sized, Text};
use super::look::{look_at_list, look_at_status, look_at_tree};
use super::pool::{Free, Handle, Out};
use super::run::Run;
use super::shared::Shared;
use crate::bytes::Bytes;

#[derive(Clone, Copy)]
struct Common {
    manager: Option<Handle<taskmgr_manager>>,
    module: Option<Handle<taskmgr_module>>,
    task: Option<Handle<taskmgr_task>>,
    observer: Option<Handle<taskmgr_observer>>,
}

const CALLS: usize = 6;

impl Run<'_> {
    pub(super) fn call_threads(&mut self) {
        let common = Common {
            manager: self.managers.handle(&mut self.bytes),
            module: self.modules.handle(&mut self.bytes),
            task: self.tasks.handle(&mut self.bytes),
            observer: self.observers.handle(&mut self.bytes),
        };
        let scripts = [self.bytes.take(2 * CALLS), self.bytes.take(2 * CALLS)];
        let start = Arc::new(Barrier::new(scripts.len()));
        let shared = &self.shared;
        std::thread::scope(|scope| {
            for script in scripts {
                let start = Arc::clone(&start);
                scope.spawn(move || {
                    start.wait();
                    let mut bytes = Bytes::new(script);
                    for _ in 0..CALLS {
                        call(shared, common, &mut bytes);
                    }
                });
            }
        });
    }
}

fn call(shared: &Shared, common: Common, bytes: &mut Bytes<'_>) {
    let task = common.task.map(Handle::get);
    let manager = common.manager.map(Handle::get);
    let observer = common.observer.map(Handle::get);
    let none = &mut Bytes::new(&[]);
    match bytes.below(16) {
        0 => taskmgr_task_advance(task, bytes.number()),
        1 => {
            shared.code("task_finish", taskmgr_task_finish(task));
        }
        2 => {
            let error = Text::of("it failed");
            shared.code("task_fail", taskmgr_task_fail(task, error.str()));
        }
        3 => {
            let reason = Text::of("enough");
            shared.code("task_abort", taskmgr_task_abort(task, reason.str()));
        }
        4 => {
            let reason = Text::of("enough");
            shared.code("abort", taskmgr_observer_abort(observer, reason.str()));
        }
        5 | 6 => child(shared, task, bytes),
        7 => {
            let mut out = Out::<taskmgr_status>::new(none);
            let code = taskmgr_observer_status(observer, out.place());
            if let Some(status) = out.needed(shared, "observer_status", code) {
                look_at_status(shared, status.get());
                taskmgr_status::free(status);
            }
        }
        8 => {
            let mut out = Out::<taskmgr_status_list>::new(none);
            let code = taskmgr_observer_status_tree(observer, out.place());
            if let Some(tree) = out.needed(shared, "observer_status_tree", code) {
                look_at_tree(shared, tree.get());
                taskmgr_status_list::free(tree);
            }
        }
        9 => {
            shared.code("wait", taskmgr_observer_wait(observer, 1, None));
        }
        10 => {
            let mut out = Out::<taskmgr_stats_list>::new(none);
            let module = common.module.map(Handle::get);
            // SAFETY: a null filter lists all.
            let code = unsafe { taskmgr_module_list(module, std::ptr::null(), out.place()) };
            if let Some(list) = out.needed(shared, "module_list", code) {
                look_at_list(shared, list.get());
                taskmgr_stats_list::free(list);
            }
        }
        11 => {
            let name = Text::of("repair");
            let code = taskmgr_manager_drain(manager, name.str(), None);
            shared.code("drain", code);
        }
        12 => {
            let mut out = Out::<taskmgr_status>::new(none);
            let id = taskmgr_task_id(task);
            let code = taskmgr_manager_take_status(manager, id, out.place());
            if let Some(status) = out.needed(shared, "take_status", code) {
                taskmgr_status::free(status);
            }
        }
        13 => {
            shared.code("resume", taskmgr_observer_resume(observer));
        }
        14 if bytes.one_in(4) => {
            let module = common.module.map(Handle::get);
            shared.code("module_close", taskmgr_module_close(module, 0, None));
        }
        15 if bytes.one_in(4) => {
            shared.code("manager_close", taskmgr_manager_close(manager, 0, None));
        }
        _ => {
            let mut out = Out::<taskmgr_task>::new(none);
            let code = taskmgr_task_clone(task, out.place());
            if let Some(copy) = out.needed(shared, "task_clone", code) {
                taskmgr_task::free(copy);
            }
        }
    }
}

fn child(shared: &Shared, task: Option<&'static taskmgr_task>, bytes: &mut Bytes<'_>) {
    let (type_, none) = (Text::of("child"), Text::of(""));
    let spec = taskmgr_c::task_spec::taskmgr_task_spec {
        size: 0,
        r#type: type_.str(),
        scope: none.str(),
        keyspace: none.str(),
        table: none.str(),
        entity: none.str(),
        units: none.str(),
        total: u64::MAX,
        id: NIL,
        parent_id: NIL,
        parent: None,
        module: None,
        shard: u32::MAX,
        abortable: 0,
        internal: 0,
        user_task: 0,
        reserved: 0,
    };
    let spec = Sized::new(&mut Bytes::new(&[]), spec, |spec| &mut spec.size);
    let mut out = Out::<taskmgr_task>::new(&mut Bytes::new(&[]));
    // SAFETY: the spec is as large as it says.
    let code = unsafe { taskmgr_task_child_start(task, spec.as_ptr(), out.place()) };
    if let Some(child) = out.needed(shared, "child_start", code) {
        if bytes.flag() {
            let code = taskmgr_task_finish(Some(child.get()));
            shared.code("task_finish", code);
        }
        taskmgr_task::free(child);
    }
}
