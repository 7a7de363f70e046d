//! The C++ sketch of the classical way (`cpp/`), by calls that do many operations each.

use std::ffi::{CString, c_char};

use crate::ours::Names;

/// Layouts that only C++ knows.
mod raw {
    #[repr(C)]
    pub struct World {
        opaque: [u8; 0],
    }
    #[repr(C)]
    pub struct List {
        opaque: [u8; 0],
    }
}

// SAFETY: the signatures are those of cpp/bridge.cpp; each function wants a live world, and
// `Classic` holds one.
unsafe extern "C" {
    fn classic_new(
        type_: *const c_char,
        scope: *const c_char,
        keyspace: *const c_char,
        table: *const c_char,
    ) -> *mut raw::World;
    fn classic_free(world: *mut raw::World);
    fn classic_life_cycles(world: *mut raw::World, count: usize);
    fn classic_make_room(world: *mut raw::World, count: usize);
    fn classic_create(world: *mut raw::World, count: usize, as_roots: bool);
    fn classic_end(world: *mut raw::World, order: *const u32);
    fn classic_finished_children(world: *mut raw::World, children: usize);
    fn classic_list(world: *mut raw::World) -> *mut raw::List;
    fn classic_list_free(list: *mut raw::List) -> usize;
    fn classic_abort(world: *mut raw::World);
    fn classic_ask(world: *mut raw::World, order: *const u32, count: usize);
    fn classic_statuses(world: *mut raw::World) -> u64;
    fn classic_finished_roots(world: *mut raw::World, count: usize, ttl_seconds: u64);
    fn classic_expire(world: *mut raw::World, in_seconds: u64) -> usize;
}

/// A manager of the classical kind with a parent task.
#[derive(Debug)]
pub struct Classic {
    world: *mut raw::World,
    owned: usize,
}

// SAFETY: nothing of the sketch belongs to a thread, and no call is made through a shared
// reference.
unsafe impl Send for Classic {}

/// A list as C++ made it.
#[derive(Debug)]
pub struct List(*mut raw::List);

impl Classic {
    /// With the names that every row uses.
    pub fn new() -> Self {
        let names = Names::given();
        let text = |text: &str| CString::new(text).expect("names have no NUL");
        let (type_, scope) = (text(&names.type_), text(&names.scope));
        let (keyspace, table) = (text(&names.keyspace), text(&names.table));
        // SAFETY: four texts that end with NUL and outlive the call, which copies them.
        let world = unsafe {
            classic_new(
                type_.as_ptr(),
                scope.as_ptr(),
                keyspace.as_ptr(),
                table.as_ptr(),
            )
        };
        Self { world, owned: 0 }
    }

    /// Create, start, advance once, finish, fold.
    pub fn life_cycles(&mut self, count: usize) {
        // SAFETY: a live world.
        unsafe { classic_life_cycles(self.world, count) }
    }

    /// Makes room for so many owners' handles.
    pub fn make_room(&mut self, count: usize) {
        // SAFETY: a live world.
        unsafe { classic_make_room(self.world, count) }
    }

    /// Creates and starts children of the parent, or roots; the world owns them.
    pub fn create(&mut self, count: usize, as_roots: bool) {
        // SAFETY: a live world.
        unsafe { classic_create(self.world, count, as_roots) }
        self.owned += count;
    }

    /// Advances and ends all that it owns, in this order or that of creation.
    pub fn end(&mut self, order: Option<&[u32]>) {
        if let Some(order) = order {
            assert_eq!(order.len(), self.owned);
        }
        let order = order.map_or(std::ptr::null(), <[u32]>::as_ptr);
        // SAFETY: a live world, and as many indices as it owns tasks.
        unsafe { classic_end(self.world, order) }
        self.owned = 0;
    }

    /// Gives each owned task so many children that have ended.
    pub fn finished_children(&mut self, children: usize) {
        // SAFETY: a live world.
        unsafe { classic_finished_children(self.world, children) }
    }

    /// Lists all tasks.
    pub fn list(&mut self) -> List {
        // SAFETY: a live world.
        List(unsafe { classic_list(self.world) })
    }

    /// Aborts everything below the parent.
    pub fn abort(&mut self) {
        // SAFETY: a live world.
        unsafe { classic_abort(self.world) }
    }

    /// Chooses the owned tasks whose statuses will be asked for, in this order.
    pub fn ask(&mut self, order: &[u32]) {
        assert!(order.iter().all(|&at| (at as usize) < self.owned));
        // SAFETY: a live world, and indices within what it owns.
        unsafe { classic_ask(self.world, order.as_ptr(), order.len()) }
    }

    /// Reads those statuses, each by its id.
    pub fn statuses(&mut self) -> u64 {
        // SAFETY: a live world; the tasks asked for are still owned, and so registered.
        unsafe { classic_statuses(self.world) }
    }

    /// Makes roots that have ended and are kept for this time.
    pub fn finished_roots(&mut self, count: usize, ttl_seconds: u64) {
        // SAFETY: a live world.
        unsafe { classic_finished_roots(self.world, count, ttl_seconds) }
    }

    /// Forgets what will have expired in so many seconds; how many.
    pub fn expire(&mut self, in_seconds: u64) -> usize {
        // SAFETY: a live world.
        unsafe { classic_expire(self.world, in_seconds) }
    }
}

impl Default for Classic {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Classic {
    fn drop(&mut self) {
        // SAFETY: made by `classic_new`, and freed once.
        unsafe { classic_free(self.world) }
    }
}

impl List {
    /// Frees it; how many it listed.
    pub fn free(self) -> usize {
        // SAFETY: made by `classic_list`, and freed once, as `self` is consumed.
        unsafe { classic_list_free(self.0) }
    }
}
