//! One task on its own; a node knows no other node.

pub(crate) mod callback;
pub(crate) mod extras;
pub(crate) mod label;
pub(crate) mod progress;
pub(crate) mod slot;
pub(crate) mod text;
pub(crate) mod word;
