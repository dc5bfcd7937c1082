//! Operators, stakes and reputations.

use sqlx::{PgConnection, types::Json};

use crate::{
    error::{Error, Result},
    rows::{Bytes20, Operator, Reputation, Stake},
};

/// An operator with its bond and score, if it has any.
#[derive(Debug)]
pub(crate) struct OperatorWithStanding {
    pub(crate) operator: Operator,
    pub(crate) stake: Option<Stake>,
    pub(crate) reputation: Option<Reputation>,
}

/// Operators after an address.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list(
    db: &mut PgConnection,
    is_active: Option<bool>,
    after: Option<Bytes20>,
    limit: i64,
) -> Result<Vec<OperatorWithStanding>> {
    let rows = sqlx::query!(
        r#"
        select
            to_jsonb(o) as "operator!: Json<Operator>", to_jsonb(s) as "stake: Json<Stake>",
            to_jsonb(r) as "reputation: Json<Reputation>"
        from operators as o
        left join stakes as s on s.operator = o.operator
        left join reputations as r on r.operator = o.operator
        where ($1::boolean is null or o.active = $1) and ($2::bytea is null or o.operator > $2)
        order by o.operator
        limit $3
        "#,
        is_active,
        after.as_ref().map(Bytes20::as_slice),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("listing operators"))?;
    Ok(rows
        .into_iter()
        .map(|row| OperatorWithStanding {
            operator: row.operator.0,
            stake: row.stake.map(|stake| stake.0),
            reputation: row.reputation.map(|reputation| reputation.0),
        })
        .collect())
}

/// One operator.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find(db: &mut PgConnection, operator: Bytes20) -> Result<Option<OperatorWithStanding>> {
    let row = sqlx::query!(
        r#"
        select
            to_jsonb(o) as "operator!: Json<Operator>", to_jsonb(s) as "stake: Json<Stake>",
            to_jsonb(r) as "reputation: Json<Reputation>"
        from operators as o
        left join stakes as s on s.operator = o.operator
        left join reputations as r on r.operator = o.operator
        where o.operator = $1
        "#,
        operator.as_slice(),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading an operator"))?;
    Ok(row.map(|row| OperatorWithStanding {
        operator: row.operator.0,
        stake: row.stake.map(|stake| stake.0),
        reputation: row.reputation.map(|reputation| reputation.0),
    }))
}

/// The bond of an operator, if it ever had one.
///
/// # Errors
/// When the database is away.
pub(crate) async fn stake(db: &mut PgConnection, operator: Bytes20) -> Result<Option<Stake>> {
    let row = sqlx::query_scalar!(
        r#"select to_jsonb(s) as "stake!: Json<Stake>" from stakes as s where s.operator = $1"#,
        operator.as_slice(),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading a stake"))?;
    Ok(row.map(|row| row.0))
}

/// Place on the leaderboard after which a page goes on: score, finished rounds, operator.
pub(crate) type Standing = (u16, u32, Bytes20);

/// Scores, best first; equal scores by finished rounds, then by address.
///
/// # Errors
/// When the database is away.
pub(crate) async fn leaderboard(db: &mut PgConnection, after: Option<Standing>, limit: i64) -> Result<Vec<Reputation>> {
    let rows = sqlx::query_scalar!(
        r#"
        select to_jsonb(r) as "reputation!: Json<Reputation>"
        from reputations as r
        where $1::integer is null or (-r.score, -r.finished, r.operator) > (-$1::integer, -$2::bigint, $3::bytea)
        order by r.score desc, r.finished desc, r.operator asc
        limit $4
        "#,
        after.map(|(score, _, _)| i32::from(score)),
        after.map(|(_, finished, _)| i64::from(finished)),
        after.as_ref().map(|(_, _, operator)| operator.as_slice()),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading reputations"))?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
