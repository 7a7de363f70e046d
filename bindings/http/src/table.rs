//! The table of routes: the one source of handlers, of 404 and 405, and of both documents.

use crate::handlers::{documents, extended, task_manager, test_endpoints};
use crate::param::{Kind, Param, Place};
use crate::route::{Answer, Handler, Method, Route, Weight};

const fn path(name: &'static str, kind: Kind, description: &'static str) -> Param {
    Param {
        name,
        place: Place::Path,
        required: true,
        kind,
        description,
    }
}

const fn query(name: &'static str, kind: Kind, description: &'static str) -> Param {
    Param {
        name,
        place: Place::Query,
        required: false,
        kind,
        description,
    }
}

const fn must(param: Param) -> Param {
    Param {
        required: true,
        ..param
    }
}

const TASK_ID: Param = path("task_id", Kind::Id, "The id of the task");
const MODULE: Param = path("module", Kind::Text, "The name of the module");
const INTERNAL: Param = query(
    "internal",
    Kind::Flag,
    "Whether to list internal tasks too (default false)",
);
const KEYSPACE: Param = query("keyspace", Kind::Text, "Only tasks on this keyspace");
const TABLE: Param = query("table", Kind::Text, "Only tasks on this table");
const NO_TTL: Param = query("ttl", Kind::Seconds, "Refused: setting it takes a POST");
const NO_USER_TTL: Param = query(
    "user_ttl",
    Kind::Seconds,
    "Refused: setting it takes a POST",
);

const fn get(path: &'static str, nickname: &'static str, run: Handler) -> Route {
    Route {
        method: Method::Get,
        path,
        nickname,
        summary: "",
        params: &[],
        answer: Answer::Empty,
        errors: &[],
        weight: Weight::Light,
        test_only: false,
        run,
    }
}

const fn post(path: &'static str, nickname: &'static str, run: Handler) -> Route {
    Route {
        method: Method::Post,
        ..get(path, nickname, run)
    }
}

const fn test(method: Method, path: &'static str, nickname: &'static str, run: Handler) -> Route {
    Route {
        method,
        test_only: true,
        ..get(path, nickname, run)
    }
}

