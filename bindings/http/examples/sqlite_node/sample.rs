//! Sample data: keyspaces with tables, indexes, and rows deleted again, so that every operation has
//! something to do; and damage, so that one has something to find.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::{Connection, params};
use taskmgr::BoxError;

/// The keyspaces and their tables.
const KEYSPACES: [(&str, &[&str]); 3] = [
    ("library", &["authors", "books", "loans"]),
    ("metrics", &["hosts", "samples"]),
    ("shop", &["customers", "items", "orders"]),
];

/// The table that [`damage`] damages.
const DAMAGED: (&str, &str) = ("shop", "items");

/// What a row takes on disk with its index entries.
const BYTES_PER_ROW: u64 = 155;

/// Fills `directory` with about `megabytes` of databases.
pub fn create(directory: &Path, megabytes: u64) -> Result<(), BoxError> {
    let tables: u64 = KEYSPACES
        .iter()
        .map(|(_, tables)| tables.len() as u64)
        .sum();
    let rows = megabytes * 1_000_000 / BYTES_PER_ROW / tables;
    for (keyspace, tables) in KEYSPACES {
        let path = directory.join(keyspace).with_extension("db");
        // Speed over safety: a half-written sample would be thrown away.
        let mut connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        let transaction = connection.transaction()?;
        for table in tables {
            fill(&transaction, table, rows)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// A table with two indexes, a quarter of whose rows has been deleted again.
fn fill(connection: &Connection, table: &str, rows: u64) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "CREATE TABLE {table} (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL,
                               kind TEXT NOT NULL, payload BLOB NOT NULL)"
    ))?;
    connection.execute(
        &format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?1)
             INSERT INTO {table}
             SELECT i, abs(random()) % 100000, 'kind ' || i % 97, randomblob(40 + i % 120) FROM n"
        ),
        params![rows],
    )?;
    connection.execute_batch(&format!(
        "CREATE INDEX {table}_by_owner ON {table} (owner);
         CREATE INDEX {table}_by_kind ON {table} (kind, owner);
         DELETE FROM {table} WHERE id % 4 = 0"
    ))
}

/// Overwrites one page in the middle of a table, as a broken disk would, and names the table.
pub fn damage(directory: &Path) -> Result<String, BoxError> {
    let (keyspace, table) = DAMAGED;
    let path = directory.join(keyspace).with_extension("db");
    let (page, size) = middle_leaf(&Connection::open(&path)?, table)?;
    let mut file = OpenOptions::new().write(true).open(&path)?;
    file.seek(SeekFrom::Start((page - 1) * size))?;
    file.write_all(&[0xff; 64])?;
    Ok(format!("{keyspace}.{table}"))
}

/// The number of a leaf page in the middle of the b-tree of `table`, and the size of a page.
fn middle_leaf(connection: &Connection, table: &str) -> rusqlite::Result<(u64, u64)> {
    connection.query_row(
        "SELECT pageno, pgsize FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path
         LIMIT 1 OFFSET (SELECT count(*) / 2 FROM dbstat WHERE name = ?1 AND pagetype = 'leaf')",
        params![table],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
