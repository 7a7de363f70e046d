//! Which thread makes an answer. One that waits for a provider is looked at first, without a
//! thread, to find whose answer is wanted; then that provider is asked in a lane of its own.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use taskmgr::{Error, Observer, Search};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::lane::{Of, run};
use super::shared::Shared;
use crate::api::{Outcome, Routed, WaitsFor};
use crate::request::Request;
use crate::response::Response;
use crate::route::Weight;

/// How long a provider has at least for a client that waits for less: the library's own grace.
const GRACE: Duration = Duration::from_millis(50);

/// A request that moves between threads.
type Moving = Arc<Routed<'static>>;

/// Light answers are made here and now; the pool gets what is heavy, and what would block.
pub(super) async fn dispatch(shared: &Shared, request: Request) -> Result<Outcome, Response> {
    let arrived = Instant::now();
    let routed = shared
        .api
        .route(Cow::Owned(request), arrived.into_std())
        .map(Arc::new)?;
    let tried = match routed.weight() {
        Weight::Light => routed.try_run(),
        Weight::Heavy => try_heavy(shared, &routed).await?,
        Weight::Blocking => None,
    };
    match tried {
        Some(outcome) => Ok(outcome),
        None => ask(shared, routed, arrived).await,
    }
}

async fn ask(shared: &Shared, routed: Moving, arrived: Instant) -> Result<Outcome, Response> {
    let manager = shared.api.manager();
    let patience = manager.provider_deadline();
    let (of, timeout) = match routed.waits_for() {
        WaitsFor::ProviderOf { task, timeout } => {
            let found = found(manager.search(task, timeout)).await;
            let observer = found.map_err(|error| Response::from_error(&error))?;
            match observer.provider() {
                Some(provider) => (Of::Provider(provider), timeout),
                // It was made meanwhile.
                None => return regular(shared, routed).await,
            }
        }
        WaitsFor::ProvidersOf(module) => (Of::Module(module), None),
        WaitsFor::Others => return others(shared, routed).await,
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
    run(turn, move || routed.run()).await
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

async fn regular(shared: &Shared, routed: Moving) -> Result<Outcome, Response> {
    match try_heavy(shared, &routed).await? {
        Some(outcome) => Ok(outcome),
        None => others(shared, routed).await,
    }
}

async fn try_heavy(shared: &Shared, routed: &Moving) -> Result<Option<Outcome>, Response> {
    let routed = Arc::clone(routed);
    shared.heavy.run(move || routed.try_run()).await
}

async fn others(shared: &Shared, routed: Moving) -> Result<Outcome, Response> {
    let turn = shared.lanes.turn(Of::Others).await;
    run(turn, move || routed.run()).await
}
