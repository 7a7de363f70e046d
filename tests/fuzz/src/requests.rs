//! Requests to the REST API, one a line: `METHOD target host`. The host's part is short: `end N`
//! ends a task of its own, `pass N` moves the clock on by so many seconds, `close` closes the
//! manager. In a target `{0}` to `{7}` are ids of tasks, so that a committed line finds one.

mod answers;
mod host;

use taskmgr_http::{Outcome, Request, Waiting};

use answers::{check, route_of};
use host::Host;

/// So that no input takes long.
const MOST_LINES: usize = 64;

/// Answers the requests that the bytes are.
///
/// # Panics
///
/// If an answer is not what the API promises.
pub fn requests(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut host = Host::new();
    let mut parked = Vec::new();
    for line in text.lines().take(MOST_LINES) {
        if !host.does(line) {
            ask(&mut host, line, &mut parked);
        }
        let pending = host.api.pending_waits();
        assert_eq!(pending, parked.len(), "waits are parked after {line:?}");
    }
    for (line, waiting) in parked {
        let early = !waiting.is_ready();
        let response = waiting.into_response();
        let right = if early { &[408][..] } else { &[200, 502, 503] };
        assert!(right.contains(&response.status), "{line:?}: {response:?}");
    }
    assert_eq!(host.api.pending_waits(), 0);
}

fn ask(host: &mut Host, line: &str, parked: &mut Vec<(String, Waiting)>) {
    let line = host.with_ids(line);
    let mut words = line.splitn(3, ' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let request = Request::new(method, target);
    let request = match words.next() {
        Some(name) => request.with_host(name),
        None => request,
    };
    let _ = host.api.weight(&request);
    let route = route_of(&request);
    // What only looks gives the same twice, whether or not it may block.
    let looks = method == "GET" && request.path().starts_with("/api/v1/");
    let early = looks.then(|| host.api.try_handle(&request)).flatten();
    match host.api.handle(&request) {
        Outcome::Ready(response) => {
            check(route, &request, &response);
            if let Some(Outcome::Ready(early)) = early {
                assert_eq!(early, response, "{line:?} is answered in two ways");
            }
            host.remember(&request, &response);
        }
        Outcome::Waiting(waiting) => {
            waiting.on_ready(|| {});
            match parked.len() < 8 {
                true => parked.push((line, waiting)),
                false => drop(waiting),
            }
        }
    }
}
