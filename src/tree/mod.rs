//! How tasks hang together: links, folding, the reach of an abort, the walk from parent
//! to children. It says what has settled, and acts on nothing else.

pub(crate) mod abort;
pub(crate) mod bytes;
pub(crate) mod descend;
pub(crate) mod family;
pub(crate) mod fold;
pub(crate) mod hooks;
pub(crate) mod kids;
pub(crate) mod links;
pub(crate) mod record;
pub(crate) mod room;
pub(crate) mod root;
pub(crate) mod roots;
pub(crate) mod tour;
pub(crate) mod walk;
