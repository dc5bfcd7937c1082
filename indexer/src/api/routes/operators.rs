//! `/v1/operators`, `/v1/stakes` and `/v1/reputation`.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    api::{
        Api, Moment, Problem,
        extract::{AddressOf, Paging, Params},
        one_more,
        types::{Answer, Operator, Page, Reputation, Stake},
    },
    db::read::operators,
};

/// Which operators are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OperatorFilter {
    /// Only those that are active, or only those that are not.
    active: Option<bool>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows wanted, 1 to 500; 50 by default.
    limit: Option<u16>,
}

/// Registered operators by address.
#[utoipa::path(get, path = "/v1/operators", tag = "operators", params(OperatorFilter), responses(
    (status = 200, body = Page<Operator>),
    (status = 400, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(filter): Params<OperatorFilter>,
) -> Result<Json<Page<Operator>>, Problem> {
    let paging = Paging { cursor: filter.cursor, limit: filter.limit };
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = Moment::of(&api).await?;
    let rows = operators::list(&mut moment.db, filter.active, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| row.operator.operator))
}

/// One operator with its bond and score.
#[utoipa::path(get, path = "/v1/operators/{address}", tag = "operators", params(("address" = String, Path)), responses(
    (status = 200, body = Answer<Operator>),
    (status = 404, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn find(
    State(api): State<Api>,
    AddressOf(address): AddressOf,
) -> Result<Json<Answer<Operator>>, Problem> {
    let mut moment = Moment::of(&api).await?;
    let row = operators::find(&mut moment.db, address.into()).await?;
    let row = row.ok_or_else(|| {
        Problem::not_found(format!("{address} is not registered as an operator; /v1/operators lists those that are"))
    })?;
    Ok(moment.answer(row.into()))
}

/// The bond of an address; zero when it never had one.
#[utoipa::path(get, path = "/v1/stakes/{address}", tag = "operators", params(("address" = String, Path)), responses(
    (status = 200, body = Answer<Stake>),
    (status = 400, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn stake(
    State(api): State<Api>,
    AddressOf(address): AddressOf,
) -> Result<Json<Answer<Stake>>, Problem> {
    let mut moment = Moment::of(&api).await?;
    let row = operators::stake(&mut moment.db, address.into()).await?;
    Ok(moment.answer(Stake::of(address, row)))
}

/// Scores of operators that finished or missed a round, best first.
#[utoipa::path(get, path = "/v1/reputation", tag = "operators", params(Paging), responses(
    (status = 200, body = Page<Reputation>),
    (status = 400, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn leaderboard(
    State(api): State<Api>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Reputation>>, Problem> {
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = Moment::of(&api).await?;
    let rows = operators::leaderboard(&mut moment.db, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| (row.score, row.finished, row.operator)))
}
