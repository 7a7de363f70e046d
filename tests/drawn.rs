//! What `Tree` draws of the trees of tasks.

mod common;

use common::{node, node_with};
use taskmgr::{AbortInfo, ChildCounts, ChildId, Name, State, Status, Tree, Uuid};

fn drawn(tree: Tree<'_>) -> Vec<String> {
    tree.to_string().lines().map(str::to_owned).collect()
}

/// A task that no manager has made, as providers and other nodes' answers are.
fn foreign(number: u128, parent: Option<u128>) -> Status {
    let mut status = Status::new(Uuid::from_u128(number), format!("t{number}"));
    status.parent_id = parent.map(Uuid::from_u128);
    status
}

#[test]
fn a_line_says_what_the_task_does_and_on_what_and_how_far_it_is() {
    let node = node();
    let root = node.module.task("repair").scope("keyspace").keyspace("ks");
    let root = root.start().unwrap();
    let events = root
        .child("repair")
        .scope("table")
        .keyspace("ks")
        .table("events");
    let events = events.total(256_000, "ranges").start().unwrap();
    events.advance(64_000);
    let part = events
        .child("range")
        .entity("(0, 5]")
        .total(7, "ranges")
        .start()
        .unwrap();
    part.advance(7);
    part.finish().unwrap();
    let users = root
        .child("repair")
        .table("users")
        .total(1_000_000, "ranges")
        .create();
    let users = users.unwrap();
    let scan = root.child("scan").units("ranges").start().unwrap();
    assert_eq!(
        drawn(Tree::new(&root.observe().status_tree().unwrap())),
        [
            "repair keyspace ks         running    5 %  64,000 of 1,256,000 ranges",
            "├─ repair table ks.events  running   25 %  64,000 of 256,000 ranges",
            "│  └─ range (0, 5]         done     100 %  7 of 7 ranges",
            "├─ repair users            created    0 %  0 of 1,000,000 ranges",
            "└─ scan                    running",
        ]
    );
    drop((scan, users));
}

#[test]
fn a_task_without_progress_shows_its_state_alone() {
    let node = node();
    let root = node.module.task("cleanup").start().unwrap();
    let observer = root.observe();
    let drawn = || Tree::new(&observer.status_tree().unwrap()).to_string();
    assert_eq!(drawn(), "cleanup  running\n");
    root.finish().unwrap();
    assert_eq!(drawn(), "cleanup  done\n");
    assert_eq!(Tree::new([]).to_string(), "");
}

#[test]
fn where_no_total_is_known_there_is_no_fraction() {
    let node = node();
    let root = node.module.task("load").units("records").start().unwrap();
    root.advance(87_025);
    assert_eq!(
        Tree::new(&[root.status().unwrap()]).to_string(),
        "load  running  87,025 records\n"
    );
}

#[test]
fn a_fraction_is_rounded_down_and_never_above_all() {
    for (completed, total, figures) in [
        (0, 3, "  0 %  0 of 3 x"),
        (2, 3, "  66 %  2 of 3 x"),
        (999, 1_000, "  99 %  999 of 1,000 x"),
        (1_000, 1_000, "  100 %  1,000 of 1,000 x"),
        (1_000_000, 1_000_000, "  100 %  1,000,000 of 1,000,000 x"),
        (3, 0, "  3 of 0 x"),
        (4, 2, "  100 %  4 of 2 x"),
        (
            u64::MAX / 2,
            u64::MAX,
            "  49 %  9,223,372,036,854,775,807 of 18,446,744,073,709,551,615 x",
        ),
    ] {
        let mut status = foreign(1, None);
        status.progress.completed = completed;
        status.progress.total = total;
        status.progress.total_known = true;
        status.progress.units = Name::from("x");
        let drawn = Tree::new([&status]).to_string();
        assert_eq!(drawn, format!("t1  running{figures}\n"));
    }
}

