//! Reading a session's state from the contracts: the only place where their numbers become a [`SessionView`].

use std::collections::HashMap;

use alloy::eips::BlockId;
use futures::try_join;
use parity_abi::{DataMode, ISessions, Phase as PhaseNumber, State as StateNumber};
use parity_chain::{Client, Error as ChainError};
use parity_protocol::{Address, B256, TokenAmount, U256};

use crate::{
    error::{Error, Result},
    proposal::Claim,
    view::{Budget, Phase, Progress, Proposal, Seat, SessionView, State, Terms},
};

/// Reads sessions. Terms never change, so they are read once.
#[derive(Debug)]
pub struct Snapshots {
    client: Client,
    own: Address,
    terms: std::sync::Mutex<HashMap<u64, Terms>>,
}

impl Snapshots {
    /// Snapshots as `own` sees them; the zero address for a reader that is no keeper.
    pub fn new(client: Client, own: Address) -> Self {
        Self { client, own, terms: std::sync::Mutex::default() }
    }

    /// The session at `block`. Seats are read only when they can matter: once someone may have missed the round.
    ///
    /// # Errors
    /// [`Error::Chain`].
    pub async fn read(&self, id: u64, block: u64) -> Result<SessionView> {
        let at = BlockId::number(block);
        let session = U256::from(id);
        let contract = self.client.sessions();
        let escrow = self.client.escrow();
        let controller = *contract.address();
        let (terms, raw, budget) = try_join!(
            self.terms(id),
            async { contract.session(session).block(at).call().await.map_err(contract_error("a session")) },
            async { escrow.budget(controller, session).block(at).call().await.map_err(contract_error("a budget")) },
        )?;
        let progress = progress(&raw)?;
        let late = block > progress.deadline;
        let proposal = match progress.phase {
            Phase::Proposed => {
                Some(contract.proposal(session).block(at).call().await.map_err(contract_error("a proposal"))?)
            }
            _ => None,
        };
        let attested = match progress.phase {
            Phase::Proposed => contract
                .hasAttested(session, progress.round, self.own)
                .block(at)
                .call()
                .await
                .map_err(contract_error("an attestation"))?,
            _ => false,
        };
        let missing_matter = match progress.state {
            State::Open => false,
            State::Active => (late || progress.phase != Phase::Training) && progress.posted < progress.expected,
            State::Ended => true,
        };
        let seats = if missing_matter {
            contract.seatsOf(session).block(at).call().await.map_err(contract_error("the seats"))?
        } else {
            Vec::new()
        };
        let credit = match progress.state {
            State::Ended => {
                escrow.credit(progress.requester).block(at).call().await.map_err(contract_error("a credit"))?
            }
            _ => 0,
        };
        Ok(SessionView {
            id,
            block,
            terms,
            proposal: proposal.as_ref().map(read_proposal),
            attested,
            seats: seats.iter().map(read_seat).collect(),
            budget: Budget {
                committed: TokenAmount::from_base_units(budget.committed),
                claimed: TokenAmount::from_base_units(budget.claimed),
                root: budget.root,
            },
            credit: TokenAmount::from_base_units(credit),
            progress,
        })
    }

    /// Forgets an ended session.
    pub fn forget(&self, id: u64) {
        self.kept().remove(&id);
    }

    /// Forgets everything: the chain was reorganised, and a session's number may stand for another session.
    pub fn forget_all(&self) {
        self.kept().clear();
    }

    async fn terms(&self, id: u64) -> Result<Terms> {
        if let Some(terms) = self.kept().get(&id) {
            return Ok(terms.clone());
        }
        let raw = self.client.sessions().terms(U256::from(id)).call().await.map_err(contract_error("the terms"))?;
        let terms = read_terms(&raw);
        // A session of an abandoned fork has no terms yet.
        if !terms.spec.is_zero() {
            self.kept().insert(id, terms.clone());
        }
        Ok(terms)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Terms>> {
        self.terms.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub(crate) fn contract_error(what: &'static str) -> impl FnOnce(alloy::contract::Error) -> Error {
    move |source| Error::Chain { what, source: Box::new(ChainError::contract(what, source)) }
}

fn read_terms(raw: &ISessions::Terms) -> Terms {
    Terms {
        spec: raw.spec,
        seats: raw.seats,
        quorum: raw.quorum,
        rounds: raw.rounds,
        attestations: raw.attestations,
        performance_bps: raw.performanceBps,
        propose_period: raw.proposePeriod.to(),
        challenge_window: raw.challengeWindow.to(),
        round_reward: TokenAmount::from_base_units(raw.roundReward),
        keeper_fee: TokenAmount::from_base_units(raw.keeperFee),
        completion_bonus: TokenAmount::from_base_units(raw.completionBonus),
        keeper_bond: TokenAmount::from_base_units(raw.keeperBond),
        uploaded: raw.dataMode == DataMode::Uploaded.number(),
        targeted: raw.targeted,
        cohort: raw.cohort,
        draw_seed: raw.drawSeed,
    }
}

fn progress(raw: &ISessions::Session) -> Result<Progress> {
    let unknown = |_| Error::UnknownState { state: raw.state, phase: raw.phase };
    let state = match StateNumber::try_from(raw.state).map_err(unknown)? {
        StateNumber::Open => State::Open,
        StateNumber::Active => State::Active,
        StateNumber::Completed | StateNumber::Cancelled | StateNumber::Expired => State::Ended,
        StateNumber::None => return Err(Error::UnknownState { state: raw.state, phase: raw.phase }),
    };
    let phase = match PhaseNumber::try_from(raw.phase).map_err(unknown)? {
        PhaseNumber::None => Phase::None,
        PhaseNumber::Training => Phase::Training,
        PhaseNumber::Closed => Phase::Closed,
        PhaseNumber::Unmasking => Phase::Unmasking,
        PhaseNumber::Proposed => Phase::Proposed,
    };
    Ok(Progress {
        requester: raw.requester,
        state,
        phase,
        round: raw.round,
        final_rounds: raw.finalRounds,
        occupied: raw.occupied,
        expected: raw.expected,
        posted: raw.posted,
        rollovers: raw.rollovers,
        deadline: raw.deadline.to(),
        model: (raw.model != B256::ZERO).then_some(raw.model),
        accumulator: raw.accumulator,
    })
}

fn read_proposal(raw: &ISessions::Proposal) -> Proposal {
    Proposal {
        proposer: raw.proposer,
        proposed_at: raw.proposedAt.to(),
        attested: raw.attested,
        claim: Claim {
            aggregate: raw.aggregate,
            updates_root: raw.updatesRoot,
            payouts_root: raw.payoutsRoot,
            payout_sum: TokenAmount::from_base_units(raw.payoutSum),
            reached: raw.reached,
        },
        report: raw.report,
    }
}

fn read_seat(raw: &ISessions::Seat) -> Option<Seat> {
    (raw.operator != Address::ZERO).then_some(Seat {
        operator: raw.operator,
        joined_round: raw.joinedRound,
        last_round: raw.lastRound,
        finished: raw.finished,
    })
}
