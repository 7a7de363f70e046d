//! One text in the place of a name, an id, a TTL, a query or an error. It is taken, and comes
//! out as it went in, or refused with a message that says what was wrong.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use taskmgr::{Clock, Error, ErrorCode, Filter, Manager, ManualClock, Name, State, Status, Uuid};
use taskmgr_http::{Api, ApiConfig, ErrorBody, Outcome, Request, Response};

use crate::bytes::Bytes;

const MAX_NAME: usize = 255;
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Puts the text behind the first byte into the place that this byte says.
///
/// # Panics
///
/// If the text is changed, or refused without a reason, or taken where it must not be.
pub fn texts(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let place = bytes.byte();
    let rest = bytes.take(usize::MAX);
    let text = &*String::from_utf8_lossy(rest);
    match place % 16 {
        0 => module(text),
        1 => node(text),
        2..=7 => name(place % 16, text),
        8 => id(text),
        9 => id_over_rest(text),
        10 => ttl_over_rest(text),
        11 => ttl(rest),
        12 => reason(text),
        13 => error(text),
        14 => query(text),
        _ => words(text),
    }
}

/// With a clock of its own it has no thread.
fn manager() -> Manager {
    let builder = Manager::builder().clock(Clock::Manual(ManualClock::new()));
    builder.build().unwrap()
}

/// What any name has to be, whatever the rest of the rules is.
fn check_name(what: &str, text: &str, required: bool, taken: Result<(), Error>) {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let right = text.len() <= MAX_NAME && plain && (!required || !text.is_empty());
    let wrong = text.len() > MAX_NAME
        || text.chars().any(char::is_control)
        || (required && text.is_empty());
    match taken {
        Ok(()) => assert!(!wrong, "the {what} {text:?} was taken"),
        Err(error) => {
            assert!(!right, "the {what} {text:?} was refused: {error}");
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            let message = error.to_string();
            assert!(message.contains(what), "{message} does not name the {what}");
            let named = message.contains(&format!("{text:?}"))
                || message.contains(&format!("{} bytes", text.len()))
                || message.contains("empty");
            assert!(named, "{message} does not name {text:?}");
            assert!(message.len() < 4 * MAX_NAME * 4, "{} bytes", message.len());
        }
    }
}

fn module(text: &str) {
    let manager = manager();
    let module = manager.register_module(text);
    check_name(
        "module",
        text,
        true,
        module.as_ref().map(drop).map_err(Clone::clone),
    );
    let Ok(module) = module else {
        assert!(manager.modules().unwrap().is_empty());
        return assert!(manager.module(text).is_err());
    };
    assert_eq!(module.name(), text);
    assert_eq!(manager.modules().unwrap(), [text]);
    assert_eq!(manager.module(text).unwrap().name(), text);
    let twice = manager.register_module(text).unwrap_err();
    assert_eq!(twice.code(), ErrorCode::ModuleExists);
    // And over REST, however it has to be written there.
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let path = format!("/task_manager/list_module_tasks/{escaped}");
    let response = answer(&Api::new(manager, ApiConfig::new()), "GET", &path);
    assert_eq!((response.status, &*response.body), (200, &b"[]"[..]));
}

fn node(text: &str) {
    let built = Manager::builder()
        .node(text)
        .clock(Clock::Manual(ManualClock::new()))
        .build();
    check_name(
        "node",
        text,
        false,
        built.as_ref().map(drop).map_err(Clone::clone),
    );
    if let Ok(manager) = built {
        assert_eq!(manager.node(), text);
    }
}

