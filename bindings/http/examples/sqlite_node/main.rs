//! A host that looks after SQLite databases: the task manager at work on real operations.
//!
//! ```text
//! cargo run --release -p taskmgr-http --example sqlite_node -- --help
//! ```
//!
//! Each database is a keyspace, and its tables are the tables. Three modules work on them:
//!
//! | module | operation | tasks |
//! | --- | --- | --- |
//! | `repair` | `PRAGMA integrity_check` | node, keyspaces, tables; in entries |
//! | `backup` | online backup, page by page | node, keyspaces; in pages |
//! | `compaction` | `REINDEX` and `VACUUM` | node, keyspaces, a reindex for each table and a vacuum; in entries |
//!
//! A part that fails does not stop the others. Its parents fail when all else is done, say how many
//! of their parts failed, and keep the path down to the error. Each operation can be aborted, and
//! stops inside of SQLite within milliseconds: see [`session`], and [`rewrite`] for what writes.
//!
//! Where to read on: [`operation`] has the frame of all three, [`repair`], [`backup`] and
//! [`compaction`] (with [`vacuum`]) the work, [`parts`] the failures, [`routes`] the REST endpoints,
//! [`screen`] what is shown while one runs.

// `pub` says here what a module has for the others.
#![allow(unreachable_pub)]

mod backup;
mod closing;
mod compaction;
mod host;
mod keyspace;
mod operation;
mod options;
mod parts;
mod repair;
mod rewrite;
mod routes;
mod sample;
mod screen;
mod session;
mod stop;
mod vacuum;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::DecimalBytes;
use taskmgr::{BoxError, Manager, State, Status, Tree};
use tempfile::TempDir;

use crate::host::Host;
use crate::operation::Operation;
use crate::options::Options;
use crate::stop::Stop;

/// How long clients may take to fetch their last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The exit status when the host could not run at all.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sqlite_node: {error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, BoxError> {
    let stop = Stop::on_signal()?;
    let (directory, _sample) = data(options)?;
    let manager = Manager::builder()
        .task_ttl(options.task_ttl_in_seconds)
        .user_task_ttl(options.user_task_ttl_in_seconds)
        .keep_on_read(options.keep_on_read)
        .node(options.listen.ip().to_string())
        .build()?;
    let host = Host::open(&directory, manager)?;
    let server = routes::start(&host, options)?;
    println!("Serving on http://{}\n", server.local_addr());

    let round = round(&host, &stop)?;
    if !options.exit && !stop.requested() {
        print_commands(server.local_addr(), &round);
        stop.wait();
    }
    if stop.requested() {
        println!("Closing: what still runs is told to abort.");
    }
    closing::close(&host)?;
    server.stop(LAST_ANSWERS);
    let failed = stop.requested() || round.iter().any(|task| task.state == State::Failed);
    Ok(ExitCode::from(u8::from(options.exit && failed)))
}

/// Where the databases are: in a directory of the user's, or in one with sample data, which is
/// removed when it is dropped.
fn data(options: &Options) -> Result<(PathBuf, Option<TempDir>), BoxError> {
    if let Some(directory) = &options.data {
        return Ok((directory.clone(), None));
    }
    let start = Instant::now();
    let directory = TempDir::with_prefix("sqlite_node-")?;
    sample::create(directory.path(), options.sample_size)?;
    let (size, path) = (options.sample_size, directory.path().display());
    let time = start.elapsed().as_secs_f64();
    println!("Made {size} MB of sample data in {path} ({time:.1} s)");
    if options.damage {
        println!("Damaged a page of {}", sample::damage(directory.path())?);
    }
    Ok((directory.path().to_owned(), Some(directory)))
}

/// Runs every operation on everything, one after the other, until the host is to stop; returns how
/// they ended.
fn round(host: &Host, stop: &Stop) -> Result<Vec<Status>, BoxError> {
    let before = host.size();
    let mut ends = Vec::new();
    for operation in Operation::ALL {
        if stop.requested() {
            break;
        }
        let task = host.start(operation, host.select(None, None)?, false)?;
        let tree = screen::follow(&task, stop)?;
        if !stop.requested() {
            println!("{}", Tree::new(&tree));
        }
        ends.extend(tree.into_iter().next());
    }
    if !stop.requested() {
        let (before, after) = (DecimalBytes(before), DecimalBytes(host.size()));
        println!("The databases took {before} before, and take {after} now.\n");
    }
    Ok(ends)
}

fn print_commands(address: SocketAddr, round: &[Status]) {
    let ids: Vec<_> = round.iter().map(|task| task.id).collect();
    let [repair, backup, ..] = ids[..] else {
        return;
    };
    println!(
        "\
Try, in another terminal:

  # the modules, and the tasks of one of them
  curl -s http://{address}/task_manager/list_modules
  curl -s 'http://{address}/task_manager/list_module_tasks/repair?internal=true'

  # a task, and a tree of tasks; reading a task that has ended unregisters it
  curl -s http://{address}/task_manager/task_status/{backup}
  curl -s http://{address}/task_manager/task_status_recursive/{repair}

  # start an operation, on everything or on a part, and wait for it
  curl -s -X POST 'http://{address}/node/repair?keyspace=&table='
  curl -s http://{address}/task_manager/wait_task/$(curl -s -X POST http://{address}/node/compaction | tr -d '\"')

  # start one, and abort it
  curl -s -X POST http://{address}/task_manager/abort_task/$(curl -s -X POST http://{address}/node/backup | tr -d '\"')

Ctrl-C ends the host."
    );
}
