//! Rounds, the updates posted in them and the keepers that agreed with their results.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Bytes20, Bytes32, row};

/// A round that was started. What was proposed stays, also when the round became void.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) session_id: u64,
    pub(crate) round: u16,
    pub(crate) phase: RoundPhase,
    /// Last epoch of the phase; after the end that of the last phase.
    pub(crate) deadline: u64,
    pub(crate) posted: u16,
    pub(crate) rollovers: u16,
    /// Unmasking shares posted.
    pub(crate) shares: u16,
    pub(crate) accumulator: Bytes32,
    pub(crate) proposer: Option<Bytes20>,
    pub(crate) aggregate: Option<Bytes32>,
    pub(crate) updates_root: Option<Bytes32>,
    pub(crate) payouts_root: Option<Bytes32>,
    /// Cumulative sum under the payouts root.
    pub(crate) payout_sum: Option<u128>,
    /// Whether the proposal says that the target is reached.
    pub(crate) reached: Option<bool>,
    pub(crate) report: Option<Bytes32>,
    /// Agreeing keepers, the proposer included.
    pub(crate) attested: u16,
    pub(crate) started_at: u64,
    pub(crate) closed_at: Option<u64>,
    pub(crate) proposed_at: Option<u64>,
    pub(crate) ended_at: Option<u64>,
}

row!(Round in "rounds" by RoundKey { session_id: u64, round: u16 });

/// Phase of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundPhase {
    /// Runners train and submit.
    Training,
    /// Who submitted is fixed; a proposal is due.
    Closed,
    /// Submitters post the shares that secure aggregation needs.
    Unmasking,
    /// A proposal waits for attestations and its window.
    Proposed,
    /// Its payouts are committed.
    Final,
    /// It ended without a result.
    Voided,
}

/// An update as posted; whether it was accepted stands in the aggregate's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(crate) session_id: u64,
    pub(crate) round: u16,
    pub(crate) operator: Bytes20,
    pub(crate) seat: u16,
    pub(crate) digest: Bytes32,
    pub(crate) samples: u64,
    /// Digest of the unmasking shares that followed.
    pub(crate) shares: Option<Bytes32>,
    pub(crate) posted_at: u64,
    pub(crate) transaction_hash: Bytes32,
}

row!(Update in "updates" by UpdateKey { session_id: u64, round: u16, operator: Bytes20 });

/// A keeper that agreed with a proposal; the proposer's own is not listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attestation {
    pub(crate) session_id: u64,
    pub(crate) round: u16,
    pub(crate) keeper: Bytes20,
    pub(crate) attested_at: u64,
}

row!(Attestation in "attestations" by AttestationKey { session_id: u64, round: u16, keeper: Bytes20 });
