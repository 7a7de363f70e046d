//! What the routes do.

pub(crate) mod documents;
pub(crate) mod extended;
mod lists;
mod reply;
pub(crate) mod task_manager;
pub(crate) mod test_endpoints;
