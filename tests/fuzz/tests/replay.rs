//! The committed corpus, and inputs from a fixed seed, through each interpreter.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// An interpreter of bytes.
type Target = fn(&[u8]);

/// Far beyond what any input takes on a busy machine.
const HANGS_AFTER: Duration = Duration::from_secs(300);

/// Runs one input; one that fails or hangs is kept, and named.
fn run(target: Target, name: &str, data: &[u8]) {
    let kept = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("failed");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name.replace('/', "-"));
        fs::write(&file, data).unwrap();
        file
    };
    let (done, waits) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if waits.recv_timeout(HANGS_AFTER) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} hangs; it is kept as {}", kept().display());
                std::process::abort();
            }
        });
        let result = catch_unwind(AssertUnwindSafe(|| target(data)));
        drop(done);
        if result.is_err() {
            panic!("{name} has failed; it is kept as {}", kept().display());
        }
    });
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn replay(name: &str, target: Target) {
    if let Some(file) = std::env::var_os("FUZZ_FILE") {
        return run(target, "the file", &fs::read(file).unwrap());
    }
    let files = corpus(name);
    assert!(files.len() > 5, "{} files", files.len());
    for file in files {
        let data = fs::read(&file).unwrap();
        let of = file.file_name().unwrap().to_string_lossy().into_owned();
        run(target, &format!("{name}/{of}"), &data);
    }
}

#[test]
fn operations_of_the_corpus() {
    replay("operations", taskmgr_fuzz::operations);
}

/// rest_4: each answer is one that the description of the API has.
#[test]
fn requests_of_the_corpus() {
    replay("requests", taskmgr_fuzz::requests);
}

#[test]
fn texts_of_the_corpus() {
    replay("texts", taskmgr_fuzz::texts);
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Runs inputs from a fixed seed, or as many as `FUZZ_INPUTS` says.
fn at_random(name: &str, target: Target, many: u64, input: impl Fn(&mut Random) -> Vec<u8>) {
    let many = std::env::var("FUZZ_INPUTS").map_or(many, |many| many.parse().unwrap());
    for number in 0..many {
        let data = input(&mut Random(number));
        run(target, &format!("{name}/{number}"), &data);
    }
}

#[test]
fn operations_at_random() {
    at_random("operations", taskmgr_fuzz::operations, 2_000, |random| {
        let len = 1 + random.below(600);
        random.bytes(len)
    });
}

/// Lines, and parts of them, in any order.
#[test]
fn requests_at_random() {
    let words: Vec<&str> = include_str!("../requests.dict")
        .lines()
        .map(|line| line.trim_matches('"'))
        .collect();
    at_random("requests", taskmgr_fuzz::requests, 2_000, |random| {
        let mut input = String::new();
        for _ in 0..1 + random.below(24) {
            match random.below(5) {
                0 => input.push('\n'),
                1 => input.push_str(words[random.below(words.len())]),
                2 => {
                    let starts = words.iter().filter(|word| word.contains(" /"));
                    let starts: Vec<&&str> = starts.collect();
                    input.push('\n');
                    input.push_str(starts[random.below(starts.len())]);
                }
                _ => input.push_str(&format!("{{{}}}", random.below(8))),
            }
        }
        input.into_bytes()
    });
}

#[test]
fn texts_at_random() {
    const PARTS: [&str; 16] = [
        "a",
        "-",
        "0",
        "60",
        "7c",
        " ",
        "\0",
        "\n",
        "é",
        "\u{202e}",
        "\u{200b}",
        "%",
        "&",
        "=",
        "ks",
        "state=running",
    ];
    at_random("texts", taskmgr_fuzz::texts, 4_000, |random| {
        let mut input = vec![random.next() as u8];
        for _ in 0..random.below(12) {
            match random.below(8) {
                0 => input.push(random.next() as u8),
                1 => input.extend(vec![b'n'; random.below(300)]),
                _ => input.extend(PARTS[random.below(PARTS.len())].bytes()),
            }
        }
        input
    });
}
