//! OpenAPI 3.1.

use taskmgr_wire::{
    ChildId, ErrorBody, ExtendedAbort, ExtendedCounts, ExtendedList, ExtendedStats, ExtendedStatus,
    MissingTasks, TaskStats, TaskStatus,
};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{
    Array, Components, ComponentsBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Content, Info, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required};

use crate::param::{Kind, Param, Place};
use crate::response::JSON;
use crate::route::{Answer, Method, Route};
use crate::table;

pub(super) fn document(test_endpoints: bool) -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in table::served(test_endpoints) {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Delete => HttpMethod::Delete,
        };
        paths = paths.path(route.path, PathItem::new(method, operation(route)));
    }
    let mut info = Info::new("taskmgr", env!("CARGO_PKG_VERSION"));
    info.description = Some("Long-running background operations of a database".to_owned());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(schemas()))
        .build()
}

/// The wire types.
pub(super) fn schemas() -> Components {
    let mut components = ComponentsBuilder::new()
        .schema_from::<TaskStats>()
        .schema_from::<TaskStatus>()
        .schema_from::<ChildId>()
        .schema_from::<ErrorBody>()
        .schema_from::<ExtendedList>()
        .schema_from::<MissingTasks>()
        .schema_from::<ExtendedStats>()
        .schema_from::<ExtendedStatus>()
        .schema_from::<ExtendedAbort>()
        .schema_from::<ExtendedCounts>()
        .build();
    for schema in components.schemas.values_mut() {
        without_example(schema);
    }
    components
}

/// A description is the comment of a type, whose example in Rust is for readers of Rust alone.
fn without_example(schema: &mut RefOr<Schema>) {
    let description = match schema {
        RefOr::T(Schema::Object(object)) => &mut object.description,
        RefOr::T(Schema::AllOf(all)) => &mut all.description,
        _ => return,
    };
    if let Some((text, _example)) = description.as_deref().and_then(|d| d.split_once("\n\n```")) {
        *description = Some(text.to_owned());
    }
}

fn operation(route: &Route) -> Operation {
    let tag = route.path[1..].split('/').next().unwrap_or_default();
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(route.nickname))
        .summary(Some(route.summary))
        .response("200", answer(route.answer));
    for param in route.params {
        operation = operation.parameter(parameter(param));
    }
    for &status in route.errors.iter().chain(&[500, 503]) {
        let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
        let error = ResponseBuilder::new()
            .description(meaning(status))
            .content(JSON, body);
        operation = operation.response(status.to_string(), error.build());
    }
    operation.build()
}

pub(super) fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is wrong, or names a task or a module that is not there",
        403 => "The task is not abortable",
        408 => "The task had not ended when the timeout had passed",
        502 => "The provider of the virtual task failed or took too long",
        503 => "The manager is closed, or the server stops",
        _ => "The server failed",
    }
}

fn parameter(param: &Param) -> Parameter {
    ParameterBuilder::new()
        .name(param.name)
        .parameter_in(match param.place {
            Place::Path => ParameterIn::Path,
            Place::Query => ParameterIn::Query,
        })
        .required(if param.required {
            Required::True
        } else {
            Required::False
        })
        .description(Some(param.description))
        .schema(Some(kind(param.kind)))
        .build()
}

fn kind(kind: Kind) -> Schema {
    let object = ObjectBuilder::new();
    let object = match kind {
        Kind::Text => object.schema_type(Type::String),
        Kind::Id => object
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".to_owned()))),
        Kind::State => object.schema_type(Type::String).enum_values(Some([
            "created",
            "running",
            "suspended",
            "done",
            "failed",
        ])),
        Kind::Flag => object.schema_type(Type::Boolean),
        Kind::Seconds | Kind::Number | Kind::Shard => object
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0)),
    };
    object.build().into()
}

fn answer(answer: Answer) -> Response {
    let response = ResponseBuilder::new();
    let one = |name: &str| RefOr::from(Ref::from_schema_name(name));
    let many = |name: &str| RefOr::from(Schema::from(Array::new(one(name))));
    let plain = |type_: Type| ObjectBuilder::new().schema_type(type_).build();
    let (description, schema) = match answer {
        Answer::Empty => return response.description("Done; no body").build(),
        Answer::Id => ("The id of the task", plain(Type::String).into()),
        Answer::Seconds => ("A number of seconds", plain(Type::Integer).into()),
        Answer::Names => (
            "The names",
            RefOr::from(Schema::from(Array::new(plain(Type::String)))),
        ),
        Answer::Stats => ("The tasks", many("TaskStats")),
        Answer::Status => ("The status", one("TaskStatus")),
        Answer::Statuses => ("The statuses", many("TaskStatus")),
        Answer::ExtendedList => ("The tasks, and what is missing", one("ExtendedList")),
        Answer::ExtendedStatus => ("The status", one("ExtendedStatus")),
        Answer::ExtendedStatuses => ("The statuses", many("ExtendedStatus")),
        Answer::Document => ("The description", plain(Type::Object).into()),
    };
    response
        .description(description)
        .content(JSON, Content::new(Some(schema)))
        .build()
}
