//! Compaction: rebuilds the indexes of a keyspace, and gives back the space of deleted rows.

use taskmgr::Task;

use crate::operation::Job;
use crate::parts::{self, Outcome};
use crate::session::{Table, count_to};
use crate::{rewrite, vacuum};

/// What `REINDEX` takes for an entry of an index.
const REINDEX_STEPS: u64 = 9;

/// What to do next.
enum Step<'a> {
    Reindex(&'a Table),
    Vacuum,
}

pub fn total(job: &Job<'_>) -> u64 {
    let tables = job.survey.tables.iter();
    tables
        .map(|table| table.index_entries() + if job.whole { table.entries() } else { 0 })
        .sum()
}

/// Rebuilds the indexes of each table, then rewrites the file; for a single table only the former,
/// as `VACUUM` knows no tables.
///
/// All of it stops at an abort, and leaves the content as it was: see [`rewrite`].
pub fn run(task: &Task, job: &Job<'_>) -> Outcome {
    let _alone = job.keyspace.claim(task)?;
    let keyspace = &job.keyspace.name;
    let mut parts = Vec::new();
    for table in &job.survey.tables {
        let part = task.child("reindex").scope("table").keyspace(keyspace);
        let part = part
            .table(&table.name)
            .total(table.index_entries(), "entries");
        parts.push((part.create()?, Step::Reindex(table)));
    }
    let entries = job.survey.tables.iter().map(Table::entries).sum();
    if job.whole {
        let part = task.child("vacuum").scope("keyspace").keyspace(keyspace);
        parts.push((part.total(entries, "entries").create()?, Step::Vacuum));
    }
    parts::run(task, "steps", parts, 1, |task, step| match step {
        Step::Reindex(table) => rewrite::run(job.keyspace, task, |session, _| {
            let sql = format!("REINDEX {}", table.quoted());
            session.run(&sql, table.index_entries(), REINDEX_STEPS, drop)
        }),
        Step::Vacuum => {
            rewrite::run(job.keyspace, task, |session, access| {
                vacuum::run(job.keyspace, task, session, access, entries)
            })?;
            Ok(count_to(task, entries)?)
        }
    })
}
