//! How an API behaves.

use std::fmt;
use std::sync::Arc;

use crate::request::Request;
use crate::response::Response;

/// Routes of the host: `None` for a path that is not one of them either.
pub type Fallback = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// How an [`Api`](crate::Api) behaves.
///
/// ```
/// let config = taskmgr_http::ApiConfig::new().test_endpoints(true);
/// ```
#[derive(Clone, Default)]
pub struct ApiConfig {
    test_endpoints: bool,
    fallback: Option<Fallback>,
}

impl ApiConfig {
    /// Without test endpoints, and without routes of the host.
    ///
    /// ```
    /// let config = taskmgr_http::ApiConfig::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `/task_manager_test` is there, where a test harness makes and ends tasks.
    ///
    /// ```
    /// let config = taskmgr_http::ApiConfig::new().test_endpoints(true);
    /// ```
    pub fn test_endpoints(mut self, on: bool) -> Self {
        self.test_endpoints = on;
        self
    }

    /// Routes of the host, asked for paths that the API does not know.
    ///
    /// ```
    /// use taskmgr_http::{ApiConfig, Response};
    /// let config = ApiConfig::new().fallback(|request| {
    ///     (request.path() == "/node/version").then(|| Response::json(&"1.0"))
    /// });
    /// ```
    pub fn fallback(
        mut self,
        routes: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        self.fallback = Some(Arc::new(routes));
        self
    }

    pub(crate) fn routes_of_host(&self) -> Option<&Fallback> {
        self.fallback.as_ref()
    }

    pub(crate) fn has_test_endpoints(&self) -> bool {
        self.test_endpoints
    }
}

impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig")
            .field("test_endpoints", &self.test_endpoints)
            .field("fallback", &self.fallback.is_some())
            .finish()
    }
}
