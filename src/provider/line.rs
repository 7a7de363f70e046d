//! The calls to one provider: in the order in which they came, a bounded number at a time, each
//! on a thread that is not the asker's.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Provider;
use crate::node::callback::{Came, shelter, stay_inside};
use crate::sync::{Lock, Member, Roster};

/// Calls to one provider at a time, those included that were given up: one that hangs for
/// ever must not take a thread for every question.
pub(super) const MAX_UNDER_WAY: usize = 16;

/// A provider and its line.
pub(super) struct Line {
    /// There until the line is dropped.
    provider: Option<Box<dyn Provider>>,
    pub(super) deadline: Duration,
    /// Which one it is in this process.
    pub(super) number: u64,
    /// Where its threads are known, and for which manager they work.
    threads: (&'static Roster, u32),
    calls: Lock<Calls>,
}

#[derive(Default)]
struct Calls {
    /// Of 64 bits, so that none comes round.
    last: u64,
    waiting: VecDeque<Call>,
    under_way: Vec<UnderWay>,
    /// Since when it is late: it let a call pass its deadline, and none has come back since.
    late: Option<Instant>,
}

/// A question that waits for its turn. It gives back how the answer is delivered.
pub(super) type Question = Box<dyn FnOnce(&dyn Provider) -> (Came, Delivery) + Send>;
/// It gives back what of the host's is to be called then.
pub(super) type Delivery = Box<dyn FnOnce() -> Option<Wake>>;
pub(super) type Wake = Box<dyn FnOnce() + Send>;

struct Call {
    number: u64,
    question: Question,
}

struct UnderWay {
    number: u64,
    since: Instant,
    /// Whether it was found to have passed its deadline.
    is_overdue: bool,
}

impl Calls {
    /// How many calls may be under way: of a late provider one, beside those that it has not
    /// answered in time.
    fn room(&self) -> usize {
        match self.late {
            Some(_) => (self.overdue() + 1).min(MAX_UNDER_WAY),
            None => MAX_UNDER_WAY,
        }
    }

    fn overdue(&self) -> usize {
        let all = self.under_way.iter();
        all.filter(|call| call.is_overdue).count()
    }

    /// Marks those whose deadline has passed, each once: another call that comes back says
    /// that the provider answers again.
    fn look(&mut self, now: Instant, deadline: Duration) {
        for call in &mut self.under_way {
            if !call.is_overdue && now.saturating_duration_since(call.since) >= deadline {
                call.is_overdue = true;
                self.late = Some(now);
            }
        }
    }

    /// The next call whose turn it is.
    fn next(&mut self, now: Instant) -> Option<Call> {
        if self.under_way.len() >= self.room() {
            return None;
        }
        let call = self.waiting.pop_front()?;
        self.under_way.push(UnderWay {
            number: call.number,
            since: now,
            is_overdue: false,
        });
        Some(call)
    }

    fn remove(&mut self, number: u64) {
        self.under_way.retain(|call| call.number != number);
    }
}

impl Line {
    pub(super) fn new(
        provider: Box<dyn Provider>,
        deadline: Duration,
        threads: (&'static Roster, u32),
    ) -> Self {
        /// Of 64 bits, so that it does not come round.
        static NEXT: AtomicU64 = AtomicU64::new(1);

        Self {
            provider: Some(provider),
            deadline,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            threads,
            calls: Lock::default(),
        }
    }

    fn provider(&self) -> &dyn Provider {
        let provider = self.provider.as_deref();
        provider.expect("it goes with the line")
    }

    /// Enters a question; its number.
    pub(super) fn enter(self: &Arc<Self>, question: Question) -> u64 {
        let number = {
            let mut calls = self.calls.lock();
            calls.last += 1;
            let number = calls.last;
            calls.waiting.push_back(Call { number, question });
            number
        };
        self.go_on();
        number
    }

    /// Nobody waits for the answer any more: a question that had no turn yet is handed back, for
    /// the asker to drop.
    pub(super) fn give_up(self: &Arc<Self>, number: u64) -> Option<Question> {
        let withdrawn = {
            let mut calls = self.calls.lock();
            let at = calls.waiting.iter().position(|call| call.number == number);
            at.and_then(|at| calls.waiting.remove(at))
        };
        if withdrawn.is_none() {
            self.go_on();
        }
        withdrawn.map(|call| call.question)
    }

    /// Whether it let a call pass its deadline, and has answered none since.
    pub(super) fn is_late(&self) -> bool {
        let mut calls = self.calls.lock();
        calls.look(Instant::now(), self.deadline);
        calls.late.is_some()
    }

    /// Whether nobody has asked a late provider for the length of a deadline, so that somebody
    /// ought to find out whether it answers again.
    pub(super) fn wants_a_probe(&self) -> bool {
        let mut calls = self.calls.lock();
        let now = Instant::now();
        calls.look(now, self.deadline);
        let has_room = calls.waiting.is_empty() && calls.under_way.len() == calls.overdue();
        has_room
            && calls
                .late
                .is_some_and(|late| now.saturating_duration_since(late) >= self.deadline)
    }

    /// Begins threads for those whose turn it is.
    fn go_on(self: &Arc<Self>) {
        loop {
            let call = {
                let mut calls = self.calls.lock();
                let now = Instant::now();
                calls.look(now, self.deadline);
                calls.next(now)
            };
            let Some(call) = call else { return };
            let (number, theirs) = (call.number, Arc::clone(self));
            let (roster, manager) = self.threads;
            let work = move |member: &Member| theirs.work(call, member);
            // A question that finds no thread is dropped, which tells its asker.
            if roster.start("taskmgr-provider", manager, work).is_err() {
                self.calls.lock().remove(number);
            }
        }
    }

    /// A thread of the line: asks until nobody waits. It is at the host's work as long as the
    /// host's code runs, and no longer.
    fn work(self: Arc<Self>, first: Call, member: &Member) {
        stay_inside();
        let mut next = Some(first);
        while let Some(call) = next {
            member.at_hosts_work(Instant::now().checked_add(self.deadline));
            let (came, deliver) = (call.question)(self.provider());
            if !came.is_ours() {
                // A child forked by the provider; who asked is not there, and the locks may be
                // held for ever.
                return std::mem::forget((self, deliver));
            }
            member.at_our_work();
            next = self.come_back(call.number);
            // Whoever is told finds a provider that answers.
            if let Some(wake) = deliver()
                && !at_hosts_work(member, wake).is_ours()
            {
                return std::mem::forget((self, next));
            }
            // It may have become one that more than one may ask.
            self.go_on();
        }
        if let Some(last) = Arc::into_inner(self) {
            at_hosts_work(member, move || drop(last));
        }
    }

    /// A call has come back, however late; the one whose turn is next.
    fn come_back(&self, number: u64) -> Option<Call> {
        let mut calls = self.calls.lock();
        calls.remove(number);
        calls.late = None;
        calls.next(Instant::now())
    }
}

/// Runs the host's code that nobody says how long it takes.
fn at_hosts_work(member: &Member, f: impl FnOnce()) -> Came {
    member.at_hosts_work(None);
    let came = shelter(f);
    if came.is_ours() {
        member.at_our_work();
    }
    came
}

impl Drop for Line {
    /// The provider's destructor is the host's code.
    fn drop(&mut self) {
        let provider = self.provider.take();
        shelter(move || drop(provider));
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}
