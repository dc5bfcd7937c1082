//! Rounds and updates.

use alloy::primitives::{Address, B256};
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rows::{self, RoundPhase};

/// A round that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Round {
    /// Its number, from 1.
    pub round: u16,
    /// Where it is, or how it ended.
    pub phase: RoundPhase,
    /// Last epoch of the phase.
    pub deadline: u64,
    /// Updates posted.
    pub posted: u16,
    /// Extensions.
    pub rollovers: u16,
    /// Unmasking shares posted.
    pub shares: u16,
    /// Fold of the updates.
    #[schema(value_type = String)]
    pub accumulator: B256,
    /// What a keeper proposed, if one did.
    pub proposal: Option<Proposal>,
    /// Epoch of its start.
    pub started_at: u64,
    /// Epoch of its closing.
    pub closed_at: Option<u64>,
    /// Epoch of its end.
    pub ended_at: Option<u64>,
}

/// A keeper's proposal for a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// The keeper.
    #[schema(value_type = String)]
    pub proposer: Address,
    /// Digest of the aggregate's manifest.
    #[schema(value_type = String)]
    pub aggregate: B256,
    /// Merkle root of accepted updates.
    #[schema(value_type = String)]
    pub updates_root: B256,
    /// Cumulative Merkle-sum root of payouts.
    #[schema(value_type = String)]
    pub payouts_root: B256,
    /// Cumulative sum under that root.
    #[schema(value_type = String)]
    pub payout_sum: TokenAmount,
    /// Whether the target is reached: then the round is the last.
    pub reached: bool,
    /// Digest of the evaluation report.
    #[schema(value_type = String)]
    pub report: B256,
    /// Agreeing keepers, the proposer included.
    pub attested: u16,
    /// Epoch of the proposal.
    pub proposed_at: u64,
}

impl From<rows::Round> for Round {
    fn from(row: rows::Round) -> Self {
        let proposal = proposal(&row);
        Self {
            round: row.round,
            phase: row.phase,
            deadline: row.deadline,
            posted: row.posted,
            rollovers: row.rollovers,
            shares: row.shares,
            accumulator: row.accumulator.into(),
            proposal,
            started_at: row.started_at,
            closed_at: row.closed_at,
            ended_at: row.ended_at,
        }
    }
}

fn proposal(row: &rows::Round) -> Option<Proposal> {
    Some(Proposal {
        proposer: row.proposer?.into(),
        aggregate: row.aggregate?.into(),
        updates_root: row.updates_root?.into(),
        payouts_root: row.payouts_root?.into(),
        payout_sum: TokenAmount::from_base_units(row.payout_sum?),
        reached: row.reached?,
        report: row.report?.into(),
        attested: row.attested,
        proposed_at: row.proposed_at?,
    })
}

/// An update as posted. Whether it was accepted stands in the manifest of the aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Update {
    /// Its round.
    pub round: u16,
    /// Its seat.
    pub seat: u16,
    /// Who posted it.
    #[schema(value_type = String)]
    pub operator: Address,
    /// Digest of the update's manifest.
    #[schema(value_type = String)]
    pub digest: B256,
    /// Samples it was trained on, by the operator's word.
    pub samples: u64,
    /// Digest of the unmasking shares that followed.
    #[schema(value_type = Option<String>)]
    pub shares: Option<B256>,
    /// Epoch in which it was posted.
    pub posted_at: u64,
    /// Transaction that posted it.
    #[schema(value_type = String)]
    pub transaction_hash: B256,
}

impl From<rows::Update> for Update {
    fn from(row: rows::Update) -> Self {
        Self {
            round: row.round,
            seat: row.seat,
            operator: row.operator.into(),
            digest: row.digest.into(),
            samples: row.samples,
            shares: row.shares.map(Into::into),
            posted_at: row.posted_at,
            transaction_hash: row.transaction_hash.into(),
        }
    }
}
