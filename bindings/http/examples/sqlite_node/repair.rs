//! Repair: looks for damage, table by table.

use taskmgr::Task;

use crate::keyspace::Keyspace;
use crate::operation::Job;
use crate::parts::{self, Outcome};
use crate::session::{Session, Table};

/// What `PRAGMA integrity_check` takes for an entry, as measured on tables of a few columns.
const STEPS_PER_ENTRY: u64 = 7;

/// Findings told in full; the others are counted.
const FINDINGS: usize = 3;

pub fn total(job: &Job<'_>) -> u64 {
    job.survey.tables.iter().map(Table::entries).sum()
}

/// Checks the tables of a keyspace.
pub fn run(task: &Task, job: &Job<'_>) -> Outcome {
    let _shared = job.keyspace.share(task)?;
    let mut parts = Vec::new();
    for table in &job.survey.tables {
        let part = task
            .child("integrity check")
            .scope("table")
            .keyspace(&job.keyspace.name);
        let part = part.table(&table.name).total(table.entries(), "entries");
        parts.push((part.create()?, table));
    }
    parts::run(task, "tables", parts, 1, |task, table| {
        check(task, job.keyspace, table)
    })
}

fn check(task: &Task, keyspace: &Keyspace, table: &Table) -> Outcome {
    let sql = format!("PRAGMA integrity_check({})", table.quoted());
    let mut findings = Vec::new();
    let mut session = Session::open(keyspace, task)?;
    let end = session.run(&sql, table.entries(), STEPS_PER_ENTRY, |text| {
        let lines = text.lines().filter(|line| !line.starts_with("***"));
        findings.extend(lines.map(str::to_owned));
    });
    task.check_abort()?;
    if findings.is_empty() || findings == ["ok"] {
        return end;
    }
    // A check may find something, and then fail on what it has found.
    findings.extend(end.err().map(|error| error.to_string()));
    Err(summary(&findings).into())
}

fn summary(findings: &[String]) -> String {
    let told = findings.len().min(FINDINGS);
    let rest = match findings.len() - told {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    findings[..told].join("; ") + &rest
}