#[test]
fn what_failed_says_why_in_one_line() {
    let node = node();
    let root = node.module.task("repair").start().unwrap();
    root.child("a")
        .start()
        .unwrap()
        .fail("timed\nout\n")
        .unwrap();
    root.child("b")
        .start()
        .unwrap()
        .fail("\n  no \t space  \n")
        .unwrap();
    root.child("c")
        .start()
        .unwrap()
        .fail("x".repeat(500))
        .unwrap();
    root.child("d")
        .start()
        .unwrap()
        .fail("\u{1b}[31mred\u{202e}")
        .unwrap();
    root.child("e").start().unwrap().finish().unwrap();
    assert_eq!(
        drawn(Tree::new(&root.observe().status_tree().unwrap())),
        [
            "repair  running  20 %  1 of 5",
            "├─ a    failed                 timed…",
            "├─ b    failed                 no \u{fffd} space",
            &format!("├─ c    failed                 {}…", "x".repeat(119)),
            "├─ d    failed                 \u{fffd}[31mred\u{fffd}",
            "└─ e    done",
        ]
    );
}

#[test]
fn what_is_told_to_abort_says_so_until_it_has_ended() {
    let node = node();
    let root = node.module.task("repair").abortable().start().unwrap();
    let child = root.child("part").start().unwrap();
    let observer = root.observe();
    observer.abort("disk is nearly full").unwrap();
    assert_eq!(
        drawn(Tree::new(&observer.status_tree().unwrap())),
        [
            "repair   running  told to abort: disk is nearly full",
            "└─ part  running  told to abort: disk is nearly full",
        ]
    );
    assert!(child.finish().unwrap_err().is_aborted());
    assert!(root.finish().unwrap_err().is_aborted());
    let ended = Tree::new(&observer.status_tree().unwrap()).to_string();
    assert!(!ended.contains("told"), "{ended}");
    assert_eq!(ended.matches("  failed").count(), 2, "{ended}");
    let mut other = foreign(1, None);
    other.abort = Some(AbortInfo {
        reason: String::new(),
        requested_at: None,
        polls: 0,
        last_poll: None,
    });
    assert_eq!(
        Tree::new([&other]).to_string(),
        "t1  running  told to abort\n"
    );
}

#[test]
fn the_shard_is_told_where_there_are_several() {
    let node = node();
    let root = node.module.task("repair").start().unwrap();
    let one = root.child("part").start().unwrap();
    let other = root.child("part").shard(3).start().unwrap();
    assert_eq!(
        drawn(Tree::new(&root.observe().status_tree().unwrap())),
        [
            "repair on shard 0   running  0 %  0 of 2",
            "├─ part on shard 0  running",
            "└─ part on shard 3  running",
        ]
    );
    drop((one, other));
}

#[test]
fn of_many_children_the_first_are_drawn_and_the_others_counted() {
    let node = node_with(|builder| builder.max_kept_children(100));
    let root = node.module.task("repair").start().unwrap();
    for _ in 0..3_999 {
        root.child("range").start().unwrap().finish().unwrap();
    }
    let last = root.child("range").start().unwrap();
    let tree = root.observe().status_tree().unwrap();
    assert!(tree.len() < 200, "not all are kept");
    let lines = drawn(Tree::new(&tree));
    assert_eq!(lines.len(), 1 + 24 + 1);
    assert_eq!(lines[0], "repair    running  99 %  3,999 of 4,000");
    assert!(
        lines[1..25]
            .iter()
            .all(|line| line.starts_with("├─ range  "))
    );
    assert_eq!(lines[25], "└─ and 3,976 more");
    assert_eq!(
        drawn(Tree::new(&tree).children(1))[1..],
        ["├─ range  done", "└─ and 3,999 more"]
    );
    assert_eq!(
        drawn(Tree::new(&tree).children(0))[1..],
        ["└─ and 4,000 more"]
    );
    drop(last);
}

#[test]
fn a_million_children_are_a_few_lines() {
    let root = foreign(0, None);
    let child = |number| foreign(number, Some(0));
    let children: Vec<Status> = (1..=1_000_000).map(child).collect();
    let tree = Tree::new(std::iter::once(&root).chain(&children));
    let lines = drawn(tree.children(2));
    assert_eq!(
        lines,
        [
            "t0     running",
            "├─ t1  running",
            "├─ t2  running",
            "└─ and 999,998 more"
        ]
    );
}

