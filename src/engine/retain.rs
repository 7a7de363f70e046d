//! What becomes of a root that has settled: kept for its TTL, then forgotten.

use std::time::Duration;

use super::{Engine, Registration, Stage, TaskRef};
use crate::arena::Held;
use crate::bulk::{Bulk, DRAIN};
use crate::clock::Tick;
use crate::error::{Error, ErrorCode, GoneReason, Result};
use crate::eviction::Worth;
use crate::id::Place;
use crate::names::{Gate, Group};
use crate::node::callback;
use crate::node::slot::{INTERNAL, USER_TASK};
use crate::node::word::{FAILED, GONE, SETTLED};
use crate::reaper::{Next, Reaped};
use crate::sync::{ALL, Ordering};
use crate::tree::bytes;

/// How many roots the reaper forgets before it lets others at the queue.
const BATCH: usize = 256;

impl Engine {
    /// A root has settled: its TTL, as it is at this moment, begins.
    pub(super) fn root_settled(&'static self, root: TaskRef) {
        let ttl = match root.slot.is(USER_TASK) {
            true => &self.user_task_ttl,
            false => &self.task_ttl,
        };
        let ttl = ttl.load(Ordering::Relaxed);
        let group = root.slot.group(self.realm);
        // Until this is over it counts as running, so that it finds its own registration here;
        // and, as that only grows, sees below whether a close has begun since.
        let standing = group.standing();
        let closing = || self.stage() != Stage::Open || group.standing() != standing;
        if standing.gate() != Gate::Open || closing() {
            return self.unregister(root, GoneReason::Drained);
        }
        if ttl == 0 || root.slot.is(INTERNAL) {
            return self.unregister(root, GoneReason::Expired);
        }
        let bytes = bytes::of_root(root.slot, self.realm);
        if bytes > self.max_finished_bytes() {
            // It alone is too much, and drives nobody out.
            return self.evict(root);
        }
        let deadline = self.now().saturating_add(ttl);
        let reading = root.slot.word.load();
        let place = root.slot.place(reading);
        let worth = Worth::of(root.slot.is(USER_TASK), reading.has(FAILED));
        let mut retained = self.retention.lock();
        if closing() {
            // The close has seen that it runs: it does not expire as if it had ended before.
            drop(retained);
            return self.unregister(root, GoneReason::Drained);
        }
        let is_next = retained.queue.push(deadline, place);
        retained.evictions.push(worth, place, bytes);
        self.finished_bytes.fetch_add(bytes, Ordering::Relaxed);
        root.tree.set_bytes(bytes);
        let wake = is_next && retained.is_reaped;
        if !retained.is_reaped && self.is_to_be_reaped() {
            retained.is_reaped = self.ask_for_reaper();
        }
        // The last: from here on whoever waits for the root takes it for kept.
        root.tree.set_deadline(deadline);
        drop(retained);
        if closing() {
            // The close may have gone through the queue before.
            self.unregister(root, GoneReason::Drained);
        } else if wake {
            self.realm.reaper.wake();
        }
        // Who has unregistered it before it was counted leaves that to be taken back here.
        match root.slot.word.mark(0).has(GONE) {
            true => self.uncount(root),
            false => self.evict_beyond(),
        }
    }

