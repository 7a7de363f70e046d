//! rest_2, rest_5: what is wrong with a request is refused, by name; also what no real client would send.

mod common;

use std::io::Write;
use std::time::{Duration, Instant};

use common::{LONG, Node, UNKNOWN, read_reply, until};
use taskmgr_http::{Response, ServerConfig, serve};

#[test]
fn unknown_paths_are_404() {
    let node = Node::new();
    for path in [
        "/",
        "/task_manager",
        "/task_manager/",
        "/task_manager/ttl/",
        "//task_manager/ttl",
        "/task_manager/nothing",
        "/TASK_MANAGER/ttl",
        "/task_manager/task_status",
        "/api-doc/other",
        "/api/v1/ttl",
    ] {
        node.get(path).refused(404);
        node.post(path).refused(404);
    }
}

#[test]
fn wrong_methods_are_405_and_told_the_right_ones() {
    let node = Node::new();
    for (method, path, allow) in [
        ("POST", "/task_manager/list_modules", "GET"),
        ("DELETE", "/task_manager/ttl", "GET, POST"),
        ("PUT", "/task_manager/user_ttl", "GET, POST"),
        ("GET", "/task_manager/abort_task/x", "POST"),
        ("POST", "/task_manager/task_status/x", "GET"),
        ("GET", "/task_manager/drain/x", "POST"),
        ("PATCH", "/task_manager_test/test_task", "POST, DELETE"),
        ("OPTIONS", "/openapi.json", "GET"),
        ("BREW", "/task_manager/ttl", "GET, POST"),
    ] {
        let reply = node.send(method, path);
        assert!(reply.refused(405).contains(allow), "{method} {path}");
        assert_eq!(reply.allow.as_deref(), Some(allow), "{method} {path}");
    }
}

#[test]
fn head_is_405_since_it_would_lose_a_status() {
    let node = Node::new();
    let reply = node.send("HEAD", "/task_manager/ttl");
    assert_eq!(
        (reply.status, reply.allow.as_deref()),
        (405, Some("GET, POST"))
    );
    assert_eq!(reply.text, "");
}

#[test]
fn wrong_values_are_named_with_what_they_should_be() {
    let node = Node::new();
    node.module("repair");
    node.post("/task_manager_test/test_module");
    let wait = format!("/task_manager/wait_task/{UNKNOWN}");
    let list = "/task_manager/list_module_tasks/repair";
    let test = "/task_manager_test/test_task";
    for (method, path, name, value, expected) in [
        ("GET", list, "internal", "maybe", "true or false"),
        ("GET", list, "internal", "2", "1 or 0"),
        (
            "POST",
            "/task_manager/ttl",
            "ttl",
            "soon",
            "whole number of seconds",
        ),
        ("GET", &wait, "timeout", "1.5", "whole number of seconds"),
        ("GET", &wait, "timeout", "-1", "whole number of seconds"),
        ("POST", test, "shard", "4294967296", "from 0 to 4294967295"),
        ("POST", test, "user_task", "ja", "yes or no"),
        ("POST", test, "task_id", "7", "task id such as"),
        ("POST", test, "parent_id", "x", "task id such as"),
        (
            "GET",
            "/api/v1/list_module_tasks/repair",
            "limit",
            "many",
            "whole number",
        ),
    ] {
        let message = node
            .send(method, &format!("{path}?{name}={value}"))
            .refused(400);
        for part in [name, value, expected] {
            assert!(
                message.contains(part),
                "{path}: {part:?} is not in {message:?}"
            );
        }
    }
    let twice = node.get(&format!("{list}?table=a&table=b")).refused(400);
    assert_eq!(
        twice,
        "parameter table is given twice, as \"a\" and \"b\"; give it once"
    );
}

