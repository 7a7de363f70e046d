//! Backup: copies a keyspace page by page while it stays in use.

use std::fs;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use taskmgr::Task;
use tempfile::NamedTempFile;

use crate::operation::Job;
use crate::parts::Outcome;
use crate::session::Session;

/// Pages copied in one go, and the pause after them, in which others get at the database.
const PAGES_PER_STEP: i32 = 64;
const PAUSE: Duration = Duration::from_millis(5);

pub fn total(job: &Job<'_>) -> u64 {
    job.survey.pages
}

/// Copies a keyspace. The backup gets its name when it is complete, so that one that was aborted or
/// failed leaves an older backup as it was.
pub fn run(task: &Task, job: &Job<'_>) -> Outcome {
    let _shared = job.keyspace.share(task)?;
    let source = Session::open(job.keyspace, task)?;
    fs::create_dir_all(job.backups)?;
    let file = NamedTempFile::new_in(job.backups)?;
    copy(
        task,
        &source.connection,
        &mut Connection::open(file.path())?,
    )?;
    file.persist(
        job.backups
            .join(job.keyspace.path.file_name().unwrap_or_default()),
    )?;
    Ok(())
}

fn copy(task: &Task, source: &Connection, target: &mut Connection) -> Outcome {
    let backup = Backup::new(source, target)?;
    loop {
        task.check_abort()?;
        let step = backup.step(PAGES_PER_STEP)?;
        let pages = backup.progress();
        task.set_total(pages.pagecount.unsigned_abs().into());
        task.set_completed((pages.pagecount - pages.remaining).unsigned_abs().into());
        if step == StepResult::Done {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}
