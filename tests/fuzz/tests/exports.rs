//! Nothing of the C ABI is left out of what is fuzzed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The words of a text that begin with `taskmgr_`, and are followed by `next`.
fn words(text: &str, next: impl Fn(Option<char>) -> bool) -> BTreeSet<String> {
    let starts = text.match_indices("taskmgr_").map(|(at, _)| at);
    let starts = starts.filter(|at| !text[..*at].ends_with(is_of_a_word));
    let word = |at: usize| {
        let rest = &text[at..];
        let end = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        next(rest[end..].chars().next()).then(|| rest[..end].to_owned())
    };
    starts.filter_map(word).collect()
}

fn is_of_a_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[test]
fn every_function_of_the_header_is_called() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = fs::read_to_string(here.join("../../include/taskmgr.h")).unwrap();
    let code: String = header
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/', '#']))
        .map(|line| format!("{line}\n"))
        .collect();
    let exported = words(&code, |next| next == Some('('));
    assert!(exported.len() > 200, "{} functions", exported.len());
    let mut called = BTreeSet::new();
    for entry in fs::read_dir(here.join("src/operations")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        let body: String = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("use "))
            .map(|line| format!("{line}\n"))
            .collect();
        called.extend(words(&body, |_| true));
    }
    let missing: Vec<_> = exported.difference(&called).collect();
    assert!(missing.is_empty(), "not fuzzed: {missing:#?}");
}
