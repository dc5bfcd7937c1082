//! `/v1/accounts`.

use axum::{Json, extract::State};

use crate::{
    api::{
        Api, Moment, Problem,
        extract::{AddressOf, Paging, Params},
        one_more,
        types::{Account, Answer, HistoryEntry, Page},
    },
    db::read::accounts,
    rows::Row,
};

/// What Escrow knows of an address.
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "accounts", params(("address" = String, Path)), responses(
    (status = 200, body = Answer<Account>),
    (status = 400, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn find(
    State(api): State<Api>,
    AddressOf(address): AddressOf,
) -> Result<Json<Answer<Account>>, Problem> {
    let mut moment = Moment::of(&api).await?;
    let row = accounts::find(&mut moment.db, address.into()).await?;
    Ok(moment.answer(Account::of(address, row)))
}

/// Every movement of an address's USDFC since the deployment, newest first.
#[utoipa::path(get, path = "/v1/accounts/{address}/history", tag = "accounts",
    params(("address" = String, Path), Paging),
    responses(
        (status = 200, body = Page<HistoryEntry>),
        (status = 400, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn history(
    State(api): State<Api>,
    AddressOf(address): AddressOf,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<HistoryEntry>>, Problem> {
    let (limit, before) = (paging.limit()?, paging.after()?);
    let mut moment = Moment::of(&api).await?;
    let rows = accounts::history(&mut moment.db, address.into(), before, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |(row, _)| row.key()))
}
