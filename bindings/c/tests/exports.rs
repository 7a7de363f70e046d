//! What every export has to have: the panic guard, a comment that says all, a test in C.

use std::fs;
use std::path::{Path, PathBuf};

/// One `extern "C"` function of the sources.
#[derive(Debug)]
struct Export {
    name: String,
    attributes: Vec<String>,
    docs: String,
    body: String,
}

/// All `extern "C"` functions of a source, but for the types of function pointers.
fn exports(source: &str) -> Vec<Export> {
    let mut found = Vec::new();
    let (mut attributes, mut docs) = (Vec::new(), String::new());
    for (at, line) in line_starts(source) {
        if let Some(doc) = line.strip_prefix("///") {
            docs += doc;
            docs.push('\n');
        } else if line.starts_with("#[") {
            attributes.push(line.to_owned());
        } else {
            if let Some(rest) = after_extern(line) {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                found.push(Export {
                    name: name.trim().to_owned(),
                    attributes: std::mem::take(&mut attributes),
                    docs: std::mem::take(&mut docs),
                    body: body(&source[at..]),
                });
            }
            attributes.clear();
            docs.clear();
        }
    }
    found
}

/// What follows `extern "C" fn` at the beginning of an item, i.e. of a line.
fn after_extern(line: &str) -> Option<&str> {
    let item = line.split_once("extern \"C\" fn ")?;
    let before = item.0.trim();
    let is_item = before
        .split(' ')
        .all(|word| matches!(word, "" | "pub" | "unsafe" | "pub(crate)"));
    (is_item && !item.1.trim_start().starts_with('(')).then_some(item.1)
}

fn line_starts(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end()))
    })
}

/// The body of the function that begins here: rustfmt ends it with a brace in column 0, or it
/// is on one line.
fn body(from: &str) -> String {
    let function = from
        .split_once("\n}")
        .map_or(from, |(function, _)| function);
    function
        .split_once(" {\n")
        .map_or(function, |(_, body)| body)
        .to_owned()
}

/// What is wrong with an export, if anything is.
fn faults(export: &Export) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |is_there: bool, what: &str| {
        if !is_there {
            faults.push(format!("{}: {what}", export.name));
        }
    };
    demand(
        export.name.starts_with("taskmgr_"),
        "its name has no taskmgr_",
    );
    let exported = |attribute: &String| attribute == "#[unsafe(no_mangle)]";
    demand(export.attributes.iter().any(exported), "it is not exported");
    // The statements of a body are what rustfmt indents by four.
    let indented = |line: &&str| line.starts_with("    ") && !line.starts_with("     ");
    let mut statements = export.body.lines().filter(indented).map(str::trim);
    let guard = ["guard::code(|| ", "guard::value("];
    let guarded = statements
        .next()
        .is_some_and(|first| guard.iter().any(|call| first.starts_with(call)));
    let only = statements.all(|rest| rest == "})" || rest == "});");
    demand(
        guarded && only,
        "its body is not one call of the panic guard",
    );
    for word in ["Threads:", "Errors:", "Since "] {
        let said = export.docs.split_whitespace().collect::<Vec<_>>().join(" ");
        demand(said.contains(word), &format!("its comment has no {word:?}"));
    }
    faults
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn tests_in_c() -> String {
    let folder = here().join("tests");
    let all = files(&folder, "c").into_iter().chain(files(&folder, "h"));
    all.map(|(_, text)| text).collect()
}

fn all_exports() -> Vec<Export> {
    let sources = files(&here().join("src"), "rs");
    sources.iter().flat_map(|(_, text)| exports(text)).collect()
}

