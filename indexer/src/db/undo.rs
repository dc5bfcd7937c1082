//! The undo log: earlier rows of what blocks above finality changed.

use sqlx::PgConnection;

use super::{to_i64, to_u64};
use crate::{
    error::{Error, Result},
    fold::Undo,
};

/// Appends entries.
///
/// # Errors
/// When the database is away.
pub(crate) async fn insert(db: &mut PgConnection, entries: &[Undo]) -> Result<()> {
    let numbers: Vec<i64> = entries.iter().map(|entry| to_i64(entry.number)).collect();
    let tables: Vec<&str> = entries.iter().map(|entry| entry.table.as_str()).collect();
    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let previous: Vec<Option<&str>> = entries.iter().map(|entry| entry.previous.as_deref()).collect();
    sqlx::query!(
        r#"
        insert into undo_entries (number, table_name, row_key, previous)
        select t.number, t.table_name, t.row_key::jsonb, t.previous::jsonb
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
            with ordinality as t (number, table_name, row_key, previous, position)
        order by t.position
        "#,
        &numbers,
        &tables as _,
        &keys as _,
        &previous as _,
    )
    .execute(db)
    .await
    .map_err(Error::database("writing the undo log"))?;
    Ok(())
}

/// Entries of the blocks above `number` in the order in which they were recorded.
///
/// # Errors
/// When the database is away.
pub(crate) async fn above(db: &mut PgConnection, number: u64) -> Result<Vec<Undo>> {
    let rows = sqlx::query!(
        r#"
        select number, table_name, row_key::text as "row_key!", previous::text
        from undo_entries
        where number > $1
        order by undo_entry_id
        "#,
        to_i64(number),
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the undo log"))?;
    Ok(rows
        .into_iter()
        .map(|row| Undo { number: to_u64(row.number), table: row.table_name, key: row.row_key, previous: row.previous })
        .collect())
}

/// Drops the entries of the blocks above `number`, which were taken back.
///
/// # Errors
/// When the database is away.
pub(crate) async fn delete_above(db: &mut PgConnection, number: u64) -> Result<()> {
    sqlx::query!("delete from undo_entries where number > $1", to_i64(number))
        .execute(db)
        .await
        .map_err(Error::database("shortening the undo log"))?;
    Ok(())
}

/// Drops the entries of the blocks up to `finalized`, which nobody takes back.
///
/// # Errors
/// When the database is away.
pub(crate) async fn prune(db: &mut PgConnection, finalized: u64) -> Result<()> {
    sqlx::query!("delete from undo_entries where number <= $1", to_i64(finalized))
        .execute(db)
        .await
        .map_err(Error::database("shortening the undo log"))?;
    Ok(())
}
