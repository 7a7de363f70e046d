//! Swagger 1.2, as ScyllaDB describes its API: the resource `/task_manager`.

use serde_json::{Map, Value, json};

use super::openapi;
use crate::param::{Kind, Param, Place};
use crate::response::JSON;
use crate::route::{Answer, Route};
use crate::table;

const RESOURCE: &str = "/task_manager";

/// The wire types that the resource's routes answer with.
const MODELS: [&str; 3] = ["TaskStats", "TaskStatus", "ChildId"];

pub(super) fn document(host: &str) -> Value {
    json!({
        "apiVersion": env!("CARGO_PKG_VERSION"),
        "swaggerVersion": "1.2",
        "basePath": format!("http://{host}"),
        "resourcePath": RESOURCE,
        "produces": [JSON],
        "apis": apis(),
        "models": models(),
    })
}

/// Swagger has one entry a path, in the order of the table.
fn apis() -> Vec<Value> {
    let routes: Vec<&Route> = table::served(false)
        .filter(|route| route.path.starts_with("/task_manager/"))
        .collect();
    let mut paths: Vec<&str> = routes.iter().map(|route| route.path).collect();
    paths.dedup();
    paths
        .into_iter()
        .map(|path| {
            let on_path = routes.iter().filter(|route| route.path == path);
            json!({ "path": path, "operations": on_path.map(|r| operation(r)).collect::<Vec<_>>() })
        })
        .collect()
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "method": route.method.as_str(),
        "nickname": route.nickname,
        "summary": route.summary,
        "produces": [JSON],
        "parameters": route.params.iter().map(parameter).collect::<Vec<_>>(),
        "responseMessages": route.errors.iter().map(|&code| message(code)).collect::<Vec<_>>(),
    });
    if let (Some(operation), Value::Object(type_)) =
        (operation.as_object_mut(), answer(route.answer))
    {
        operation.extend(type_);
    }
    operation
}

fn message(code: u16) -> Value {
    json!({ "code": code, "message": openapi::meaning(code) })
}

fn parameter(param: &Param) -> Value {
    let (type_, format) = match param.kind {
        Kind::Id | Kind::Text | Kind::State => ("string", None),
        Kind::Flag => ("boolean", None),
        Kind::Seconds | Kind::Number | Kind::Shard => ("integer", Some("int64")),
    };
    let mut parameter = json!({
        "name": param.name,
        "description": param.description,
        "required": param.required,
        "allowMultiple": false,
        "type": type_,
        "paramType": match param.place { Place::Path => "path", Place::Query => "query" },
    });
    if let Some(format) = format {
        parameter["format"] = json!(format);
    }
    parameter
}

fn answer(answer: Answer) -> Value {
    match answer {
        Answer::Empty => json!({ "type": "void" }),
        Answer::Id => json!({ "type": "string" }),
        Answer::Seconds => json!({ "type": "integer", "format": "int64" }),
        Answer::Names => json!({ "type": "array", "items": { "type": "string" } }),
        Answer::Stats => json!({ "type": "array", "items": { "$ref": "TaskStats" } }),
        Answer::Status => json!({ "type": "TaskStatus" }),
        Answer::Statuses => json!({ "type": "array", "items": { "$ref": "TaskStatus" } }),
        // None of these is in the resource.
        Answer::ExtendedList
        | Answer::ExtendedStatus
        | Answer::ExtendedStatuses
        | Answer::Document => json!({ "type": "object" }),
    }
}

/// The models, from the schemas that the wire types have anyway.
fn models() -> Value {
    let schemas = serde_json::to_value(openapi::schemas()).unwrap_or_default();
    let model = |name: &str| {
        let schema = &schemas["schemas"][name];
        let properties: Map<String, Value> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), property(schema)))
            .collect();
        json!({
            "id": name,
            "description": schema["description"],
            "required": schema["required"],
            "properties": properties,
        })
    };
    MODELS
        .iter()
        .map(|name| ((*name).to_owned(), model(name)))
        .collect::<Map<_, _>>()
        .into()
}

/// Swagger 1.2 knows the same words, save that it refers to a model by its name alone.
fn property(schema: &Value) -> Value {
    let mut property: Map<String, Value> = ["type", "format", "description"]
        .into_iter()
        .filter(|key| !schema[key].is_null())
        .map(|key| (key.to_owned(), schema[key].clone()))
        .collect();
    if let Some(model) = schema["items"]["$ref"]
        .as_str()
        .and_then(|r| r.rsplit('/').next())
    {
        property.insert("items".to_owned(), json!({ "$ref": model }));
    }
    property.into()
}
