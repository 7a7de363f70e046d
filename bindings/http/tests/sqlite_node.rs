//! The example `sqlite_node`, driven as its users do: as a program, over REST, with curl, and by
//! signals. The databases are real.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use harness::{Node, run};

#[path = "sqlite_node/compactions.rs"]
mod compactions;
#[path = "sqlite_node/harness.rs"]
mod harness;

/// What an abort may take on a slow and busy machine; it is a matter of milliseconds on an idle one.
const ABORT: Duration = Duration::from_secs(10);

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    let found = text.lines().find(|line| {
        line.trim_start_matches(['├', '└', '│', '─', ' '])
            .starts_with(start)
    });
    found.unwrap_or_else(|| panic!("no line begins with {start:?} in:\n{text}"))
}

#[test]
fn one_round_succeeds_and_prints_the_folded_trees() {
    let (output, text) = run(&["--exit", "--listen", "127.0.0.1:0", "--sample-size", "8"]);
    assert_eq!(output.status.code(), Some(0));
    for (operation, units) in [
        ("integrity check", "entries"),
        ("online backup", "pages"),
        ("compaction", "entries"),
    ] {
        let root = line(&text, operation);
        assert!(root.contains("done  100 %"), "{root}");
        assert!(root.ends_with(units), "{root}");
        for (branch, keyspace) in [("├─", "library"), ("├─", "metrics"), ("└─", "shop")]
        {
            let child = format!("{branch} {operation} keyspace {keyspace} ");
            let times = text.matches(&child).count();
            assert_eq!(times, 1, "{child:?} once:\n{text}");
        }
    }
    assert!(
        !text.contains("customers"),
        "the tables have been folded:\n{text}"
    );
}

