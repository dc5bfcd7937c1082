//! Blocks by hash: the canonical branch, and orphans until they are older than finality.

use alloy::primitives::B256;
use parity_chain::Header;
use sqlx::PgConnection;

use super::{cursor::hash, to_i64, to_u64};
use crate::error::{Error, Result};

/// A block with the fold of all logs up to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) state_hash: B256,
}

/// What the event stream asks about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) is_canonical: bool,
}

/// Stores canonical blocks; an orphan among them becomes canonical again.
///
/// # Errors
/// When the database is away.
pub(crate) async fn insert(db: &mut PgConnection, blocks: &[Block]) -> Result<()> {
    let hashes: Vec<&[u8]> = blocks.iter().map(|block| block.header.hash.as_slice()).collect();
    let parents: Vec<&[u8]> = blocks.iter().map(|block| block.header.parent_hash.as_slice()).collect();
    let numbers: Vec<i64> = blocks.iter().map(|block| to_i64(block.header.number)).collect();
    let times: Vec<i64> = blocks.iter().map(|block| to_i64(block.header.timestamp)).collect();
    let states: Vec<&[u8]> = blocks.iter().map(|block| block.state_hash.as_slice()).collect();
    sqlx::query!(
        r#"
        insert into blocks (block_hash, parent_hash, number, mined_at, canonical, state_hash)
        select t.block_hash, t.parent_hash, t.number, to_timestamp(t.mined_at), true, t.state_hash
        from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[])
            as t (block_hash, parent_hash, number, mined_at, state_hash)
        on conflict (block_hash) do update set canonical = true, state_hash = excluded.state_hash
        "#,
        &hashes as _,
        &parents as _,
        &numbers,
        &times,
        &states as _,
    )
    .execute(db)
    .await
    .map_err(Error::database("writing blocks"))?;
    Ok(())
}

/// Canonical blocks that may still change, oldest first, after the newest that may not.
///
/// # Errors
/// When the database is away.
pub(crate) async fn recent(db: &mut PgConnection, finalized: u64) -> Result<Vec<Header>> {
    let rows = sqlx::query!(
        r#"
        select
            number, block_hash as "block_hash: Vec<u8>", parent_hash as "parent_hash: Vec<u8>",
            extract(epoch from mined_at)::bigint as "timestamp!"
        from blocks
        where
            canonical
            and number >= coalesce((select max(b.number) from blocks as b where b.canonical and b.number <= $1), 0)
        order by number
        "#,
        to_i64(finalized),
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading blocks"))?;
    Ok(rows
        .into_iter()
        .map(|row| Header {
            number: to_u64(row.number),
            hash: hash(&row.block_hash),
            parent_hash: hash(&row.parent_hash),
            timestamp: to_u64(row.timestamp),
        })
        .collect())
}

/// Hash and state hash of the canonical block at a height.
///
/// # Errors
/// When the database is away.
pub(crate) async fn canonical_at(db: &mut PgConnection, number: u64) -> Result<Option<(B256, B256)>> {
    let row = sqlx::query!(
        r#"
        select block_hash as "block_hash: Vec<u8>", state_hash as "state_hash: Vec<u8>"
        from blocks
        where canonical and number = $1
        "#,
        to_i64(number),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading a block"))?;
    Ok(row.map(|row| (hash(&row.block_hash), hash(&row.state_hash))))
}

/// A block by its hash, canonical or not.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find(db: &mut PgConnection, block: B256) -> Result<Option<Link>> {
    let row = sqlx::query!(
        r#"
        select number, parent_hash as "parent_hash: Vec<u8>", canonical
        from blocks
        where block_hash = $1
        "#,
        block.as_slice(),
    )
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading a block"))?;
    Ok(row.map(|row| Link {
        number: to_u64(row.number),
        hash: block,
        parent_hash: hash(&row.parent_hash),
        is_canonical: row.canonical,
    }))
}

/// Marks the canonical blocks above `number` as orphaned and drops their logs.
///
/// # Errors
/// When the database is away.
pub(crate) async fn orphan_above(db: &mut PgConnection, number: u64) -> Result<()> {
    sqlx::query!("delete from logs where number > $1", to_i64(number))
        .execute(&mut *db)
        .await
        .map_err(Error::database("dropping orphaned logs"))?;
    sqlx::query!("update blocks set canonical = false where canonical and number > $1", to_i64(number))
        .execute(db)
        .await
        .map_err(Error::database("orphaning blocks"))?;
    Ok(())
}

/// Drops what finality made useless: orphans up to `finalized`, and empty blocks from `from` up to the last final one,
/// which stays as the place to which the chain can step back.
///
/// # Errors
/// When the database is away.
pub(crate) async fn prune(db: &mut PgConnection, from: u64, finalized: u64) -> Result<()> {
    sqlx::query!("delete from blocks where not canonical and number <= $1", to_i64(finalized))
        .execute(&mut *db)
        .await
        .map_err(Error::database("dropping old orphans"))?;
    sqlx::query!(
        r#"
        delete from blocks as b
        where
            b.canonical
            and b.number >= $1
            and b.number < (select max(f.number) from blocks as f where f.canonical and f.number <= $2)
            and not exists (select 1 from logs as l where l.block_hash = b.block_hash)
        "#,
        to_i64(from),
        to_i64(finalized),
    )
    .execute(db)
    .await
    .map_err(Error::database("dropping empty blocks"))?;
    Ok(())
}
