//! The one file of the core with `unsafe` code: what neither `std` nor a crate that the core
//! already has offers safely.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{AtomicPtr, Ordering, sized};

/// A reference to something that lives as long as the process, set while others read it.
#[derive(Debug)]
pub(crate) struct AtomicRef<T: 'static> {
    address: AtomicPtr<Target<T>>,
    /// `Send` and `Sync` where the reference is.
    holds: PhantomData<&'static T>,
}

impl<T> AtomicRef<T> {
    pub(crate) fn none() -> Self {
        Self {
            address: AtomicPtr::new(std::ptr::null_mut()),
            holds: PhantomData,
        }
    }

    /// Acquire: whoever sees the reference sees what it leads to as `set` found it.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        let address = self.address.load(Ordering::Acquire);
        // SAFETY: the address is null or was made by `set` or `offer` out of a `&'static Target<T>`, and
        // nothing else writes it but null; a shared reference to it may be copied.
        unsafe { address.as_ref() }.map(target::reached)
    }

    #[inline]
    pub(crate) fn clear(&self) {
        self.address.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set(&self, to: &'static T) {
        let address = std::ptr::from_ref(target::of(to)).cast_mut();
        self.address.store(address, Ordering::Release);
    }

    /// Sets it where there is none.
    pub(crate) fn offer(&self, to: &'static T) {
        let address = std::ptr::from_ref(target::of(to)).cast_mut();
        let none = std::ptr::null_mut();
        let _ = self
            .address
            .compare_exchange(none, address, Ordering::Release, Ordering::Relaxed);
    }
}

/// So many references that lead nowhere yet, if there is memory. What of them is not used is not written either: the
/// system gives its memory when it is.
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) fn no_refs<T, const N: usize>() -> Option<Box<[AtomicRef<T>; N]>> {
    let layout = std::alloc::Layout::new::<[AtomicRef<T>; N]>();
    assert!(layout.size() > 0, "there is something to allocate");
    // SAFETY: the layout has a size; zeroes are null pointers, which are references that lead
    // nowhere, and the box is given back by the same layout.
    unsafe {
        let memory = std::alloc::alloc_zeroed(layout).cast::<[AtomicRef<T>; N]>();
        (!memory.is_null()).then(|| Box::from_raw(memory))
    }
}

/// Atomics of a model are not what their bytes are.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn no_refs<T, const N: usize>() -> Option<Box<[AtomicRef<T>; N]>> {
    Some(Box::new(std::array::from_fn(|_| AtomicRef::none())))
}

/// Several things one after another, at an address that is theirs for the life of the process.
#[derive(Debug)]
pub(crate) struct Run<T: 'static> {
    first: std::ptr::NonNull<T>,
    count: usize,
}

/// The memory of several things that are gone.
#[derive(Debug)]
pub(crate) struct Vacant<T: 'static>(Run<T>);

// SAFETY: it is but the address of things that any thread may look at and drop.
unsafe impl<T: Send + Sync> Send for Run<T> {}
// SAFETY: the same.
unsafe impl<T: Send + Sync> Sync for Run<T> {}

impl<T> Run<T> {
    /// As many as there are numbers, if there is memory; if they fill pages, from the beginning of a
    /// page of the system's on.
    pub(crate) fn new(
        fills_pages: bool,
        numbers: std::ops::Range<usize>,
        make: impl Fn(usize) -> T,
    ) -> Option<Self> {
        let align = if fills_pages { sized(PAGE, 1) } else { 1 };
        let count = numbers.len();
        let layout = std::alloc::Layout::array::<T>(count);
        let layout = layout.and_then(|layout| layout.align_to(align));
        let layout = layout.expect("a run is no larger than memory");
        assert!(layout.size() > 0, "there is something to allocate");
        // SAFETY: the layout has a size.
        let memory = unsafe { std::alloc::alloc(layout) };
        let first = std::ptr::NonNull::new(memory.cast::<T>())?;
        Some(Vacant(Self { first, count }).fill(numbers, make))
    }

    pub(crate) fn items(&self) -> &'static [T] {
        // SAFETY: all were written when the run was made, and the memory is not given back. They
        // are dropped only by `vacate`, whose caller says that nobody looks at them any more.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }

    /// Drops all of them and gives their memory back to the system.
    ///
    /// # Safety
    /// Nobody has a reference to any of them.
    pub(crate) unsafe fn vacate(self) -> Vacant<T> {
        let all = std::ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.count);
        // SAFETY: they are what `fill` wrote, and nobody else's.
        unsafe { std::ptr::drop_in_place(all) };
        give_back(all.cast(), self.count * size_of::<T>());
        Vacant(self)
    }
}

impl<T> Vacant<T> {
    pub(crate) fn fill(self, numbers: std::ops::Range<usize>, make: impl Fn(usize) -> T) -> Run<T> {
        assert_eq!(numbers.len(), self.0.count);
        for (at, number) in numbers.enumerate() {
            // SAFETY: the memory has room for so many, and nobody else knows it.
            unsafe { self.0.first.add(at).write(make(number)) };
        }
        self.0
    }
}

/// The least that pages have. Where they are larger, only what fills them is given back.
const PAGE: usize = 4096;

/// What is all atomics, so that it may change while anybody looks at it, and to zeroes.
///
/// # Safety
///
/// Every byte of it is an atomic's or padding, and all zeroes are a value of it.
pub(crate) unsafe trait AllAtomic: Sync + 'static {
    /// Sets all of it to zeroes, as the system does with what was given back.
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self);
}

/// Gives the memory of these back to the system, if it takes it: all of it is zeroes from then on,
/// or stays as it was. Who writes some of it meanwhile writes for nobody.
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) fn erase<T: AllAtomic>(items: &'static [T]) {
    give_back(
        std::ptr::from_ref(items).cast_mut().cast(),
        size_of_val(items),
    );
}

/// Gives memory back to the system, if it takes it: it stays mapped, and all of it is zeroes from
/// then on, or stays as it was. What was there is nobody's, or zeroes are a value of it.
#[cfg(all(target_os = "linux", not(all(test, any(loom, shuttle)))))]
fn give_back(address: *mut std::ffi::c_void, length: usize) {
    use std::ffi::{c_int, c_long, c_void};

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
        fn sysconf(name: c_int) -> c_long;
    }
    const MADV_DONTNEED: c_int = 4;
    const SC_PAGESIZE: c_int = 30;

    // SAFETY: it asks for a number that does not change.
    let page = usize::try_from(unsafe { sysconf(SC_PAGESIZE) }).unwrap_or(0);
    if fills_pages(address.addr(), length, page) {
        // SAFETY: the memory is the caller's, stays mapped, and fills its pages alone. Where pages are
        // locked into memory nothing changes.
        let _ = unsafe { madvise(address, length, MADV_DONTNEED) };
    }
}

#[cfg(not(all(target_os = "linux", not(all(test, any(loom, shuttle))))))]
fn give_back(_: *mut std::ffi::c_void, _: usize) {}

/// Whether memory fills pages of this size: the system would give back all of a page of which it
/// is told of a part.
#[cfg(all(target_os = "linux", not(all(test, any(loom, shuttle)))))]
fn fills_pages(address: usize, length: usize, page: usize) -> bool {
    page > 0 && address.is_multiple_of(page) && length.is_multiple_of(page)
}

#[cfg(all(test, target_os = "linux", not(any(loom, shuttle))))]
#[test]
fn memory_goes_back_only_where_it_fills_pages() {
    const KIB: usize = 1024;
    for (address, length, page, fits) in [
        (64 * KIB, 4 * KIB, 4 * KIB, true),
        (64 * KIB, 4 * KIB, 16 * KIB, false),
        (64 * KIB, 32 * KIB, 64 * KIB, false),
        (64 * KIB, 128 * KIB, 64 * KIB, true),
        (68 * KIB, 64 * KIB, 16 * KIB, false),
        (64 * KIB, 4 * KIB, 0, false),
    ] {
        assert_eq!(
            fills_pages(address, length, page),
            fits,
            "{address} {length} {page}"
        );
    }
}

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn erase<T: AllAtomic>(items: &'static [T]) {
    items.iter().for_each(T::blank);
}

use target::Target;

/// What the address is that of: the thing itself.
#[cfg(not(all(test, loom)))]
mod target {
    pub(super) type Target<T> = T;