static ROUTES: &[Route] = &[
    Route {
        summary: "The names of all modules",
        answer: Answer::Names,
        errors: &[400],
        ..get(
            "/task_manager/list_modules",
            "get_modules",
            task_manager::list_modules,
        )
    },
    Route {
        summary: "The tasks of a module, in order of creation",
        params: &[MODULE, INTERNAL, KEYSPACE, TABLE],
        answer: Answer::Stats,
        errors: &[400],
        weight: Weight::Heavy,
        ..get(
            "/task_manager/list_module_tasks/{module}",
            "get_tasks",
            task_manager::list_module_tasks,
        )
    },
    Route {
        summary: "The status of a task; unregisters it if it is a root that has ended with all its descendants",
        params: &[TASK_ID],
        answer: Answer::Status,
        errors: &[400, 502],
        ..get(
            "/task_manager/task_status/{task_id}",
            "get_task_status",
            task_manager::task_status,
        )
    },
    Route {
        summary: "Aborts a task and its descendants, if it is abortable",
        params: &[TASK_ID],
        errors: &[400, 403, 502],
        // Callbacks of the host run on the thread that aborts.
        weight: Weight::Heavy,
        ..post(
            "/task_manager/abort_task/{task_id}",
            "abort_task",
            task_manager::abort_task,
        )
    },
    Route {
        summary: "Waits until a task has ended, and gives its final status",
        params: &[
            TASK_ID,
            query(
                "timeout",
                Kind::Seconds,
                "How long to wait (default: for as long as it takes)",
            ),
        ],
        answer: Answer::Status,
        errors: &[400, 408, 502],
        ..get(
            "/task_manager/wait_task/{task_id}",
            "wait_task",
            task_manager::wait_task,
        )
    },
    Route {
        summary: "The statuses of a task and all its descendants, breadth-first; \
                  unregisters it if it is a root that has ended with all its descendants",
        params: &[TASK_ID],
        answer: Answer::Statuses,
        errors: &[400, 502],
        weight: Weight::Heavy,
        ..get(
            "/task_manager/task_status_recursive/{task_id}",
            "get_task_status_recursively",
            task_manager::task_status_recursive,
        )
    },
    Route {
        summary: "For how many seconds a root is kept after it has ended",
        params: &[NO_TTL],
        answer: Answer::Seconds,
        errors: &[400],
        ..get("/task_manager/ttl", "get_ttl", task_manager::ttl)
    },
    Route {
        summary: "Sets for how many seconds a root is kept, and gives the number before",
        params: &[must(query(
            "ttl",
            Kind::Seconds,
            "The new number of seconds",
        ))],
        answer: Answer::Seconds,
        errors: &[400],
        ..post(
            "/task_manager/ttl",
            "get_and_update_ttl",
            task_manager::set_ttl,
        )
    },
    Route {
        summary: "For how many seconds a root that a user has started is kept after it has ended",
        params: &[NO_USER_TTL],
        answer: Answer::Seconds,
        errors: &[400],
        ..get(
            "/task_manager/user_ttl",
            "get_user_ttl",
            task_manager::user_ttl,
        )
    },
    Route {
        summary: "Sets for how many seconds a root that a user has started is kept, and gives the number before",
        params: &[must(query(
            "user_ttl",
            Kind::Seconds,
            "The new number of seconds",
        ))],
        answer: Answer::Seconds,
        errors: &[400],
        ..post(
            "/task_manager/user_ttl",
            "get_and_update_user_ttl",
            task_manager::set_user_ttl,
        )
    },
    Route {
        summary: "Unregisters every root of a module that has ended with all its descendants",
        params: &[MODULE],
        errors: &[400],
        weight: Weight::Heavy,
        ..post(
            "/task_manager/drain/{module}",
            "drain_tasks",
            task_manager::drain,
        )
    },
    Route {
        summary: "This API as Swagger 1.2",
        answer: Answer::Document,
        errors: &[400],
        ..get("/api-doc/task_manager", "get_swagger", documents::swagger)
    },
    Route {
        summary: "This API as OpenAPI 3.1",
        answer: Answer::Document,
        errors: &[400],
        ..get("/openapi.json", "get_openapi", documents::openapi)
    },
    Route {
        summary: "The tasks of a module with what goes beyond the wire format, and the providers whose tasks are missing",
        params: &[
            MODULE,
            INTERNAL,
            KEYSPACE,
            TABLE,
            query("type", Kind::Text, "Only tasks of this type"),
            query("scope", Kind::Text, "Only tasks of this scope"),
            query("state", Kind::State, "Only tasks in this state"),
            query("limit", Kind::Number, "Only the oldest so many"),
        ],
        answer: Answer::ExtendedList,
        errors: &[400],
        weight: Weight::Heavy,
        ..get(
            "/api/v1/list_module_tasks/{module}",
            "v1_get_tasks",
            extended::list_module_tasks,
        )
    },
    Route {
        summary: "The status of a task with what goes beyond the wire format; never unregisters it",
        params: &[TASK_ID],
        answer: Answer::ExtendedStatus,
        errors: &[400, 502],
        ..get(
            "/api/v1/task_status/{task_id}",
            "v1_get_task_status",
            extended::task_status,
        )
    },
    Route {
        summary: "The statuses of a tree with what goes beyond the wire format; never unregisters it",
        params: &[TASK_ID],
        answer: Answer::ExtendedStatuses,
        errors: &[400, 502],
        weight: Weight::Heavy,
        ..get(
            "/api/v1/task_status_recursive/{task_id}",
            "v1_get_task_status_recursively",
            extended::task_status_recursive,
        )
    },
    Route {
        summary: "Asks a task to sleep at its next checkpoint",
        params: &[TASK_ID],
        errors: &[400, 502],
        ..post(
            "/api/v1/suspend_task/{task_id}",
            "v1_suspend_task",
            extended::suspend_task,
        )
    },
    Route {
        summary: "Wakes a task that was asked to sleep",
        params: &[TASK_ID],
        errors: &[400, 502],
        ..post(
            "/api/v1/resume_task/{task_id}",
            "v1_resume_task",
            extended::resume_task,
        )
    },
    Route {
        summary: "Registers the module `test`",
        errors: &[400],
        ..test(
            Method::Post,
            "/task_manager_test/test_module",
            "register_test_module",
            test_endpoints::register_module,
        )
    },
    Route {
        summary: "Unregisters the module `test`; its tasks fail at once",
        errors: &[400],
        weight: Weight::Blocking,
        ..test(
            Method::Delete,
            "/task_manager_test/test_module",
            "unregister_test_module",
            test_endpoints::unregister_module,
        )
    },
    Route {
        summary: "Creates and starts a test task, and gives its id",
        params: &[
            query("task_id", Kind::Id, "Its id (default: a random one)"),
            query("shard", Kind::Shard, "Its shard (default 0)"),
            query("parent_id", Kind::Id, "Its parent (default: none)"),
            query("keyspace", Kind::Text, "Its keyspace"),
            query("table", Kind::Text, "Its table"),
            query("entity", Kind::Text, "Its entity"),
            query(
                "user_task",
                Kind::Flag,
                "Whether a user has started it (default false)",
            ),
        ],
        answer: Answer::Id,
        errors: &[400, 502],
        ..test(
            Method::Post,
            "/task_manager_test/test_task",
            "register_test_task",
            test_endpoints::start_task,
        )
    },
    Route {
        summary: "Finishes a test task and unregisters it",
        params: &[must(query("task_id", Kind::Id, "The id of the task"))],
        errors: &[400, 502],
        weight: Weight::Blocking,
        ..test(
            Method::Delete,
            "/task_manager_test/test_task",
            "unregister_test_task",
            test_endpoints::unregister_task,
        )
    },
    Route {
        summary: "Finishes a test task, and answers once it has",
        params: &[
            TASK_ID,
            query("error", Kind::Text, "Why it fails (default: it is done)"),
        ],
        errors: &[400, 502],
        weight: Weight::Heavy,
        ..test(
            Method::Post,
            "/task_manager_test/finish_test_task/{task_id}",
            "finish_test_task",
            test_endpoints::finish_task,
        )
    },
];

