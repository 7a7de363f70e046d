//! The virtual tasks of a schedule: one of each module, which never ends.

use std::sync::Mutex;

use crate::{BoxError, Completion, Provider, Stats, Status, Uuid};

/// Those of the modules.
pub const VIRTUAL: [Uuid; 2] = [Uuid::from_u128(0xa), Uuid::from_u128(0xb)];

/// A provider of a module's virtual task. Those who watch it go with it.
pub struct Elsewhere {
    id: Uuid,
    watched: Mutex<Vec<Completion>>,
}

impl Elsewhere {
    pub fn new(module: usize) -> Self {
        Self {
            id: VIRTUAL[module],
            watched: Mutex::default(),
        }
    }
}

impl Provider for Elsewhere {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(self.id, "elsewhere")])
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == self.id).then(|| Status::new(id, "elsewhere")))
    }

    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Err("it goes on".into())
    }

    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.watched.lock().unwrap().push(done);
        Ok(())
    }
}
