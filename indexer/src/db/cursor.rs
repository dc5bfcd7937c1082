//! The cursor: how far the chain is folded in, and what of that is final.

use alloy::primitives::B256;
use parity_abi::Deployments;
use sqlx::{PgConnection, types::Json};

use super::{to_i64, to_u64};
use crate::error::{Error, Result};

/// The last folded block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    /// Fold of all logs up to here.
    pub(crate) state_hash: B256,
    pub(crate) safe: u64,
    pub(crate) finalized: u64,
}

/// Reads the cursor; none before the first block.
///
/// # Errors
/// [`Error::OtherDeployment`] when the database was filled from other contracts.
pub(crate) async fn read(db: &mut PgConnection, deployments: &Deployments) -> Result<Option<Cursor>> {
    let row = sqlx::query!(
        r#"
        select
            chain_id, contracts as "contracts: Json<Deployments>", number, block_hash as "block_hash: Vec<u8>",
            state_hash as "state_hash: Vec<u8>", safe_number, finalized_number
        from cursors
        "#
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading the cursor"))?;
    let Some(row) = row else { return Ok(None) };
    if row.contracts.0 != *deployments {
        return Err(Error::OtherDeployment { expected_chain: deployments.chain_id, found_chain: row.chain_id });
    }
    Ok(Some(Cursor {
        number: to_u64(row.number),
        hash: hash(&row.block_hash),
        state_hash: hash(&row.state_hash),
        safe: to_u64(row.safe_number),
        finalized: to_u64(row.finalized_number),
    }))
}

/// Takes the cursor for the rest of the transaction, and says whether it still is `expected`.
///
/// # Errors
/// When the database is away.
pub(crate) async fn is_still(db: &mut PgConnection, expected: Option<&Cursor>) -> Result<bool> {
    let found = sqlx::query_scalar!(r#"select block_hash as "block_hash: Vec<u8>" from cursors for update"#)
        .fetch_optional(db)
        .await
        .map_err(Error::database("locking the cursor"))?;
    Ok(found.as_deref() == expected.map(|cursor| cursor.hash.as_slice()))
}

/// Moves the cursor.
///
/// # Errors
/// When the database is away.
pub(crate) async fn write(db: &mut PgConnection, deployments: &Deployments, cursor: &Cursor) -> Result<()> {
    sqlx::query!(
        r#"
        insert into cursors (chain_id, contracts, number, block_hash, state_hash, safe_number, finalized_number)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (chain_id) do update set
            number = excluded.number, block_hash = excluded.block_hash, state_hash = excluded.state_hash,
            safe_number = excluded.safe_number, finalized_number = excluded.finalized_number
        "#,
        to_i64(deployments.chain_id),
        Json(deployments) as _,
        to_i64(cursor.number),
        cursor.hash.as_slice(),
        cursor.state_hash.as_slice(),
        to_i64(cursor.safe),
        to_i64(cursor.finalized),
    )
    .execute(db)
    .await
    .map_err(Error::database("moving the cursor"))?;
    Ok(())
}

/// Forgets the cursor: the whole chain was taken back.
///
/// # Errors
/// When the database is away.
pub(crate) async fn clear(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("delete from cursors").execute(db).await.map_err(Error::database("clearing the cursor"))?;
    Ok(())
}

/// 32 bytes that a constraint keeps at that length.
pub(super) fn hash(bytes: &[u8]) -> B256 {
    B256::try_from(bytes).unwrap_or_default()
}
