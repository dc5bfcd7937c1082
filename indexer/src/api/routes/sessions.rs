//! `/v1/sessions` and below.

use alloy::primitives::Address;
use axum::{Json, extract::State};
use parity_abi::State as SessionState;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    api::{
        Api, Moment, Problem,
        extract::{Paging, Params, SessionId, address},
        one_more,
        types::{Answer, Page, Payout, Round, Seat, Session, Update},
    },
    db::read::sessions,
    rows::Bytes20,
};

/// Which sessions are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionFilter {
    /// Only sessions in this state: `open`, `active`, `completed`, `cancelled` or `expired`.
    state: Option<String>,
    /// Only sessions of this requester.
    requester: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows wanted, 1 to 500; 50 by default.
    limit: Option<u16>,
}

impl SessionFilter {
    fn paging(&self) -> Paging {
        Paging { cursor: self.cursor.clone(), limit: self.limit }
    }

    fn state(&self) -> Result<Option<String>, Problem> {
        let Some(text) = &self.state else { return Ok(None) };
        let known = |state: &&SessionState| **state != SessionState::None;
        let names: Vec<_> = SessionState::ALL.iter().filter(known).map(|s| s.to_string().to_lowercase()).collect();
        if names.contains(text) {
            return Ok(Some(text.clone()));
        }
        Err(Problem::invalid(format!("state '{text}' is none of {}", names.join(", "))))
    }
}

/// Sessions, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", params(SessionFilter), responses(
    (status = 200, body = Page<Session>),
    (status = 400, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(filter): Params<SessionFilter>,
) -> Result<Json<Page<Session>>, Problem> {
    let limit = filter.paging().limit()?;
    let wanted = sessions::Wanted {
        state: filter.state()?,
        requester: filter.requester.as_deref().map(address).transpose()?.map(Bytes20::from),
        before: filter.paging().after::<u64>()?,
    };
    let mut moment = Moment::of(&api).await?;
    let rows = sessions::list(&mut moment.db, controller(&api), &wanted, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| row.session.session_id))
}

/// One session.
#[utoipa::path(get, path = "/v1/sessions/{session}", tag = "sessions", params(("session" = u64, Path)), responses(
    (status = 200, body = Answer<Session>),
    (status = 404, body = Problem, content_type = "application/problem+json")
))]
pub(crate) async fn find(
    State(api): State<Api>,
    SessionId(session): SessionId,
) -> Result<Json<Answer<Session>>, Problem> {
    let mut moment = Moment::of(&api).await?;
    let row = sessions::find(&mut moment.db, controller(&api), session).await?.ok_or_else(|| unknown(session))?;
    Ok(moment.answer(row.into()))
}

/// Seats of a session that were claimed at least once, by index.
#[utoipa::path(get, path = "/v1/sessions/{session}/seats", tag = "sessions", params(("session" = u64, Path), Paging),
    responses(
        (status = 200, body = Page<Seat>),
        (status = 404, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn seats(
    State(api): State<Api>,
    SessionId(session): SessionId,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Seat>>, Problem> {
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = existing(&api, session).await?;
    let rows = sessions::seats(&mut moment.db, session, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |(seat, _)| seat.seat))
}

/// Rounds of a session in their order.
#[utoipa::path(get, path = "/v1/sessions/{session}/rounds", tag = "sessions", params(("session" = u64, Path), Paging),
    responses(
        (status = 200, body = Page<Round>),
        (status = 404, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn rounds(
    State(api): State<Api>,
    SessionId(session): SessionId,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Round>>, Problem> {
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = existing(&api, session).await?;
    let rows = sessions::rounds(&mut moment.db, session, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| row.round))
}

/// Which updates are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UpdateFilter {
    /// Only updates of this round.
    round: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows wanted, 1 to 500; 50 by default.
    limit: Option<u16>,
}

/// Updates of a session as posted, by round and operator.
#[utoipa::path(get, path = "/v1/sessions/{session}/updates", tag = "sessions",
    params(("session" = u64, Path), UpdateFilter),
    responses(
        (status = 200, body = Page<Update>),
        (status = 404, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn updates(
    State(api): State<Api>,
    SessionId(session): SessionId,
    Params(filter): Params<UpdateFilter>,
) -> Result<Json<Page<Update>>, Problem> {
    let paging = Paging { cursor: filter.cursor, limit: filter.limit };
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = existing(&api, session).await?;
    let rows = sessions::updates(&mut moment.db, session, filter.round, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| (row.round, row.operator)))
}

/// What operators were paid for a session, by operator.
#[utoipa::path(get, path = "/v1/sessions/{session}/payouts", tag = "sessions", params(("session" = u64, Path), Paging),
    responses(
        (status = 200, body = Page<Payout>),
        (status = 404, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn payouts(
    State(api): State<Api>,
    SessionId(session): SessionId,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Payout>>, Problem> {
    let (limit, after) = (paging.limit()?, paging.after()?);
    let mut moment = existing(&api, session).await?;
    let rows = sessions::payouts(&mut moment.db, controller(&api), session, after, one_more(limit)).await?;
    Ok(moment.page(rows, limit, |row| row.operator))
}

/// The present moment, in which the session exists.
async fn existing(api: &Api, session: u64) -> Result<Moment, Problem> {
    let mut moment = Moment::of(api).await?;
    match sessions::find(&mut moment.db, controller(api), session).await? {
        Some(_) => Ok(moment),
        None => Err(unknown(session)),
    }
}

fn unknown(session: u64) -> Problem {
    Problem::not_found(format!("there is no session {session}; /v1/sessions lists those that exist"))
}

/// The contract whose budgets are those of sessions.
fn controller(api: &Api) -> Bytes20 {
    let sessions: Address = api.deployments.sessions;
    sessions.into()
}
