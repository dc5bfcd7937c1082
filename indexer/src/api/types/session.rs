//! Sessions.

use alloy::primitives::{Address, B256};
use parity_abi::{DataMode, Phase, State};
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{db::read::sessions::SessionWithBudget, rows};

/// A federated session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its number.
    pub session: u64,
    /// Who pays.
    #[schema(value_type = String)]
    pub requester: Address,
    /// Digest of its canonical spec.
    #[schema(value_type = String)]
    pub spec: B256,
    /// `open`, `active`, `completed`, `cancelled` or `expired`.
    #[schema(value_type = String)]
    pub state: State,
    /// Phase of the current round: `none`, `training`, `closed`, `unmasking` or `proposed`.
    #[schema(value_type = String)]
    pub phase: Phase,
    /// Current round, from 1; 0 while open.
    pub round: u16,
    /// Rounds that ended with a result.
    pub final_rounds: u16,
    /// Seats that serve in the current round.
    pub occupied: u16,
    /// Seats with a holder.
    pub claimed: u16,
    /// Updates of the current round.
    pub posted: u16,
    /// Extensions of the current round.
    pub rollovers: u16,
    /// Last epoch of the current phase; 0 after the end.
    pub deadline: u64,
    /// Whether it ends after the current round.
    pub cancelling: bool,
    /// Locked at creation.
    #[schema(value_type = String)]
    pub budget: TokenAmount,
    /// Earned in final rounds.
    #[schema(value_type = String)]
    pub committed: TokenAmount,
    /// Earned and paid out.
    #[schema(value_type = String)]
    pub paid: TokenAmount,
    /// Given back at the end.
    #[schema(value_type = String)]
    pub refunded: TokenAmount,
    /// Digest of the latest aggregate; null before the first.
    #[schema(value_type = Option<String>)]
    pub model: Option<B256>,
    /// Latest cumulative Merkle-sum root of payouts; null before the first.
    #[schema(value_type = Option<String>)]
    pub payouts_root: Option<B256>,
    /// What was fixed at creation.
    pub terms: Terms,
    /// Epoch of its creation.
    pub created_at: u64,
    /// Epoch of its end.
    pub ended_at: Option<u64>,
}

/// What a requester fixed at creation. Periods are epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "field for field the contract's Terms, which describes them")]
pub struct Terms {
    pub seats: u16,
    pub quorum: u16,
    pub rounds: u16,
    pub attestations: u16,
    pub max_rollovers: u16,
    pub performance_bps: u16,
    pub min_reputation: u16,
    #[schema(value_type = String)]
    pub data_mode: DataMode,
    pub unmasking: bool,
    pub targeted: bool,
    pub open_period: u64,
    pub round_period: u64,
    pub unmask_period: u64,
    pub propose_period: u64,
    pub challenge_window: u64,
    pub capabilities: u64,
    pub cohort: u16,
    pub draw_seed: u64,
    #[schema(value_type = String)]
    pub round_reward: TokenAmount,
    #[schema(value_type = String)]
    pub keeper_fee: TokenAmount,
    #[schema(value_type = String)]
    pub completion_bonus: TokenAmount,
    #[schema(value_type = String)]
    pub min_stake: TokenAmount,
    #[schema(value_type = String)]
    pub keeper_bond: TokenAmount,
}

impl From<rows::Terms> for Terms {
    fn from(terms: rows::Terms) -> Self {
        Self {
            seats: terms.seats,
            quorum: terms.quorum,
            rounds: terms.rounds,
            attestations: terms.attestations,
            max_rollovers: terms.max_rollovers,
            performance_bps: terms.performance_bps,
            min_reputation: terms.min_reputation,
            data_mode: terms.data_mode,
            unmasking: terms.unmasking,
            targeted: terms.targeted,
            open_period: terms.open_period,
            round_period: terms.round_period,
            unmask_period: terms.unmask_period,
            propose_period: terms.propose_period,
            challenge_window: terms.challenge_window,
            capabilities: terms.capabilities,
            cohort: terms.cohort,
            draw_seed: terms.draw_seed,
            round_reward: TokenAmount::from_base_units(terms.round_reward),
            keeper_fee: TokenAmount::from_base_units(terms.keeper_fee),
            completion_bonus: TokenAmount::from_base_units(terms.completion_bonus),
            min_stake: TokenAmount::from_base_units(terms.min_stake),
            keeper_bond: TokenAmount::from_base_units(terms.keeper_bond),
        }
    }
}

impl From<SessionWithBudget> for Session {
    fn from(SessionWithBudget { session: row, budget }: SessionWithBudget) -> Self {
        Self {
            session: row.session_id,
            requester: row.requester.into(),
            spec: row.spec.into(),
            state: row.state,
            phase: row.phase,
            round: row.round,
            final_rounds: row.final_rounds,
            occupied: row.occupied,
            claimed: row.claimed,
            posted: row.posted,
            rollovers: row.rollovers,
            deadline: row.deadline,
            cancelling: row.cancelling,
            budget: TokenAmount::from_base_units(row.budget),
            committed: TokenAmount::from_base_units(row.committed),
            paid: TokenAmount::from_base_units(budget.as_ref().map_or(0, |budget| budget.claimed)),
            refunded: TokenAmount::from_base_units(row.refunded),
            model: Some(row.model.into()).filter(|model: &B256| !model.is_zero()),
            payouts_root: budget.map(|budget| budget.root.into()).filter(|root: &B256| !root.is_zero()),
            terms: row.terms.into(),
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}
