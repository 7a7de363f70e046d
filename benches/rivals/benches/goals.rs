//! Are the goals met, and does each row hold its record? One line each; see `README.md`.
//!
//! `cargo bench -p taskmgr-rivals --bench goals [-- FILTER] [--save]`

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
    let filter = filter.map(String::as_str);
    if arguments.iter().any(|argument| argument == "--save") {
        return goals::save(filter);
    }
    let worse = goals::run(filter);
    if !worse.is_empty() {
        eprintln!("worse than their records: {}", worse.join(", "));
        std::process::exit(1);
    }
}
