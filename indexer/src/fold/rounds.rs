//! Events that change a round, its updates and its attestations.

use alloy::primitives::U256;
use parity_abi::Event;
use parity_protocol::{B256, accumulator};

use super::{Origin, Plan, Position, State, state::json};
use crate::{
    error::Result,
    rows::{Attestation, Bytes32, Round, RoundKey, RoundPhase, Row, Session, SessionKey, Update, UpdateKey},
};

pub(super) fn plan(event: &Event, at: &Position<'_>, origin: Origin, plan: &mut Plan) -> Result<()> {
    let number = at.number;
    let id = |session: U256| origin.id("session", session);
    match event {
        Event::RoundStarted(e) => plan.put(Round {
            session_id: id(e.session)?,
            round: e.round,
            phase: RoundPhase::Training,
            deadline: e.deadline.to::<u64>(),
            posted: 0,
            rollovers: 0,
            shares: 0,
            accumulator: Bytes32::ZERO,
            proposer: None,
            aggregate: None,
            updates_root: None,
            payouts_root: None,
            payout_sum: None,
            reached: None,
            report: None,
            attested: 0,
            started_at: number,
            closed_at: None,
            proposed_at: None,
            ended_at: None,
        }),
        Event::UpdateSubmitted(e) => {
            let session_id = id(e.session)?;
            plan.put(Update {
                session_id,
                round: e.round,
                operator: e.operator.into(),
                seat: e.seat,
                digest: e.digest.into(),
                samples: e.samples,
                shares: None,
                posted_at: number,
                transaction_hash: at.transaction_hash.into(),
            });
            let (operator, digest, samples) = (e.operator, e.digest, e.samples);
            plan.change::<Round>(RoundKey { session_id, round: e.round }, move |row| {
                row.accumulator = accumulator::fold(B256::from(row.accumulator), operator, digest, samples).into();
                row.posted = origin.up("posted updates", row.posted)?;
                Ok(())
            });
        }
        Event::RoundClosed(e) => {
            let session = SessionKey { session_id: id(e.session)? };
            let round = RoundKey { session_id: session.session_id, round: e.round };
            let (accumulator, deadline) = (e.accumulator.into(), e.deadline.to::<u64>());
            plan.keys.sessions.insert(session.clone());
            plan.make::<Round>(round.clone(), move |state, row| {
                let mut row = row.ok_or_else(|| origin.missing(Round::TABLE, json(&round)))?;
                row.phase = match session_of(origin, state, &session)?.terms.unmasking {
                    true => RoundPhase::Unmasking,
                    false => RoundPhase::Closed,
                };
                row.accumulator = accumulator;
                row.deadline = deadline;
                row.closed_at = Some(number);
                Ok(row)
            });
        }
        Event::RoundRolledOver(e) => {
            let (rollovers, deadline) = (e.rollovers, e.deadline.to::<u64>());
            plan.change::<Round>(RoundKey { session_id: id(e.session)?, round: e.round }, move |row| {
                row.rollovers = rollovers;
                row.deadline = deadline;
                Ok(())
            });
        }
        Event::SharesPosted(e) => {
            let (session_id, round, digest) = (id(e.session)?, e.round, e.digest.into());
            plan.change::<Round>(RoundKey { session_id, round }, move |row| {
                row.shares = origin.up("posted shares", row.shares)?;
                Ok(())
            });
            plan.change::<Update>(UpdateKey { session_id, round, operator: e.operator.into() }, move |row| {
                row.shares = Some(digest);
                Ok(())
            });
        }
        Event::RoundUnmasked(e) => {
            let deadline = e.deadline.to::<u64>();
            plan.change::<Round>(RoundKey { session_id: id(e.session)?, round: e.round }, move |row| {
                row.phase = RoundPhase::Closed;
                row.deadline = deadline;
                Ok(())
            });
        }
        Event::RoundProposed(e) => {
            let session = SessionKey { session_id: id(e.session)? };
            let round = RoundKey { session_id: session.session_id, round: e.round };
            let e = e.clone();
            plan.keys.sessions.insert(session.clone());
            plan.make::<Round>(round.clone(), move |state, row| {
                let mut row = row.ok_or_else(|| origin.missing(Round::TABLE, json(&round)))?;
                let propose_period = session_of(origin, state, &session)?.terms.propose_period;
                row.phase = RoundPhase::Proposed;
                row.deadline = number.saturating_add(propose_period);
                row.proposer = Some(e.proposer.into());
                row.aggregate = Some(e.aggregate.into());
                row.updates_root = Some(e.updatesRoot.into());
                row.payouts_root = Some(e.payoutsRoot.into());
                row.payout_sum = Some(e.payoutSum);
                row.reached = Some(e.reached);
                row.report = Some(e.report.into());
                row.attested = 1;
                row.proposed_at = Some(number);
                Ok(row)
            });
        }
        Event::RoundAttested(e) => {
            let (session_id, round, attested) = (id(e.session)?, e.round, e.attested);
            plan.put(Attestation { session_id, round, keeper: e.keeper.into(), attested_at: number });
            plan.change::<Round>(RoundKey { session_id, round }, move |row| {
                row.attested = attested;
                Ok(())
            });
        }
        Event::RoundFinalized(e) => {
            end(plan, RoundKey { session_id: id(e.session)?, round: e.round }, RoundPhase::Final, number)
        }
        Event::RoundVoided(e) => {
            end(plan, RoundKey { session_id: id(e.session)?, round: e.round }, RoundPhase::Voided, number)
        }
        _ => {}
    }
    Ok(())
}

fn end(plan: &mut Plan, key: RoundKey, phase: RoundPhase, number: u64) {
    plan.change::<Round>(key, move |row| {
        row.phase = phase;
        row.ended_at = Some(number);
        Ok(())
    });
}

fn session_of<'a>(origin: Origin, state: &'a State, key: &SessionKey) -> Result<&'a Session> {
    state.get::<Session>(key)?.ok_or_else(|| origin.missing(Session::TABLE, json(key)))
}