/// What the table says of a request.
#[derive(Debug)]
pub(crate) enum Found {
    Route(&'static Route),
    /// The path has other methods, these.
    WrongMethod(String),
    Nothing,
}

/// The routes there are.
pub(crate) fn served(test_endpoints: bool) -> impl Iterator<Item = &'static Route> {
    ROUTES
        .iter()
        .filter(move |route| test_endpoints || !route.test_only)
}

pub(crate) fn find(test_endpoints: bool, method: &str, segments: &[String]) -> Found {
    let on_path = || served(test_endpoints).filter(|route| route.matches(segments));
    if let Some(route) = on_path().find(|route| route.method.as_str() == method) {
        return Found::Route(route);
    }
    let allow: Vec<&str> = on_path().map(|route| route.method.as_str()).collect();
    if allow.is_empty() {
        Found::Nothing
    } else {
        Found::WrongMethod(allow.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert!(
                !route.summary.is_empty(),
                "{route:?} says nothing of itself"
            );
            let in_path = route.names();
            let declared: Vec<_> = route
                .params
                .iter()
                .filter(|p| p.place == Place::Path)
                .map(|p| p.name)
                .collect();
            assert_eq!(in_path, declared, "{route:?}");
            for other in &ROUTES[at + 1..] {
                assert_ne!((route.method, route.path), (other.method, other.path));
                assert_ne!(route.nickname, other.nickname);
            }
        }
    }
}
