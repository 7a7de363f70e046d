//! rest_5: waits over REST; and how a server with parked waits stops.

mod common;

use std::io::Write;
use std::time::{Duration, Instant};

use common::{LONG, Node, read_reply, until};
use taskmgr_http::TaskStatus;

#[test]
fn wait_1_gives_the_final_status_with_a_ttl_of_0() {
    let node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let mut parked = node.park(task.id());
    until("a parked wait", || node.server().pending_waits() == 1);
    task.fail("disk full").unwrap();
    let status: TaskStatus = read_reply(&mut parked).ok();
    assert_eq!(
        (status.state.as_str(), status.error.as_str()),
        ("failed", "disk full")
    );
    until("no parked wait", || node.server().pending_waits() == 0);
}

#[test]
fn wait_1_gives_the_final_status_of_a_child_that_folds_away() {
    let node = Node::new();
    let root = node.module("repair").task("repair").start().unwrap();
    let child = root.child("repair").start().unwrap();
    let mut parked = node.park(child.id());
    until("a parked wait", || node.server().pending_waits() == 1);
    child.finish().unwrap();
    assert_eq!(read_reply(&mut parked).ok::<TaskStatus>().state, "done");
    root.finish().unwrap();
}

#[test]
fn wait_2_a_timeout_is_408_and_0_asks_without_blocking() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let task = node.module("repair").task("repair").start().unwrap();
    let target = format!("/task_manager/wait_task/{}", task.id());
    assert!(
        node.get(&format!("{target}?timeout=0"))
            .refused(408)
            .contains(&task.id().to_string())
    );
    let start = Instant::now();
    node.get(&format!("{target}?timeout=1")).refused(408);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(node.server().pending_waits(), 0);
    task.finish().unwrap();
    for timeout in [
        "?timeout=0",
        "?timeout=5",
        "?timeout=",
        "?timeout=18446744073709551615",
        "",
    ] {
        assert_eq!(
            node.get(&format!("{target}{timeout}"))
                .ok::<TaskStatus>()
                .state,
            "done"
        );
    }
}

#[test]
fn wait_2_a_task_that_ends_in_time_is_no_timeout() {
    let node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let target = format!(
        "/task_manager/wait_task/{}?timeout=18446744073709551615",
        task.id()
    );
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| node.get(&target).ok::<TaskStatus>());
        until("a parked wait", || node.server().pending_waits() == 1);
        task.finish().unwrap();
        assert_eq!(waiter.join().unwrap().state, "done");
    });
}

#[test]
fn wait_3_a_client_that_hangs_up_frees_its_wait() {
    let node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let parked: Vec<_> = (0..10).map(|_| node.park(task.id())).collect();
    until("ten parked waits", || node.server().pending_waits() == 10);
    drop(parked);
    until("no parked wait", || node.server().pending_waits() == 0);
    assert!(!task.status().unwrap().state.is_terminal());
    task.finish().unwrap();
}

#[test]
fn wait_3_a_client_that_hangs_up_frees_its_wait_with_further_requests_behind_it() {
    let node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let further = "GET /task_manager/ttl HTTP/1.1\r\nhost: localhost\r\n\r\n";
    // One, and more than the server reads ahead; what its socket does not take, nobody sees.
    for times in [1, 1_000] {
        let mut parked = node.connect();
        let wait = format!("GET /task_manager/wait_task/{} HTTP/1.1\r\n", task.id());
        write!(parked, "{wait}host: localhost\r\n\r\n").unwrap();
        until("a parked wait", || node.server().pending_waits() == 1);
        parked.write_all(further.repeat(times).as_bytes()).unwrap();
        drop(parked);
        until("no parked wait", || node.server().pending_waits() == 0);
    }
    assert!(!task.status().unwrap().state.is_terminal());
    task.finish().unwrap();
}

#[test]
fn mod_1_a_manager_that_closes_answers_its_waiters() {
    let node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let mut parked = node.park(task.id());
    until("a parked wait", || node.server().pending_waits() == 1);
    assert!(!node.manager.close(Duration::ZERO).unwrap().is_complete());
    read_reply(&mut parked).refused(503);
    assert!(task.finish().unwrap_err().is_aborted());
}

#[test]
fn stop_answers_parked_waits_and_keeps_its_deadline() {
    let mut node = Node::new();
    let task = node.module("repair").task("repair").start().unwrap();
    let mut parked: Vec<_> = (0..20).map(|_| node.park(task.id())).collect();
    let _idle = node.connect();
    assert_eq!(node.get("/task_manager/ttl").status, 200);
    until("parked waits", || node.server().pending_waits() == 20);
    let start = Instant::now();
    assert_eq!(
        node.server.take().unwrap().stop(LONG),
        0,
        "nobody was cut off"
    );
    assert!(start.elapsed() < LONG / 4, "{:?}", start.elapsed());
    for stream in &mut parked {
        read_reply(stream).refused(503);
    }
    assert!(std::net::TcpStream::connect(node.address).is_err());
    task.finish().unwrap();
}

#[test]
fn stop_cuts_off_what_takes_longer_than_its_deadline() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = std::sync::Mutex::new(receiver);
    let mut node = Node::with(
        |m| m,
        |s| {
            s.fallback(move |_| {
                let _ = receiver.lock().unwrap().recv_timeout(LONG);
                None
            })
        },
    );
    let mut stream = node.connect();
    std::io::Write::write_all(
        &mut stream,
        b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .unwrap();
    // The connection is accepted once a later one has an answer.
    assert_eq!(node.get("/task_manager/ttl").status, 200);
    let start = Instant::now();
    assert_eq!(
        node.server.take().unwrap().stop(Duration::from_millis(50)),
        1
    );
    assert!(start.elapsed() < LONG / 4, "{:?}", start.elapsed());
    assert_eq!(read_reply(&mut stream).status, 0);
    drop(sender);
}
