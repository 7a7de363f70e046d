//! Blocks that are made once and reused, at addresses that are never given back.

use std::fmt;

use super::free::FreeNumbers;
use super::reclaim::Reclaim;
use crate::error::{Error, ErrorCode, Result};
use crate::sync::{AtomicRef, AtomicU32, Lock, Ordering, Run, Vacant, no_refs};

/// No slot, no block.
pub(crate) const NONE: u32 = u32::MAX;

pub(super) mod size {
    use crate::sync::sized;

    /// Few, so that a host with few tasks pays for few.
    pub(in crate::arena) const CHUNK: usize = sized(64, 2);
    /// So many chunks are made at once as soon as there have been so many.
    pub(in crate::arena) const RUN: usize = sized(8, 1);
    /// Many, so that a page of references is mapped by itself, and costs what of it is used.
    pub(in crate::arena) const PAGE: usize = sized(16_384, 16);
    /// 67 million of each kind.
    pub(in crate::arena) const PAGES: usize = sized(64, 1);
    /// Numbers of the blocks that are made at once, and whose memory goes back at once.
    pub(in crate::arena) const BLOCKS: usize = CHUNK * RUN;

    /// Those of one run.
    pub(in crate::arena) fn numbers(run: usize) -> std::ops::Range<usize> {
        run * BLOCKS..(run + 1) * BLOCKS
    }

    /// Free slots that a thread keeps, and how many it moves at once. The models share every
    /// free slot at once, to see them reused.
    pub(in crate::arena) const CACHE: usize = sized(128, 0);
    pub(in crate::arena) const BATCH: usize = sized(64, 1);
}

/// How many of a kind there can be.
pub(crate) const MOST: u32 = (size::CHUNK * size::PAGE * size::PAGES) as u32;

/// What a pool holds: made once and reused; dropped only while its memory is given back.
pub(crate) trait Pooled: Sync + 'static {
    fn new(number: u32) -> Self;
}

/// What is handed out and given back by itself, not beside a block of another pool.
pub(crate) trait Numbered: Pooled {
    fn number(&self) -> u32;

    /// Makes it free anew once its memory has gone back to the system, from the mark that is told.
    fn renew(&self, _number: u32, _mark: u64) {
        unreachable!("memory goes back of what can be renewed");
    }
}

type Chunk<T> = [T; size::CHUNK];
type Page<T> = [AtomicRef<Chunk<T>>; size::PAGE];

/// A growing table of `T` that hands out free ones and takes them back.
pub(crate) struct Pool<T: 'static> {
    pages: [AtomicRef<Page<T>>; size::PAGES],
    pub(super) made: AtomicU32,
    /// More of its memory is used than before, for whoever gives that back. Not a model's: nothing
    /// goes by it but when somebody looks.
    pub(super) has_grown: std::sync::atomic::AtomicBool,
    pub(super) stock: Lock<Stock<T>>,
}

/// What of a pool is nobody's.
pub(super) struct Stock<T: 'static> {
    pub(super) free: FreeNumbers,
    /// Blocks that were made together, by the place of the first in the pool. The first
    /// [`BLOCKS`](size::BLOCKS) of a pool are none.
    pub(super) runs: Vec<Blocks<T>>,
    pub(super) reclaim: Reclaim,
}

/// A run of blocks, or what there is of it.
#[derive(Debug, Default)]
pub(super) enum Blocks<T: 'static> {
    #[default]
    None,
    /// Anybody may look at them.
    There(Run<T>),
    /// Nobody's, and found by nobody any more; who was faster may look at them still, unless the
    /// counters with these bits have been seen to be zero since.
    Waits(Run<T>, u32),
    /// Their memory has gone back, and nobody looks at it.
    Gone(Vacant<T>),
}

impl<T> Blocks<T> {
    pub(super) fn items(&self) -> Option<&'static [T]> {
        match self {
            Self::There(run) => Some(run.items()),
            _ => None,
        }
    }
}

impl<T: Pooled> Pool<T> {
    pub(crate) fn new() -> Self {
        Self {
            pages: std::array::from_fn(|_| AtomicRef::none()),
            made: AtomicU32::new(0),
            has_grown: std::sync::atomic::AtomicBool::new(false),
            stock: Lock::new(Stock {
                free: FreeNumbers::default(),
                runs: Vec::new(),
                reclaim: Reclaim::default(),
            }),
        }
    }