    #[inline(always)]
    pub(super) fn of<T>(to: &'static T) -> &'static Target<T> {
        to
    }

    #[inline(always)]
    pub(super) fn reached<T>(target: &'static Target<T>) -> &'static T {
        target
    }
}

/// In a model, a mark beside it, written as it is set and read as it is reached: loom tells if
/// these are not in order, which it could not see of the thing's plain memory.
#[cfg(all(test, loom))]
mod target {
    #[derive(Debug)]
    pub(super) struct Target<T: 'static> {
        to: &'static T,
        mark: loom::cell::UnsafeCell<()>,
    }

    pub(super) fn of<T>(to: &'static T) -> &'static Target<T> {
        let mark = loom::cell::UnsafeCell::new(());
        Box::leak(Box::new(Target { to, mark }))
    }

    pub(super) fn reached<T>(target: &'static Target<T>) -> &'static T {
        target.mark.with(|_| target.to)
    }
}

/// A thing that is made when it is first asked for, and owned from then on. Of several who make
/// it at once one is first, and nobody waits for another, who in a forked child may be gone.
#[derive(Debug)]
pub(crate) struct Made<T> {
    // Not a model's: no modelled operation lies within it.
    at: std::sync::atomic::AtomicPtr<T>,
    owned: PhantomData<T>,
}

impl<T: Send + Sync> Made<T> {
    pub(crate) const fn not_yet() -> Self {
        Self {
            at: std::sync::atomic::AtomicPtr::new(std::ptr::null_mut()),
            owned: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: the address is null or that of a box that `get_or_make` gave away, which stays
        // as it is until this is dropped; Acquire shows it as its maker left it.
        unsafe { self.at.load(std::sync::atomic::Ordering::Acquire).as_ref() }
    }

    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        use std::sync::atomic::Ordering::{AcqRel, Acquire};

        if let Some(made) = self.get() {
            return made;
        }
        let mine = Box::into_raw(Box::new(make()));
        let none = std::ptr::null_mut();
        if self
            .at
            .compare_exchange(none, mine, AcqRel, Acquire)
            .is_err()
        {
            // SAFETY: the box was made above, and nobody else knows it.
            drop(unsafe { Box::from_raw(mine) });
        }
        self.get().expect("somebody has made it")
    }
}

impl<T> Drop for Made<T> {
    fn drop(&mut self) {
        let at = *self.at.get_mut();
        if !at.is_null() {
            // SAFETY: it is that of a box that `get_or_make` gave away, and nobody has it now.
            drop(unsafe { Box::from_raw(at) });
        }
    }
}

/// The inside of a [`ShortLock`](super::ShortLock): taking it is one atomic operation, and
/// letting it go a plain store. Who finds it taken spins, then yields, then sleeps.
///
/// Aligned as what it guards mostly is, so that it lies before that.
#[cfg(not(all(test, any(loom, shuttle))))]
#[repr(align(8))]
#[derive(Debug)]
pub(crate) struct Short(std::sync::atomic::AtomicBool);

#[cfg(not(all(test, any(loom, shuttle))))]
impl Short {
    #[cold]
    fn lock_contended(&self) {
        let backoff = crossbeam_utils::Backoff::new();
        loop {
            while self.0.load(Ordering::Relaxed) {
                match backoff.is_completed() {
                    true => std::thread::sleep(std::time::Duration::from_micros(20)),
                    false => backoff.snooze(),
                }
            }
            if lock_api::RawMutex::try_lock(self) {
                return;
            }
        }
    }
}

// SAFETY: the flag is set by the one whose compare-exchange found it clear, until that one
// clears it, which `unlock`'s contract leaves to the holder: at most one holds it. Acquire
// and Release order what one holder wrote before what the next reads.
#[cfg(not(all(test, any(loom, shuttle))))]
unsafe impl lock_api::RawMutex for Short {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "it is how a lock is made"
    )]
    const INIT: Self = Self(std::sync::atomic::AtomicBool::new(false));

    type GuardMarker = lock_api::GuardNoSend;

    #[inline(always)]
    fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended();
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        let (free, taken) = (Ordering::Relaxed, Ordering::Acquire);
        self.0.compare_exchange(false, true, taken, free).is_ok()
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(all(unix, not(all(test, any(loom, shuttle)))))]
pub(super) use joining::{Joinable, begin};

/// Threads that are joined by the system's own means, which tell when a thread is gone.
#[cfg(all(unix, not(all(test, any(loom, shuttle)))))]
mod joining {
    use std::ffi::{c_int, c_void};
    use std::io;
    use std::mem::ManuallyDrop;
    use std::os::unix::thread::JoinHandleExt;

    type Begin = extern "C" fn(*mut c_void) -> *mut c_void;
    /// An address or a number of that size, on every system that Rust's `std` knows.
    type Thread = usize;

