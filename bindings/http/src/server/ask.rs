//! Requests that wait for a provider: first it is found whose answer is wanted, without a thread,
//! and then that provider is asked in a lane of its own.

use std::sync::Arc;
use std::time::Duration;

use taskmgr::{Error, Observer, Search};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::connection::Shared;
use super::lane::{Of, run};
use crate::api::{Outcome, WaitsFor};
use crate::request::Request;
use crate::response::Response;

/// How long a provider has at least for a client that waits for less: the library's own grace.
const GRACE: Duration = Duration::from_millis(50);

pub(super) async fn ask(
    shared: &Shared,
    request: Arc<Request>,
    arrived: Instant,
) -> Result<Outcome, Response> {
    let manager = shared.api.manager();
    let patience = manager.provider_deadline();
    let (of, timeout) = match shared.api.waits_for(&request, arrived.into_std()) {
        WaitsFor::ProviderOf { task, timeout } => {
            let found = found(manager.search(task, timeout)).await;
            let observer = found.map_err(|error| Response::from_error(&error))?;
            match observer.provider() {
                Some(provider) => (Of::Provider(provider), timeout),
                // It was made meanwhile.
                None => return regular(shared, request, arrived).await,
            }
        }
        WaitsFor::ProvidersOf(module) => (Of::Module(module), None),
        WaitsFor::Others => return others(shared, request, arrived).await,
    };
    // For as long as it would wait for its turn with the library.
    let now = Instant::now();
    let late = now.checked_add(patience);
    let given_up = timeout.and_then(|timeout| arrived.checked_add(timeout.max(GRACE)));
    let turn = shared.lanes.turn(of);
    let turn = match [late, given_up].into_iter().flatten().min() {
        Some(until) => timeout_at(until, turn).await.map_err(|_| match given_up {
            Some(given_up) if late.is_none_or(|late| given_up <= late) => Response::error(
                408,
                "the provider of virtual tasks had not answered when the timeout had passed",
            ),
            _ => Response::error(
                502,
                format!("the provider took longer than {patience:?} for earlier questions"),
            ),
        })?,
        None => turn.await,
    };
    let api = shared.api.clone();
    run(turn, move || api.handle_since(&request, arrived.into_std())).await
}

/// Waits for a search, for as long as providers have.
async fn found(search: Search) -> Result<Observer, Error> {
    if !search.is_ready() {
        let (sender, ready) = oneshot::channel();
        search.on_ready(move || {
            let _ = sender.send(());
        });
        match search.deadline() {
            Some(deadline) => tokio::select! {
                _ = ready => {}
                _ = sleep_until(Instant::from_std(deadline)) => {}
            },
            None => drop(ready.await),
        }
    }
    search.into_result()
}

async fn regular(
    shared: &Shared,
    request: Arc<Request>,
    arrived: Instant,
) -> Result<Outcome, Response> {
    let (api, again) = (shared.api.clone(), Arc::clone(&request));
    let job = move || api.try_since(&again, arrived.into_std());
    match shared.heavy.run(job).await? {
        Some(outcome) => Ok(outcome),
        None => others(shared, request, arrived).await,
    }
}

async fn others(
    shared: &Shared,
    request: Arc<Request>,
    arrived: Instant,
) -> Result<Outcome, Response> {
    let turn = shared.lanes.turn(Of::Others).await;
    let api = shared.api.clone();
    run(turn, move || api.handle_since(&request, arrived.into_std())).await
}
