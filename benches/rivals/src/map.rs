//! dashmap with a fast hash: the usual way from an id to a task.

use std::hint::black_box;
use std::sync::Arc;

use dashmap::DashMap;
use foldhash::fast::RandomState;
use uuid::Uuid;

/// What a task of this kind takes; the bytes of a status.
type Task = [u64; 24];

/// A registry.
#[derive(Debug)]
pub struct Map {
    tasks: DashMap<Uuid, Arc<Task>, RandomState>,
}

impl Map {
    /// With these ids in it.
    pub fn of(ids: &[Uuid]) -> Self {
        let tasks = DashMap::with_hasher(RandomState::default());
        for id in ids {
            tasks.insert(*id, Arc::new([0; 24]));
        }
        Self { tasks }
    }

    /// Looks each up, and takes a reference and drops it.
    pub fn look_ups(&self, ids: &[Uuid]) {
        for id in ids {
            let found = self.tasks.get(id).map(|task| Arc::clone(&task));
            black_box(found.expect("all are registered"));
        }
    }
}