    /// An unregistered root is counted no more, if it was.
    fn uncount(&self, root: TaskRef) {
        let bytes = root.tree.take_bytes();
        if bytes > 0 {
            self.finished_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// While all that are kept take too much, the least valued and oldest go.
    fn evict_beyond(&'static self) {
        let most = self.max_finished_bytes();
        let is_too_much = || self.finished_bytes.load(Ordering::Relaxed) > most;
        if is_too_much() {
            // What has expired and was not swept yet makes room first.
            self.sweep();
        }
        while is_too_much() {
            let next = {
                let mut retained = self.retention.lock();
                let kept = self.finished_bytes.load(Ordering::Relaxed);
                retained.evictions.pop_beyond(most, kept)
            };
            let Some((place, bytes)) = next else { return };
            if let Some(held) = self.hold(place) {
                self.evict(TaskRef::of(&held));
            }
            let mut retained = self.retention.lock();
            retained.evictions.has_left(bytes);
            retained.queue.forget_one(|place| self.is_kept(place));
        }
    }

    fn evict(&'static self, root: TaskRef) {
        if self.try_unregister(root, GoneReason::Evicted) {
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// About how many bytes all settled roots take that are kept.
    pub(crate) fn finished_bytes(&self) -> u64 {
        self.finished_bytes.load(Ordering::Relaxed)
    }

    /// How many roots have gone as all took too much.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Whether the root at this place has not gone.
    fn is_kept(&'static self, place: Place) -> bool {
        let reading = self.realm.slots.get(place.slot).word.load();
        reading.generation() == place.generation && !reading.has(GONE)
    }

    /// Takes a settled root out, if nobody was faster. The caller holds a reference.
    fn unregister(&'static self, root: TaskRef, reason: GoneReason) {
        let _ = self.try_unregister(root, reason);
    }

    fn try_unregister(&'static self, root: TaskRef, reason: GoneReason) -> bool {
        let id = root.id();
        let state = root.slot.word.load().state();
        {
            // Who finds the task gone finds the reason under this lock.
            let mut tombstones = self.tombstones.lock();
            if !root.slot.word.unregister() {
                return false;
            }
            tombstones.push(id, reason, state);
        }
        self.uncount(root);
        let host_id = self.host_id(root.slot);
        self.forget_host_id(host_id);
        let group = root.slot.group(self.realm);
        group.roots.leave(root.slot, self.realm);
        self.realm.release(root.slot, 1);
        true
    }

    /// Whether the task has ended with all its descendants, so that it can be taken.
    pub(crate) fn is_settled(&self, held: &Held) -> bool {
        held.slot().word.load().has(SETTLED)
    }

    /// What to tell who wants to take it all the same.
    pub(crate) fn not_settled(&'static self, held: &Held) -> Error {
        let id = held.slot().id(self.realm);
        Error::new(
            ErrorCode::NotSettled,
            format!("task {id} or a descendant of it is still at work; wait for it first"),
        )
        .with_id(id)
    }

    /// Takes a settled root out on behalf of somebody who has read it.
    pub(crate) fn take(&'static self, held: &Held) -> Result<()> {
        let task = TaskRef::of(held);
        if !self.try_unregister(task, GoneReason::Read) {
            return Err(self.why_not(task.id()));
        }
        self.forget_deadlines(1);
        Ok(())
    }

    /// Keeps the queue of deadlines in proportion to the roots in it.
    fn forget_deadlines(&'static self, count: usize) {
        let mut retained = self.retention.lock();
        for _ in 0..count {
            retained.queue.forget_one(|place| self.is_kept(place));
            retained.evictions.forget_one(|place| self.is_kept(place));
        }
    }

    /// The same where the deadlines are off the queue.
    fn forget_expired(&'static self, count: usize) {
        let mut retained = self.retention.lock();
        for _ in 0..count {
            retained.evictions.forget_one(|place| self.is_kept(place));
        }
    }

    /// Forgets a root whose time has come.
    pub(super) fn expire(&'static self, held: &Held) {
        self.unregister(TaskRef::of(held), GoneReason::Expired);
    }

    /// Unregisters all settled roots of a module; how many there were. For a close, which keeps the
    /// name from being registered anew meanwhile.
    pub(super) fn drain(&'static self, group: &'static Group) -> usize {
        let places = self.kept().or_end();
        self.drain_kept(places, group)
    }

    /// Unregisters all settled roots of a registration of a module; how many there were.
    pub(super) fn drain_registration(&'static self, of: &Registration) -> Result<usize> {
        let places = self.kept().in_full(&DRAIN)?;
        self.check_in_force(of)?;
        Ok(self.drain_kept(places, of.core.group))
    }

    /// Where all roots are that are kept.
    fn kept(&'static self) -> Bulk<Place> {
        // What has expired was not there to be drained, swept or not.
        self.sweep();
        self.retention.lock().queue.all()
    }

    fn drain_kept(&'static self, places: Vec<Place>, group: &'static Group) -> usize {
        let drained = places
            .into_iter()
            .filter_map(|place| self.hold(place))
            .filter(|held| std::ptr::eq(held.slot().group(self.realm), group))
            .filter(|held| self.drain_one(held))
            .count();
        self.forget_deadlines(drained);
        drained
    }

    /// Whether it was there to be drained: its time may have come since it was collected.
    fn drain_one(&'static self, held: &Held) -> bool {
        if self.is_expired(held.slot()) {
            self.expire(held);
            return false;
        }
        self.try_unregister(TaskRef::of(held), GoneReason::Drained)
    }

    fn hold(&'static self, place: Place) -> Option<Held> {
        let slot = self.realm.slots.find(place.slot)?;
        Held::acquire(slot, place.generation)
    }

    /// Forgets every root whose time has come; how many there were.
    pub(crate) fn sweep(&'static self) -> usize {
        let mut count = 0;
        loop {
            let mut places = Vec::new();
            let now = self.now();
            self.retention
                .lock()
                .queue
                .pop_expired(now, BATCH, &mut places);
            if places.is_empty() {
                return count;
            }
            let popped = places.len();
            let expired = places.into_iter().filter(|place| self.expire_one(*place));
            count += expired.count();
            self.forget_expired(popped);
        }
    }

    /// Whether it was there to expire.
    fn expire_one(&'static self, place: Place) -> bool {
        let held = self.hold(place);
        held.is_some_and(|held| self.try_unregister(TaskRef::of(&held), GoneReason::Expired))
    }

    /// The first root that is kept asks for the thread: a manager that keeps none needs none. If no
    /// thread is to be had the root is kept all the same, and the next asks again.
    fn ask_for_reaper(&'static self) -> bool {
        let begin = || {
            self.realm.roster.start("taskmgr-reaper", ALL, |member| {
                callback::stay_inside();
                let memory = || self.realm.give_back_idle();
                self.realm.reaper.serve(member.number(), memory);
            })
        };
        let is_open = || self.stage() == Stage::Open;
        self.realm.reaper.add(self, is_open, begin)
    }

    /// There are more slots than before, whose memory the thread gives back once they are idle.
    /// Whether a thread was told, this manager's or another's: else the next who makes a task asks.
    #[cold]
    pub(super) fn has_grown(&'static self) -> bool {
        if self.is_to_be_reaped() {
            let mut retained = self.retention.lock();
            retained.is_reaped = retained.is_reaped || self.ask_for_reaper();
        }
        self.realm.reaper.wake()
    }

    /// Nothing is kept from now on, as the stage says. The thread ends with the last manager.
    pub(super) fn let_reaper_go(&'static self) {
        if self.is_to_be_reaped()
            && let Some(thread) = self.realm.reaper.remove(self)
        {
            self.realm.roster.dismiss(thread);
        }
    }
}

impl Reaped for &'static Engine {
    fn reap(self) -> Next {
        let now = self.now();
        let mut places = Vec::new();
        let next = {
            let mut retained = self.retention.lock();
            retained.queue.pop_expired(now, BATCH, &mut places);
            retained.queue.next()
        };
        if places.is_empty() {
            let left = |next: Tick| Duration::from_nanos(next.saturating_sub(now));
            return next.map_or(Next::Never, |next| Next::In(left(next)));
        }
        let popped = places.len();
        for place in places {
            // What a root had of the host's goes with it, and may panic.
            let came = callback::shelter(|| {
                self.expire_one(place);
            });
            if !came.is_ours() {
                return Next::Now;
            }
        }
        self.forget_expired(popped);
        Next::Now
    }
}

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}
