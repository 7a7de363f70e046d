//! The REST API of a manager.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use taskmgr_http::ServerConfig;

use crate::args::Seconds;
use crate::error::invalid;
use crate::wait;

/// The REST API of a manager on a thread of its own, until it is stopped, dropped, or its block
/// ends.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Server {
    address: SocketAddr,
    running: Mutex<Option<taskmgr_http::Server>>,
}

/// Where to listen: `host:port`, the host an IP address.
pub(crate) fn address(py: Python<'_>, text: &str) -> PyResult<SocketAddr> {
    text.parse().map_err(|_| {
        invalid(
            py,
            format!(
                "{text:?} is no address to listen on: an IP address and a port, as in \
                 127.0.0.1:10000; port 0 is any that is free"
            ),
        )
    })
}

impl Server {
    pub(crate) fn start(
        py: Python<'_>,
        manager: taskmgr::Manager,
        config: ServerConfig,
    ) -> PyResult<Self> {
        let server = py.detach(|| taskmgr_http::serve(manager, config))?;
        Ok(Self {
            address: server.local_addr(),
            running: Mutex::new(Some(server)),
        })
    }

    fn take(&self) -> Option<taskmgr_http::Server> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[pymethods]
impl Server {
    /// Where it listens: the IP address and the port.
    #[getter]
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    /// The same as what clients begin with.
    #[getter]
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many clients wait for a task.
    #[getter]
    fn pending_waits(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .as_ref()
            .map_or(0, taskmgr_http::Server::pending_waits)
    }

    /// Stops listening, lets requests end until the deadline; how many were cut off.
    #[pyo3(signature = (deadline = Seconds::FIVE), text_signature = "($self, deadline=5.0)")]
    fn stop(&self, py: Python<'_>, deadline: Seconds) -> PyResult<usize> {
        match self.take() {
            Some(server) => wait::interruptible(py, move || server.stop(deadline.0)),
            None => Ok(0),
        }
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.stop(py, Seconds::FIVE).map(|_| ())
    }

    fn __repr__(&self) -> String {
        format!("Server({:?})", self.url())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Server"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(server) = self.take() {
            // Its thread may be about to enter Python.
            let mut server = Some(server);
            let dropped = Python::try_attach(|py| py.detach(|| drop(server.take())));
            if dropped.is_none() {
                std::mem::forget(server);
            }
        }
    }
}
