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

use std::process::Command;

use crate::measure::pin;
use crate::report::Row;

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
        std::process::exit(i32::from(!row.print()));
    }
}

/// Measures the rows whose names contain the filter, or all; the names of those missed.
pub fn run(filter: Option<&str>) -> Vec<&'static str> {
    rows()
        .filter(|row| filter.is_none_or(|filter| row.name.contains(filter)))
        .filter(|row| !is_met(row))
        .map(|row| row.name)
        .collect()
}

fn is_met(row: &Row) -> bool {
    let binary = std::env::current_exe().expect("a running bench has a binary");
    let status = Command::new(binary).args([ROW, row.name]).status();
    let status = status.expect("the bench can run itself");
    if !matches!(status.code(), Some(0 | 1)) {
        println!("goal {} could not be measured: {status}", row.name);
    }
    status.success()
}
