//! Routes of the host, answered by a callable of Python's.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use taskmgr_http::Response;

use crate::error::{core_error, invalid};
use crate::gate;

/// A request that is none of the API's own, for the routes of the host. It has no body.
#[pyclass(frozen, module = "taskmgr")]
pub(crate) struct Request(taskmgr_http::Request);

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (method, target, *, host = None))]
    fn new(method: &str, target: &str, host: Option<&str>) -> Self {
        let request = taskmgr_http::Request::new(method, target);
        Self(match host {
            Some(host) => request.with_host(host),
            None => request,
        })
    }

    /// The method, in capitals as it was sent.
    #[getter]
    fn method(&self) -> &str {
        self.0.method()
    }

    /// The path as it was sent, so still percent-encoded.
    #[getter]
    fn path(&self) -> &str {
        self.0.path()
    }

    /// The `Host` that the client asked, if it named one.
    #[getter]
    fn host(&self) -> Option<&str> {
        self.0.host()
    }

    /// The segments of the path, decoded one by one; `InvalidArgument` for a broken escape.
    fn segments(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.0.segments().map_err(|refused| refusal(py, &refused))
    }

    /// The decoded value of a query parameter, `None` if it is absent or empty;
    /// `InvalidArgument` for a broken escape or a parameter that is given twice.
    fn query(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        self.0.query(name).map_err(|refused| refusal(py, &refused))
    }

    fn __repr__(&self) -> String {
        format!("Request({:?}, {:?})", self.0.method(), self.0.path())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Request"))
    }
}

/// The ready 400 of a request as an exception, which becomes that 400 again.
fn refusal(py: Python<'_>, refused: &Response) -> PyErr {
    let body = String::from_utf8_lossy(&refused.body);
    let message = py
        .import("json")
        .and_then(|json| json.call_method1("loads", (&*body,)))
        .and_then(|said| said.get_item("message"))
        .and_then(|message| message.extract::<String>());
    match message {
        Ok(message) => invalid(py, message),
        Err(error) => error,
    }
}

/// What a server asks for paths that the API does not know.
pub(crate) fn fallback(
    routes: Py<PyAny>,
) -> impl Fn(&taskmgr_http::Request) -> Option<Response> + Send + Sync + 'static {
    move |request| {
        let request = Request(request.clone());
        let answered = gate::enter(|py| {
            let routes = routes.bind(py);
            // Lists and trees use the same thread: whatever would wait raises `WouldDeadlock`.
            taskmgr::nonblocking(|| routes.call1((request,)))
                .and_then(|answer| response(&answer))
                .unwrap_or_else(|error| Some(failure(routes, error)))
        });
        answered.unwrap_or_else(|| Some(Response::error(503, "the node is on its way out")))
    }
}

fn response(answer: &Bound<'_, PyAny>) -> PyResult<Option<Response>> {
    if answer.is_none() {
        return Ok(None);
    }
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.import(answer.py(), "taskmgr._routes", "Response")?;
    if !answer.is_instance(class)? {
        return Err(PyTypeError::new_err(format!(
            "a route answers with a taskmgr.Response, or None for a path that it does not \
             know, not a {}",
            answer.get_type().name()?
        )));
    }
    let allow: String = answer.getattr("allow")?.extract()?;
    Ok(Some(Response {
        status: answer.getattr("status")?.extract()?,
        allow: Some(allow).filter(|allow| !allow.is_empty()),
        body: answer.getattr("body")?.extract()?,
        ..Response::empty()
    }))
}

/// An exception of this package is answered as the API answers it; of any other nobody but
/// `sys.unraisablehook` would hear.
fn failure(routes: &Bound<'_, PyAny>, error: PyErr) -> Response {
    let py = routes.py();
    if let Some(error) = core_error(py, &error) {
        return Response::from_error(&error);
    }
    let text = crate::error::message(py, &error);
    error.write_unraisable(py, Some(routes));
    Response::error(500, text)
}
