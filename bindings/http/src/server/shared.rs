//! What all connections of a server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::config::ServerConfig;
use super::lane::{Lane, Lanes};
use super::origin::Policy;
use crate::api::Api;

type Stop = watch::Receiver<Option<Duration>>;

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) policy: Policy,
    /// For lists, trees, aborts and the host's own routes.
    pub(super) heavy: Lane,
    /// For questions that a provider has to answer, and what else may block.
    pub(super) lanes: Lanes,
    pub(super) max_connections: usize,
    pub(super) header_timeout: Duration,
    stop: Stop,
}

impl Shared {
    pub(super) fn new(
        api: Api,
        config: &ServerConfig,
        address: SocketAddr,
        stop: Stop,
    ) -> Arc<Self> {
        Arc::new(Self {
            api,
            policy: Policy::new(
                address.ip().to_canonical().is_loopback(),
                &config.allowed_hosts,
            ),
            heavy: Lane::new(),
            lanes: Lanes::new(),
            max_connections: config.max_connections,
            header_timeout: config.header_timeout,
            stop,
        })
    }

    /// Returns when the server is told to stop, with the time that it has left.
    pub(super) async fn stopped(&self) -> Duration {
        let mut stop = self.stop.clone();
        // A server that is gone without having stopped leaves no time.
        stop.wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|left| *left)
            .unwrap_or_default()
    }
}
