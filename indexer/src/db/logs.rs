//! Canonical logs, raw and decoded.

use alloy::primitives::{B256, LogData};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};

use super::to_i64;
use crate::{
    error::{Error, Result},
    rows::{Bytes20, Bytes32},
};

/// A row of `logs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredLog {
    pub(crate) block_hash: Bytes32,
    pub(crate) log_index: u64,
    pub(crate) number: u64,
    pub(crate) transaction_hash: Bytes32,
    pub(crate) address: Bytes20,
    pub(crate) topics: Vec<Bytes32>,
    #[serde(with = "bytea")]
    pub(crate) data: Vec<u8>,
    /// Name of the event.
    pub(crate) event: String,
    pub(crate) session_id: Option<u64>,
    /// Fields of the event by name.
    pub(crate) fields: serde_json::Value,
}

impl StoredLog {
    /// As the contract emitted it.
    pub(crate) fn plain(&self) -> alloy::primitives::Log {
        let topics = self.topics.iter().map(|topic| B256::from(*topic)).collect();
        alloy::primitives::Log {
            address: self.address.into(),
            data: LogData::new_unchecked(topics, self.data.clone().into()),
        }
    }
}

/// Where a reader of the log stream stands: everything up to this place was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    /// None: no log of the block was read; beyond any log: all were.
    pub(crate) log_index: Option<u64>,
}

/// Stores logs of blocks that are stored.
///
/// # Errors
/// When the database is away.
pub(crate) async fn insert(db: &mut PgConnection, logs: &[StoredLog]) -> Result<()> {
    sqlx::query!("insert into logs select * from jsonb_populate_recordset(null::logs, $1)", Json(logs) as _)
        .execute(db)
        .await
        .map_err(Error::database("writing logs"))?;
    Ok(())
}

/// Up to `limit` logs after `place`, in order; of one session or of all.
///
/// # Errors
/// When the database is away.
pub(crate) async fn after(
    db: &mut PgConnection,
    place: Place,
    session: Option<u64>,
    limit: i64,
) -> Result<Vec<StoredLog>> {
    let rows = sqlx::query_scalar!(
        r#"
        select to_jsonb(l) as "row!: Json<StoredLog>"
        from logs as l
        where
            (l.number, l.log_index) > ($1, $2)
            and ($3::bigint is null or l.session_id = $3)
        order by l.number, l.log_index
        limit $4
        "#,
        to_i64(place.number),
        place.log_index.map_or(-1, to_i64),
        session.map(to_i64),
        limit,
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading logs"))?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Bytes of any length in the notation of Postgres.
mod bytea {
    use alloy::primitives::hex;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("\\x{}", hex::encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("\\x").ok_or_else(|| de::Error::custom("not bytea notation"))?;
        hex::decode(digits).map_err(de::Error::custom)
    }
}