    unsafe extern "C" {
        fn pthread_create(
            thread: *mut Thread,
            attributes: *const c_void,
            begin: Begin,
            argument: *mut c_void,
        ) -> c_int;
        fn pthread_detach(thread: Thread) -> c_int;
        fn pthread_join(thread: Thread, result: *mut *mut c_void) -> c_int;
        #[cfg(target_os = "linux")]
        fn pthread_tryjoin_np(thread: Thread, result: *mut *mut c_void) -> c_int;
    }

    /// A thread that nobody else joins or detaches; dropped, it goes on alone.
    #[derive(Debug)]
    pub(in super::super) struct Joinable(Thread);

    /// Begins a thread; in a forked child past `std`.
    pub(in super::super) fn begin(
        name: &str,
        f: impl FnOnce() + Send + 'static,
    ) -> io::Result<Joinable> {
        if super::fork_depth() != 0 {
            return begin_past_std(Box::new(f));
        }
        let builder = std::thread::Builder::new().name(name.to_owned());
        let thread = builder.spawn(f)?;
        Ok(Joinable(thread.into_pthread_t() as Thread))
    }

    fn begin_past_std(f: Box<dyn FnOnce() + Send>) -> io::Result<Joinable> {
        extern "C" fn begin(f: *mut c_void) -> *mut c_void {
            // SAFETY: the address is that of the box below, which is this thread's by now.
            let f = unsafe { Box::from_raw(f.cast::<Box<dyn FnOnce() + Send>>()) };
            // The panic hook has told of it, and nobody asks what came of the thread.
            if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
                super::super::discard_panic(payload);
            }
            std::ptr::null_mut()
        }

        let f = Box::into_raw(Box::new(f));
        let mut thread: Thread = 0;
        // SAFETY: there is room for the thread's name, no attributes are those of every thread,
        // and the function is of the type that POSIX asks for, does not unwind, and owns its
        // argument.
        let error = unsafe { pthread_create(&raw mut thread, std::ptr::null(), begin, f.cast()) };
        if error != 0 {
            // SAFETY: there is no thread that it could have gone to.
            drop(unsafe { Box::from_raw(f) });
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(Joinable(thread))
    }

    impl Joinable {
        /// Sleeps until it is gone. Not for the thread itself.
        pub(in super::super) fn join(self) {
            let thread = ManuallyDrop::new(self).0;
            // SAFETY: the thread has begun, and as this was its only owner it is neither joined
            // nor detached elsewhere; what it returned is not asked for.
            let _ = unsafe { pthread_join(thread, std::ptr::null_mut()) };
        }

        /// Joins it if it is gone, and sleeps in no case.
        #[cfg(target_os = "linux")]
        pub(in super::super) fn try_join(self) -> Result<(), Self> {
            let this = ManuallyDrop::new(self);
            // SAFETY: as above; the name stays good if this says that the thread is still there.
            match unsafe { pthread_tryjoin_np(this.0, std::ptr::null_mut()) } {
                0 => Ok(()),
                _ => Err(ManuallyDrop::into_inner(this)),
            }
        }

        /// Whether it is gone cannot be told here: it goes alone.
        #[cfg(not(target_os = "linux"))]
        pub(in super::super) fn try_join(self) -> Result<(), Self> {
            Ok(())
        }
    }

    impl Drop for Joinable {
        fn drop(&mut self) {
            // SAFETY: the thread has begun, and is neither joined nor detached elsewhere.
            let _ = unsafe { pthread_detach(self.0) };
        }
    }
}

pub(crate) use fork::{depth as fork_depth, watch as watch_forks};

/// In a forked child no other thread exists and any lock may be held for ever, so what
/// was made before the fork must not be touched there. Every realm and every manager
/// remembers the depth at which it was made; a comparison with [`depth`](fork::depth) tells.
mod fork {
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The process whose depth this is in the upper half, and the depth. Written by the handler
    /// below, in a process that has one thread, and by [`watch`]. To come round it would take
    /// 2^32 processes, each the child of the one before.
    static PROCESS: AtomicU64 = AtomicU64::new(0);

    /// The depth of this process.
    #[inline]
    pub(crate) fn depth() -> u32 {
        PROCESS.load(Ordering::Relaxed) as u32
    }

