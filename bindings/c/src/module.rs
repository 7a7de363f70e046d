//! A group of operations of one nature.

use std::mem::MaybeUninit;

use taskmgr::Module;

use crate::close_report::taskmgr_close_report;
use crate::code::taskmgr_code;
use crate::filter::{self, taskmgr_filter};
use crate::guard;
use crate::handle::{Kept, Place, ValuePlace, get};
use crate::stats::taskmgr_stats_list;
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};
use crate::time::duration;

/// A module: a group of operations of one nature, e.g. all repairs. It does not keep the
/// manager; all handles of one module are equal. Since 0.1.0.
pub struct taskmgr_module {
    pub(crate) module: Kept<Module>,
    name: (Texts, Span),
}

impl taskmgr_module {
    pub(crate) fn new(module: Module) -> Self {
        let name = Texts::one(module.name());
        Self {
            module: Kept::new(module),
            name,
        }
    }
}

/// The module's name.
///
/// The text is borrowed from `module`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_module_name(module: Option<&taskmgr_module>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let (texts, span) = &get(module, "module")?.name;
        Ok(texts.get(*span))
    })
}

/// Makes one more handle of the same module.
///
/// `*copy` is the caller's, to be freed with `taskmgr_module_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_module_clone(
    module: Option<&taskmgr_module>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_module>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        place.give(taskmgr_module::new(get(module, "module")?.module.keep()));
        Ok(())
    })
}

/// The module's tasks, by time of creation and then id. A null `filter` lists all that are not
/// internal. Virtual ones of a provider that gives no answer in time are not among them:
/// `taskmgr_stats_list_missing_len` and `_at` say so.
///
/// `*list` is the caller's, to be freed with `taskmgr_stats_list_free`; NULL after an error.
/// Threads: any. Errors: INVALID_ARGUMENT for a state that is none, CLOSED, WOULD_DEADLOCK in
/// a callback if the module has a provider. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_module_list(
    module: Option<&taskmgr_module>,
    filter: *const taskmgr_filter<'_>,
    list: Option<&mut MaybeUninit<*mut taskmgr_stats_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(list, "list")?;
        let module = get(module, "module")?;
        // SAFETY: promised by the C program.
        let filter = unsafe { filter::given(filter) }?;
        place.give(taskmgr_stats_list::listed(module.module.listing(&filter)?));
        Ok(())
    })
}

/// Unregisters all settled roots of the module; `*drained` is how many there were, and
/// `drained` may be NULL.
///
/// Threads: any. Errors: CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_module_drain(
    module: Option<&taskmgr_module>,
    drained: Option<&mut MaybeUninit<usize>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::optional(drained, 0);
        let count = get(module, "module")?.module.drain()?;
        if let Some(place) = place {
            place.give(count);
        }
        Ok(())
    })
}

/// Closes the module: no new tasks; its running ones are told to abort and waited for until
/// the deadline; the settled ones are unregistered. Who waits for a virtual task of it then gets
/// CLOSED. What still runs keeps the name taken until it ends. Closing again with this handle waits
/// on for what still runs, and is answered in the same way: with a complete report once nothing
/// does. It never reaches a module that was registered under the name since.
///
/// `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
/// error, and `report` may be NULL. The handle stays, to be freed.
/// Threads: any. Errors: WOULD_DEADLOCK in a callback, unless the deadline is 0; CLOSED if nobody
/// had closed it when the last handle of its manager was freed. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_module_close(
    module: Option<&taskmgr_module>,
    deadline_ms: u64,
    report: Option<&mut MaybeUninit<*mut taskmgr_close_report>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::optional(report);
        // A callback of a task that is aborted may free the handle.
        let module = get(module, "module")?.module.keep();
        let closed = module.close(duration(deadline_ms))?;
        if let Some(place) = place {
            place.give(taskmgr_close_report::new(closed));
        }
        Ok(())
    })
}

/// Frees a handle of a module; the module stays registered.
///
/// Takes `module`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_module_free(module: Option<Box<taskmgr_module>>) {
    guard::value((), || {
        drop(module);
        Ok(())
    });
}
