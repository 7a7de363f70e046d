//! How much is kept of the texts of the host's: of each error and reason, and of all below a root
//! (fold_4).

mod common;

use common::{Node, node, node_with};
use taskmgr::{BoxError, Status, Task};

const MOST: usize = 4 << 10;
const MOST_KEPT: usize = 1 << 20;

/// A text of so many bytes, of characters of three.
fn long(bytes: usize) -> String {
    "€".repeat(bytes / 3) + &"-".repeat(bytes % 3)
}

fn root(node: &Node) -> Task {
    node.module.task("root").start().unwrap()
}

fn child(parent: &Task) -> Task {
    parent.child("part").start().unwrap()
}

/// Whether it is what an error says that was longer by so much.
fn assert_cut(text: Option<&str>, begins: &str, bytes: usize) {
    let text = text.unwrap();
    let mark = format!("€… (cut, {bytes} bytes in all)");
    assert!(
        text.len() <= MOST && text.len() > MOST - 4,
        "{}",
        text.len()
    );
    let ends = &text[text.floor_char_boundary(MOST - 64)..];
    assert!(text.starts_with(begins) && text.ends_with(&mark), "{ends}");
}

/// A way to end a task as failed.
type End = fn(Task);

#[test]
fn fold_4_an_error_is_cut_however_it_comes_and_wherever_it_is_shown() {
    let node = node();
    let root = root(&node);
    let begins = &long(3_000);
    let ends: [(&str, End); 4] = [
        ("", |task| task.fail(long(64_000)).unwrap()),
        ("", |task| task.share().fail(long(64_000)).unwrap()),
        ("", |task| {
            let failed: Result<(), _> = task.run(|_| Err(BoxError::from(long(64_000))));
            assert_eq!(
                failed.unwrap_err().to_string().len(),
                64_000,
                "the host's own"
            );
        }),
        ("aborted: enough: ", |task| {
            task.abort("enough").unwrap();
            task.fail(long(64_000)).unwrap();
        }),
    ];
    for (before, end) in ends {
        let parent = child(&root);
        let (id, task) = (parent.id(), child(&parent));
        let observer = task.observe();
        end(task);
        let begins = &format!("{before}{begins}");
        let bytes = before.len() + 64_000;
        assert_cut(observer.wait().unwrap().error.as_deref(), begins, bytes);
        let tree = parent.observe().status_tree().unwrap();
        assert_cut(tree[1].error.as_deref(), begins, bytes);
        assert_cut(tree[0].first_error.as_deref(), begins, bytes);
        parent.finish().unwrap();
        let tree = root.observe().status_tree().unwrap();
        let record = tree.iter().find(|status| status.id == id).unwrap();
        assert_cut(record.first_error.as_deref(), begins, bytes);
    }
}

#[test]
fn abort_3_a_reason_is_cut_and_leaves_room_for_the_error_of_the_work() {
    let node = node();
    let root = root(&node);
    let task = child(&root);
    task.abort(&long(64_000)).unwrap();
    let reason = task.status().unwrap().abort.unwrap().reason;
    let mark = "€… (cut, 64000 bytes in all)";
    assert!(reason.len() <= MOST / 2 && reason.len() > MOST / 2 - 4);
    assert!(
        reason.starts_with(&long(1_800)) && reason.ends_with(mark),
        "{reason}"
    );
    let told = format!("aborted: {reason}");
    assert_eq!(task.check_abort().unwrap_err().to_string(), told);
    let handed_on = child(&root);
    handed_on.abort(&long(64_000)).unwrap();
    let error = handed_on.check_abort().unwrap_err();
    handed_on.fail(error).unwrap();
    task.fail(format!("and {}", long(4_000))).unwrap();
    let tree = root.observe().status_tree().unwrap();
    let both = tree[1].error.as_deref().unwrap();
    assert!(both.starts_with(&format!("{told}: and €€€")) && both.len() <= MOST);
    assert_eq!(tree[1].abort.as_ref().unwrap().reason, reason);
    assert_eq!(tree[2].error.as_deref(), Some(&*told), "once");
}

/// The error of this child, as long as one may be.
fn error(at: usize) -> String {
    format!("{at} {}", "x".repeat(MOST - 8))
}

