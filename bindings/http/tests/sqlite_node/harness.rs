//! The example as a child process: found, started, spoken to, and ended.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything here may take, even on a slow and busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The example, as it is now.
fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let test = std::env::current_exe().expect("this test has a path");
        let built = test
            .ancestors()
            .nth(2)
            .expect("the test is in a target directory");
        if let Ok(cargo) = std::env::var("CARGO") {
            build(&cargo, built);
        }
        let name = format!("sqlite_node{}", std::env::consts::EXE_SUFFIX);
        let example = built.join("examples").join(name);
        assert!(example.exists(), "{} has not been built", example.display());
        example
    })
}

/// `cargo test` has built the example next to the tests, but `cargo test --test sqlite_node` has not.
fn build(cargo: &str, built: &Path) {
    let target = built
        .parent()
        .expect("the profile is in a target directory");
    let profile = match built.file_name().and_then(OsStr::to_str) {
        None | Some("debug") => "dev",
        Some(other) => other,
    };
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--package",
        "taskmgr-http",
        "--example",
        "sqlite_node",
    ]);
    command
        .args(["--profile", profile, "--target-dir"])
        .arg(target);
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(
        status.expect("cargo runs").success(),
        "the example does not build"
    );
}

/// Runs the example to its end.
pub(super) fn run(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(example())
        .args(arguments)
        .output()
        .expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    (output, text)
}

/// The example while it serves.
pub(super) struct Node {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) address: String,
    pub(super) agent: ureq::Agent,
    /// What it printed up to the commands to try.
    pub(super) printed: String,
}

impl Node {
    /// Starts it on a free port, and waits until the first round is over.
    pub(super) fn start(arguments: &[&str]) -> Node {
        let mut node = Node::begin(arguments);
        while !node.read_line().contains("Ctrl-C") {}
        node
    }

    /// Starts it on a free port, and waits until it serves.
    pub(super) fn begin(arguments: &[&str]) -> Node {
        let mut child = Command::new(example())
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
        let mut node = Node {
            child,
            stdout,
            address: String::new(),
            agent,
            printed: String::new(),
        };
        while node.address.is_empty() {
            let line = node.read_line();
            node.address = line
                .split_whitespace()
                .find(|word| word.starts_with("http://"))
                .unwrap_or_default()
                .to_owned();
        }
        node
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        let read = self
            .stdout
            .read_line(&mut line)
            .expect("the example prints text");
        assert!(
            read > 0,
            "the example has ended after printing:\n{}",
            self.printed
        );
        self.printed += &line;
        line
    }

    pub(super) fn get(&self, path: &str) -> (u16, Value) {
        answer(self.agent.get(format!("{}{path}", self.address)).call())
    }

    pub(super) fn post(&self, path: &str) -> (u16, Value) {
        answer(
            self.agent
                .post(format!("{}{path}", self.address))
                .send_empty(),
        )
    }

    /// Starts an operation as a user, and returns its id.
    pub(super) fn operate(&self, operation: &str) -> String {
        let (code, id) = self.post(&format!("/node/{operation}"));
        assert_eq!(code, 200, "{id}");
        id.as_str().expect("an id as a JSON string").to_owned()
    }

    pub(super) fn wait(&self, id: &str) -> Value {
        let (code, status) = self.get(&format!("/task_manager/wait_task/{id}?timeout=60"));
        assert_eq!(code, 200, "{status}");
        status
    }

    /// Waits until a part of the operation `id` runs that is of type `part`; false when it is over.
    pub(super) fn comes_to(&self, operation: &str, id: &str, part: &str) -> bool {
        let path = format!("/task_manager/list_module_tasks/{operation}?internal=true");
        let is_part = |task: &Value| task["type"] == part && task["scope"] != "node";
        loop {
            let (code, tasks) = self.get(&path);
            assert_eq!(code, 200, "{tasks}");
            let running = tasks.as_array().expect("a list").iter();
            let mut running = running.filter(|task| task["state"] == "running");
            if running.clone().any(is_part) {
                return true;
            }
            if !running.any(|task| task["task_id"] == id) {
                return false;
            }
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args([format!("-{name}"), pid])
            .status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end, and returns the exit status with all that was printed.
    pub(super) fn end(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stdout
            .read_to_string(&mut rest)
            .expect("the example prints text");
        let status = self.child.wait().expect("the example ends");
        println!("{rest}");
        (status.code(), rest)
    }
}

impl Drop for Node {
    /// Ends it cleanly, so that it removes its sample data, and by force if that does not help.
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let running = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        if running(&mut self.child) {
            self.signal("TERM");
        }
        while running(&mut self.child) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.expect("the host answers");
    let text = response.body_mut().read_to_string().expect("a text");
    let value = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).expect("JSON")
    };
    (response.status().as_u16(), value)
}
