//! Sessions: what the requester fixed, and how far it has come.

use parity_abi::{DataMode, Phase, State};
use serde::{Deserialize, Serialize};

use super::{Bytes20, Bytes32, row};

/// A federated session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) session_id: u64,
    pub(crate) requester: Bytes20,
    pub(crate) spec: Bytes32,
    /// Locked at creation.
    pub(crate) budget: u128,
    pub(crate) terms: Terms,
    pub(crate) state: State,
    pub(crate) phase: Phase,
    /// Current round, from 1; 0 while open.
    pub(crate) round: u16,
    pub(crate) final_rounds: u16,
    /// Seats that serve in the current round.
    pub(crate) occupied: u16,
    /// Seats that serve from the next round on.
    pub(crate) joining: u16,
    /// Seats with a holder.
    pub(crate) claimed: u16,
    /// Updates of the current round.
    pub(crate) posted: u16,
    pub(crate) rollovers: u16,
    /// Last epoch of the current phase, 0 after the end.
    pub(crate) deadline: u64,
    /// Ends after the current round.
    pub(crate) cancelling: bool,
    /// Cumulative payouts of final rounds.
    pub(crate) committed: u128,
    pub(crate) refunded: u128,
    /// Aggregate digest of the last final round, zero before.
    pub(crate) model: Bytes32,
    /// Fold of the current round's updates.
    pub(crate) accumulator: Bytes32,
    pub(crate) created_at: u64,
    pub(crate) ended_at: Option<u64>,
}

row!(Session in "sessions" by SessionKey { session_id: u64 });

/// What a requester fixed at creation; field for field the contract's `Terms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) seats: u16,
    pub(crate) quorum: u16,
    pub(crate) rounds: u16,
    pub(crate) attestations: u16,
    pub(crate) max_rollovers: u16,
    pub(crate) performance_bps: u16,
    pub(crate) min_reputation: u16,
    pub(crate) data_mode: DataMode,
    pub(crate) unmasking: bool,
    pub(crate) targeted: bool,
    pub(crate) open_period: u64,
    pub(crate) round_period: u64,
    pub(crate) unmask_period: u64,
    pub(crate) propose_period: u64,
    pub(crate) challenge_window: u64,
    pub(crate) capabilities: u64,
    pub(crate) cohort: u16,
    pub(crate) draw_seed: u64,
    pub(crate) round_reward: u128,
    pub(crate) keeper_fee: u128,
    pub(crate) completion_bonus: u128,
    pub(crate) min_stake: u128,
    pub(crate) keeper_bond: u128,
}
