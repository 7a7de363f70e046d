//! prodash: a tree of progress items with names and messages.

use std::sync::Arc;

use prodash::tree::{Item, Root};

use crate::ours::{Names, Unique};

/// As many children as fit under one item of prodash's, with room to spare: its ids are of
/// 16 bits.
pub const CHILDREN: usize = 32_768;

/// A tree with a parent in it.
#[derive(Debug)]
pub struct Tree {
    /// The tree.
    pub root: Arc<Root>,
    parent: Item,
    name: String,
}

impl Tree {
    /// With the four names as one text.
    pub fn new() -> Self {
        let root: Arc<Root> = Root::new();
        let name = Names::given().joined();
        let parent = root.add_child(name.as_str());
        Self { root, parent, name }
    }

    fn child(&mut self) -> Item {
        let child = self.parent.add_child(self.name.as_str());
        child.init(Some(1), None);
        child
    }

    /// add_child, init, inc, done, drop. The messages of `done` are kept in a ring, as our
    /// records are.
    pub fn life_cycles(&mut self, count: usize) {
        for _ in 0..count {
            let mut child = self.child();
            child.inc();
            child.done("done");
        }
    }

    /// The same without a message.
    pub fn life_cycles_without_message(&mut self, count: usize) {
        for _ in 0..count {
            let child = self.child();
            child.inc();
        }
    }

    /// The same with a name of its own for each.
    pub fn life_cycles_with_names(&mut self, count: usize) {
        let mut name = Unique::default();
        for _ in 0..count {
            let mut child = self.parent.add_child(name.another());
            child.init(Some(1), None);
            child.inc();
            child.done("done");
        }
    }

    /// Live children; beyond [`CHILDREN`] they are spread over more parents, which are in
    /// the list too.
    pub fn children(&mut self, count: usize) -> Vec<Item> {
        let mut items = Vec::with_capacity(count + count / CHILDREN + 1);
        while items.len() < count {
            let mut parent = self.root.add_child(self.name.as_str());
            let here = CHILDREN.min(count - items.len());
            items.extend((0..here).map(|_| {
                let child = parent.add_child(self.name.as_str());
                child.init(Some(1), None);
                child
            }));
            items.push(parent);
        }
        items
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}
