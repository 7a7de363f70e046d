//! One question to one provider or to several, at once, and what they answer in time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::line::{Delivery, Line, Question, Wake};
use super::{Hosted, Provider, failed, told};
use crate::error::{BoxError, Error, ErrorCode, Result};
use crate::node::callback::{self, Came};
use crate::sync::{Condvar, Deadline, Lock, fork_depth};

/// How long a provider has at least, however short the timeout of a wait: one of zero still
/// finds a task that has ended.
pub(crate) const GRACE: Duration = Duration::from_millis(50);

/// Until when the caller wants to know, beside the providers' deadline; `None` is for as long as
/// they may take.
pub(crate) type Limit = Option<Instant>;

/// The limit of a call with a timeout that begins now.
pub(crate) fn limit(timeout: Duration) -> Limit {
    Instant::now().checked_add(timeout.max(GRACE))
}

/// What was asked, and of whom. Dropped, it withdraws what had no turn yet.
pub(crate) struct Asked<R> {
    calls: Vec<(Hosted, u64)>,
    board: Arc<Board<R>>,
    limit: Limit,
    until: Option<Instant>,
}

/// Where the answers come in.
struct Board<R> {
    answers: Lock<Answers<R>>,
    came: Condvar,
    /// Whether one answer is all that is wanted.
    is_enough: fn(&R) -> bool,
}

struct Answers<R> {
    given: Vec<Option<Result<R>>>,
    has_enough: bool,
    wake: Option<Wake>,
}

impl<R> Answers<R> {
    fn is_complete(&self) -> bool {
        self.has_enough || self.given.iter().all(Option::is_some)
    }
}

impl<R> Board<R> {
    /// What is to be called then, if it is the answer that was waited for.
    #[must_use = "somebody waits for it"]
    fn put(&self, at: usize, answer: Result<R>) -> Option<Wake> {
        let wake = {
            let mut answers = self.answers.lock();
            answers.has_enough |= answer.as_ref().is_ok_and(self.is_enough);
            // Whoever gave up has taken the others.
            if let Some(place) = answers.given.get_mut(at) {
                *place = Some(answer);
            }
            let is_complete = answers.is_complete();
            is_complete.then(|| answers.wake.take()).flatten()
        };
        self.came.notify_all();
        wake
    }
}

/// The way of one answer to the board: also tells of a question that is never put.
struct Reply<R> {
    board: Arc<Board<R>>,
    at: usize,
    is_given: bool,
}

impl<R> Reply<R> {
    fn give(mut self, answer: Result<R>) -> Option<Wake> {
        self.is_given = true;
        self.board.put(self.at, answer)
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        if !self.is_given {
            let error = failed("no thread is left to ask the provider on".to_owned());
            if let Some(wake) = self.board.put(self.at, Err(error)) {
                callback::shelter(wake);
            }
        }
    }
}

impl<R: Send + 'static> Asked<R> {
    /// Asks nobody yet.
    pub(super) fn nobody(limit: Limit, is_enough: fn(&R) -> bool) -> Self {
        Self {
            calls: Vec::new(),
            board: Arc::new(Board {
                answers: Lock::new(Answers {
                    given: Vec::new(),
                    has_enough: false,
                    wake: None,
                }),
                came: Condvar::default(),
                is_enough,
            }),
            limit,
            until: limit,
        }
    }

    /// Asks one more.
    pub(super) fn ask(
        &mut self,
        provider: &Hosted,
        question: impl FnOnce(&dyn Provider) -> Result<R, BoxError> + Send + 'static,
    ) {
        let latest = Instant::now().checked_add(provider.0.deadline);
        self.until = [self.until, latest].into_iter().flatten().min();
        let reply = {
            let mut answers = self.board.answers.lock();
            answers.given.push(None);
            Reply {
                board: Arc::clone(&self.board),
                at: answers.given.len() - 1,
                is_given: false,
            }
        };
        let number = provider.0.enter(ask_on_this_thread(question, reply));
        self.calls.push((provider.clone(), number));
    }

    /// Sleeps until there is an answer that is enough, or one of each, or it is too late.
    pub(crate) fn wait(&self) {
        let deadline = self.until.map_or(Deadline::Never, Deadline::At);
        let mut answers = self.board.answers.lock();
        while !answers.is_complete() && !deadline.has_passed() {
            answers = self.board.came.wait(answers, &deadline);
        }
    }

    /// Calls `wake` once when [`wait`](Self::wait) would return, save for the time; now, if it
    /// would.
    pub(crate) fn on_ready(&self, wake: impl FnOnce() + Send + 'static) {
        let before = {
            let mut answers = self.board.answers.lock();
            match answers.is_complete() {
                true => Err(wake),
                false => Ok(answers.wake.replace(Box::new(wake))),
            }
        };
        // Either is the host's code, and runs under no lock.
        match before {
            Ok(before) => callback::shelter(move || drop(before)),
            Err(wake) => callback::shelter(wake),
        };
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.board.answers.lock().is_complete()
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What was answered by now, one of each in the order in which they were asked.
    pub(crate) fn into_answers(mut self) -> Vec<Result<R>> {
        let (given, wake) = {
            let mut answers = self.board.answers.lock();
            (std::mem::take(&mut answers.given), answers.wake.take())
        };
        callback::shelter(move || drop(wake));
        // A limit that is not later than the providers' deadline has passed first.
        let is_limited = self.limit.is_some() && self.limit == self.until;
        let of_each = given.into_iter().zip(&self.calls);
        let answers = of_each.map(|(answer, (provider, _))| {
            answer.unwrap_or_else(|| Err(late(&provider.0, is_limited)))
        });
        let answers = answers.collect();
        self.withdraw();
        answers
    }
}

