//! Everything that speaks SQL. Rows travel as JSON ([`crate::rows`]); statements are static and checked at compile time.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction, postgres::PgPoolOptions};

use crate::error::{Error, Result};

pub(crate) mod blocks;
pub(crate) mod cursor;
pub(crate) mod logs;
pub(crate) mod projections;
pub(crate) mod read;
pub(crate) mod undo;

/// A pool of connections to an up-to-date schema.
///
/// # Errors
/// When the database is away, or was made by a newer version.
pub(crate) async fn connect(url: &str) -> Result<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(10))
        .connect(url)
        .await
        .map_err(Error::database("connecting"))?;
    sqlx::migrate!().run(&pool).await.map_err(Error::Migrate)?;
    Ok(pool)
}

/// A transaction in which all reads see the same moment.
pub(crate) async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    pool.begin_with("begin isolation level repeatable read read only").await.map_err(Error::database("reading"))
}

/// A height as Postgres stores it.
pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A height as stored: constraints keep it from being negative.
pub(crate) fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
