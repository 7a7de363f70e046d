//! A server on loopback, and clients for it: a real one, and a raw one for what that refuses
//! to send.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use taskmgr::{Clock, Manager, ManagerBuilder, ManualClock, Module};
use taskmgr_http::{ErrorBody, Server, ServerConfig, TaskStatus, serve};

/// Far beyond what anything takes here.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A manager with a manual clock, its server, and a client.
pub(crate) struct Node {
    pub(crate) manager: Manager,
    pub(crate) clock: ManualClock,
    pub(crate) server: Option<Server>,
    pub(crate) address: SocketAddr,
    agent: ureq::Agent,
}

/// A response as the client saw it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) allow: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {:?}", self.text))
    }

    /// The value, if the request went well.
    pub(crate) fn ok<T: serde::de::DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {:?}", self.text))
    }

    /// The message, if the request was refused with this status in the documented form.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content_type.as_deref(), Some("application/json"));
        let error: ErrorBody = serde_json::from_str(&self.text).unwrap();
        assert_eq!(error.code, status);
        assert!(!error.message.is_empty());
        error.message
    }
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with(|manager| manager, |server| server)
    }

    pub(crate) fn with(
        manager: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
        server: impl FnOnce(ServerConfig) -> ServerConfig,
    ) -> Self {
        let clock = ManualClock::new();
        let builder = Manager::builder()
            .clock(Clock::Manual(clock.clone()))
            .node("10.0.0.1");
        let manager = manager(builder).build().unwrap();
        let config = ServerConfig::new()
            .address("127.0.0.1:0".parse().unwrap())
            .test_endpoints(true);
        let server = serve(manager.clone(), server(config)).unwrap();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(LONG))
            .build()
            .into();
        Self {
            manager,
            clock,
            address: server.local_addr(),
            server: Some(server),
            agent,
        }
    }

    pub(crate) fn module(&self, name: &str) -> Module {
        self.manager.register_module(name).unwrap()
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        self.send("GET", target)
    }

    pub(crate) fn post(&self, target: &str) -> Reply {
        self.send("POST", target)
    }

    pub(crate) fn delete(&self, target: &str) -> Reply {
        self.send("DELETE", target)
    }

    pub(crate) fn status(&self, id: impl std::fmt::Display) -> TaskStatus {
        self.get(&format!("/task_manager/task_status/{id}")).ok()
    }

    /// With the real client.
    pub(crate) fn send(&self, method: &str, target: &str) -> Reply {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{target}", self.address))
            .body(())
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        Reply {
            status: response.status().as_u16(),
            allow: header("allow"),
            content_type: header("content-type"),
            text: response.body_mut().read_to_string().unwrap(),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Whatever the client wants to send, up to the end of what comes back.
    pub(crate) fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        // The server may refuse before it has read everything.
        let _ = stream.write_all(bytes.as_ref());
        read_reply(&mut stream)
    }

    /// A raw request for a target, with headers of its own.
    pub(crate) fn raw_get(&self, target: &str, headers: &str) -> Reply {
        self.raw(format!(
            "GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
        ))
    }

    /// A `wait_task` that is left open.
    pub(crate) fn park(&self, id: impl std::fmt::Display) -> TcpStream {
        let mut stream = self.connect();
        let host = self.address;
        write!(
            stream,
            "GET /task_manager/wait_task/{id} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        stream
    }
}

/// One response, from its status line to the end of the connection.
pub(crate) fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    Reply {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0),
        allow: header("allow"),
        content_type: header("content-type"),
        text: body.to_owned(),
    }
}

/// Waits until something is so; the test fails if it never is.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "{what} never was so");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) const UNKNOWN: &str = "6fbf2a3c-0f6c-4f62-9a55-3d8b3a1c7e21";
