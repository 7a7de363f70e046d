//! What all requests to an API share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use taskmgr::Manager;

use crate::config::ApiConfig;
use crate::test_tasks::TestTasks;

/// What all requests to an API share.
pub(crate) struct Context {
    pub(crate) manager: Manager,
    pub(crate) config: ApiConfig,
    /// How many waits are parked now.
    pub(crate) pending: Arc<AtomicUsize>,
    pub(crate) test_tasks: Arc<TestTasks>,
}

impl Context {
    pub(crate) fn new(manager: Manager, config: ApiConfig) -> Self {
        Self {
            manager,
            config,
            pending: Arc::default(),
            test_tasks: Arc::default(),
        }
    }
}
