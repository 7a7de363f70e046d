//! Memory of several things together, and how it goes back to the system.

use crate::sync::sized;

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