    /// The one with this number, which was handed out before.
    #[inline]
    pub(crate) fn get(&'static self, number: u32) -> &'static T {
        match self.find(number) {
            Some(found) => found,
            None => unknown(number),
        }
    }

    #[inline]
    pub(crate) fn find(&'static self, number: u32) -> Option<&'static T> {
        let number = number as usize;
        let page = self.pages.get(number / (size::CHUNK * size::PAGE))?.get()?;
        let chunk = page[number / size::CHUNK % size::PAGE].get()?;
        Some(&chunk[number % size::CHUNK])
    }

    /// How many there are, free or not.
    pub(crate) fn count(&self) -> usize {
        self.made.load(Ordering::Acquire) as usize
    }

    /// All of them.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static T> {
        (0..self.count()).map(|number| self.get(number as u32))
    }

    /// The one that belongs to this number of another pool, made now if it is needed first.
    ///
    /// # Panics
    /// Where there is no memory to make it.
    #[inline]
    pub(crate) fn beside(&'static self, number: u32) -> &'static T {
        self.try_beside(number).expect("there is memory")
    }

    /// The same, if there is memory.
    #[inline]
    pub(crate) fn try_beside(&'static self, number: u32) -> Option<&'static T> {
        self.find(number).or_else(|| self.make_beside(number))
    }

    #[cold]
    fn make_beside(&'static self, number: u32) -> Option<&'static T> {
        let mut stock = self.stock.lock();
        if self.find(number).is_none() {
            self.make(number as usize, &mut stock)?;
        }
        drop(stock);
        Some(self.get(number))
    }

    /// Makes the chunk of this number, or a run of chunks with it, if there is memory. Those that
    /// were made.
    fn make(&self, number: usize, stock: &mut Stock<T>) -> Option<&'static [T]> {
        let is_run = number >= size::BLOCKS;
        let count = if is_run { size::BLOCKS } else { size::CHUNK };
        let first = number - number % count;
        let page = &self.pages[first / (size::CHUNK * size::PAGE)];
        if page.get().is_none() {
            page.set(Box::leak(no_refs()?));
        }
        let made = Run::new(is_run, first..first + count, |at| T::new(at as u32))?;
        let items = made.items();
        self.link(first, items);
        if is_run {
            let run = first / size::BLOCKS;
            let most = stock.runs.len().max(run + 1);
            stock.runs.resize_with(most, Blocks::default);
            stock.runs[run] = Blocks::There(made);
        }
        Some(items)
    }

    /// Lets them be found from this number on.
    fn link(&self, first: usize, items: &'static [T]) {
        let (chunks, _) = items.as_chunks::<{ size::CHUNK }>();
        for (chunk, place) in chunks.iter().zip(self.places(first, items.len())) {
            place.set(chunk);
        }
    }

    /// Lets them be found no more.
    pub(super) fn unlink(&self, first: usize, count: usize) {
        self.places(first, count).for_each(AtomicRef::clear);
    }

    fn places(
        &self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &'static AtomicRef<Chunk<T>>> {
        let page = self.pages[first / (size::CHUNK * size::PAGE)].get();
        let at = first / size::CHUNK % size::PAGE;
        page.expect("there is a page")
            .iter()
            .skip(at)
            .take(count / size::CHUNK)
    }
}

impl<T: Numbered> Pool<T> {
    /// Takes at most so many free ones, those with the lowest numbers, and at least one.
    pub(super) fn take(&'static self, most: usize, mut to: impl FnMut(&'static T)) -> Result<()> {
        let mut stock = self.stock.lock();
        if stock.free.is_empty() {
            self.grow(&mut stock)?;
        }
        stock.free.take(most, |number| to(self.get(number)));
        Ok(())
    }

    pub(crate) fn take_one(&'static self) -> Result<&'static T> {
        let mut stock = self.stock.lock();
        if stock.free.is_empty() {
            self.grow(&mut stock)?;
        }
        let number = stock
            .free
            .take_one()
            .expect("a pool that grew has free ones");
        Ok(self.get(number))
    }

    pub(crate) fn give(&self, item: &'static T) {
        self.stock.lock().free.insert(item.number());
    }

    pub(super) fn give_all(&self, items: impl Iterator<Item = &'static T>) {
        let mut stock = self.stock.lock();
        items.for_each(|item| stock.free.insert(item.number()));
    }

    /// What there is to tell of each that is not free, as it is at this moment.
    pub(crate) fn taken<R>(&'static self, tell: impl Fn(&'static T) -> R) -> Vec<R> {
        let stock = self.stock.lock();
        let made = self.made.load(Ordering::Relaxed);
        let taken = stock.free.absent(made);
        // Those whose memory has gone are not found.
        taken
            .filter_map(|number| self.find(number).map(&tell))
            .collect()
    }

    #[cold]
    fn grow(&'static self, stock: &mut Stock<T>) -> Result<()> {
        self.add_free(stock)?;
        if !stock.runs.is_empty() {
            self.set_has_grown();
        }
        Ok(())
    }

    /// Those whose memory went back come again before others are made.
    fn add_free(&'static self, stock: &mut Stock<T>) -> Result<()> {
        if let Some((at, mark)) = stock.reclaim.take() {
            let numbers = size::numbers(at);
            let (run, was_unlinked) = match std::mem::take(&mut stock.runs[at]) {
                Blocks::None => unreachable!("only of runs memory goes back"),
                Blocks::There(run) => (run, false),
                Blocks::Waits(run, _) => (run, true),
                Blocks::Gone(vacant) => {
                    let make = |number| T::new(number as u32);
                    (vacant.fill(numbers.clone(), make), true)
                }
            };
            let items = run.items();
            match was_unlinked {
                true => self.link(numbers.start, items),
                false => items
                    .iter()
                    .zip(numbers.clone())
                    .for_each(|(item, number)| {
                        item.renew(number as u32, mark);
                    }),
            }
            stock.runs[at] = Blocks::There(run);
            numbers.for_each(|number| stock.free.insert(number as u32));
            return Ok(());
        }
        let made = self.made.load(Ordering::Relaxed) as usize;
        if made >= MOST as usize {
            return Err(Error::new(
                ErrorCode::Exhausted,
                format!("{made} tasks live at once; there is no room for another"),
            ));
        }
        let items = self.make(made, stock).ok_or_else(no_memory)?;
        items
            .iter()
            .for_each(|item| stock.free.insert(item.number()));
        let made = (made + items.len()) as u32;
        self.made.store(made, Ordering::Release);
        Ok(())
    }
}

#[cold]
pub(crate) fn no_memory() -> Error {
    let message = "there is no memory for another task; end or drain some";
    Error::new(ErrorCode::Exhausted, message)
}

#[cold]
fn unknown(number: u32) -> ! {
    unreachable!("number {number} comes from no pool")
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool of {}", self.made.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    #[derive(Debug)]
    struct Block(u32);

    impl Pooled for Block {
        fn new(number: u32) -> Self {
            Self(number)
        }
    }

    #[test]
    fn what_lies_beside_a_number_is_its_own_on_every_page_and_stays() {
        const A_PAGE: u32 = (size::CHUNK * size::PAGE) as u32;
        const A_CHUNK: u32 = size::CHUNK as u32;
        const A_RUN: u32 = A_CHUNK * size::RUN as u32;
        // What lives for ever is reached from a static.
        static POOL: OnceLock<Pool<Block>> = OnceLock::new();
        let pool = POOL.get_or_init(Pool::new);
        let mut made = Vec::new();
        for page in [0, A_PAGE, 3 * A_PAGE] {
            let last = [A_PAGE - 1, A_PAGE - A_RUN, A_PAGE - A_RUN - 1];
            let first = [0, A_CHUNK - 1, A_CHUNK, A_RUN - 1, A_RUN, 3 * A_RUN + 7];
            for number in first.into_iter().chain(last) {
                let block = pool.beside(page + number);
                assert_eq!(block.0, page + number);
                made.push(block);
            }
        }
        for block in made {
            assert!(std::ptr::eq(pool.get(block.0), block), "made once");
        }
        // Of a run all chunks come at once, and nothing of the next.
        for page in [A_PAGE, 3 * A_PAGE] {
            let run = page + 3 * A_RUN;
            assert!((run..run + A_RUN).all(|number| pool.find(number).unwrap().0 == number));
            assert!(pool.find(run - 1).is_none() && pool.find(run + A_RUN).is_none());
        }
        assert!(pool.find(2 * A_PAGE).is_none());
    }
}