/// The names of a task.
fn name(place: u8, text: &str) {
    let manager = manager();
    let module = manager.register_module("m").unwrap();
    let task = module.task(if place == 2 { text } else { "t" });
    let (what, task) = match place {
        2 => ("type", task),
        3 => ("scope", task.scope(text)),
        4 => ("keyspace", task.keyspace(text)),
        5 => ("table", task.table(text)),
        6 => ("units", task.total(1, text)),
        _ => ("entity", task.entity(text)),
    };
    let task = task.start();
    check_name(
        what,
        text,
        place == 2,
        task.as_ref().map(drop).map_err(Clone::clone),
    );
    let Ok(task) = task else {
        return assert!(manager.list("m", &Filter::new()).unwrap().is_empty());
    };
    let status = task.status().unwrap();
    let shown = |status: &Status| match place {
        2 => status.type_.to_string(),
        3 => status.scope.to_string(),
        4 => status.keyspace.to_string(),
        5 => status.table.to_string(),
        6 => status.progress.units.to_string(),
        _ => status.entity.to_string(),
    };
    assert_eq!(shown(&status), text);
    let filter = match place {
        2 => Filter::new().task_type(text),
        3 => Filter::new().scope(text),
        4 => Filter::new().keyspace(text),
        5 => Filter::new().table(text),
        _ => Filter::new(),
    };
    let listed = manager.list("m", &filter).unwrap();
    assert_eq!(
        listed.len(),
        1,
        "a filter for {text:?} does not let it through"
    );
    assert_eq!(listed[0].id, task.id());
    // As a part of its parent it is the same.
    let child = task.child(if place == 2 { text } else { "t" });
    let child = match place {
        3 => child.scope(text),
        4 => child.keyspace(text),
        5 => child.table(text),
        6 => child.total(1, text),
        7 => child.entity(text),
        _ => child,
    };
    child.start().unwrap().finish().unwrap();
    let tree = manager.status_tree(task.id()).unwrap();
    assert_eq!(tree.len(), 2);
    assert_eq!(shown(&tree[1]), text);
    task.finish().unwrap();
}

/// The forms of an id that are documented, in C as in Rust.
fn id(text: &str) {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let plain = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let written = plain && (groups == [8, 4, 4, 4, 12] || groups == [32]);
    match crate::operations::parse_id(text) {
        Ok(id) => {
            let again = Uuid::from_bytes(id).hyphenated().to_string();
            assert_eq!(again.parse::<Uuid>().unwrap().into_bytes(), id);
            let hex = again.replace('-', "");
            assert!(
                text.to_lowercase().replace('-', "").contains(&hex),
                "{text:?} is {again}"
            );
        }
        Err(message) => {
            assert!(!written, "{text:?} is refused: {message}");
            let named = format!("{text:?}");
            // C's texts end at a NUL, and a message says where one was.
            assert!(message.contains(&named), "{message} does not name {named}");
        }
    }
}

fn answer(api: &Api, method: &str, target: &str) -> Response {
    match api.handle(&Request::new(method, target)) {
        Outcome::Ready(response) => response,
        Outcome::Waiting(waiting) => waiting.into_response(),
    }
}

/// The message of a refusal.
fn refusal(response: &Response) -> String {
    let error: ErrorBody = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(error.code, response.status);
    error.message
}

static API: LazyLock<(Api, Uuid)> = LazyLock::new(|| {
    let manager = manager();
    let task = manager.register_module("m").unwrap().task("t").start();
    let id = task.unwrap().share().id();
    (Api::new(manager, ApiConfig::new()), id)
});

fn id_over_rest(text: &str) {
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let response = answer(
        &API.0,
        "GET",
        &format!("/task_manager/task_status/{escaped}"),
    );
    assert_eq!(response.status, 400, "{text:?}");
    let message = refusal(&response);
    let named = match text.parse::<Uuid>() {
        Ok(id) if text.len() == 36 => id.to_string(),
        _ => format!("{text:?}"),
    };
    assert!(message.contains(&named), "{message} does not name {named}");
}

fn ttl_over_rest(text: &str) {
    let api = Api::new(manager(), ApiConfig::new());
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let response = answer(&api, "POST", &format!("/task_manager/ttl?ttl={escaped}"));
    let right = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<u64>().ok().filter(|_| right);
    let fits = seconds.filter(|seconds| Duration::from_secs(*seconds) <= MAX_TTL);
    let now = answer(&api, "GET", "/task_manager/ttl");
    let now: u64 = serde_json::from_slice(&now.body).unwrap();
    match fits {
        Some(seconds) => {
            assert_eq!(
                (response.status, &*response.body),
                (200, &b"0"[..]),
                "{text:?}"
            );
            assert_eq!(now, seconds);
        }
        None => {
            assert_eq!(response.status, 400, "{text:?}");
            let message = refusal(&response);
            let named = match seconds {
                Some(seconds) => message.contains(&seconds.to_string()),
                None => message.contains(&format!("{text:?}")) || text.is_empty(),
            };
            assert!(
                named && message.to_lowercase().contains("ttl"),
                "{text:?}: {message}"
            );
            assert_eq!(now, 0, "{text:?} was refused, and set");
        }
    }
}

