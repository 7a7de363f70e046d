//! A keyspace: one SQLite database, with its tables.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use rusqlite::{Connection, OpenFlags};
use taskmgr::Task;

use crate::session::table_names;

/// How long to wait for a keyspace before looking again whether the task was told to abort.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One database file, named after its stem, or in full where two share that.
#[derive(Debug)]
pub struct Keyspace {
    pub name: String,
    pub path: PathBuf,
    /// The names of its tables when the host was started; none when it cannot be read.
    pub tables: Vec<String>,
    /// Readers share the keyspace, a compaction has it alone: so operations of this host wait for
    /// each other where a task can be told to abort, and never meet as `SQLITE_BUSY`.
    gate: RwLock<()>,
}

impl Keyspace {
    /// The databases in `directory`, in order of their names.
    pub fn find(directory: &Path) -> io::Result<Vec<Keyspace>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|end| end == "db" || end == "sqlite")
            {
                paths.push(path);
            }
        }
        paths.sort();
        let mut found: Vec<Keyspace> = Vec::new();
        for path in paths {
            let stem = text(path.file_stem());
            let taken = found.iter().any(|other| other.name == stem);
            let name = if taken { text(path.file_name()) } else { stem };
            let mut keyspace = Keyspace {
                name,
                path,
                tables: Vec::new(),
                gate: RwLock::new(()),
            };
            let tables = keyspace.open().and_then(|database| table_names(&database));
            keyspace.tables = tables.unwrap_or_default();
            found.push(keyspace);
        }
        Ok(found)
    }

    /// Opens the database, which must exist.
    pub fn open(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Waits until nothing changes the keyspace, or until `task` is told to abort.
    pub fn share(&self, task: &Task) -> taskmgr::Result<RwLockReadGuard<'_, ()>> {
        wait(task, || self.gate.try_read_for(LOOK_EVERY))
    }

    /// Waits until nobody else uses the keyspace, or until `task` is told to abort.
    pub fn claim(&self, task: &Task) -> taskmgr::Result<RwLockWriteGuard<'_, ()>> {
        wait(task, || self.gate.try_write_for(LOOK_EVERY))
    }

    /// Bytes on disk.
    pub fn size(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }
}

fn text(name: Option<&OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn wait<G>(task: &Task, attempt: impl Fn() -> Option<G>) -> taskmgr::Result<G> {
    loop {
        task.check_abort()?;
        if let Some(guard) = attempt() {
            return Ok(guard);
        }
    }
}
