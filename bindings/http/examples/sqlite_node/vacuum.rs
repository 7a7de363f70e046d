//! `VACUUM`, in two steps that can both be stopped at any moment.
//!
//! SQLite's own `VACUUM` copies its result back without looking at anything. Here `VACUUM INTO`
//! writes it to a file beside the database, and the online backup, page by page, back into it: in
//! one transaction, as there, so that the database changes altogether or not at all.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use taskmgr::{BoxError, Task};

use crate::keyspace::Keyspace;
use crate::parts::Outcome;
use crate::rewrite::{Access, Unhurried, beside, remove};
use crate::session::{Session, count_to};

/// What `VACUUM INTO` takes for an entry.
const STEPS_PER_ENTRY: u64 = 4;

/// Parts of the work that take about as long as each other: `VACUUM INTO` is all but one for the copy
/// back and one for the checkpoint that follows, which counts when it is done, as SQLite does not
/// tell how far it is.
const PARTS: u64 = 6;

/// Pages copied between two looks at the task.
const PAGES_PER_STEP: i32 = 64;

/// Rewrites the database of `session` without the space of deleted rows.
pub fn run(
    keyspace: &Keyspace,
    task: &Task,
    session: &mut Session<'_>,
    access: Access,
    entries: u64,
) -> Outcome {
    let guard = match access {
        Access::Shared => Some(Guard::hold(keyspace, task)?),
        Access::Exclusive => None,
    };
    let scratch = Scratch::new(keyspace)?;
    let built = entries * (PARTS - 2) / PARTS;
    build(session, &scratch, built)?;
    let source = Connection::open_with_flags(&scratch.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let copied = entries * (PARTS - 1) / PARTS;
    copy_back(task, &source, &mut session.connection, guard, built, copied)
}

/// Writes a compact copy of the database to a file.
fn build(session: &mut Session<'_>, scratch: &Scratch, entries: u64) -> Outcome {
    // The copy is not kept, so it need not be durable.
    let synchronous = "PRAGMA main.synchronous";
    session
        .connection
        .execute_batch(&format!("{synchronous} = OFF"))?;
    // SQLite asks often enough here, and is to be stopped by the answer alone: so `stopping` is in
    // time. Without a journal it leaves the file as it is, and does not wait for it to be emptied.
    session.interrupt_on_abort(false)?;
    let journal = beside(&scratch.path, "-journal");
    let stopping = move || drop(OpenOptions::new().write(true).truncate(true).open(&journal));
    let steps = STEPS_PER_ENTRY * PARTS / (PARTS - 2);
    session.run_until(&scratch.vacuum_into(), entries, steps, stopping, drop)?;
    session.interrupt_on_abort(true)?;
    Ok(session
        .connection
        .execute_batch(&format!("{synchronous} = NORMAL"))?)
}

/// Copies all pages of `source` over those of `target`, while progress goes on to `copied`.
fn copy_back(
    task: &Task,
    source: &Connection,
    target: &mut Connection,
    guard: Option<Guard<'_>>,
    built: u64,
    copied: u64,
) -> Outcome {
    if let Some(guard) = &guard {
        guard.let_go()?;
    }
    let backup = Backup::new(source, target)?;
    step(task, &backup, 0)?;
    if let Some(guard) = &guard {
        guard.check_unchanged()?;
    }
    while step(task, &backup, PAGES_PER_STEP)? == StepResult::More {
        let pages = backup.progress();
        let (all, left) = (pages.pagecount.max(1), pages.remaining);
        let done = u64::from((all - left).unsigned_abs());
        let completed = built + (copied - built) * done / u64::from(all.unsigned_abs());
        count_to(task, completed)?;
    }
    Ok(())
}

/// Copies some pages; with none, only locks the target.
fn step(task: &Task, backup: &Backup<'_, '_>, pages: i32) -> Result<StepResult, BoxError> {
    task.check_abort()?;
    match backup.step(pages)? {
        StepResult::Busy | StepResult::Locked => {
            task.check_abort()?;
            Err("database is locked".into())
        }
        step => Ok(step),
    }
}

/// Keeps others from writing to the database while it is read for a copy that is to replace it.
struct Guard<'t> {
    session: Session<'t>,
    version: i64,
}

impl<'t> Guard<'t> {
    fn hold(keyspace: &Keyspace, task: &'t Task) -> Result<Self, BoxError> {
        let session = Session::open(keyspace, task)?;
        session.connection.execute_batch("BEGIN IMMEDIATE")?;
        let version = version(&session)?;
        Ok(Guard { session, version })
    }

    /// Lets the copy have the lock.
    fn let_go(&self) -> rusqlite::Result<()> {
        self.session.connection.execute_batch("ROLLBACK")
    }

    /// The lock cannot be handed over, so somebody may have been faster.
    fn check_unchanged(&self) -> Outcome {
        if version(&self.session)? == self.version {
            return Ok(());
        }
        Err("another process has changed the database meanwhile, try again".into())
    }
}

/// A number that is another one after somebody else has changed the database.
fn version(session: &Session<'_>) -> rusqlite::Result<i64> {
    let sql = "PRAGMA main.data_version";
    session.connection.query_row(sql, [], |row| row.get(0))
}

/// The file with the compact copy. It has a fixed name, so that one of a killed process is found;
/// whoever uses it has the database locked.
struct Scratch {
    path: PathBuf,
    /// Closed after the file has been removed.
    file: Option<Unhurried>,
}

impl Scratch {
    fn new(keyspace: &Keyspace) -> io::Result<Self> {
        let mut scratch = Scratch {
            path: beside(&keyspace.path, "-vacuum"),
            file: None,
        };
        scratch.remove()?;
        scratch.file = Some(File::create_new(&scratch.path)?.into());
        Ok(scratch)
    }

    fn remove(&self) -> io::Result<()> {
        remove(&self.path)?;
        remove(&beside(&self.path, "-journal"))
    }

    /// The statement. A path need not be UTF-8, so it goes in as bytes.
    fn vacuum_into(&self) -> String {
        let bytes = self.path.as_os_str().as_encoded_bytes();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("VACUUM main INTO CAST(x'{digits}' AS TEXT)")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next compaction.
        self.remove().ok();
    }
}
