//! `include/taskmgr.h` is what the sources here say.

use std::fs;
use std::path::Path;

fn generated() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::generate_with_config(here, config)
        .expect("cbindgen reads the sources")
        .write(&mut header);
    with_tags(&String::from_utf8(header).unwrap())
}

/// cbindgen either gives a struct no tag, or writes `struct` in front of every use.
fn with_tags(header: &str) -> String {
    let mut tagged = String::new();
    let mut rest = header;
    while let Some((before, after)) = rest.split_once("typedef struct {") {
        let (fields, behind) = after.split_once("\n} ").expect("the struct ends");
        let (name, behind) = behind.split_once(';').expect("the struct has a name");
        tagged += before;
        tagged += &format!("typedef struct {name} {{{fields}\n}} {name};");
        rest = behind;
    }
    tagged + rest
}

#[test]
fn the_committed_header_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include/taskmgr.h");
    let generated = generated();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed != generated {
        let lines = committed.lines().zip(generated.lines());
        let at = lines.take_while(|(old, new)| old == new).count();
        panic!(
            "include/taskmgr.h differs from the sources from line {} on:\n  it has  {:?}\n  \
             sources {:?}\nrun: UPDATE_HEADER=1 cargo test -p taskmgr-c --test header",
            at + 1,
            committed.lines().nth(at),
            generated.lines().nth(at),
        );
    }
}
