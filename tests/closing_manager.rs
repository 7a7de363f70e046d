//! A manager while a close of it waits: what still runs is found, works on and may be told to abort;
//! nothing new is made (mod_1, life_7).

mod common;

use common::{PATIENCE, node, until, watched};
use taskmgr::{ErrorCode, Filter, State};

#[test]
fn mod_1_what_runs_is_found_and_works_on_while_a_close_of_the_manager_waits() {
    watched(|| {
        let node = node();
        let root = node
            .module
            .task("root")
            .user_task()
            .abortable()
            .start()
            .unwrap();
        let child = root.child("child").start().unwrap();
        let ended = node.module.task("ended").user_task().start().unwrap();
        let ended_id = ended.id();
        ended.finish().unwrap();
        let manager = node.manager.clone();
        let closing = std::thread::spawn(move || manager.close(PATIENCE).unwrap());
        until("the close has come to it", || root.abort_requested());

        let ids = [root.id(), child.id()];
        for id in ids {
            assert_eq!(node.manager.status(id).unwrap().state, State::Running);
            assert_eq!(node.manager.observe(id).unwrap().id(), id);
            node.manager.suspend(id).unwrap();
            node.manager.resume(id).unwrap();
        }
        assert_eq!(node.manager.status_tree(root.id()).unwrap().len(), 2);
        let listed = node.module.list(&Filter::new().internal(true)).unwrap();
        assert!(
            ids.iter()
                .all(|id| listed.iter().any(|stats| stats.id == *id))
        );
        assert_eq!(node.manager.modules().unwrap(), ["m"]);
        assert!(
            node.manager.status(ended_id).is_ok(),
            "until the close is over"
        );

        let closed = |code: ErrorCode| assert_eq!(code, ErrorCode::Closed);
        closed(node.module.task("t").start().unwrap_err().code());
        closed(root.child("t").start().unwrap_err().code());
        closed(root.child("t").entity("e").create().unwrap_err().code());
        closed(child.child("t").start().unwrap_err().code());
        closed(node.manager.register_module("n").unwrap_err().code());

        child.advance(1);
        assert!(child.finish().unwrap_err().is_aborted());
        assert!(root.finish().unwrap_err().is_aborted());
        assert!(closing.join().unwrap().is_complete());
        for id in ids {
            closed(node.manager.status(id).unwrap_err().code());
        }
        closed(node.manager.modules().unwrap_err().code());
        closed(node.module.list(&Filter::new()).unwrap_err().code());
        closed(node.manager.set_task_ttl(PATIENCE).unwrap_err().code());
        assert_eq!(node.manager.tick(), 0);
    });
}
