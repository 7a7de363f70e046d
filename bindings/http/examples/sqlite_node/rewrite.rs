//! Rewriting a database so that it can be stopped at any moment, however large it is.
//!
//! With a rollback journal, giving up a transaction means to copy all of it back, which SQLite does
//! without looking at anything. So everything is written to a write-ahead log: what has not been
//! committed is given up by forgetting it, and moving what has been into the database (a
//! checkpoint) can be interrupted, and made up for later.
//!
//! A database that has no such log is lent one, while others are locked out as they are by `VACUUM`.
//! It has a marker beside it meanwhile: where the log has to be left behind, as a checkpoint was
//! stopped or the process was killed, the next rewrite takes it back. Until then the database is
//! complete, and others read and write it like any other with a log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use taskmgr::{BoxError, Task};

use crate::keyspace::Keyspace;
use crate::parts::Outcome;
use crate::session::Session;

/// Waits as `VACUUM` does until nobody else uses the database, and keeps it locked from then on.
const LOCK: &str = "PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT";

/// What is committed gets durable with the checkpoint, and that is run where it can be interrupted.
const LOG: &str = "PRAGMA main.synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
    SELECT count(*) FROM main.sqlite_schema";

/// To change the journal mode changes nothing but the first sector of the database, which is good in
/// either mode as the log is empty: so the disk need not be waited for, and may be busy for long.
const UNHURRIED: &str = "PRAGMA main.synchronous = OFF";

/// A statement of two rows that reads no database.
const TWO_ROWS: &str = "SELECT 1 UNION ALL SELECT 2";

/// How long writes gather before they are sent to the disk.
const GATHER: Duration = Duration::from_millis(20);

/// What others can do with the database meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it, and write to it between two transactions: it has a log of its own.
    Shared,
    /// Nothing: it was lent a log.
    Exclusive,
}

