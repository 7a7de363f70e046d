//! Are the goals met? One line each; see `README.md`.
//!
//! `cargo bench -p taskmgr-rivals --bench goals [-- FILTER]`

use taskmgr_rivals::{fresh, goals, is_bench};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if fresh::answer(&arguments) {
        return;
    }
    goals::answer(&arguments);
    if !is_bench(&arguments) {
        return;
    }
    let filter = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"));
    let missed = goals::run(filter.map(String::as_str));
    if !missed.is_empty() {
        eprintln!("missed: {}", missed.join(", "));
        std::process::exit(1);
    }
}
