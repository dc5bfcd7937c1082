//! Sessions and what belongs to them.

use sqlx::{PgConnection, types::Json};

use super::super::to_i64;
use crate::{
    error::{Error, Result},
    rows::{Budget, Bytes20, Payout, Round, Seat, Session, Update},
};

/// A session with what its budget has paid and the root it pays by.
#[derive(Debug)]
pub(crate) struct SessionWithBudget {
    pub(crate) session: Session,
    pub(crate) budget: Option<Budget>,
}

/// Which sessions to list.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) state: Option<String>,
    pub(crate) requester: Option<Bytes20>,
    /// Only sessions older than this one.
    pub(crate) before: Option<u64>,
}

/// Sessions, newest first.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list(
    db: &mut PgConnection,
    controller: Bytes20,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<SessionWithBudget>> {
    let rows = sqlx::query!(
        r#"
        select to_jsonb(s) as "session!: Json<Session>", to_jsonb(b) as "budget: Json<Budget>"
        from sessions as s
        left join budgets as b on b.controller = $1 and b.budget_id = s.session_id
        where
            ($2::text is null or s.state = $2)
            and ($3::bytea is null or s.requester = $3)
            and ($4::bigint is null or s.session_id < $4)
        order by s.session_id desc
        limit $5
        "#,
        controller.as_slice(),
        wanted.state.as_deref(),
        wanted.requester.as_ref().map(Bytes20::as_slice),
        wanted.before.map(to_i64),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("listing sessions"))?;
    Ok(rows
        .into_iter()
        .map(|row| SessionWithBudget { session: row.session.0, budget: row.budget.map(|budget| budget.0) })
        .collect())
}

/// One session.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find(
    db: &mut PgConnection,
    controller: Bytes20,
    session: u64,
) -> Result<Option<SessionWithBudget>> {
    let row = sqlx::query!(
        r#"
        select to_jsonb(s) as "session!: Json<Session>", to_jsonb(b) as "budget: Json<Budget>"
        from sessions as s
        left join budgets as b on b.controller = $1 and b.budget_id = s.session_id
        where s.session_id = $2
        "#,
        controller.as_slice(),
        to_i64(session),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading a session"))?;
    Ok(row.map(|row| SessionWithBudget { session: row.session.0, budget: row.budget.map(|budget| budget.0) }))
}

/// Seats of a session from `after` on, each with the number of final rounds its holder posted in.
///
/// # Errors
/// When the database is away.
pub(crate) async fn seats(
    db: &mut PgConnection,
    session: u64,
    after: Option<u16>,
    limit: i64,
) -> Result<Vec<(Seat, i64)>> {
    let rows = sqlx::query!(
        r#"
        select
            to_jsonb(s) as "seat!: Json<Seat>",
            (
                select count(*)
                from updates as u
                inner join rounds as r on r.session_id = u.session_id and r.round = u.round
                where
                    u.session_id = s.session_id and u.operator = s.operator and u.seat = s.seat
                    and s.joined_round > 0 and u.round >= s.joined_round and r.phase = 'final'
            ) as "finished!"
        from seats as s
        where s.session_id = $1 and ($2::integer is null or s.seat > $2)
        order by s.seat
        limit $3
        "#,
        to_i64(session),
        after.map(i32::from),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading seats"))?;
    Ok(rows.into_iter().map(|row| (row.seat.0, row.finished)).collect())
}

/// Rounds of a session after round `after`.
///
/// # Errors
/// When the database is away.
pub(crate) async fn rounds(db: &mut PgConnection, session: u64, after: Option<u16>, limit: i64) -> Result<Vec<Round>> {
    let rows = sqlx::query_scalar!(
        r#"
        select to_jsonb(r) as "round!: Json<Round>"
        from rounds as r
        where r.session_id = $1 and ($2::integer is null or r.round > $2)
        order by r.round
        limit $3
        "#,
        to_i64(session),
        after.map(i32::from),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading rounds"))?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Updates of a session after (round, operator), of one round or of all.
///
/// # Errors
/// When the database is away.
pub(crate) async fn updates(
    db: &mut PgConnection,
    session: u64,
    round: Option<u16>,
    after: Option<(u16, Bytes20)>,
    limit: i64,
) -> Result<Vec<Update>> {
    let rows = sqlx::query_scalar!(
        r#"
        select to_jsonb(u) as "update!: Json<Update>"
        from updates as u
        where
            u.session_id = $1
            and ($2::integer is null or u.round = $2)
            and ($3::integer is null or (u.round, u.operator) > ($3, $4::bytea))
        order by u.round, u.operator
        limit $5
        "#,
        to_i64(session),
        round.map(i32::from),
        after.map(|(round, _)| i32::from(round)),
        after.as_ref().map(|(_, operator)| operator.as_slice()),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading updates"))?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Claimed payouts of a session, by operator.
///
/// # Errors
/// When the database is away.
pub(crate) async fn payouts(
    db: &mut PgConnection,
    controller: Bytes20,
    session: u64,
    after: Option<Bytes20>,
    limit: i64,
) -> Result<Vec<Payout>> {
    let rows = sqlx::query_scalar!(
        r#"
        select to_jsonb(p) as "payout!: Json<Payout>"
        from payouts as p
        where p.controller = $1 and p.budget_id = $2::bigint and ($3::bytea is null or p.operator > $3)
        order by p.operator
        limit $4
        "#,
        controller.as_slice(),
        to_i64(session),
        after.as_ref().map(Bytes20::as_slice),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading payouts"))?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
