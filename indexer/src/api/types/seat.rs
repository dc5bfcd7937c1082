//! Seats and payouts.

use alloy::primitives::{Address, B256};
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rows;

/// A seat that was claimed at least once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Seat {
    /// Its index.
    pub seat: u16,
    /// Present holder; null after a forfeit.
    #[schema(value_type = Option<String>)]
    pub operator: Option<Address>,
    /// First round the holder is expected in; 0 while it does not serve.
    pub joined_round: u16,
    /// Last round the holder posted in; 0 before.
    pub last_round: u16,
    /// Final rounds the holder posted in.
    pub finished: u64,
    /// Whether they were recorded in Reputation after the end.
    pub settled: bool,
    /// X25519 key of the holder.
    #[schema(value_type = Option<String>)]
    pub key: Option<B256>,
    /// Digest of the shard sealed to the holder.
    #[schema(value_type = Option<String>)]
    pub shard: Option<B256>,
    /// How often the seat was taken from a holder.
    pub forfeits: u16,
}

impl From<(rows::Seat, i64)> for Seat {
    fn from((row, finished): (rows::Seat, i64)) -> Self {
        Self {
            seat: row.seat,
            operator: row.operator.map(Into::into),
            joined_round: row.joined_round,
            last_round: row.last_round,
            finished: u64::try_from(finished).unwrap_or_default(),
            settled: row.settled,
            key: row.sealing_key.map(Into::into),
            shard: row.shard.map(Into::into),
            forfeits: row.forfeits,
        }
    }
}

/// What an operator was paid for a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Payout {
    /// Who earned it.
    #[schema(value_type = String)]
    pub operator: Address,
    /// Who received the last claim.
    #[schema(value_type = String)]
    pub payee: Address,
    /// Paid so far.
    #[schema(value_type = String)]
    pub paid: TokenAmount,
    /// In how many claims.
    pub claims: u32,
    /// Epoch of the last claim.
    pub updated_at: u64,
}

impl From<rows::Payout> for Payout {
    fn from(row: rows::Payout) -> Self {
        Self {
            operator: row.operator.into(),
            payee: row.payee.into(),
            paid: TokenAmount::from_base_units(row.claimed),
            claims: row.claims,
            updated_at: row.updated_at,
        }
    }
}
