//! The table of goals. Each row is measured in a process of its own, so that no row sees
//! the memory that another one used or the pools that it filled.

mod aborts;
mod bindings;
mod expiry;
mod life;
mod looks;
mod memory;
mod reports;
mod threads;
mod wakes;

use std::process::{Command, Stdio};

use crate::measure::pin;
use crate::records::{Record, Records};
use crate::report::{Outcome, Row};

const ROW: &str = "--row";

fn rows() -> impl Iterator<Item = &'static Row> {
    [
        life::ROWS,
        threads::ROWS,
        reports::ROWS,
        aborts::ROWS,
        wakes::ROWS,
        looks::ROWS,
        memory::ROWS,
        expiry::ROWS,
        bindings::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// In the process of one row: measures it, and exits. Returns in any other.
pub fn answer(arguments: &[String]) {
    if let [argument, name] = arguments
        && argument == ROW
    {
        pin(0);
        let row = rows().find(|row| row.name == name);
        let row = row.expect("only the table names rows");
        println!("{}", row.run().write());
        std::process::exit(0);
    }
}

/// Measures the rows whose names contain the filter, or all, and prints what each came to; the
/// names of those that are worse than their records.
pub fn run(filter: Option<&str>) -> Vec<&'static str> {
    let records = Records::kept();
    let worse = chosen(filter).filter(|row| !holds(row, records.of(row.name)));
    worse.map(|row| row.name).collect()
}

/// Measures them several times, and keeps that as their records.
pub fn save(filter: Option<&str>) {
    let mut records = Records::kept();
    for row in chosen(filter) {
        let runs: Vec<Outcome> = (0..RUNS).filter_map(|_| measure(row)).collect();
        if !runs.is_empty() {
            records.set(row.name, &runs);
            println!("{} {}", row.name, records.of(row.name).expect("set").tell());
        }
    }
    records.save();
}

/// How often a row runs for its record, and at most before it is called worse than that.
const RUNS: usize = 3;

fn chosen(filter: Option<&str>) -> impl Iterator<Item = &'static Row> {
    rows().filter(move |row| filter.is_none_or(|filter| row.name.contains(filter)))
}

/// Runs a row and prints what it came to; whether it holds its record. One that does not has
/// further tries, as another process may have had the machine.
fn holds(row: &Row, record: Option<&Record>) -> bool {
    let is_worse = |run: &Outcome| record.is_some_and(|record| record.is_worse(run.ratio));
    let mut best: Option<Outcome> = None;
    for _ in 0..RUNS {
        let Some(run) = measure(row) else {
            println!("{} could not be measured", row.name);
            return false;
        };
        if best.as_ref().is_none_or(|best| run.ratio < best.ratio) {
            best = Some(run);
        }
        if best.as_ref().is_some_and(|best| !is_worse(best)) {
            break;
        }
    }
    let run = best.expect("a row runs at least once");
    let worse = is_worse(&run);
    let kind = if run.limit.is_some() {
        "goal"
    } else {
        "figure"
    };
    let verdict = match (worse, run.limit.is_some(), run.is_met()) {
        (true, ..) => " worse",
        (false, false, _) => "",
        (false, true, true) => " met",
        (false, true, false) => " missed",
    };
    println!("{kind} {} {}{verdict}", row.name, run.tell());
    let record = record.map_or_else(|| "no record".to_owned(), Record::tell);
    println!("    {}; {record}", run.details);
    !worse
}

/// In a process of its own.
fn measure(row: &Row) -> Option<Outcome> {
    let binary = std::env::current_exe().expect("a running bench has a binary");
    let output = Command::new(binary)
        .args([ROW, row.name])
        .stderr(Stdio::inherit())
        .output()
        .expect("the bench can run itself");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().last().and_then(Outcome::read)
}
