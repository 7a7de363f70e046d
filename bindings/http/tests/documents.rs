//! rest_4: both documents, against each other, against the routes, and against real answers.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::Node;
use serde_json::Value;

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn list(array: &Value) -> &[Value] {
    array.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a schema says of its fields, those of flattened ones included.
fn properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return properties(document, document.pointer(&reference[1..]).unwrap());
    }
    let mut all: BTreeSet<String> = list(&schema["allOf"])
        .iter()
        .flat_map(|part| properties(document, part))
        .collect();
    if schema["properties"].is_object() {
        all.extend(keys(&schema["properties"]));
    }
    all
}

/// Every `$ref` of a document.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(target) if key == "$ref" => vec![target.clone()],
                value => references(value),
            })
            .collect(),
        Value::Array(array) => array.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn openapi_is_well_formed() {
    let node = Node::new();
    let document = node.get("/openapi.json").json();
    assert!(text(&document["openapi"]).starts_with("3."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(["get", "post", "delete"].contains(&method.as_str()));
            assert!(
                ids.insert(text(&operation["operationId"]).to_owned()),
                "{path}"
            );
            assert!(operation["responses"]["200"]["description"].is_string());
            let in_path: BTreeSet<String> = list(&operation["parameters"])
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", text(&parameter["name"])))
                .collect();
            let named = path.split('/').filter(|segment| segment.starts_with('{'));
            assert_eq!(in_path, named.map(str::to_owned).collect(), "{path}");
            for parameter in list(&operation["parameters"]) {
                assert!(parameter["schema"].is_object() && parameter["description"].is_string());
                assert!(parameter["in"] != "path" || parameter["required"] == true);
            }
        }
    }
    for reference in references(&document) {
        assert!(
            document.pointer(&reference[1..]).is_some(),
            "{reference} leads nowhere"
        );
    }
}

#[test]
fn every_route_that_openapi_names_is_served_with_its_methods() {
    for test_endpoints in [true, false] {
        let node = Node::with(|m| m, |s| s.test_endpoints(test_endpoints));
        let document = node.get("/openapi.json").json();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(
            paths.contains_key("/task_manager_test/test_module"),
            test_endpoints
        );
        for (path, item) in paths {
            let target = path.replace(['{', '}'], "");
            let allow = node.send("PATCH", &target).allow.unwrap();
            let allow: BTreeSet<String> = allow.split(", ").map(str::to_lowercase).collect();
            assert_eq!(allow, keys(item), "{path}");
        }
    }
}

#[test]
fn every_declared_parameter_is_read() {
    let node = Node::new();
    node.module("m");
    node.post("/task_manager_test/test_module");
    let document = node.get("/openapi.json").json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in list(&operation["parameters"]) {
                let name = text(&parameter["name"]);
                if parameter["in"] == "path" {
                    continue;
                }
                let target = path
                    .replace("{module}", "m")
                    .replace("{task_id}", common::UNKNOWN);
                let twice = format!("{target}?{name}=1&{name}=2");
                // The module is looked up before its tasks are, and an id after its value.
                let reply = node.send(&method.to_uppercase(), &twice);
                let message = reply.refused(400);
                let read = message.contains("twice") || message.contains(common::UNKNOWN);
                assert!(read, "{method} {path} does not read {name}: {message}");
            }
        }
    }
}

#[test]
fn schemas_have_the_fields_of_real_answers() {
    let node = Node::with(|m| m.task_ttl(Duration::from_secs(60)), |s| s);
    let task = node.module("m").task("t").abortable().start().unwrap();
    let child = task.child("c").start().unwrap();
    task.observe().abort("shutdown").unwrap();
    let document = node.get("/openapi.json").json();
    let swagger = node.get("/api-doc/task_manager").json();
    let schema = |name: &str| properties(&document, &document["components"]["schemas"][name]);
    let id = task.id();
    let status = node.get(&format!("/task_manager/task_status/{id}")).json();
    let stats = node.get("/task_manager/list_module_tasks/m").json();
    let extended = node.get(&format!("/api/v1/task_status/{id}")).json();
    let extended_list = node.get("/api/v1/list_module_tasks/m").json();
    let error = node.get("/task_manager/list_module_tasks/none").json();
    for (name, answer) in [
        ("TaskStatus", &status),
        ("TaskStats", &stats[0]),
        ("ChildId", &status["children_ids"][0]),
        ("ErrorBody", &error),
        ("ExtendedStatus", &extended),
        ("ExtendedList", &extended_list),
        ("ExtendedStats", &extended_list["tasks"][0]),
        ("ExtendedAbort", &extended["abort"]),
        ("ExtendedCounts", &extended["child_counts"]),
    ] {
        assert_eq!(schema(name), keys(answer), "{name}");
    }
    for (name, answer) in [
        ("TaskStatus", &status),
        ("TaskStats", &stats[0]),
        ("ChildId", &status["children_ids"][0]),
    ] {
        assert_eq!(
            keys(&swagger["models"][name]["properties"]),
            keys(answer),
            "{name}"
        );
    }
    drop((child, task));
}

#[test]
fn swagger_names_the_same_routes_as_openapi() {
    let node = Node::new();
    let swagger = node.get("/api-doc/task_manager").json();
    assert_eq!(swagger["swaggerVersion"], "1.2");
    assert_eq!(swagger["resourcePath"], "/task_manager");
    assert_eq!(swagger["basePath"], format!("http://{}", node.address));
    assert!(swagger["apiVersion"].is_string());
    let openapi = node.get("/openapi.json").json();
    let mut named = BTreeSet::new();
    for api in list(&swagger["apis"]) {
        let path = text(&api["path"]);
        for operation in list(&api["operations"]) {
            let method = text(&operation["method"]).to_lowercase();
            let twin = &openapi["paths"][path][&method];
            assert_eq!(operation["nickname"], twin["operationId"], "{path}");
            assert_eq!(operation["summary"], twin["summary"], "{path}");
            assert!(operation["type"].is_string());
            assert_eq!(
                list(&operation["parameters"]).len(),
                list(&twin["parameters"]).len()
            );
            for (parameter, twin) in list(&operation["parameters"])
                .iter()
                .zip(list(&twin["parameters"]))
            {
                assert_eq!(parameter["name"], twin["name"]);
                assert_eq!(parameter["paramType"], twin["in"]);
                assert_eq!(parameter["required"], twin["required"]);
                assert_eq!(parameter["allowMultiple"], false);
                assert!(parameter["type"].is_string() && parameter["description"].is_string());
            }
            named.insert((path.to_owned(), method));
        }
    }
    let mut expected = BTreeSet::new();
    for (path, item) in openapi["paths"].as_object().unwrap() {
        if path.starts_with("/task_manager/") {
            expected.extend(keys(item).into_iter().map(|method| (path.clone(), method)));
        }
    }
    assert_eq!(named, expected);
    for reference in references(&swagger) {
        assert!(swagger["models"][&reference].is_object(), "{reference}");
    }
    for field in swagger["models"]["TaskStatus"]["properties"]
        .as_object()
        .unwrap()
        .values()
    {
        assert!(
            field["type"].is_string() && field["description"].is_string(),
            "{field}"
        );
    }
}
