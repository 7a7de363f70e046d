//! The names of whatever a host can call on a handle, read off the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `Type::method`, `Type::clone`, `Type::fmt` and `Type::drop` of all handles.
pub(crate) fn public() -> BTreeSet<String> {
    let (mut names, mut types) = (BTreeSet::new(), BTreeSet::new());
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(all(test").next().unwrap();
        read(text, &mut names, &mut types);
    }
    // What is the library's own, and what no host owns: these are reached by reference alone.
    let is_public = |name: &str| {
        name.split_once("::")
            .is_none_or(|(of, _)| types.contains(of))
    };
    names.retain(|name| is_public(name));
    for name in ["RawTask::drop", "TaskContext::drop"] {
        assert!(names.remove(name));
    }
    assert!(
        names.len() > 120,
        "the sources are laid out otherwise by now"
    );
    for name in [
        "Task::advance",
        "SharedTask::set_units",
        "ManagerBuilder::reaper",
    ] {
        assert!(names.contains(name), "{name} comes of a macro");
    }
    names
}

fn files() -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = ["handle", "manager"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(src.join(folder)).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    let alone = [
        "module.rs",
        "provider.rs",
        "engine/shared.rs",
        "node/callback.rs",
    ];
    files.extend(alone.map(|file| src.join(file)));
    files
}

fn read(text: &str, names: &mut BTreeSet<String>, types: &mut BTreeSet<String>) {
    let mut of = String::new();
    let mut derives = String::new();
    let (mut in_macro, mut in_list) = (false, false);
    for line in text.lines() {
        let word = line.trim_start();
        match line {
            "}" => {
                of.clear();
                in_macro = false;
            }
            "    }" => in_list = false,
            _ => {}
        }
        in_macro |= line.starts_with("macro_rules!");
        if in_macro || word.starts_with("//") {
            continue;
        }
        if line.starts_with("#[derive(") {
            derives = line.to_owned();
        }
        if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = ident(rest);
            types.insert(name.to_owned());
            names.insert(format!("{name}::drop"));
            for (derived, method) in [("Clone", "clone"), ("Debug", "fmt")] {
                if derives.contains(derived) {
                    names.insert(format!("{name}::{method}"));
                }
            }
            derives.clear();
        }
        if line.starts_with("impl") {
            of = implemented(line);
            for (by_hand, method) in [("Clone for ", "clone"), ("Debug for ", "fmt")] {
                if line.contains(by_hand) {
                    names.insert(format!("{of}::{method}"));
                }
            }
        }
        if word.starts_with("counting!(") {
            names.extend(["advance", "try_advance", "set_completed"].map(|m| format!("{of}::{m}")));
        }
        in_list |= word.starts_with("forward! {") || word.starts_with("setters! {");
        let method = match word
            .strip_prefix("pub fn ")
            .or(word.strip_prefix("pub const fn "))
        {
            Some(rest) => Some(rest),
            None => (in_list && word.ends_with(';') && !word.starts_with('#')).then_some(word),
        };
        match (method.map(ident), of.as_str()) {
            (Some(method), "") => names.insert(method.to_owned()),
            (Some(method), of) => names.insert(format!("{of}::{method}")),
            (None, _) => false,
        };
    }
}

/// The type of an `impl`'s head.
fn implemented(head: &str) -> String {
    let head = head.trim_start_matches("impl");
    let head = match head.starts_with('<') {
        true => head.split_once('>').unwrap().1,
        false => head,
    };
    let of = head.split_once(" for ").map_or(head, |(_, of)| of);
    ident(of.trim_start()).to_owned()
}

fn ident(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}
