//! Operators, stakes and reputations.

use alloy::primitives::{Address, B256};
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{db::read::operators::OperatorWithStanding, rows};

/// Score of an operator that never finished or missed a round.
const NEUTRAL: u16 = 500;

/// A registered operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operator {
    /// Its address.
    #[schema(value_type = String)]
    pub operator: Address,
    /// Digest of its metadata manifest.
    #[schema(value_type = String)]
    pub metadata: B256,
    /// X25519 key for sealed data.
    #[schema(value_type = String)]
    pub key: B256,
    /// Bit mask of what it offers.
    pub capabilities: u64,
    /// Whether it still offers it.
    pub active: bool,
    /// Epoch of its registration.
    pub registered_at: u64,
    /// Its bond.
    pub stake: Stake,
    /// Its score.
    pub reputation: Reputation,
}

/// The bond of an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stake {
    /// Its address.
    #[schema(value_type = String)]
    pub operator: Address,
    /// Backs seats and duties.
    #[schema(value_type = String)]
    pub active: TokenAmount,
    /// Waits out the delay.
    #[schema(value_type = String)]
    pub unbonding: TokenAmount,
    /// First epoch in which the unbonding part may leave.
    pub withdrawable_from: u64,
    /// Taken by rulings, all time.
    #[schema(value_type = String)]
    pub slashed: TokenAmount,
}

/// The score of an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reputation {
    /// Its address.
    #[schema(value_type = String)]
    pub operator: Address,
    /// 0 to 1000; 500 for a newcomer.
    pub score: u16,
    /// Rounds finished, all time.
    pub finished: u32,
    /// Rounds missed, all time.
    pub missed: u32,
    /// Epoch of the last change; 0 when never.
    pub updated_at: u64,
}

impl Stake {
    /// The bond of an operator, nothing if it has none.
    pub(crate) fn of(operator: Address, row: Option<rows::Stake>) -> Self {
        let amount = |pick: fn(&rows::Stake) -> u128| TokenAmount::from_base_units(row.as_ref().map_or(0, pick));
        Self {
            operator,
            active: amount(|row| row.active),
            unbonding: amount(|row| row.unbonding),
            withdrawable_from: row.as_ref().map_or(0, |row| row.withdrawable_from),
            slashed: amount(|row| row.slashed),
        }
    }
}

impl Reputation {
    fn of(operator: Address, row: Option<rows::Reputation>) -> Self {
        row.map_or(Self { operator, score: NEUTRAL, finished: 0, missed: 0, updated_at: 0 }, Into::into)
    }
}

impl From<rows::Reputation> for Reputation {
    fn from(row: rows::Reputation) -> Self {
        Self {
            operator: row.operator.into(),
            score: row.score,
            finished: row.finished,
            missed: row.missed,
            updated_at: row.updated_at,
        }
    }
}

impl From<OperatorWithStanding> for Operator {
    fn from(OperatorWithStanding { operator: row, stake, reputation }: OperatorWithStanding) -> Self {
        let operator = row.operator.into();
        Self {
            operator,
            metadata: row.metadata.into(),
            key: row.sealing_key.into(),
            capabilities: row.capabilities,
            active: row.active,
            registered_at: row.registered_at,
            stake: Stake::of(operator, stake),
            reputation: Reputation::of(operator, reputation),
        }
    }
}
