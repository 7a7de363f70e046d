//! What must be the same in both: each id's fate, lists, and every status in every tree.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use taskmgr::{Filter, Status, Uuid};

use super::pair::Pair;
use super::{Fate, MODULES, Record};

impl Pair {
    pub fn compare(&self) {
        let ids: BTreeSet<Uuid> = self.model.tasks.iter().filter_map(|task| task.id).collect();
        for id in ids {
            match (self.manager.status_tree(id), self.model.fate(id)) {
                (Ok(tree), Fate::Lives(task)) => self.compare_tree(&tree, task),
                (Err(error), Fate::Gone(gone)) => {
                    let answer = error.gone().unwrap_or_else(|| panic!("{error}"));
                    assert!(gone.contains(&answer), "{error}: {gone:?}");
                }
                (Err(error), Fate::Forgotten) => assert!(error.is_not_found(), "{error}"),
                (Ok(tree), fate) => panic!("shown, but {fate:?}: {:?}", tree[0]),
                (Err(error), Fate::Lives(task)) => panic!("task {task} is not shown: {error}"),
            }
        }
        for module in (0..2).filter(|module| self.is_registered(*module)) {
            self.compare_list(module, false);
            self.compare_list(module, true);
        }
    }

    fn compare_list(&self, module: usize, internal: bool) {
        let filter = Filter::new().internal(internal);
        let listed = self.manager.list(MODULES[module], &filter).unwrap();
        let mut expected: Vec<(u64, Uuid, usize)> = Vec::new();
        for (task, at) in self.model.tasks.iter().enumerate() {
            let hidden = at.wish.internal || at.parent.is_some();
            if at.wish.module == module && at.gone.is_none() && (internal || !hidden) {
                expected.push((at.born, at.id.unwrap(), task));
            }
        }
        expected.sort_unstable();
        assert_eq!(listed.len(), expected.len());
        for (stats, (born, id, task)) in listed.iter().zip(expected) {
            let at = &self.model.tasks[task];
            assert_eq!((stats.id, stats.state), (id, at.state()), "task {task}");
            assert_eq!(stats.created_at, utc(born));
            assert_eq!(
                (stats.sequence_number, stats.shard),
                (at.sequence, at.shard)
            );
            let times = (at.started_at.map(utc), at.ended_at.map(utc));
            assert_eq!((stats.start_time, stats.end_time), times, "task {task}");
        }
    }

    /// Breadth-first, siblings by creation, live and kept ones alike.
    fn compare_tree(&self, tree: &[Status], root: usize) {
        let mut expected = vec![Node::Live(root)];
        let mut at = 0;
        while at < expected.len() {
            let mut children: Vec<Node<'_>> = match expected[at] {
                Node::Live(task) => {
                    let task = &self.model.tasks[task];
                    let kept = task.succeeded.iter().chain(&task.failed).map(Node::Kept);
                    kept.chain(task.live.iter().map(|live| Node::Live(*live)))
                        .collect()
                }
                Node::Kept(record) => record.children.iter().map(Node::Kept).collect(),
            };
            children.sort_by_key(|node| node.task());
            expected.append(&mut children);
            at += 1;
        }
        assert_eq!(tree.len(), expected.len(), "the tree of task {root}");
        for (status, node) in tree.iter().zip(&expected) {
            self.compare_identity(status, node);
            self.compare_abort(status, node);
            self.compare_figures(status, node);
        }
    }

    fn compare_identity(&self, status: &Status, node: &Node<'_>) {
        let number = node.task();
        let task = &self.model.tasks[number];
        if let Some(id) = task.id {
            assert_eq!(status.id, id, "task {number}");
        }
        assert_eq!(status.state, task.state(), "task {number}");
        assert_eq!(status.error, task.ended.clone().flatten(), "task {number}");
        assert_eq!(&*status.module, MODULES[task.wish.module], "task {number}");
        assert_eq!(
            (status.sequence_number, status.shard),
            (task.sequence, task.shard),
            "task {number}"
        );
        assert_eq!(
            (status.is_abortable, status.user_task, status.internal),
            (
                task.wish.abortable,
                task.wish.user,
                task.wish.internal || task.parent.is_some()
            ),
            "task {number}"
        );
        let parent = task.parent.map(|parent| self.model.tasks[parent].id);
        if parent != Some(None) {
            assert_eq!(status.parent_id, parent.flatten(), "task {number}");
        }
        let times = (task.started_at.map(utc), task.ended_at.map(utc));
        assert_eq!((status.start_time, status.end_time), times, "task {number}");
        assert_eq!(status.settled, task.settled, "task {number}");
    }

    fn compare_abort(&self, status: &Status, node: &Node<'_>) {
        let number = node.task();
        let task = &self.model.tasks[number];
        let aborted = status.abort.as_ref().map(|abort| abort.reason.clone());
        let expected = match task.settled {
            // Fixed by the end; later aborts of it, before it settled, are kept too.
            true => task.ended_by_abort.clone().or_else(|| task.abort.clone()),
            false => self.model.reached(number),
        };
        assert_eq!(aborted, expected, "abort_3: task {number}");
    }

    fn compare_figures(&self, status: &Status, node: &Node<'_>) {
        let number = node.task();
        let task = &self.model.tasks[number];
        let (shown, not_kept, first_error) = match node {
            Node::Live(task) => {
                let shown = self.model.shown(*task);
                let task = &self.model.tasks[*task];
                assert_eq!(status.child_counts.live, task.live.len() as u64);
                (shown, task.counts.2, &task.first_error)
            }
            Node::Kept(record) => (record.shown.clone(), record.not_kept, &record.first_error),
        };
        let progress = (
            status.progress.completed,
            status.progress.total,
            &*status.progress.units,
        );
        let total = shown.total.unwrap_or(0).max(shown.completed);
        assert_eq!(
            progress,
            (shown.completed, total, &*shown.units),
            "task {number}"
        );
        assert_eq!(
            status.progress.total_known,
            shown.total.is_some(),
            "task {number}"
        );
        assert_eq!(status.first_error, *first_error, "task {number}");
        let counts = (status.child_counts.succeeded, status.child_counts.failed);
        assert_eq!(counts, (task.counts.0, task.counts.1), "task {number}");
        assert_eq!(status.child_counts.not_kept, not_kept, "task {number}");
    }
}

/// A manual clock starts at 2020-01-01T00:00:00Z.
fn utc(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800 + seconds)
}

enum Node<'a> {
    Live(usize),
    Kept(&'a Record),
}

impl Node<'_> {
    fn task(&self) -> usize {
        match self {
            Self::Live(task) => *task,
            Self::Kept(record) => record.task,
        }
    }
}
