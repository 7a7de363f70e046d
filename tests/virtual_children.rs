//! Local children of virtual tasks (tree_1): each is its own parent's, for as long as it is there.

mod common;

use common::{Node, PATIENCE, node_with, seconds};
use taskmgr::{BoxError, Completion, Kind, Provider, Stats, Status, Task, Uuid};

const ONE: Uuid = Uuid::from_u128(0xc1);
const OTHER: Uuid = Uuid::from_u128(0xc2);

struct Two;

impl Provider for Two {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok([ONE, OTHER]
            .contains(&id)
            .then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

fn stage() -> Node {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    node.module.register_provider(Two).unwrap();
    node
}

impl Node {
    fn child_of(&self, parent: Uuid) -> Task {
        let child = self.module.task("local").user_task().parent_id(parent);
        child.start().unwrap()
    }

    fn children_of(&self, parent: Uuid) -> Vec<Uuid> {
        let status = self.manager.status(parent).unwrap();
        let tree = self.manager.status_tree(parent).unwrap();
        let below: Vec<Uuid> = tree[1..]
            .iter()
            .filter(|status| status.parent_id == Some(parent))
            .map(|status| status.id)
            .collect();
        let children: Vec<Uuid> = status.children.iter().map(|child| child.task_id).collect();
        assert_eq!(children, below);
        assert_eq!(status.kind, Kind::Cluster);
        children
    }
}

#[test]
fn tree_1_each_virtual_task_has_its_own_children_in_order_of_creation() {
    let node = stage();
    let first = node.child_of(ONE);
    let others = node.child_of(OTHER);
    node.clock.advance(seconds(1));
    let second = node.child_of(ONE);
    let grandchild = first.child("g").start().unwrap();
    // None of it is a child of a virtual task.
    let root = node.module.task("root").start().unwrap();
    let child = root.child("c").start().unwrap();
    assert_eq!(node.children_of(ONE), [first.id(), second.id()]);
    assert_eq!(node.children_of(OTHER), [others.id()]);
    let tree = node.manager.status_tree(ONE).unwrap();
    let ids: Vec<Uuid> = tree.iter().map(|status| status.id).collect();
    assert_eq!(ids, [ONE, first.id(), second.id(), grandchild.id()]);
    drop((child, grandchild));
}

#[test]
fn virt_1_an_id_of_which_no_provider_has_a_status_is_nobodys() {
    let node = stage();
    let unknown = Uuid::from_u128(0xc3);
    assert!(node.manager.observe(unknown).unwrap_err().is_not_found());
    assert!(node.manager.status(unknown).unwrap_err().is_not_found());
    let child = node.module.task("t").parent_id(unknown);
    assert!(child.start().unwrap_err().is_not_found());
    let taken = node.module.task("t").id(unknown).start().unwrap();
    assert_eq!(node.manager.status(unknown).unwrap().kind, Kind::Node);
    drop(taken);
}

#[test]
fn tree_1_a_child_that_is_gone_is_no_child_of_a_virtual_task_whoever_still_holds_it() {
    let node = stage();
    let stays = node.child_of(ONE);
    for is_taken in [false, true] {
        let goes = node.child_of(ONE);
        let observer = goes.observe();
        assert_eq!(node.children_of(ONE).len(), 2);
        goes.finish().unwrap();
        assert_eq!(node.children_of(ONE).len(), 2, "it is kept");
        match is_taken {
            true => drop(node.manager.take_status(observer.id()).unwrap()),
            // Expired, and not yet swept.
            false => node.clock.advance(seconds(600)),
        }
        assert_eq!(node.children_of(ONE), [stays.id()]);
        assert!(observer.status().is_ok());
    }
}