#[test]
fn broken_percent_encoding_is_400() {
    let node = Node::new();
    node.module("repair");
    let host = format!("Host: {}\r\n", node.address);
    for target in [
        "/task_manager/list_module_tasks/repair?keyspace=%",
        "/task_manager/list_module_tasks/repair?keyspace=a%4",
        "/task_manager/list_module_tasks/repair?keyspace=%zz",
        "/task_manager/list_module_tasks/repair?keyspace=%ff",
        "/task_manager/list_module_tasks/repair?%zz=1",
        "/task_manager/list_module_tasks/re%pair",
        "/task_manager/list_module_tasks/%c3%28",
        "/%",
    ] {
        node.raw_get(target, &host).refused(400);
    }
    let message = node.raw_get("/task_manager/ttl?ttl=%5", &host).refused(400);
    assert!(
        message.contains("\"ttl\"") && message.contains("%5"),
        "{message}"
    );
    // What is encoded well is the same as what is not encoded.
    assert_eq!(node.raw_get("/task_manager/%74tl", &host).status, 200);
    assert_eq!(
        node.raw_get(
            "/task_manager/list_module_tasks/%72epair?%6Beyspace=%C3%A9",
            &host
        )
        .status,
        200
    );
}

#[test]
fn over_long_requests_are_refused() {
    let node = Node::new();
    let host = format!("Host: {}\r\n", node.address);
    let long = |bytes: usize| "x".repeat(bytes);
    let target = |bytes: usize| format!("/task_manager/ttl?{}", long(bytes - 18));
    assert_eq!(node.raw_get(&target(8 << 10), &host).status, 200);
    assert!(
        node.raw_get(&target((8 << 10) + 1), &host)
            .refused(414)
            .contains("8193")
    );
    node.raw_get(&target(60 << 10), &host).refused(414);
    assert_eq!(node.raw_get(&target(70 << 10), &host).status, 414);
    node.raw_get(
        "/task_manager/ttl",
        &format!("{host}X: {}\r\n", long(17 << 10)),
    )
    .refused(431);
    let many: String = (0..200).map(|n| format!("X{n}: y\r\n")).collect();
    assert_eq!(
        node.raw_get("/task_manager/ttl", &format!("{host}{many}"))
            .status,
        431
    );
    let huge = format!("{host}X: {}\r\n", long(300 << 10));
    assert!([431, 0].contains(&node.raw_get("/task_manager/ttl", &huge).status));
    assert_eq!(node.get("/task_manager/ttl").status, 200);
}

#[test]
fn small_bodies_are_ignored_and_large_ones_refused() {
    let node = Node::new();
    let post = |headers: &str, body: &str| {
        let host = node.address;
        node.raw(format!(
            "POST /task_manager/ttl?ttl=5 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n{body}"
        ))
    };
    assert_eq!(post("Content-Length: 7\r\n", "{\"a\":1}").status, 200);
    assert_eq!(
        post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n").status,
        200
    );
    post("Content-Length: 1000000\r\n", "").refused(413);
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    assert!([413, 0].contains(&post("Transfer-Encoding: chunked\r\n", &chunk).status));
    assert_eq!(post("Content-Length: x\r\n", "").status, 400);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "zz\r\n").status, 400);
    assert_eq!(node.get("/task_manager/ttl").ok::<u64>(), 5);
}