#[test]
fn damage_is_found_and_the_path_to_it_is_kept() {
    let (output, text) = run(&[
        "--exit",
        "--damage",
        "--listen",
        "127.0.0.1:0",
        "--sample-size",
        "8",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        line(&text, "integrity check").contains("1 of 3 keyspaces failed"),
        "{text}"
    );
    assert!(
        line(&text, "integrity check keyspace shop").contains("1 of 3 tables failed"),
        "{text}"
    );
    assert!(
        line(&text, "integrity check table shop.items")
            .contains("btreeInitPage() returns error code"),
        "{text}"
    );
    assert!(
        line(&text, "integrity check keyspace library").contains("done"),
        "the others went on: {text}"
    );
    assert!(
        !text.contains("customers") && !text.contains("orders"),
        "what succeeded has been folded: {text}"
    );
    assert!(
        line(&text, "reindex table shop.items").contains("malformed"),
        "{text}"
    );
    assert!(line(&text, "vacuum").contains("malformed"), "{text}");
}

#[test]
fn own_data_is_checked_backed_up_and_compacted() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("books.sqlite");
    let database = rusqlite::Connection::open(&path).expect("a database");
    let fill = "CREATE TABLE \"odd \"\"name\" (id INTEGER PRIMARY KEY, text TEXT UNIQUE);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
        INSERT INTO \"odd \"\"name\" SELECT i, 'a text with the number ' || i FROM n;
        DELETE FROM \"odd \"\"name\" WHERE id % 10 > 0";
    database.execute_batch(fill).expect("rows");
    drop(database);
    fs::write(directory.path().join("notes.txt"), "not a database").expect("a file");
    let size = |path: &Path| fs::metadata(path).expect("a file").len();
    let before = size(&path);

    let data = directory.path().to_str().expect("a plain path");
    let (output, _) = run(&["--exit", "--data", data, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(0));
    let backup = directory.path().join("backup/books.sqlite");
    assert_eq!(
        size(&backup),
        before,
        "the backup was made before the compaction"
    );
    assert!(
        size(&path) < before / 2,
        "VACUUM gave back the space of the deleted rows"
    );
    for path in [&path, &backup] {
        let database = rusqlite::Connection::open(path).expect("a database");
        let count = "SELECT count(*) FROM \"odd \"\"name\"";
        assert_eq!(
            database.query_row(count, [], |row| row.get::<_, i64>(0)),
            Ok(2000)
        );
    }
}

#[test]
fn what_is_no_database_fails_and_keeps_nothing_else_from_its_work() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(
        directory.path().join("broken.db"),
        "this is not a database at all".repeat(100),
    )
    .expect("a file");
    let good = rusqlite::Connection::open(directory.path().join("good.db")).expect("a database");
    good.execute_batch("CREATE TABLE t (id); INSERT INTO t VALUES (1)")
        .expect("a table");
    let data = directory.path().to_str().expect("a plain path");
    let (output, text) = run(&["--exit", "--data", data, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let end = |keyspace| line(&text, &format!("integrity check keyspace {keyspace} ")).to_owned();
    assert!(end("broken").contains("not a database"), "{text}");
    assert!(end("good").contains("done"), "{text}");
}

#[test]
fn wrong_options_get_clear_errors() {
    let cases: [(&[&str], &str); 6] = [
        (&["--listen", "nonsense"], "expected ADDR:PORT"),
        (&["--task-ttl-in-seconds", "-1"], "--task-ttl-in-seconds"),
        (
            &["--user-task-ttl-in-seconds", "soon"],
            "expected whole seconds",
        ),
        (&["--damage", "--data", "."], "cannot be used with"),
        (
            &["--data", "/does/not/exist"],
            "cannot read /does/not/exist",
        ),
        (&["--sample-size", "0"], "0 is not in 1..=100000"),
    ];
    for (arguments, message) in cases {
        let (output, _) = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            error.contains(message),
            "{arguments:?} should say {message:?}: {error}"
        );
    }
}

#[test]
fn operations_are_started_and_looked_at_over_rest() {
    let node = Node::start(&["--sample-size", "8"]);
    assert_eq!(
        node.get("/task_manager/list_modules").1,
        serde_json::json!(["repair", "backup", "compaction"])
    );
    let (code, tasks) = node.get("/task_manager/list_module_tasks/repair");
    assert_eq!(
        (code, tasks.as_array().map(Vec::len)),
        (200, Some(1)),
        "the one of the first round"
    );

    let id = node.operate("repair?keyspace=shop&table=orders");
    let status = node.wait(&id);
    assert_eq!(
        (&status["state"], &status["keyspace"]),
        (&"done".into(), &"shop".into())
    );
    assert_eq!(status["progress_completed"], status["progress_total"]);
    let (code, tree) = node.get(&format!("/task_manager/task_status_recursive/{id}"));
    assert_eq!(
        (code, tree.as_array().map(Vec::len)),
        (200, Some(2)),
        "the node, the keyspace: {tree}"
    );

    // Operations on the same keyspaces at once wait for each other.
    let operations = [
        "compaction",
        "repair",
        "backup?keyspace=shop",
        "compaction?keyspace=shop",
        "repair",
    ];
    let ids = operations.map(|operation| node.operate(operation));
    for (id, operation) in ids.iter().zip(operations) {
        let status = node.wait(id);
        assert_eq!(status["state"], "done", "{operation}: {status}");
    }
}

#[test]
fn wrong_requests_get_clear_errors() {
    let node = Node::start(&["--sample-size", "1"]);
    let message = |(code, body): (u16, Value)| {
        (
            code,
            body["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (code, text) = message(node.post("/node/repair?keyspace=nosuch"));
    assert!(
        code == 400 && text.contains("\"nosuch\"") && text.contains("library, metrics, shop"),
        "{code} {text}"
    );
    let (code, text) = message(node.post("/node/repair?keyspace=metrics&table=orders"));
    assert!(
        code == 400 && text.contains("\"orders\"") && text.contains("hosts, samples"),
        "{code} {text}"
    );
    let (code, text) = message(node.post("/node/backup?table=orders"));
    assert!(
        code == 400 && text.contains("whole keyspaces"),
        "{code} {text}"
    );
    let (code, text) = message(node.post("/node/cleanup"));
    assert!(
        code == 404 && text.contains("repair, backup, compaction"),
        "{code} {text}"
    );
    assert_eq!(
        node.agent
            .get(format!("{}/node/repair", node.address))
            .call()
            .expect("an answer")
            .status(),
        405
    );
}

#[test]
fn the_printed_commands_work_as_printed() {
    if Command::new("curl").arg("--version").output().is_err() {
        return println!("curl is not installed");
    }
    let node = Node::start(&["--sample-size", "8"]);
    let commands: Vec<_> = node
        .printed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl"))
        .collect();
    assert!(commands.len() >= 5, "{}", node.printed);
    for command in commands {
        let output = Command::new("sh")
            .args(["-c", command])
            .output()
            .expect("a shell");
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{command}\n  {text}");
        assert!(output.status.success(), "{command}");
        assert!(!text.contains("\"message\""), "{command}: {text}");
    }
}

#[test]
fn running_operations_are_aborted_for_real() {
    let node = Node::start(&["--sample-size", "96"]);
    let parts = [
        ("repair", "integrity check"),
        ("backup", "online backup"),
        ("compaction", "reindex"),
        ("compaction", "vacuum"),
    ];
    for (operation, part) in parts {
        let took = (0..10).find_map(|_| abort(&node, operation, part));
        let took = took.unwrap_or_else(|| panic!("{part} was always over too soon"));
        println!("{part}: aborted in {took:?}");
        assert!(took < ABORT, "{part} took {took:?}");
        // Nothing is left locked or half done.
        let again = node.wait(&node.operate(operation));
        assert_eq!(again["state"], "done", "{again}");
    }
}

/// Aborts an operation while a part of it runs, and returns how long it took to end; nothing if it
/// was over before.
fn abort(node: &Node, operation: &str, part: &str) -> Option<Duration> {
    let id = node.operate(operation);
    if !node.comes_to(operation, &id, part) {
        return None;
    }
    let asked = Instant::now();
    let (code, body) = node.post(&format!("/task_manager/abort_task/{id}"));
    assert_eq!(code, 200, "{body}");
    let status = node.wait(&id);
    if status["state"] == "done" {
        return None;
    }
    let error = status["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("aborted: "), "{status}");
    Some(asked.elapsed())
}

#[test]
fn a_signal_ends_the_node_and_tells_what_was_aborted() {
    for signal in ["INT", "TERM"] {
        let mut node = Node::start(&["--sample-size", "64"]);
        let id = node.operate("backup");
        assert!(node.comes_to("backup", &id, "online backup"));
        node.signal(signal);
        let (code, text) = node.end();
        assert_eq!(code, Some(0), "{signal}: {text}");
        let line = line(&text, "backup");
        assert!(
            line.contains(&id) && line.contains("aborted"),
            "{signal}: {line}"
        );
    }
}

#[test]
fn a_signal_ends_the_first_round_too() {
    let mut node = Node::begin(&["--sample-size", "64"]);
    thread::sleep(Duration::from_millis(100));
    node.signal("INT");
    let (code, text) = node.end();
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("curl"), "nothing to try any more: {text}");
}
