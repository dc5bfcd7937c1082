//! Operators: registration, stake and reputation.

use serde::{Deserialize, Serialize};

use super::{Bytes20, Bytes32, row};

/// A registered operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operator {
    pub(crate) operator: Bytes20,
    pub(crate) metadata: Bytes32,
    pub(crate) sealing_key: Bytes32,
    pub(crate) capabilities: u64,
    pub(crate) active: bool,
    pub(crate) registered_at: u64,
}

row!(Operator in "operators" by OperatorKey { operator: Bytes20 });

/// The bond of an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stake {
    pub(crate) operator: Bytes20,
    pub(crate) active: u128,
    pub(crate) unbonding: u128,
    /// First epoch in which the unbonding part may leave; 0 when none ever began.
    pub(crate) withdrawable_from: u64,
    /// Taken by rulings, all time.
    pub(crate) slashed: u128,
}

row!(Stake in "stakes" by StakeKey { operator: Bytes20 });

/// The score of an operator that has finished or missed a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reputation {
    pub(crate) operator: Bytes20,
    /// 0 to 1000, neutral 500.
    pub(crate) score: u16,
    pub(crate) finished: u32,
    pub(crate) missed: u32,
    pub(crate) updated_at: u64,
}

row!(Reputation in "reputations" by ReputationKey { operator: Bytes20 });
