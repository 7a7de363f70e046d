//! A list of texts.

use crate::failure::{Failure, invalid};
use crate::guard;
use crate::handle::get;
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

/// A list of texts, e.g. the names of all modules. Since 0.1.0.
pub struct taskmgr_strings {
    texts: Texts,
    spans: Vec<Span>,
}

impl taskmgr_strings {
    pub(crate) fn new(strings: &[String]) -> Self {
        let mut texts = Texts::default();
        let spans = strings.iter().map(|text| texts.add(text)).collect();
        Self { texts, spans }
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn at(&self, index: usize) -> Result<taskmgr_str<'_>, Failure> {
        Ok(self.texts.get(*at(&self.spans, index)?))
    }
}

/// The item at a place of a list.
pub(crate) fn at<T>(items: &[T], index: usize) -> Result<&T, Failure> {
    items.get(index).ok_or_else(|| {
        invalid(format!(
            "there is no item {index} in a list of {}; they count from 0",
            items.len()
        ))
    })
}

/// How many texts there are.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_strings_len(strings: Option<&taskmgr_strings>) -> usize {
    guard::value(0, || Ok(get(strings, "strings")?.len()))
}

/// The text at `index`, counted from 0.
///
/// The text is borrowed from the list. Threads: any. Errors: empty text, and the last error
/// INVALID_ARGUMENT, where there is none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_strings_at(
    strings: Option<&taskmgr_strings>,
    index: usize,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || get(strings, "strings")?.at(index))
}

/// Frees a list of texts, and the texts with it.
///
/// Takes `strings`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_strings_free(strings: Option<Box<taskmgr_strings>>) {
    guard::value((), || {
        drop(strings);
        Ok(())
    });
}
