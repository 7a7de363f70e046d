//! Texts of the host's that tasks and records keep: each is bounded, and so is what a tree keeps of
//! them together.

use std::borrow::Cow;
use std::sync::Arc;

use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// The longest text of an error, in bytes, its mark included.
pub(crate) const MOST: usize = 4 << 10;

/// The longest reason of an abort: half, so that the error of the work has room beside it.
const MOST_OF_REASON: usize = MOST / 2;

/// The most that the records of one tree keep of such texts, in bytes.
const MOST_KEPT: u64 = 1 << 20;

/// What a task that ends because of an abort says before the reason.
const ABORTED: &str = "aborted: ";

/// What is told instead of a text that its tree had no room for.
const LEFT_OUT: &str =
    "(not kept: the root keeps 1 MiB of error texts, and had no room for this one)";

/// The text itself, or as much of it as fits, and a mark that says so.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let mark = format!("… (cut, {} bytes in all)", text.len());
    let end = text.floor_char_boundary(most.saturating_sub(mark.len()));
    Cow::Owned(format!("{}{mark}", &text[..end]))
}

/// An error's text, no longer than one may be.
pub(crate) fn bounded(text: String) -> String {
    match cut(&text, MOST) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => cut,
    }
}

/// How much the records of a tree keep, in bytes. It goes on with the next tree in the same block:
/// each text gives back what it took, whenever it goes.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    fn take(&self, bytes: u64) -> bool {
        let fits = self.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= MOST_KEPT;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    /// Whether no text is left that has something to give back.
    pub(crate) fn is_unused(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    fn give_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// An error or the reason of an abort, as a task, its record and those above share it.
#[derive(Clone, Debug)]
pub(crate) struct Text(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    text: Box<str>,
    budget: &'static Budget,
    /// Whether a record keeps it, and the budget counts it: once, however many share it.
    is_kept: AtomicBool,
}

impl Text {
    /// What a record has of a text that its tree has no room for.
    const NONE: Self = Self(None);

    /// The error of a task of this tree.
    pub(crate) fn of_error(text: &str, budget: &'static Budget) -> Self {
        Self(Some(Arc::new(Shared {
            text: cut(text, MOST).into(),
            budget,
            is_kept: AtomicBool::new(false),
        })))
    }

    /// The error of a task that an abort for this reason ends.
    pub(crate) fn of_abort(reason: &str, budget: &'static Budget) -> Self {
        let reason = cut(reason, MOST_OF_REASON);
        Self::of_error(&format!("{ABORTED}{reason}"), budget)
    }

    /// This abort and the error that the work gave, unless that is the abort handed on.
    pub(crate) fn with_error(&self, error: &str, budget: &'static Budget) -> Self {
        match self.as_str() {
            aborted if aborted == error => self.clone(),
            aborted => Self::of_error(&format!("{aborted}: {error}"), budget),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_ref().map_or(LEFT_OUT, |shared| &shared.text)
    }

    /// The reason, of an abort.
    pub(crate) fn reason(&self) -> &str {
        let text = self.as_str();
        text.strip_prefix(ABORTED).unwrap_or(text)
    }

    /// Its part of the bytes that all take together who share the text now.
    pub(crate) fn bytes(&self) -> usize {
        let shared = self.0.as_ref();
        shared.map_or(0, |shared| {
            (size_of::<Shared>() + shared.text.len()) / Arc::strong_count(shared)
        })
    }

    /// What a record keeps: the text, if there is room for it.
    pub(crate) fn kept(self) -> Self {
        match &self.0 {
            Some(shared) if !shared.keep() => Self::NONE,
            _ => self,
        }
    }
}

impl Shared {
    fn size(&self) -> u64 {
        self.text.len() as u64
    }

    fn keep(&self) -> bool {
        if self.is_kept.load(Ordering::Relaxed) {
            return true;
        }
        let fits = self.budget.take(self.size());
        if fits && self.is_kept.swap(true, Ordering::Relaxed) {
            // Another thread has counted it meanwhile.
            self.budget.give_back(self.size());
        }
        fits || self.is_kept.load(Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.is_kept.load(Ordering::Relaxed) {
            self.budget.give_back(self.size());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fold_4_a_text_is_cut_at_a_character_with_a_mark_and_fits() {
        let whole = "x".repeat(MOST);
        assert_eq!(cut(&whole, MOST), whole);
        for (text, what) in [
            ("x", "one byte"),
            ("ü", "two"),
            ("€", "three"),
            ("😀", "four"),
        ] {
            for before in 0..4 {
                let long = "-".repeat(before) + &text.repeat(2 * MOST);
                let kept = cut(&long, MOST);
                assert!(kept.len() <= MOST && kept.len() > MOST - 4, "{what}");
                let mark = format!("{text}… (cut, {} bytes in all)", long.len());
                assert!(kept.ends_with(&mark), "{what}: {:?}", &kept[MOST - 64..]);
            }
        }
    }

    #[test]
    fn fold_4_what_texts_take_they_give_back_and_each_counts_once() {
        static BUDGET: Budget = Budget(AtomicU64::new(0));
        let used = || BUDGET.0.load(Ordering::Relaxed);
        let text = || Text::of_error(&"x".repeat(MOST), &BUDGET);
        let most = MOST_KEPT / MOST as u64;
        let mut all = vec![text().kept()];
        let again = all[0].clone().kept();
        assert_eq!(used(), MOST as u64);
        all.extend((1..most).map(|_| text().kept()));
        assert_eq!(used(), MOST_KEPT);
        let again = again.kept();
        assert_eq!((used(), again.as_str().len()), (MOST_KEPT, MOST));
        let alive = text();
        assert_eq!(alive.clone().kept().as_str(), LEFT_OUT);
        assert_eq!(alive.as_str().len(), MOST, "who holds it has it");
        all.remove(0);
        assert_eq!(alive.clone().kept().as_str(), LEFT_OUT, "it is shared");
        drop(again);
        assert_eq!(alive.clone().kept().as_str().len(), MOST);
        drop((all, alive));
        assert_eq!(used(), 0);
    }
}
