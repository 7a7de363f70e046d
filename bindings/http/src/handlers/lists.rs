//! What the lists of both formats have in common.

use taskmgr::{Filter, Listing};

use crate::call::Call;
use crate::response::{Failure, Response};

/// The list of a module; who reads the log hears of what is missing.
pub(crate) fn listing(call: &Call<'_>, filter: &Filter) -> Result<Listing, Failure> {
    let module = call.text_or_empty("module")?;
    let listing = call.manager().listing(module, filter)?;
    for missing in &listing.missing {
        log::warn!("a list of tasks is incomplete: {missing}");
    }
    Ok(listing)
}

/// The filters that both lists have.
pub(crate) fn filter(call: &Call<'_>) -> Result<Filter, Response> {
    Ok(Filter::new()
        .internal(call.optional("internal")?.unwrap_or(false))
        .keyspace(call.text_or_empty("keyspace")?)
        .table(call.text_or_empty("table")?))
}
