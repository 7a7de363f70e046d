//! The host: its keyspaces, its task manager, and the operations it can start.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use taskmgr::{BoxError, Filter, Manager, Observer};

use crate::keyspace::Keyspace;
use crate::operation::Operation;

#[derive(Clone)]
pub struct Host {
    pub manager: Manager,
    keyspaces: Vec<Arc<Keyspace>>,
    backups: PathBuf,
}

/// What an operation is to work on.
pub struct Selection {
    pub keyspaces: Vec<Arc<Keyspace>>,
    /// A single table of each, where there is a name.
    pub table: Option<String>,
}

impl Host {
    /// A host over the databases in `directory`, with a module for each operation.
    pub fn open(directory: &Path, manager: Manager) -> Result<Host, BoxError> {
        let place = directory.display();
        let keyspaces =
            Keyspace::find(directory).map_err(|error| format!("cannot read {place}: {error}"))?;
        if keyspaces.is_empty() {
            return Err(format!("no *.db or *.sqlite in {place}").into());
        }
        for operation in Operation::ALL {
            manager.register_module(operation.module())?;
        }
        let keyspaces = keyspaces.into_iter().map(Arc::new).collect();
        let backups = directory.join("backup");
        Ok(Host {
            manager,
            keyspaces,
            backups,
        })
    }

    /// Bytes on disk.
    pub fn size(&self) -> u64 {
        self.keyspaces.iter().map(|keyspace| keyspace.size()).sum()
    }

    /// Everything, or only what has these names. The error tells what there is to choose from.
    pub fn select(
        &self,
        keyspace: Option<String>,
        table: Option<String>,
    ) -> Result<Selection, String> {
        let mut keyspaces = self.keyspaces.clone();
        if let Some(name) = &keyspace {
            check(
                "keyspace",
                name,
                keyspaces.iter().map(|keyspace| &keyspace.name),
            )?;
            keyspaces.retain(|keyspace| keyspace.name == *name);
        }
        if let Some(name) = &table {
            check(
                "table",
                name,
                keyspaces.iter().flat_map(|keyspace| &keyspace.tables),
            )?;
            keyspaces.retain(|keyspace| keyspace.tables.contains(name));
        }
        Ok(Selection { keyspaces, table })
    }

    /// Starts an operation in the background.
    pub fn start(
        &self,
        operation: Operation,
        selection: Selection,
        by_user: bool,
    ) -> taskmgr::Result<Observer> {
        let keyspace = match &selection.keyspaces[..] {
            [only] => only.name.clone(),
            _ => String::new(),
        };
        let table = selection.table.clone().unwrap_or_default();
        let module = self.manager.module(operation.module())?;
        let task = module
            .task(operation.task_type())
            .scope("node")
            .keyspace(&keyspace);
        let task = task.table(&table).abortable();
        let task = if by_user { task.user_task() } else { task };
        let backups = self.backups.clone();
        let running = task.spawn(move |task| {
            let outcome = operation.run(task, &selection, &backups);
            // What fails because of an abort is not worth a word.
            task.check_abort()?;
            outcome
        })?;
        Ok(running.observer().clone())
    }

    /// The operations that are under way.
    pub fn running(&self) -> Vec<Observer> {
        let modules = self.manager.modules().unwrap_or_default();
        let lists = modules
            .iter()
            .map(|module| self.manager.list(module, &Filter::new()));
        let live = lists
            .flatten()
            .flatten()
            .filter(|task| !task.state.is_terminal());
        live.filter_map(|task| self.manager.observe(task.id).ok())
            .collect()
    }
}

fn check<'a>(
    noun: &str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    let known: BTreeSet<_> = known.map(String::as_str).collect();
    if known.contains(name) {
        return Ok(());
    }
    let known = Vec::from_iter(known).join(", ");
    Err(format!("unknown {noun} \"{name}\"; there are {known}"))
}