impl<R> Asked<R> {
    fn withdraw(&mut self) {
        let mut calls = std::mem::take(&mut self.calls).into_iter();
        while let Some((provider, number)) = calls.next() {
            let question = provider.0.give_up(number);
            if !callback::shelter(move || drop((question, provider))).is_ours() {
                // Left alone in a forked child, as a handle is.
                return std::mem::forget(calls);
            }
        }
    }
}

impl<R> Drop for Asked<R> {
    fn drop(&mut self) {
        // Who gives up is not woken, by an answer that is under way or by one that never comes.
        let wake = self.board.answers.lock().wake.take();
        if callback::shelter(move || drop(wake)).is_ours() {
            self.withdraw();
        }
    }
}

/// Asks, and turns what comes of it into plain data, the error's words included: all of that is
/// the host's code.
fn ask_on_this_thread<R: Send + 'static>(
    question: impl FnOnce(&dyn Provider) -> Result<R, BoxError> + Send + 'static,
    reply: Reply<R>,
) -> Question {
    Box::new(move |provider| {
        let depth = fork_depth();
        let asked = callback::guarded(|| question(provider).map_err(told));
        let answer =
            asked.unwrap_or_else(|said| Err(failed(format!("the provider panicked: {said}"))));
        let deliver: Delivery = Box::new(move || reply.give(answer));
        (Came::back_from(depth), deliver)
    })
}

fn late(line: &Line, is_limited: bool) -> Error {
    match is_limited {
        true => Error::new(
            ErrorCode::Timeout,
            "the provider of virtual tasks had not answered when the time given to the wait had \
             passed",
        ),
        false => failed(format!(
            "the provider took longer than {:?}; until one of its calls comes back it is asked by \
             one caller at a time at most, and lists go without it",
            line.deadline
        )),
    }
}

impl<R> fmt::Debug for Asked<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked({})", self.calls.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Something of the host's that looks at the question as it is dropped.
    struct Looks(Arc<Board<u32>>, Arc<std::sync::atomic::AtomicU32>);

    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(!self.0.answers.lock().is_complete());
            self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            panic!("it breaks as it goes");
        }
    }

    #[test]
    fn virt_1_what_is_to_be_woken_is_dropped_with_no_lock_held_and_never_called_by_who_gave_up() {
        let dropped = Arc::default();
        let asked = Asked::<u32>::nobody(None, |_| true);
        asked.board.answers.lock().given.push(None);
        let reply = Reply {
            board: Arc::clone(&asked.board),
            at: 0,
            is_given: false,
        };
        for _ in 0..2 {
            let looks = Looks(Arc::clone(&asked.board), Arc::clone(&dropped));
            asked.on_ready(move || {
                std::mem::forget(looks);
                unreachable!("nobody waits any more");
            });
        }
        assert_eq!(dropped.load(std::sync::atomic::Ordering::SeqCst), 1);
        drop(asked);
        assert_eq!(dropped.load(std::sync::atomic::Ordering::SeqCst), 2);
        drop(reply);
        let asked = Asked::<u32>::nobody(None, |_| true);
        asked.on_ready(|| panic!("it breaks as it is called"));
    }

    #[test]
    fn an_answer_that_comes_too_late_is_nobodys() {
        let asked = Asked::<u32>::nobody(None, |_| true);
        asked.board.answers.lock().given.push(None);
        let reply = |at| Reply {
            board: Arc::clone(&asked.board),
            at,
            is_given: false,
        };
        let (late, never) = (reply(0), reply(0));
        assert!(!asked.is_ready());
        asked.on_ready(|| panic!("nobody waits any more"));
        assert!(asked.into_answers().is_empty(), "nobody was asked");
        assert!(late.give(Ok(7)).is_none());
        drop(never);
    }
}
