//! What the API's own description says of an answer.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, from_slice};
use taskmgr_http::{
    Api, ApiConfig, ErrorBody, ExtendedList, ExtendedStatus, Outcome, Request, Response, TaskStats,
    TaskStatus,
};

/// The statuses of a route, and what a 200 carries.
pub(super) struct Route {
    answers: HashMap<u16, Value>,
}

/// By method, and by the segments of the path.
type Routes = Vec<(String, Vec<String>, Route)>;

static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let manager = taskmgr::Manager::builder().build().unwrap();
    let api = Api::new(manager, ApiConfig::new().test_endpoints(true));
    let Outcome::Ready(document) = api.handle(&Request::new("GET", "/openapi.json")) else {
        panic!("the document waits for nothing");
    };
    let document: Value = from_slice(&document.body).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            let answers = answers.iter().map(|(status, answer)| {
                let schema = &answer["content"]["application/json"]["schema"];
                (status.parse().unwrap(), schema.clone())
            });
            let answers = answers.collect();
            let segments = path[1..].split('/').map(str::to_owned).collect();
            routes.push((method.to_uppercase(), segments, Route { answers }));
        }
    }
    assert!(routes.len() > 20, "{} routes", routes.len());
    routes
});

pub(super) fn route_of(request: &Request) -> Option<&'static Route> {
    let given = request.segments().ok()?;
    let fits = |pattern: &[String]| {
        pattern.len() == given.len()
            && pattern
                .iter()
                .zip(&given)
                .all(|(pattern, given)| pattern.starts_with('{') || pattern == given)
    };
    ROUTES
        .iter()
        .find(|(method, segments, _)| method == request.method() && fits(segments))
        .map(|(_, _, route)| route)
}

pub(super) fn check(route: Option<&Route>, request: &Request, response: &Response) {
    let said = || {
        let body = String::from_utf8_lossy(&response.body);
        format!("{request:?} is answered {} {body:?}", response.status)
    };
    let status = response.status;
    assert_eq!(response.allow.is_some(), status == 405, "{}", said());
    match route {
        Some(route) => {
            assert!(route.answers.contains_key(&status), "{}", said());
            assert_ne!(status, 500, "{}", said());
        }
        None => assert!(matches!(status, 400 | 404 | 405), "{}", said()),
    }
    if status != 200 {
        let error: ErrorBody = from_slice(&response.body).unwrap_or_else(|_| panic!("{}", said()));
        assert_eq!(error.code, status, "{}", said());
        assert!(error.message.len() > 10, "{}", said());
        assert_eq!(response.content_type, "application/json", "{}", said());
        return;
    }
    let schema = route.map(|route| &route.answers[&200]);
    let schema = schema.unwrap_or(&Value::Null);
    let name = |schema: &Value| {
        let reference = schema["$ref"].as_str().unwrap_or_default();
        reference.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let body = &response.body;
    let right = match (schema["type"].as_str().unwrap_or(""), name(schema).as_str()) {
        ("", "") => body.is_empty(),
        ("string", _) => from_slice::<String>(body).is_ok(),
        ("integer", _) => from_slice::<u64>(body).is_ok(),
        ("object", _) => from_slice::<Value>(body).is_ok_and(|value| value.is_object()),
        ("array", _) => match name(&schema["items"]).as_str() {
            "TaskStats" => from_slice::<Vec<TaskStats>>(body).is_ok(),
            "TaskStatus" => from_slice::<Vec<TaskStatus>>(body).is_ok_and(|all| !all.is_empty()),
            "ExtendedStatus" => {
                from_slice::<Vec<ExtendedStatus>>(body).is_ok_and(|all| !all.is_empty())
            }
            _ => from_slice::<Vec<String>>(body).is_ok(),
        },
        (_, "TaskStatus") => from_slice::<TaskStatus>(body).is_ok(),
        (_, "ExtendedStatus") => from_slice::<ExtendedStatus>(body).is_ok(),
        (_, "ExtendedList") => from_slice::<ExtendedList>(body).is_ok(),
        _ => false,
    };
    assert!(right, "{}; it should be {schema}", said());
}
