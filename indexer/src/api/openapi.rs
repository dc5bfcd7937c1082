//! The OpenAPI document, generated from handlers and types.

use utoipa::OpenApi;

use super::{
    Problem, routes, stream,
    types::{LogEvent, Rollback},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parity indexer",
        description = "Read-only view of Parity's contracts. Amounts are decimal strings of base units (10^-18 USDFC), \
            digests are sha2-256 of DAG-CBOR blocks, heights are epochs. Every answer names the block as of which it \
            holds. The chain is the ledger; this is a cache."
    ),
    paths(
        routes::status::status,
        routes::sessions::list,
        routes::sessions::find,
        routes::sessions::seats,
        routes::sessions::rounds,
        routes::sessions::updates,
        routes::sessions::payouts,
        routes::operators::list,
        routes::operators::find,
        routes::operators::stake,
        routes::operators::leaderboard,
        routes::accounts::find,
        routes::accounts::history,
        stream::events,
    ),
    components(schemas(Problem, LogEvent, Rollback))
)]
struct Document;

/// The document.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