/// How many texts there is no room for, and how much the others take.
fn texts(tree: &[Status]) -> (usize, usize) {
    let all = tree[1..]
        .iter()
        .flat_map(|status| [&status.error, &status.first_error]);
    let all: Vec<&str> = all.filter_map(Option::as_deref).collect();
    let left_out = all.iter().filter(|text| text.starts_with("(not kept: "));
    let left_out = left_out.count();
    let kept = all.iter().filter(|text| !text.starts_with("(not kept: "));
    (left_out, kept.map(|text| text.len()).sum())
}

#[test]
fn fold_4_a_root_keeps_a_mebibyte_of_errors_and_loses_nothing_else() {
    const MANY: usize = 600;

    let node = node();
    // Each root begins anew, also in the memory of one before.
    for _ in 0..3 {
        let root = root(&node);
        for at in 0..MANY {
            let task = child(&root);
            let observer = task.observe();
            task.fail(error(at)).unwrap();
            assert_eq!(observer.status().unwrap().error, Some(error(at)), "its own");
        }
        let tree = root.observe().status_tree().unwrap();
        let (left_out, bytes) = texts(&tree);
        assert!(bytes <= MOST_KEPT && bytes > MOST_KEPT - MOST, "{bytes}");
        let kept = bytes / error(100).len();
        assert!(left_out >= MANY - kept - 1, "{left_out}");
        for (at, status) in tree[1..].iter().enumerate() {
            let text = status.error.as_deref().unwrap();
            assert_eq!(
                text == error(at),
                at < MANY - left_out,
                "those that came first"
            );
        }
        assert_eq!(tree[0].child_counts.failed, MANY as u64);
        assert_eq!(tree[0].first_error, Some(error(0)));
        // Of a parent whose children fail then the first error is known all the same.
        let parent = child(&root);
        child(&parent).fail(error(7)).unwrap();
        assert_eq!(parent.status().unwrap().first_error, Some(error(7)));
        parent.finish().unwrap();
        let tree = root.observe().status_tree().unwrap();
        assert_eq!(texts(&tree), (left_out + 2, bytes));
        assert_eq!(tree[0].first_error, Some(error(0)));
        root.finish().unwrap();
        node.module.drain().unwrap();
    }
}

#[test]
fn fold_4_an_error_that_many_share_is_kept_once() {
    let node = node();
    let root = root(&node);
    let tasks: Vec<Task> = (0..1_000).map(|_| child(&root)).collect();
    let last = child(&root);
    root.abort(&long(2_000)).unwrap();
    tasks.into_iter().for_each(|task| drop(task.finish()));
    last.fail("of its own").unwrap();
    let tree = root.observe().status_tree().unwrap();
    let of_last = tree.last().unwrap().error.as_ref().unwrap();
    assert!(of_last.ends_with(": of its own"), "{of_last}");
    assert_eq!((tree.len(), texts(&tree).0), (1_002, 0));
    let reasons = tree.iter().map(|status| status.abort.as_ref().unwrap());
    assert!(reasons.into_iter().all(|abort| abort.reason == long(2_000)));
}

#[test]
fn fold_4_records_that_go_give_the_room_of_their_errors_back() {
    let node = node_with(|builder| builder.max_kept_per_root(300));
    let root = root(&node);
    let parent = child(&root);
    for at in 0..260 {
        child(&parent).fail(error(at)).unwrap();
    }
    parent.finish().unwrap();
    let kept = |at: usize| {
        child(&root).fail(error(at)).unwrap();
        let tree = root.observe().status_tree().unwrap();
        let last = tree[0].children.last().unwrap().task_id;
        let record = tree.iter().find(|status| status.id == last).unwrap();
        record.error == Some(error(at))
    };
    assert!(!kept(0), "all that there is went to those of the other");
    // Until the tree is full, and what lies deepest has to go.
    let first = (1..100).find(|at| kept(*at));
    assert!(first.is_some_and(|at| kept(at + 1)), "{first:?}");
}

#[test]
fn fold_4_a_first_error_is_known_above_where_a_record_has_no_room_for_it() {
    let node = node();
    let root = root(&node);
    let [quiet, busy] = [child(&root), child(&root)];
    for at in 0..300 {
        child(&busy).fail(error(at)).unwrap();
    }
    let below = child(&quiet);
    child(&below).fail(error(300)).unwrap();
    below.finish().unwrap();
    let tree = quiet.observe().status_tree().unwrap();
    assert_eq!(tree[0].first_error, Some(error(300)));
    assert_eq!(texts(&tree), (2, 0), "the record, and the one below it");
    quiet.finish().unwrap();
    assert_eq!(root.status().unwrap().first_error, Some(error(300)));
}
