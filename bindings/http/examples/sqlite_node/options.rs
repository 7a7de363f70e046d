//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Checks, backs up and compacts SQLite databases, and shows the work as trees of tasks.
///
/// One round of all three operations runs at the start. Then the host serves its task manager over
/// REST, and starts further operations on demand, until it is told to stop with Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "sqlite_node", version)]
pub struct Options {
    /// Directory with SQLite databases (*.db, *.sqlite), each a keyspace
    ///
    /// They are worked on for real: backups go to DIR/backup, and VACUUM rewrites the files. Without
    /// this option, sample data is made in a temporary directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Size of the sample data, all keyspaces together
    #[arg(
        long,
        value_name = "MEGABYTES",
        default_value_t = 48,
        conflicts_with = "data"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub sample_size: u64,

    /// Damage one table of the sample data on disk, so that a failure can be seen
    #[arg(long, conflicts_with = "data")]
    pub damage: bool,

    /// Where to serve REST; port 0 takes any that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:10000", value_parser = address)]
    pub listen: SocketAddr,

    /// How long a finished operation of the first round can be looked at
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub task_ttl_in_seconds: Duration,

    /// How long a finished operation that a user started can be looked at
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub user_task_ttl_in_seconds: Duration,

    /// Keep a finished task when its status is read, until its time to live is over
    #[arg(long)]
    pub keep_on_read: bool,

    /// Serve the endpoints for test harnesses under /task_manager_test
    #[arg(long)]
    pub test_endpoints: bool,

    /// Stop after one round; the exit status is 1 if a task failed
    #[arg(long)]
    pub exit: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .map_err(|error| format!("expected ADDR:PORT, such as 127.0.0.1:10000 ({error})"))?
        .next()
        .ok_or_else(|| "the name has no address".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u32 = text
        .parse()
        .map_err(|_| format!("expected whole seconds from 0 to {}", u32::MAX))?;
    Ok(Duration::from_secs(seconds.into()))
}