#[test]
fn what_is_no_http_is_refused_and_harms_nobody() {
    let node = Node::new();
    for bytes in [
        &b"\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /task_manager/ttl\r\n\r\n",
        b"GET /task_manager/ttl HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /task_manager/ttl HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = node.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let status = read_reply(&mut stream).status;
        assert!([400, 404, 0].contains(&status), "{status} for {bytes:?}");
    }
    assert_eq!(
        node.raw("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .status,
        404
    );
    assert_eq!(
        node.raw("GET /task_manager/ttl HTTP/1.0\r\n\r\n").status,
        200
    );
    assert_eq!(node.get("/task_manager/ttl").status, 200);
}

#[test]
fn a_request_that_does_not_come_to_its_end_is_given_up() {
    let node = Node::with(|m| m, |s| s.header_timeout(Duration::from_millis(100)));
    let start = Instant::now();
    let mut slow = node.connect();
    slow.write_all(b"GET /task_manager/ttl HTTP/1.1\r\nHost: loc")
        .unwrap();
    read_reply(&mut slow);
    let mut idle = node.connect();
    read_reply(&mut idle);
    let mut body = node.connect();
    body.write_all(
        b"POST /task_manager/ttl?ttl=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    )
    .unwrap();
    read_reply(&mut body).refused(408);
    assert!(start.elapsed() < LONG / 2);
}

#[test]
fn a_client_may_be_given_the_longest_time_that_there_is() {
    let node = Node::with(|m| m, |s| s.header_timeout(Duration::MAX));
    assert_eq!(node.get("/task_manager/ttl").status, 200);
}

#[test]
fn hosts_and_origins_are_checked_on_loopback() {
    let node = Node::with(|m| m, |s| s.allowed_hosts(["db.example.org"]));
    let with = |headers: &str| node.raw_get("/task_manager/ttl", headers);
    assert_eq!(with("Host: localhost:10000\r\n").status, 200);
    assert_eq!(with("Host: [::1]\r\n").status, 200);
    assert_eq!(with("Host: db.example.org\r\n").status, 200);
    assert!(
        with("Host: evil.example\r\n")
            .refused(403)
            .contains("evil.example")
    );
    assert!(with("").refused(400).contains("Host"));
    assert_eq!(
        with("Host: localhost\r\nOrigin: http://localhost\r\n").status,
        200
    );
    let message = with("Host: localhost\r\nOrigin: http://evil.example\r\n").refused(403);
    assert!(message.contains("evil.example"), "{message}");
    let target = "http://evil.example/task_manager/ttl";
    node.raw_get(target, "Host: localhost\r\n").refused(403);
}

#[test]
fn connections_beyond_the_bound_wait_for_their_turn() {
    let node = Node::with(|m| m, |s| s.max_connections(2));
    node.post("/task_manager_test/test_module");
    let id: String = node.post("/task_manager_test/test_task").ok();
    // The client keeps its connection, so that there is room for one more.
    let mut first = node.park(&id);
    until("a parked wait", || node.server().pending_waits() == 1);
    let mut second = node.park(&id);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(node.server().pending_waits(), 1);
    assert_eq!(
        node.post(&format!("/task_manager_test/finish_test_task/{id}"))
            .status,
        200
    );
    assert_eq!(read_reply(&mut first).status, 200);
    assert_ne!(read_reply(&mut second).status, 0, "it had its turn");
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_takes_nothing_in_is_given_up() {
    let patience = Duration::from_millis(200);
    let node = Node::with(|m| m, |s| s.max_connections(1).header_timeout(patience));
    let module = node.module("repair");
    // More than the buffers of both ends hold.
    let tasks: Vec<_> = (0..60_000)
        .map(|_| module.task("repair").start().unwrap())
        .collect();
    let mut stalled = node.connect();
    stalled
        .write_all(
            b"GET /task_manager/list_module_tasks/repair HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        .unwrap();
    assert_eq!(
        node.get("/task_manager/ttl").status,
        200,
        "there is room again"
    );
    drop(stalled);
    for task in tasks {
        task.finish().unwrap();
    }
}

#[test]
fn routes_of_the_host_are_asked_for_what_the_api_does_not_know() {
    let node = Node::with(
        |m| m,
        |s| {
            s.fallback(|request| {
                let answer = || -> Result<Response, Response> {
                    let keyspace = request.query("keyspace")?;
                    let missing = || Response::error(400, "parameter keyspace is missing");
                    Ok(Response::json(&keyspace.ok_or_else(missing)?))
                };
                match (request.method(), request.path()) {
                    ("POST", "/node/repair") => Some(answer().unwrap_or_else(|refused| refused)),
                    (_, "/node/repair") => Some(Response::not_allowed("POST")),
                    (_, "/node/panic") => panic!("on purpose"),
                    (_, "/task_manager/ttl") => Some(Response::json(&"never asked")),
                    _ => None,
                }
            })
        },
    );
    assert_eq!(
        node.post("/node/repair?keyspace=my%20ks").ok::<String>(),
        "my ks"
    );
    node.post("/node/repair").refused(400);
    node.post("/node/repair?keyspace=%f").refused(400);
    assert_eq!(node.get("/node/repair").allow.as_deref(), Some("POST"));
    node.get("/node/other").refused(404);
    node.get("/node/panic").refused(500);
    assert_eq!(node.get("/task_manager/ttl").ok::<u64>(), 0);
    node.delete("/task_manager/ttl").refused(405);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let node = Node::new();
    let error = serve(
        node.manager.clone(),
        ServerConfig::new().address(node.address),
    )
    .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(
        error.to_string().contains(&node.address.to_string()),
        "{error}"
    );
}
