//! Events that change a session as a whole: its state, and what it knows of its current round.
//!
//! The counters are the contract's own (`RoundPhase.Progress`), derived from events; tests compare them with the chain.

use alloy::primitives::U256;
use parity_abi::{DataMode, Event, ISessions, Phase, State};
use parity_protocol::{B256, accumulator};

use super::{Origin, Plan, Position};
use crate::{
    error::Result,
    rows::{Bytes32, Session, SessionKey, Terms},
};

/// A change of an existing session.
type Change = Box<dyn FnOnce(&mut Session) -> Result<()> + Send>;

pub(super) fn plan(event: &Event, at: &Position<'_>, origin: Origin, plan: &mut Plan) -> Result<()> {
    let number = at.number;
    let mut change = |session, change: Change| -> Result<()> {
        plan.change::<Session>(key(origin, session)?, change);
        Ok(())
    };
    match event {
        Event::SessionCreated(e) => {
            let terms = terms(origin, &e.terms)?;
            plan.put(Session {
                session_id: origin.id("session", e.session)?,
                requester: e.requester.into(),
                spec: e.spec.into(),
                budget: e.budget,
                state: State::Open,
                phase: Phase::None,
                round: 0,
                final_rounds: 0,
                occupied: 0,
                joining: 0,
                claimed: 0,
                posted: 0,
                rollovers: 0,
                deadline: number.saturating_add(terms.open_period),
                cancelling: false,
                committed: 0,
                refunded: 0,
                model: Bytes32::ZERO,
                accumulator: Bytes32::ZERO,
                created_at: number,
                ended_at: None,
                terms,
            });
            Ok(())
        }
        Event::SessionStarted(e) => change(
            e.session,
            Box::new(|row| {
                row.state = State::Active;
                Ok(())
            }),
        ),
        Event::RoundStarted(e) => {
            let (round, deadline) = (e.round, e.deadline.to::<u64>());
            change(
                e.session,
                Box::new(move |row| {
                    row.round = round;
                    row.phase = Phase::Training;
                    row.deadline = deadline;
                    row.occupied = row.occupied.saturating_add(row.joining);
                    row.joining = 0;
                    row.posted = 0;
                    row.rollovers = 0;
                    row.accumulator = Bytes32::ZERO;
                    Ok(())
                }),
            )
        }
        Event::UpdateSubmitted(e) => {
            let (operator, digest, samples) = (e.operator, e.digest, e.samples);
            change(
                e.session,
                Box::new(move |row| {
                    row.accumulator = accumulator::fold(B256::from(row.accumulator), operator, digest, samples).into();
                    row.posted = origin.up("posted updates", row.posted)?;
                    Ok(())
                }),
            )
        }
        Event::RoundClosed(e) => {
            let (accumulator, deadline) = (e.accumulator.into(), e.deadline.to::<u64>());
            change(
                e.session,
                Box::new(move |row| {
                    row.phase = if row.terms.unmasking { Phase::Unmasking } else { Phase::Closed };
                    row.accumulator = accumulator;
                    row.deadline = deadline;
                    Ok(())
                }),
            )
        }
        Event::RoundRolledOver(e) => {
            let (rollovers, deadline) = (e.rollovers, e.deadline.to::<u64>());
            change(
                e.session,
                Box::new(move |row| {
                    row.rollovers = rollovers;
                    row.deadline = deadline;
                    Ok(())
                }),
            )
        }
        Event::RoundUnmasked(e) => {
            let deadline = e.deadline.to::<u64>();
            change(
                e.session,
                Box::new(move |row| {
                    row.phase = Phase::Closed;
                    row.deadline = deadline;
                    Ok(())
                }),
            )
        }
        Event::RoundProposed(e) => change(
            e.session,
            Box::new(move |row| {
                row.phase = Phase::Proposed;
                row.deadline = number.saturating_add(row.terms.propose_period);
                Ok(())
            }),
        ),
        Event::RoundFinalized(e) => {
            let (model, committed) = (e.aggregate.into(), e.payoutSum);
            change(
                e.session,
                Box::new(move |row| {
                    row.model = model;
                    row.committed = committed;
                    row.final_rounds = origin.up("final rounds", row.final_rounds)?;
                    Ok(())
                }),
            )
        }
        Event::SessionCancelling(e) => change(
            e.session,
            Box::new(|row| {
                row.cancelling = true;
                Ok(())
            }),
        ),
        Event::SessionCompleted(e) => change(e.session, end(State::Completed, e.refunded, number)),
        Event::SessionCancelled(e) => change(e.session, end(State::Cancelled, e.refunded, number)),
        Event::SessionExpired(e) => change(e.session, end(State::Expired, e.refunded, number)),
        _ => Ok(()),
    }
}

fn end(state: State, refunded: u128, number: u64) -> Change {
    Box::new(move |row| {
        row.state = state;
        row.phase = Phase::None;
        row.deadline = 0;
        row.refunded = refunded;
        row.ended_at = Some(number);
        Ok(())
    })
}

/// Names a session.
pub(super) fn key(origin: Origin, session: U256) -> Result<SessionKey> {
    Ok(SessionKey { session_id: origin.id("session", session)? })
}

fn terms(origin: Origin, terms: &ISessions::Terms) -> Result<Terms> {
    Ok(Terms {
        seats: terms.seats,
        quorum: terms.quorum,
        rounds: terms.rounds,
        attestations: terms.attestations,
        max_rollovers: terms.maxRollovers,
        performance_bps: terms.performanceBps,
        min_reputation: terms.minReputation,
        data_mode: DataMode::try_from(terms.dataMode).map_err(|_| origin.out_of_range("data mode", terms.dataMode))?,
        unmasking: terms.unmasking,
        targeted: terms.targeted,
        open_period: terms.openPeriod.to::<u64>(),
        round_period: terms.roundPeriod.to::<u64>(),
        unmask_period: terms.unmaskPeriod.to::<u64>(),
        propose_period: terms.proposePeriod.to::<u64>(),
        challenge_window: terms.challengeWindow.to::<u64>(),
        capabilities: terms.capabilities,
        cohort: terms.cohort,
        draw_seed: terms.drawSeed,
        round_reward: terms.roundReward,
        keeper_fee: terms.keeperFee,
        completion_bonus: terms.completionBonus,
        min_stake: terms.minStake,
        keeper_bond: terms.keeperBond,
    })
}
