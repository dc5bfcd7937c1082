//! The read API: HTTP and JSON over the tables, an event stream, and a page for people.
//!
//! Reads only. Every request sees one moment of the database and says which block that was.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{Html, IntoResponse},
    routing::get,
};
use parity_abi::Deployments;
use parity_service::{Liveness, Registry};
use prometheus_client::encoding::text::encode;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    db::{self, cursor as chain_cursor},
    error::Result,
    metrics::Metrics,
};

mod cursor;
mod extract;
mod openapi;
mod problem;
mod routes;
mod stream;
pub mod types;

pub use problem::Problem;
use types::{Answer, BlockRef, Finality, Page};

/// Content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What every request may look at.
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) deployments: Deployments,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Arc<Registry>,
    pub(crate) liveness: Liveness,
    /// Changes when the cursor moves.
    pub(crate) moved: watch::Receiver<()>,
    pub(crate) shutdown: CancellationToken,
}

/// Shared state of all requests. Cheap to clone.
pub(crate) type Api = Arc<Shared>;

/// All routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(async || Json(openapi::document())))
        .route("/v1/status", get(routes::status::status))
        .route("/v1/sessions", get(routes::sessions::list))
        .route("/v1/sessions/{session}", get(routes::sessions::find))
        .route("/v1/sessions/{session}/seats", get(routes::sessions::seats))
        .route("/v1/sessions/{session}/rounds", get(routes::sessions::rounds))
        .route("/v1/sessions/{session}/updates", get(routes::sessions::updates))
        .route("/v1/sessions/{session}/payouts", get(routes::sessions::payouts))
        .route("/v1/operators", get(routes::operators::list))
        .route("/v1/operators/{address}", get(routes::operators::find))
        .route("/v1/stakes/{address}", get(routes::operators::stake))
        .route("/v1/reputation", get(routes::operators::leaderboard))
        .route("/v1/accounts/{address}", get(routes::accounts::find))
        .route("/v1/accounts/{address}/history", get(routes::accounts::history))
        .route("/v1/events", get(stream::events))
        .fallback(async || Problem::not_found("there is no such path; /openapi.json lists those that exist"))
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .with_state(api)
}

async fn health(State(api): State<Api>) -> impl IntoResponse {
    if api.liveness.is_alive() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "stalled\n") }
}

async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &api.registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// One moment of the database, and the block it stands at.
pub(crate) struct Moment {
    pub(crate) db: Transaction<'static, Postgres>,
    pub(crate) cursor: chain_cursor::Cursor,
}

impl Moment {
    /// The present one, if a block was folded in.
    pub(crate) async fn now(api: &Shared) -> Result<Option<Self>> {
        let mut db = db::snapshot(&api.pool).await?;
        let cursor = chain_cursor::read(&mut db, &api.deployments).await?;
        Ok(cursor.map(|cursor| Self { db, cursor }))
    }

    /// The present one, or a problem.
    async fn of(api: &Shared) -> Result<Self, Problem> {
        Self::now(api).await?.ok_or_else(Problem::starting)
    }

    /// The block it stands at.
    pub(crate) fn block(&self) -> BlockRef {
        block_ref(&self.cursor, self.cursor.number, self.cursor.hash)
    }

    fn answer<T>(&self, data: T) -> Json<Answer<T>> {
        Json(Answer { block: self.block(), data })
    }

    /// A page out of rows of which one more than `limit` was asked for; `key` names the row after which the next goes on.
    fn page<R, T: From<R>, K: serde::Serialize>(
        &self,
        mut rows: Vec<R>,
        limit: usize,
        key: impl Fn(&R) -> K,
    ) -> Json<Page<T>> {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(|row| cursor::encode(&key(row)));
        Json(Page { block: self.block(), data: rows.into_iter().map(T::from).collect(), next })
    }
}

/// A block with its finality as of `cursor`.
pub(crate) fn block_ref(cursor: &chain_cursor::Cursor, number: u64, hash: alloy::primitives::B256) -> BlockRef {
    let finality = match number {
        number if number <= cursor.finalized => Finality::Finalized,
        number if number <= cursor.safe => Finality::Safe,
        _ => Finality::Latest,
    };
    BlockRef { number, hash, finality }
}

/// One row more than the page holds, to see whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}
