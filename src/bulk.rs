//! What grows with the number of tasks that there are. Where there is no memory for it whoever asks
//! is told so, and the process goes on.

use std::alloc::{Layout, handle_alloc_error};
use std::collections::TryReserveError;
use std::ops::Deref;

use crate::error::{Error, ErrorCode, Result};

/// What was asked for, and what to do where there is no memory for it.
#[derive(Debug)]
pub(crate) struct Asked {
    what: &'static str,
    instead: &'static str,
}

pub(crate) const LIST: Asked = Asked {
    what: "a list",
    instead: "narrow the filter, or set a limit",
};
pub(crate) const TREE: Asked = Asked {
    what: "the statuses of a tree",
    instead: "ask for those of a part of it",
};
pub(crate) const DRAIN: Asked = Asked {
    what: "a drain",
    instead: "take some by their ids, or wait for their TTL",
};

impl Asked {
    /// The error where so many entries are there, and no room for more.
    #[cold]
    pub(crate) fn lacks_memory(&self, entries: usize) -> Error {
        let Self { what, instead } = self;
        let message =
            format!("there is no memory for {what} of more than {entries} entries; {instead}");
        Error::new(ErrorCode::Exhausted, message)
    }

    /// That there was room beside so many.
    #[inline]
    pub(crate) fn check(
        &self,
        reserved: Result<(), TryReserveError>,
        entries: usize,
    ) -> Result<()> {
        reserved.map_err(|_| self.lacks_memory(entries))
    }
}

/// A vector that takes no more once there is no memory for it, and says so in the end: it is filled
/// where nobody can be told, as under a lock.
#[derive(Debug)]
pub(crate) struct Bulk<T> {
    all: Vec<T>,
    is_refused: bool,
}

impl<T> Bulk<T> {
    pub(crate) fn new() -> Self {
        Self {
            all: Vec::new(),
            is_refused: false,
        }
    }

    /// With room for so many, if there is memory.
    pub(crate) fn with_room(entries: usize) -> Self {
        let mut bulk = Self::new();
        bulk.is_refused = bulk.all.try_reserve_exact(entries).is_err();
        bulk
    }

    /// Adds one, which is made only if there is room.
    #[inline]
    pub(crate) fn push_with(&mut self, make: impl FnOnce() -> T) {
        if self.all.len() < self.all.capacity() || self.grow(1) {
            self.all.push(make());
        }
    }

    #[cold]
    fn grow(&mut self, by: usize) -> bool {
        // What is refused once stays so: nothing is left out in the middle.
        self.is_refused = self.is_refused || self.all.try_reserve(by).is_err();
        !self.is_refused
    }

    /// Adds these, of which there are no more than they say.
    pub(crate) fn extend(&mut self, some: impl Iterator<Item = T>) {
        let (least, most) = some.size_hint();
        if self.grow(most.unwrap_or(least)) {
            self.all.extend(some);
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.is_refused |= other.is_refused;
        if self.all.is_empty() {
            self.all = other.all;
        } else if self.grow(other.all.len()) {
            self.all.append(&mut other.all);
        }
    }

    pub(crate) fn all_mut(&mut self) -> &mut Vec<T> {
        &mut self.all
    }

    /// All of them, or that there was no memory.
    pub(crate) fn in_full(self, asked: &Asked) -> Result<Vec<T>> {
        match self.is_refused {
            true => Err(asked.lacks_memory(self.all.len())),
            false => Ok(self.all),
        }
    }

    /// The same where nobody can be told: the process ends as where any vector finds no memory.
    pub(crate) fn or_end(self) -> Vec<T> {
        if self.is_refused {
            let entries = self.all.len() + 1;
            handle_alloc_error(Layout::array::<T>(entries).unwrap_or(Layout::new::<T>()));
        }
        self.all
    }
}

/// Those that are there so far.
impl<T> Deref for Bulk<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.all
    }
}

/// A copy.
pub(crate) fn copy_of<T: Copy>(all: &[T], asked: &Asked) -> Result<Vec<T>> {
    let mut copy = Vec::new();
    asked.check(copy.try_reserve_exact(all.len()), all.len())?;
    copy.extend_from_slice(all);
    Ok(copy)
}
