//! Measures `taskmgr` beside its rivals: see `README.md`.
//!
//! Every rival is driven by a module of its own, in loops that do the same as ours; `goals`
//! has the table of goals, a file for each group of rows.

pub mod bars;
pub mod c_abi;
pub mod classic;
pub mod fresh;
pub mod futex;
pub mod goals;
pub mod map;
pub mod measure;
pub mod ours;
pub mod primitives;
pub mod records;
pub mod report;
pub mod tokens;
pub mod tree;

/// Whether this process is `cargo bench`'s, which passes `--bench`: `cargo test --benches`
/// runs a bench too, and is not to wait for minutes.
pub fn is_bench(arguments: &[String]) -> bool {
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    if !is_bench {
        eprintln!("measures only under `cargo bench`");
    }
    is_bench
}
