//! Folding the stored logs again from nothing, and comparing the outcome with the tables.

use alloy::primitives::B256;
use parity_abi::{Deployments, Event};
use sqlx::PgPool;

use crate::{
    db::{self, cursor, logs, projections},
    error::{Error, Result},
    fold::{self, Position, State},
    state_hash,
};

/// Logs read at a time.
const PAGE: i64 = 5_000;

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Refold {
    /// Logs folded.
    pub logs: u64,
    /// Fold of those logs; two indexers of the same chain at the same height have the same.
    pub state_hash: B256,
    /// One line for each table that differs, and one if the state hash does; empty when everything agrees.
    pub differences: Vec<String>,
}

/// Compares the tables behind `pool` with a fold of its logs, both as of one moment.
///
/// # Errors
/// When the database is away or a stored log does not decode.
pub(crate) async fn refold(pool: &PgPool, deployments: &Deployments) -> Result<Refold> {
    let mut tx = db::snapshot(pool).await?;
    let cursor = cursor::read(&mut tx, deployments).await?;
    let mut state = State::empty();
    let mut state_hash = B256::ZERO;
    let mut folded = 0;
    let mut place = logs::Place { number: 0, log_index: None };
    loop {
        let page = logs::after(&mut tx, place, None, PAGE).await?;
        let Some(last) = page.last() else { break };
        place = logs::Place { number: last.number, log_index: Some(last.log_index) };
        for log in &page {
            let event = Event::decode_plain(&log.plain()).map_err(Error::stored("log"))?;
            let at = Position {
                number: log.number,
                log_index: log.log_index,
                transaction_hash: log.transaction_hash.into(),
                address: log.address.into(),
                contracts: deployments,
            };
            fold::plan(&event, &at)?.apply(&mut state)?;
            state_hash = state_hash::fold(state_hash, log);
            folded += 1;
        }
    }
    let mut differences = projections::load_all(&mut tx).await?.differences(&state);
    let expected = cursor.map_or(B256::ZERO, |cursor| cursor.state_hash);
    if expected != state_hash {
        differences.push(format!("state hash: {expected} is not {state_hash}"));
    }
    Ok(Refold { logs: folded, state_hash, differences })
}
