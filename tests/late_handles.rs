//! Handles that are made of what has ended, once the memory of its tree is others' or nobody's.

use std::time::Duration;
use taskmgr::Manager;

#[test]
fn abort_2_a_handle_made_after_the_end_says_so_whatever_became_of_the_tree() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    let fillers: Vec<_> = (0..600)
        .map(|_| module.task("f").start().unwrap())
        .collect();
    let root = module.task("r").start().unwrap();
    let long = "x".repeat(5000);
    for _ in 0..300 {
        root.child("c").start().unwrap().fail(&long).unwrap();
    }
    let child = root.child("c").start().unwrap().share();
    child.abort("stop").unwrap();
    assert!(child.finish().is_err());
    assert!(child.reporter().abort_requested(), "before");
    root.finish().unwrap();
    fillers.into_iter().for_each(|f| f.finish().unwrap());
    manager.close(Duration::ZERO).unwrap();
    let (old, new) = (child.abort_requested(), child.reporter().abort_requested());
    assert!(old && new);
    assert!(child.reporter().check_abort().unwrap_err().is_aborted());
}