#[test]
fn every_export_is_guarded_and_says_all() {
    let exports = all_exports();
    assert!(exports.len() > 150, "the scan found only {}", exports.len());
    let faults: Vec<String> = exports.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_scan_finds_what_it_is_for() {
    const GOOD: &str = "/// Frees it.\n///\n/// Threads: any. Errors: none. Since 0.1.0.\n\
        #[unsafe(no_mangle)]\npub extern \"C\" fn taskmgr_x_free(x: Option<Box<X>>) {\n    \
        guard::value((), || {\n        drop(x);\n        Ok(())\n    });\n}\n";
    let faults_of = |source: &str| -> Vec<String> {
        let found = exports(source);
        assert_eq!(found.len(), 1, "{source}");
        faults(&found[0])
    };
    assert_eq!(faults_of(GOOD), Vec::<String>::new());
    for (from, to, wanted) in [
        ("guard::value((), || {", "unguarded((), || {", "panic guard"),
        (
            "guard::value((), || {",
            "before();\n    guard::value((), || {",
            "panic guard",
        ),
        ("    });\n}\n", "    });\n    after();\n}\n", "panic guard"),
        ("#[unsafe(no_mangle)]\n", "", "not exported"),
        ("taskmgr_x_free", "x_free", "no taskmgr_"),
        ("Threads: any. ", "", "Threads:"),
        ("Errors: none. ", "", "Errors:"),
        ("Since 0.1.0.", "", "Since"),
    ] {
        let broken = GOOD.replace(from, to);
        assert_ne!(broken, GOOD, "{from}");
        let faults = faults_of(&broken);
        assert!(
            faults.iter().any(|fault| fault.contains(wanted)),
            "{wanted}: {faults:?}"
        );
    }
    // Types of function pointers are none.
    assert!(
        exports("pub type callback = Option<extern \"C\" fn(data: *mut c_void)>;\n").is_empty()
    );
}

#[test]
fn every_function_is_called_by_a_test_in_c() {
    let tests = tests_in_c();
    let uncalled: Vec<String> = all_exports()
        .into_iter()
        .map(|export| export.name)
        .filter(|name| !is_called(&tests, name))
        .collect();
    assert!(uncalled.is_empty(), "no test in C calls {uncalled:?}");
    assert!(!is_called("a_taskmgr_id_equal(one)", "taskmgr_id_equal"));
    assert!(!is_called("taskmgr_id_equals(one)", "taskmgr_id_equal"));
    assert!(!is_called("/* taskmgr_id_equal */", "taskmgr_id_equal"));
}

fn is_called(tests: &str, name: &str) -> bool {
    tests.match_indices(name).any(|(at, _)| {
        let before = tests[..at].chars().next_back();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(is_word) && tests[at + name.len()..].starts_with('(')
    })
}

#[test]
fn every_code_is_provoked_by_a_test_in_c() {
    let tests = tests_in_c();
    let codes = fs::read_to_string(here().join("src/code.rs")).unwrap();
    let codes = codes.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("pub const ")?.split_once(':')?;
        Some(name)
    });
    // What a panic becomes is tested in guard.rs: no call of C makes the library panic.
    let codes: Vec<&str> = codes.filter(|name| *name != "TASKMGR_PANIC").collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let provoked = ["CHECK_CODE(", "CHECK_ERROR(", "== ", "forked = "]
            .iter()
            .any(|how| tests.contains(&format!("{how}{code}")));
        assert!(
            provoked || code == "TASKMGR_OK",
            "no test in C provokes {code}"
        );
    }
}

#[test]
fn the_readme_has_every_type_and_every_code() {
    let readme = fs::read_to_string(here().join("README.md")).unwrap();
    let header = fs::read_to_string(here().join("../../include/taskmgr.h")).unwrap();
    let opaque = header.lines().filter_map(|line| {
        let rest = line.strip_prefix("typedef struct ")?.strip_suffix(';')?;
        rest.split(' ').next()
    });
    let opaque: Vec<&str> = opaque.collect();
    assert!(opaque.len() > 15, "{opaque:?}");
    for name in opaque {
        assert!(
            readme.contains(&format!("`{name}`")) || readme.contains(&format!("`const {name} *`")),
            "{name}"
        );
    }
    let codes = fs::read_to_string(here().join("src/code.rs")).unwrap();
    let codes = codes.lines().filter_map(|line| {
        let (name, number) = line
            .strip_prefix("pub const ")?
            .split_once(": taskmgr_code = ")?;
        Some(format!("| `{name}` | {} |", number.trim_end_matches(';')))
    });
    let missing: Vec<String> = codes.filter(|row| !readme.contains(row)).collect();
    assert!(missing.is_empty(), "the README has no row {missing:?}");
}

#[test]
fn every_type_says_since_when() {
    let header = fs::read_to_string(here().join("../../include/taskmgr.h")).unwrap();
    let mut comment = String::new();
    let mut types = 0;
    for line in header.lines() {
        if line.starts_with("/*") {
            comment.clear();
        }
        comment += line;
        if line.starts_with("typedef ") {
            types += 1;
            assert!(comment.contains("Since "), "{line}");
        }
    }
    assert!(types > 30, "the scan found only {types}");
}

/// Raw pointers and panics are handled in few places.
#[test]
fn raw_pointers_and_panics_stay_where_they_belong() {
    for (words, homes) in [
        (
            &[
                "from_raw(",
                "into_raw(",
                "from_raw_parts",
                "from_ptr(",
                "copy_nonoverlapping",
                "assume_init",
                "UnsafeCell",
                "transmute",
            ][..],
            &["handle.rs", "text.rs", "versioned.rs"][..],
        ),
        (&["catch_unwind"][..], &["guard.rs"][..]),
        (
            &["unsafe impl Send", "unsafe impl Sync"][..],
            &["callback.rs"][..],
        ),
        (&["static mut", "mem::forget"][..], &["guard.rs"][..]),
    ] {
        for (path, text) in files(&here().join("src"), "rs") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap_or_default();
            let strays = words.iter().filter(|word| code.contains(**word));
            let strays: Vec<_> = strays.collect();
            assert!(
                strays.is_empty() || homes.contains(&name),
                "{name} has {strays:?}, whose home is {homes:?}"
            );
        }
    }
}