/// Does `work`, of one transaction, in a session that writes to a log, and moves the outcome into
/// the database. The caller has claimed the keyspace.
pub fn run(
    keyspace: &Keyspace,
    task: &Task,
    work: impl FnOnce(&mut Session<'_>, Access) -> Outcome,
) -> Outcome {
    // Outlives every session here: closing any file of a database drops the locks of the process.
    let database = File::open(&keyspace.path)?;
    let marker = beside(&keyspace.path, "-compaction");
    if marker.exists() {
        take_back(keyspace, task, &database)?;
    }
    let mut session = Session::open(keyspace, task)?;
    if journal_mode(&session)? == "wal" {
        let log = start_log(&session, keyspace)?;
        let outcome = in_log(&mut session, [&database, &log], |session| {
            work(session, Access::Shared)
        });
        // The last session to be closed removes the log.
        let _log = Unhurried::from(log);
        drop(session);
        return outcome?;
    }
    session.connection.execute_batch(LOCK)?;
    File::create(&marker)?;
    let lent = set_journal_mode(&session, "wal").and_then(|()| start_log(&session, keyspace));
    let (outcome, _log) = match lent {
        // Without a checkpoint the log has to stay, as it has content of the database.
        Ok(log) => (
            in_log(&mut session, [&database, &log], |session| {
                work(session, Access::Exclusive)
            })?,
            Some(Unhurried::from(log)),
        ),
        Err(error) => (Err(error), None),
    };
    outcome.and(give_back(session, &marker))
}

/// Ends a loan that was left behind.
fn take_back(keyspace: &Keyspace, task: &Task, database: &File) -> Outcome {
    let mut session = Session::open(keyspace, task)?;
    if journal_mode(&session)? == "wal" {
        let log = start_log(&session, keyspace)?;
        in_log(&mut session, [database, &log], |_| Ok(()))??;
        // Refused while others use the database: they keep the log, and it stays lent.
        set_journal_mode(&session, "delete").ok();
        drop((session, Unhurried::from(log)));
    }
    Ok(())
}

/// Ends a loan whose log has nothing left in it that the database has not.
fn give_back(mut session: Session<'_>, marker: &Path) -> Outcome {
    // What is left to do is short, and is to be done after an abort as well.
    session.ignore_aborts()?;
    session.connection.execute_batch(UNHURRIED)?;
    set_journal_mode(&session, "delete")?;
    // While the database is still locked, so that it is not the marker of somebody else.
    Ok(remove(marker)?)
}

/// Does `work` and a checkpoint. It is the outer result that tells of a checkpoint that failed.
fn in_log(
    session: &mut Session<'_>,
    files: [&File; 2],
    work: impl FnOnce(&mut Session<'_>) -> Outcome,
) -> Result<Outcome, BoxError> {
    write_through(files, || {
        close_with_checkpoint(session, false)?;
        if let Err(error) = work(session) {
            return Ok(Err(error));
        }
        checkpoint(session)?;
        close_with_checkpoint(session, true)?;
        Ok(Ok(()))
    })
}

/// Moves what is in the log into the database, as far as nobody reads what it would overwrite.
fn checkpoint(session: &Session<'_>) -> Outcome {
    // SQLite forgets an interrupt when a statement begins while no other is under way: with one
    // under way, an abort that comes after this look at the task cannot be missed.
    let mut under_way = session.connection.prepare(TWO_ROWS)?;
    let mut rows = under_way.query([])?;
    rows.next()?;
    session.task.check_abort()?;
    let sql = "PRAGMA main.wal_checkpoint(PASSIVE)";
    Ok(session.connection.query_row(sql, [], |_| Ok(()))?)
}

/// Whether closing the last connection is to do a checkpoint, and remove the log.
fn close_with_checkpoint(session: &Session<'_>, wanted: bool) -> rusqlite::Result<bool> {
    let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    session.connection.set_db_config(option, !wanted)
}

fn journal_mode(session: &Session<'_>) -> rusqlite::Result<String> {
    let sql = "PRAGMA main.journal_mode";
    session.connection.query_row(sql, [], |row| row.get(0))
}

fn set_journal_mode(session: &Session<'_>, wanted: &str) -> Outcome {
    let sql = format!("PRAGMA main.journal_mode = {wanted}");
    let mode: String = session.connection.query_row(&sql, [], |row| row.get(0))?;
    if mode == wanted {
        return Ok(());
    }
    Err(format!("the journal mode stays \"{mode}\", \"{wanted}\" is not possible").into())
}

/// Writes to the log from now on; returns its file.
fn start_log(session: &Session<'_>, keyspace: &Keyspace) -> Result<File, BoxError> {
    session.connection.execute_batch(LOG)?;
    Ok(File::open(beside(&keyspace.path, "-wal"))?)
}

/// Does `work` while all that it writes to `files` is sent to the disk, so that SQLite itself never
/// waits for more than the last of it.
fn write_through<T>(files: [&File; 2], work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (working, stopped) = channel::<()>();
        scope.spawn(move || {
            while stopped.recv_timeout(GATHER) == Err(RecvTimeoutError::Timeout) {
                for file in files {
                    // SQLite tells of disks that fail; this is only to have less left for it.
                    file.sync_data().ok();
                }
            }
        });
        let result = work();
        drop(working);
        result
    })
}

/// An open file that is about to be removed. The system takes its time to free a large one, and does
/// so when it is closed: here by a thread that nobody waits for.
pub struct Unhurried(Option<File>);

impl From<File> for Unhurried {
    fn from(file: File) -> Self {
        Unhurried(Some(file))
    }
}

impl Drop for Unhurried {
    fn drop(&mut self) {
        let file = self.0.take();
        // Where there is no thread to be had, the file is closed here.
        thread::Builder::new().spawn(move || drop(file)).ok();
    }
}

/// The path of a file that belongs to a database.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

/// Removes a file, if there is one.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
