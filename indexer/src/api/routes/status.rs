//! `/v1/status`.

use axum::{Json, extract::State};

use crate::api::{
    Api, Moment, Problem,
    types::{Answer, Contracts, Status},
};

/// How far the indexer is, and of which contracts.
#[utoipa::path(get, path = "/v1/status", tag = "indexer", responses(
    (status = 200, body = Answer<Status>), (status = 503, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn status(State(api): State<Api>) -> Result<Json<Answer<Status>>, Problem> {
    let moment = Moment::of(&api).await?;
    let cursor = moment.cursor;
    let head = api.metrics.head.get().max(cursor.number);
    Ok(moment.answer(Status {
        chain_id: api.deployments.chain_id,
        start_block: api.deployments.start_block,
        head,
        lag: head - cursor.number,
        safe: cursor.safe,
        finalized: cursor.finalized,
        state_hash: cursor.state_hash,
        contracts: Contracts::from(&api.deployments),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}
