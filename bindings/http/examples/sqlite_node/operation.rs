//! The operations of the host, each a module of the task manager, and what they have in common: a
//! task for the host, over one for each keyspace.

use std::path::Path;

use taskmgr::{BoxError, Task};

use crate::host::Selection;
use crate::keyspace::Keyspace;
use crate::parts::{self, Outcome};
use crate::session::{Session, Survey};
use crate::{backup, compaction, repair};

/// Keyspaces worked on at the same time.
const WORKERS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Repair,
    Backup,
    Compaction,
}

/// What is to be done in one keyspace.
pub struct Job<'a> {
    pub keyspace: &'a Keyspace,
    pub survey: Survey,
    /// The whole keyspace, not a single table of it.
    pub whole: bool,
    /// Where backups go.
    pub backups: &'a Path,
}

impl Operation {
    /// All of them, in the order of a round: check first, then save what is there, then change it.
    pub const ALL: [Operation; 3] = [Operation::Repair, Operation::Backup, Operation::Compaction];

    /// The operation of a module.
    pub fn named(name: &str) -> Option<Operation> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.module() == name)
    }

    pub fn module(self) -> &'static str {
        match self {
            Operation::Repair => "repair",
            Operation::Backup => "backup",
            Operation::Compaction => "compaction",
        }
    }

    /// What its tasks are called.
    pub fn task_type(self) -> &'static str {
        match self {
            Operation::Repair => "integrity check",
            Operation::Backup => "online backup",
            Operation::Compaction => "compaction",
        }
    }

    /// Does the operation in every keyspace of `selection`. The tasks of all keyspaces are there from
    /// the start with their totals, so that the progress of `root` never has to go back.
    pub fn run(self, root: &Task, selection: &Selection, backups: &Path) -> Outcome {
        let mut parts = Vec::new();
        for keyspace in &selection.keyspaces {
            let only = selection.table.as_deref();
            let job = survey(root, keyspace, only).map(|survey| Job {
                keyspace,
                survey,
                whole: only.is_none(),
                backups,
            });
            parts.push((self.part(root, &keyspace.name, job.as_ref().ok())?, job));
        }
        parts::run(root, "keyspaces", parts, WORKERS, |task, job| {
            self.work(task, &job?)
        })
    }

    /// The task for a keyspace, which has its total if it could be read.
    fn part(self, root: &Task, keyspace: &str, job: Option<&Job<'_>>) -> taskmgr::Result<Task> {
        let units = if self == Operation::Backup {
            "pages"
        } else {
            "entries"
        };
        let total = job.map_or(0, |job| self.total(job));
        let part = root
            .child(self.task_type())
            .scope("keyspace")
            .keyspace(keyspace);
        part.total(total, units).create()
    }

    fn total(self, job: &Job<'_>) -> u64 {
        match self {
            Operation::Repair => repair::total(job),
            Operation::Backup => backup::total(job),
            Operation::Compaction => compaction::total(job),
        }
    }

    fn work(self, task: &Task, job: &Job<'_>) -> Outcome {
        match self {
            Operation::Repair => repair::run(task, job),
            Operation::Backup => backup::run(task, job),
            Operation::Compaction => compaction::run(task, job),
        }
    }
}

fn survey(root: &Task, keyspace: &Keyspace, only: Option<&str>) -> Result<Survey, BoxError> {
    let _shared = keyspace.share(root)?;
    Session::open(keyspace, root)?.survey(only)
}