    /// Makes [`depth`] follow forks from now on; called before anything remembers a depth.
    ///
    /// Nothing here waits for a thread that may be another process's: a fork may come at any
    /// moment of it, and the child then begins anew.
    #[cfg(unix)]
    pub(crate) fn watch() {
        let me = std::process::id();
        register(me);
        let mut before = PROCESS.load(Ordering::Acquire);
        loop {
            let (process, depth) = ((before >> 32) as u32, before as u32);
            if process == me {
                return;
            }
            // A fork that called no handlers (`clone`), or had gone through them when ours came.
            let depth = depth.wrapping_add(u32::from(process != 0));
            let now = told(me, depth);
            match PROCESS.compare_exchange(before, now, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(other) => before = other,
            }
        }
    }

    #[cfg(unix)]
    fn told(process: u32, depth: u32) -> u64 {
        u64::from(process) << 32 | u64::from(depth)
    }

    /// Registers the handler, once in all processes that come from one.
    #[cfg(unix)]
    fn register(me: u32) {
        use std::ffi::c_int;
        use std::sync::atomic::AtomicU32;

        type Handler = Option<extern "C" fn()>;

        unsafe extern "C" {
            fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
        }

        extern "C" fn in_child() {
            // Stores of atomics, and a question to the system: all of it async-signal-safe, as a
            // handler in a forked child must be. That it is called says that it is registered.
            let depth = depth().wrapping_add(1);
            PROCESS.store(told(std::process::id(), depth), Ordering::Relaxed);
            REGISTRAR.store(DONE, Ordering::Relaxed);
        }

        /// The process that is registering the handler, or [`DONE`]. No process is 0 or below.
        static REGISTRAR: AtomicU32 = AtomicU32::new(0);

        once(&REGISTRAR, me, || {
            // SAFETY: the handler is a function of the type that POSIX asks for, lives as long
            // as the process, cannot unwind and only uses atomics. A failure (out of memory)
            // leaves forks unnoticed until the child builds a manager.
            let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
        });
    }

    #[cfg(unix)]
    pub(super) const DONE: u32 = u32::MAX;

    /// Does it unless it is done. Who is at it is the process that `registrar` names, or none.
    #[cfg(unix)]
    pub(super) fn once(registrar: &std::sync::atomic::AtomicU32, me: u32, register: impl FnOnce()) {
        loop {
            let other = registrar.load(Ordering::Acquire);
            if other == DONE {
                return;
            }
            if other == me {
                // Another thread of this process is at it, which takes a moment.
                std::thread::yield_now();
                continue;
            }
            // Nobody, or a process from which this one was forked before that had come to it.
            let mine = registrar.compare_exchange(other, me, Ordering::AcqRel, Ordering::Relaxed);
            if mine.is_ok() {
                register();
                registrar.store(DONE, Ordering::Release);
                return;
            }
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn watch() {}
}

#[cfg(all(test, unix))]
mod tests {
    use super::fork::{DONE, once};
    use std::cell::Cell;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn life_10_who_died_registering_is_not_waited_for() {
        let (dead, me) = (7, 8);
        for (before, times) in [(0, 1), (dead, 1), (DONE, 0)] {
            let (registrar, called) = (AtomicU32::new(before), Cell::new(0));
            for _ in 0..2 {
                once(&registrar, me, || called.set(called.get() + 1));
            }
            assert_eq!((registrar.into_inner(), called.get()), (DONE, times));
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod short {
    use lock_api::RawMutex;

    use super::Short;
    use crate::sync::ShortLock;

    #[test]
    fn a_short_lock_that_was_waited_for_is_had() {
        let lock = Short::INIT;
        lock.lock_contended();
        assert!(!lock.try_lock(), "as somebody has it");
    }

    #[test]
    fn a_short_lock_has_one_holder_at_a_time() {
        const THREADS: u64 = 4;
        const TURNS: u64 = 20_000;
        let lock = ShortLock::new([0_u64; 2]);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for turn in 0..TURNS {
                        let mut held = match turn % 2 {
                            0 => lock.lock(),
                            _ => match lock.try_lock() {
                                Some(held) => held,
                                None => lock.lock(),
                            },
                        };
                        let [first, second] = *held;
                        assert_eq!(first, second, "nobody is between the two");
                        held[0] = std::hint::black_box(first + 1);
                        assert!(lock.try_lock().is_none());
                        held[1] = std::hint::black_box(second + 1);
                    }
                });
            }
        });
        assert_eq!(lock.into_inner(), [THREADS * TURNS; 2]);
    }
}
