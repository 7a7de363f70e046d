//! Compactions that are stopped, killed or disturbed: the database stays what it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use super::harness::{Node, PATIENCE};

/// Rows of the database: some megabytes, so that each phase of a compaction takes a while.
const ROWS: u32 = 40_000;

/// How often a compaction is aborted, each time a bit later.
const ABORTS: u32 = 24;

/// A directory with a database in a journal mode.
struct Data {
    directory: TempDir,
    journal_mode: &'static str,
}

impl Data {
    fn create(journal_mode: &'static str) -> Data {
        let directory = tempfile::tempdir().expect("a directory");
        let data = Data {
            directory,
            journal_mode,
        };
        let sql = format!(
            "PRAGMA page_size = 2048; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA user_version = 7;
             PRAGMA application_id = 9; PRAGMA journal_mode = {journal_mode};
             CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, text TEXT NOT NULL);
             CREATE INDEX by_n ON t (n, text);
             CREATE TABLE log (id INTEGER PRIMARY KEY);
             CREATE TRIGGER logged AFTER DELETE ON t WHEN old.n = 3
             BEGIN INSERT INTO log VALUES (old.id); END;
             WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT {ROWS})
             INSERT INTO t SELECT n, n * 7919 % 1000, hex(randomblob(50)) FROM i;
             DELETE FROM t WHERE id % 3 = 0"
        );
        data.connect().execute_batch(&sql).expect("a database");
        data
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("own.db")
    }

    /// A connection of another process than the host's.
    fn connect(&self) -> Connection {
        let connection = Connection::open(self.path()).expect("the database opens");
        connection.busy_timeout(PATIENCE).expect("a time");
        connection
    }

    fn node(&self) -> Node {
        let directory = self.directory.path().to_str().expect("a plain path");
        Node::start(&["--data", directory])
    }

    /// What must not change, with the outcome of a check of the whole.
    fn content(&self) -> String {
        let connection = self.connect();
        let ask = |sql: &str| -> String {
            let value = connection.query_row(sql, [], |row| row.get::<_, Value>(0));
            format!("{sql}: {:?}\n", value.expect("an answer"))
        };
        [
            "PRAGMA integrity_check",
            "PRAGMA page_size",
            "PRAGMA auto_vacuum",
            "PRAGMA user_version",
            "PRAGMA application_id",
            "SELECT group_concat(sql, '; ') FROM (SELECT sql FROM sqlite_schema ORDER BY name)",
            "SELECT count(*) FROM log",
            "SELECT group_concat(id || n || text) FROM (SELECT * FROM t ORDER BY id)",
        ]
        .map(ask)
        .concat()
    }

    /// Compacts the database to the end, after which it is as it is to be, and nothing is beside it.
    fn compact(&self, node: &Node) {
        let status = node.wait(&node.operate("compaction"));
        assert_eq!(status["state"], "done", "{status}");
        assert_eq!(status["progress_completed"], status["progress_total"]);
        let files = self.files();
        assert!(
            files
                .iter()
                .all(|name| name == "own.db" || name == "backup"),
            "left over: {files:?}"
        );
        let mode: String = self
            .connect()
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .expect("a journal mode");
        assert_eq!(mode, self.journal_mode);
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("the directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names.map(|name| name.to_string_lossy().into()).collect()
    }
}

#[test]
fn a_database_survives_aborts_at_any_moment() {
    for journal_mode in ["delete", "wal"] {
        let data = Data::create(journal_mode);
        let before = data.content();
        let node = data.node();
        let whole = took(|| data.compact(&node));
        for turn in 0..ABORTS {
            let id = node.operate("compaction");
            thread::sleep(whole * turn / ABORTS);
            node.post(&format!("/task_manager/abort_task/{id}"));
            let status = node.wait(&id);
            let error = status["error"].as_str().unwrap_or_default();
            assert!(
                status["state"] == "done" || error.starts_with("aborted: "),
                "{status}"
            );
            assert!(data.content() == before, "changed by abort {turn}");
            assert!(!exists(&data, "own.db-vacuum"), "left over by abort {turn}");
        }
        data.compact(&node);
        assert!(data.content() == before, "changed at last");
    }
}

#[test]
fn a_database_survives_a_kill_at_any_moment() {
    for journal_mode in ["delete", "wal"] {
        let data = Data::create(journal_mode);
        let before = data.content();
        for turn in 0..8 {
            let mut node = data.node();
            let whole = took(|| data.compact(&node));
            node.operate("compaction");
            thread::sleep(whole * turn / 8);
            node.signal("KILL");
            node.end();
            println!("{journal_mode}: {:?}", data.files());
            assert!(data.content() == before, "changed by kill {turn}");
        }
        // The round of the next start clears up.
        let node = data.node();
        data.compact(&node);
        assert!(data.content() == before, "changed at last");
    }
}

#[test]
fn others_can_write_between_and_lose_nothing() {
    for journal_mode in ["delete", "wal"] {
        let data = Data::create(journal_mode);
        let node = data.node();
        let over = AtomicBool::new(false);
        let written = thread::scope(|scope| {
            let writer = scope.spawn(|| write_until(&over, &data));
            for _ in 0..4 {
                let status = node.wait(&node.operate("compaction"));
                println!("{journal_mode}: {} {}", status["state"], status["error"]);
            }
            over.store(true, Ordering::Relaxed);
            writer.join().expect("the writer ends")
        });
        let count = "SELECT count(*) FROM log WHERE id < 0";
        let found: u32 = data
            .connect()
            .query_row(count, [], |row| row.get(0))
            .expect("a count");
        assert_eq!(found, written);
        data.compact(&node);
    }
}

/// Adds rows as another process does, and returns how many.
fn write_until(over: &AtomicBool, data: &Data) -> u32 {
    let connection = data.connect();
    let mut written = 0;
    while !over.load(Ordering::Relaxed) {
        let row = -1 - i64::from(written);
        connection
            .execute("INSERT INTO log VALUES (?1)", [row])
            .expect("it waits for the lock");
        written += 1;
        thread::sleep(Duration::from_millis(5));
    }
    written
}

fn exists(data: &Data, name: &str) -> bool {
    Path::new(data.directory.path()).join(name).exists()
}

fn took(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}
