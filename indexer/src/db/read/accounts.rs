//! Accounts and their money.

use sqlx::{PgConnection, types::Json};

use super::super::{to_i64, to_u64};
use crate::{
    error::{Error, Result},
    rows::{Account, Bytes20, Transfer, TransferKey},
};

/// What Escrow knows of an account, if anything.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find(db: &mut PgConnection, account: Bytes20) -> Result<Option<Account>> {
    let row = sqlx::query_scalar!(
        r#"select to_jsonb(a) as "account!: Json<Account>" from accounts as a where a.account = $1"#,
        account.as_slice(),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading an account"))?;
    Ok(row.map(|row| row.0))
}

/// Movements of an account's money with the time of their block, newest first, before a key.
///
/// # Errors
/// When the database is away.
pub(crate) async fn history(
    db: &mut PgConnection,
    account: Bytes20,
    before: Option<TransferKey>,
    limit: i64,
) -> Result<Vec<(Transfer, u64)>> {
    let rows = sqlx::query!(
        r#"
        select to_jsonb(t) as "transfer!: Json<Transfer>", extract(epoch from b.mined_at)::bigint as "mined_at!"
        from transfers as t
        inner join blocks as b on b.number = t.number and b.canonical
        where t.account = $1 and ($2::bigint is null or (t.number, t.log_index, t.part) < ($2, $3::bigint, $4::integer))
        order by t.number desc, t.log_index desc, t.part desc
        limit $5
        "#,
        account.as_slice(),
        before.as_ref().map(|key| to_i64(key.number)),
        before.as_ref().map(|key| to_i64(key.log_index)),
        before.as_ref().map(|key| i32::from(key.part)),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading a history"))?;
    Ok(rows.into_iter().map(|row| (row.transfer.0, to_u64(row.mined_at))).collect())
}
