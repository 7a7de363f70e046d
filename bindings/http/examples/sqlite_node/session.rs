//! A session: a database connection that stops what it does when its task is told to abort.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, Row};
use taskmgr::{AbortGuard, BoxError, Task};

use crate::keyspace::Keyspace;

/// Steps of SQLite's virtual machine between two looks at the task: far less than a millisecond.
const STEPS_PER_LOOK: u16 = 1_000;

/// How often, and how many times, to try again when another process has locked the database.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
const BUSY_TRIES: i32 = 1_000;

/// The tables that hold rows of their own in the database.
const TABLES: &str = "SELECT name FROM sqlite_schema
    WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// What there is to do in a keyspace.
#[derive(Debug)]
pub struct Survey {
    pub tables: Vec<Table>,
    pub pages: u64,
}

/// A table, and how many rows and indexes it has: 0 where it is too damaged to tell.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub rows: u64,
    pub indexes: u64,
}

impl Table {
    /// Entries in the b-trees of the indexes.
    pub fn index_entries(&self) -> u64 {
        self.rows * self.indexes
    }

    /// Entries in the b-trees of the table and its indexes.
    pub fn entries(&self) -> u64 {
        self.rows + self.index_entries()
    }

    /// The name as SQL takes it.
    pub fn quoted(&self) -> String {
        quoted(&self.name)
    }
}

/// A connection on behalf of a task.
pub struct Session<'t> {
    pub task: &'t Task,
    pub connection: Connection,
    interrupt: Option<AbortGuard>,
}

impl<'t> Session<'t> {
    /// Opens `keyspace`. An abort of `task` reaches SQLite in three ways: the progress handler asks
    /// for it in the middle of a statement, the busy handler while another process holds a lock, and
    /// the interrupt covers what runs without asking either.
    pub fn open(keyspace: &Keyspace, task: &'t Task) -> Result<Self, BoxError> {
        let mut connection = keyspace.open()?;
        let asked = task.reporter();
        let look = move || asked.abort_requested();
        connection.progress_handler(STEPS_PER_LOOK.into(), Some(look))?;
        let asked = task.reporter();
        connection.busy_handler(Some(move |tries| {
            thread::sleep(BUSY_PAUSE);
            tries < BUSY_TRIES && !asked.abort_requested()
        }))?;
        let mut session = Session {
            task,
            connection,
            interrupt: None,
        };
        session.interrupt_on_abort(true)?;
        Ok(session)
    }

    /// Whether an abort reaches SQLite where it does not ask, or only where it does.
    pub fn interrupt_on_abort(&mut self, wanted: bool) -> taskmgr::Result<()> {
        let handle = self.connection.get_interrupt_handle();
        let interrupt = || self.task.on_abort(move || handle.interrupt());
        self.interrupt = wanted.then(interrupt).transpose()?;
        Ok(())
    }

    /// From now on, no abort reaches SQLite.
    pub fn ignore_aborts(&mut self) -> rusqlite::Result<()> {
        self.interrupt = None;
        self.connection.progress_handler(0, None::<fn() -> bool>)?;
        self.connection.busy_timeout(Duration::ZERO)
    }

    /// Looks at what is in the keyspace, or only at the table `only`.
    pub fn survey(&self, only: Option<&str>) -> Result<Survey, BoxError> {
        let mut names = table_names(&self.connection)?;
        names.retain(|name| only.is_none_or(|only| only == name));
        let tables = names.into_iter().map(|name| self.measure(name)).collect();
        let pages = "PRAGMA page_count";
        let pages = self.connection.query_row(pages, [], |row| row.get(0))?;
        self.task.check_abort()?;
        Ok(Survey { tables, pages })
    }

    fn measure(&self, name: String) -> Table {
        let indexes = "SELECT count(*) FROM pragma_index_list(?1)";
        let sql = format!("SELECT count(*), ({indexes}) FROM {}", quoted(&name));
        let counts = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (rows, indexes) = self
            .connection
            .query_row(&sql, [&name], counts)
            .unwrap_or_default();
        Table {
            name,
            rows,
            indexes,
        }
    }

    /// Runs one statement to its end, and hands over each text that it answers.
    ///
    /// SQLite tells the steps it has made, not how far it is: they become progress at
    /// `steps_per_entry`, and are put right at the end, when all `entries` are done.
    pub fn run(
        &mut self,
        sql: &str,
        entries: u64,
        steps_per_entry: u64,
        answer: impl FnMut(String),
    ) -> Result<(), BoxError> {
        self.run_until(sql, entries, steps_per_entry, || (), answer)
    }

    /// The same, and does `stopping` before SQLite gives up what it does when it learns of an abort.
    pub fn run_until(
        &mut self,
        sql: &str,
        entries: u64,
        steps_per_entry: u64,
        stopping: impl Fn() + Send + 'static,
        mut answer: impl FnMut(String),
    ) -> Result<(), BoxError> {
        let reporter = self.task.reporter();
        let mut steps = 0;
        let look = move || {
            steps += u64::from(STEPS_PER_LOOK);
            reporter.set_completed(entries.min(steps / steps_per_entry));
            let stop = reporter.abort_requested();
            if stop {
                stopping();
            }
            stop
        };
        self.connection
            .progress_handler(STEPS_PER_LOOK.into(), Some(look))?;
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            answer(row.get(0)?);
        }
        Ok(count_to(self.task, entries)?)
    }
}

/// Lets the progress of `task` go on to `completed`, whichever of its handles has counted so far.
pub fn count_to(task: &Task, completed: u64) -> taskmgr::Result<()> {
    let seen = task.status()?.progress.completed;
    task.advance(completed.saturating_sub(seen));
    Ok(())
}

/// The names of the tables as they are now.
pub fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(TABLES)?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