/// As a duration, to the nanosecond.
fn ttl(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let (seconds, nanos) = (bytes.number(), bytes.number() % 1_000_000_000);
    let ttl = Duration::new(seconds, nanos as u32);
    let manager = manager();
    for (set, get) in [
        (
            Manager::set_task_ttl as fn(&Manager, Duration) -> Result<Duration, Error>,
            Manager::task_ttl as fn(&Manager) -> Duration,
        ),
        (Manager::set_user_task_ttl, Manager::user_task_ttl),
    ] {
        let before = get(&manager);
        match set(&manager, ttl) {
            Ok(was) => {
                assert_eq!(was, before);
                assert_eq!(get(&manager), ttl);
                assert!(ttl <= MAX_TTL, "{ttl:?} was taken");
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::InvalidArgument);
                assert_eq!(get(&manager), before);
                assert!(ttl > MAX_TTL, "{ttl:?} was refused: {error}");
                let message = error.to_string();
                assert!(message.contains(&seconds.to_string()), "{ttl:?}: {message}");
            }
        }
    }
}

fn reason(text: &str) {
    let manager = manager();
    let module = manager.register_module("m").unwrap();
    let task = module.task("t").start().unwrap();
    task.abort(text).unwrap();
    assert_eq!(task.status().unwrap().abort.unwrap().reason, text);
    let error = task.check_abort().unwrap_err();
    assert!(error.is_aborted() && error.to_string().contains(text));
    let observer = task.observe();
    assert!(task.finish().unwrap_err().is_aborted());
    let status = observer.status().unwrap();
    assert_eq!(status.state, State::Failed);
    assert!(status.error.unwrap().contains(text));
}

fn error(text: &str) {
    let manager = manager();
    let module = manager.register_module("m").unwrap();
    let parent = module.task("t").start().unwrap();
    let child = parent.child("c").start().unwrap();
    let observer = child.observe();
    child.fail(text).unwrap();
    assert_eq!(observer.status().unwrap().error.as_deref(), Some(text));
    let status = parent.status().unwrap();
    assert_eq!(status.first_error.as_deref(), Some(text));
    let response = answer(
        &Api::new(manager.clone(), ApiConfig::new()),
        "GET",
        &format!("/task_manager/task_status_recursive/{}", parent.id()),
    );
    let all: Vec<taskmgr_http::TaskStatus> = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(all[1].error, text);
    parent.finish().unwrap();
}

fn query(text: &str) {
    let (api, id) = &*API;
    let response = answer(api, "GET", &format!("/api/v1/list_module_tasks/m?{text}"));
    match response.status {
        200 => {
            let all: taskmgr_http::ExtendedList = serde_json::from_slice(&response.body).unwrap();
            let is_it = |task: &taskmgr_http::ExtendedStats| task.stats.task_id == id.to_string();
            assert!(all.tasks.iter().all(is_it) && all.missing.is_empty());
        }
        400 => {
            let message = refusal(&response);
            assert!(message.contains("param"), "{text:?}: {message}");
        }
        status => panic!("{text:?} is answered {status}"),
    }
}

/// States, and names as values.
fn words(text: &str) {
    let states = [
        State::Created,
        State::Running,
        State::Suspended,
        State::Done,
        State::Failed,
    ];
    match text.parse::<State>() {
        Ok(state) => assert_eq!(state.to_string(), text),
        Err(error) => {
            assert!(states.iter().all(|state| state.as_str() != text));
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.to_string().contains(&format!("{text:?}")));
        }
    }
    let (name, other) = (Name::from(text), Name::from(text.to_owned()));
    assert_eq!(name, other);
    assert_eq!(name.as_str(), text);
    assert_eq!(name.to_string(), text);
    assert_eq!(format!("{name:?}"), format!("{text:?}"));
    assert_eq!(name.cmp(&Name::from("m")), text.cmp("m"));
    let set = HashSet::from([name]);
    assert!(set.contains(&other) && set.contains(text));
    let error = Error::new(ErrorCode::TaskFailed, text);
    assert_eq!(error.to_string(), text);
}