#[test]
fn a_deep_tree_is_drawn_as_far_as_it_can_be_read() {
    let chain: Vec<Status> = (0..100_000_u128)
        .map(|number| foreign(number, number.checked_sub(1)))
        .collect();
    let lines = drawn(Tree::new(&chain));
    assert_eq!(lines.len(), 1 + 32 + 1);
    assert_eq!(lines[33], format!("{}└─ and 1 more", " ".repeat(32 * 3)));
    assert_eq!(
        drawn(Tree::new(&chain).depth(2)),
        [
            "t0        running",
            "└─ t1     running",
            "   └─ t2  running",
            "      └─ and 1 more",
        ]
    );
    // The whole of it, on a thread with little of a stack.
    let whole = std::thread::Builder::new()
        .stack_size(64 << 10)
        .spawn(move || drawn(Tree::new(&chain[..2_000]).depth(usize::MAX)).len());
    assert_eq!(whole.unwrap().join().unwrap(), 2_000);
}

#[test]
fn children_that_are_elsewhere_or_not_kept_are_counted() {
    let mut root = foreign(0, None);
    let mut child = foreign(1, Some(0));
    root.children = [1, 2, 3]
        .map(|number| ChildId {
            task_id: Uuid::from_u128(number),
            node: Name::from("10.0.0.2"),
        })
        .to_vec();
    child.state = State::Done;
    child.child_counts = ChildCounts {
        live: 0,
        succeeded: 5,
        failed: 2,
        not_kept: 7,
    };
    assert_eq!(
        drawn(Tree::new([&root, &child])),
        [
            "t0     running",
            "├─ t1  done",
            "│  └─ and 7 more",
            "└─ and 2 more",
        ]
    );
}

#[test]
fn a_task_whose_parent_is_not_given_is_a_root() {
    let tasks = [
        foreign(1, Some(99)),
        foreign(2, None),
        foreign(3, Some(1)),
        foreign(4, Some(2)),
    ];
    assert_eq!(
        drawn(Tree::new(&tasks)),
        [
            "t1     running",
            "└─ t3  running",
            "t2     running",
            "└─ t4  running",
        ]
    );
}

#[test]
fn ids_in_a_circle_and_ids_that_are_there_twice_are_followed_once() {
    let mut tasks = vec![foreign(9, None), foreign(1, Some(2)), foreign(2, Some(1))];
    assert_eq!(drawn(Tree::new(&tasks)), ["t9  running"]);
    // Two of each id, 60 levels deep: as many lines as tasks, rather than 2 to the 60.
    tasks = (0..120_u128)
        .map(|at| foreign(at / 2, (at / 2).checked_sub(1)))
        .collect();
    assert_eq!(drawn(Tree::new(&tasks).depth(100)).len(), 120);
}

#[test]
fn a_line_is_as_wide_as_asked() {
    let mut status = foreign(1, None);
    status.table = Name::from("größe 表");
    let full = "t1 größe 表  running";
    for width in 0..=full.chars().count() + 1 {
        let line = Tree::new([&status]).width(width).to_string();
        let line = line.strip_suffix('\n').unwrap();
        assert!(line.chars().count() <= width, "{line:?} in {width}");
        assert_eq!(
            line == full,
            full.chars().count() <= width,
            "{line:?} in {width}"
        );
        assert_eq!(
            line.ends_with('…'),
            (1..full.chars().count()).contains(&width)
        );
    }
}

#[test]
fn a_long_name_moves_no_other_line() {
    let mut tasks = [foreign(1, None), foreign(2, None)];
    tasks[0].entity = Name::from("e".repeat(200));
    assert_eq!(
        drawn(Tree::new(&tasks)),
        [
            format!("t1 {}  running", "e".repeat(200)),
            format!("t2{}  running", " ".repeat(58)),
        ]
    );
}

#[test]
fn a_task_without_names_is_told_by_its_id() {
    let status = Status::new(Uuid::from_u128(1), "");
    assert_eq!(
        Tree::new([&status]).to_string(),
        "00000000-0000-0000-0000-000000000001  running\n"
    );
}

#[test]
fn words_for_states_may_be_those_of_others() {
    let tasks = [foreign(1, None), foreign(2, Some(1)), foreign(3, Some(1))];
    assert_eq!(
        drawn(Tree::new(&tasks).states(["paused", "", "drai\nned"])),
        ["t1     paused", "├─ t2  running", "└─ t3  drai\u{fffd}ned",]
    );
    assert_eq!(
        drawn(Tree::new(&tasks).states(["paused"]))[1],
        "├─ t2  running"
    );
}
