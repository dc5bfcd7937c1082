//! From actions to transactions: names each one for the journal and sends it.

use parity_abi::IEscrow;
use parity_chain::{Call, Error as ChainError, Receipt};
use parity_protocol::{B256, U256};

use crate::{keeper::Keeper, plan::Action, proposal::Claim, slot::Slot};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on chain.
    Done,
    /// Somebody else was faster, or its time is over.
    Superseded,
    /// The contract says that it is too early.
    Early,
}

impl Keeper {
    /// Takes one of the steps that anybody may take.
    pub(crate) async fn step(&self, session: u64, action: &Action, seen: u64) -> Result<Outcome, ChainError> {
        let sessions = self.client.sessions();
        let id = U256::from(session);
        let data = match *action {
            Action::Start => sessions.start(id).calldata().clone(),
            Action::Expire => sessions.expire(id).calldata().clone(),
            Action::Close { round } => sessions.close(id, round).calldata().clone(),
            Action::RollOver { round, .. } => sessions.rollOver(id, round).calldata().clone(),
            Action::Forfeit { seat, .. } => sessions.forfeit(id, seat).calldata().clone(),
            Action::CloseUnmasking { round } => sessions.closeUnmasking(id, round).calldata().clone(),
            Action::Finalize { round } => sessions.finalize(id, round).calldata().clone(),
            Action::VoidRound { round } => sessions.voidRound(id, round).calldata().clone(),
            Action::Settle { seat, .. } => sessions.settleSeat(id, seat).calldata().clone(),
            Action::Withdraw { owner } => {
                let escrow = self.client.escrow();
                let data = escrow.withdraw(owner).calldata().clone();
                let call = Call::new(*escrow.address(), data);
                return self.execute(&name(session, action), seen, call).await.map(|(outcome, _)| outcome);
            }
            Action::Propose { .. } | Action::Attest { .. } | Action::PushPayouts { .. } => {
                return Ok(Outcome::Superseded);
            }
        };
        let call = Call::new(*sessions.address(), data);
        Ok(self.execute(&name(session, action), seen, call).await?.0)
    }

    /// Proposes.
    pub(crate) async fn send_proposal(
        &self,
        session: u64,
        round: u16,
        claim: &Claim,
        report: B256,
        seen: u64,
    ) -> Result<Outcome, ChainError> {
        let sessions = self.client.sessions();
        let data = sessions
            .propose(
                U256::from(session),
                round,
                claim.aggregate,
                claim.updates_root,
                claim.payouts_root,
                claim.payout_sum.base_units(),
                claim.reached,
                report,
            )
            .calldata()
            .clone();
        // The claim is part of the name: after a reorganisation another one may be right for the same round.
        let name = format!("keep/{session}/{round}/propose/{}", claim.hash(session, round));
        Ok(self.execute(&name, seen, Call::new(*sessions.address(), data)).await?.0)
    }

    /// Agrees with a proposal.
    pub(crate) async fn send_attestation(
        &self,
        session: u64,
        round: u16,
        proposal: B256,
        seen: u64,
    ) -> Result<Outcome, ChainError> {
        let sessions = self.client.sessions();
        let data = sessions.attest(U256::from(session), round, proposal).calldata().clone();
        let name = format!("keep/{session}/{round}/attest/{proposal}");
        Ok(self.execute(&name, seen, Call::new(*sessions.address(), data)).await?.0)
    }

    /// Claims for others.
    pub(crate) async fn send_claims(
        &self,
        name: &str,
        seen: u64,
        claims: Vec<IEscrow::Claim>,
    ) -> Result<(Outcome, Option<Receipt>), ChainError> {
        let escrow = self.client.escrow();
        let data = escrow.claimMany(claims).calldata().clone();
        self.execute(name, seen, Call::new(*escrow.address(), data)).await
    }

    /// Sends a call that the state at block `seen` asks for. A receipt of that block or an older one cannot be its doing: the
    /// call was sent for an earlier cause, or its effect was undone, so it is sent under a new name.
    async fn execute(&self, name: &str, seen: u64, call: Call) -> Result<(Outcome, Option<Receipt>), ChainError> {
        for attempt in 0u64.. {
            match self.outbox.execute(&format!("{name}/{attempt}"), call.clone()).await {
                Ok(receipt) if receipt.block <= seen => {}
                Ok(receipt) => return Ok((Outcome::Done, Some(receipt))),
                Err(error) if error.is_superseded() => break,
                Err(error) if error.is_early() => return Ok((Outcome::Early, None)),
                Err(error) => return Err(error),
            }
        }
        Ok((Outcome::Superseded, None))
    }

    /// Books what became of a step; logs what a person should know.
    pub(crate) fn book(
        &self,
        slot: &Slot,
        action: &Action,
        block: u64,
        ended: bool,
        result: Result<Outcome, ChainError>,
    ) {
        let mut turns = slot.turns();
        match result {
            Ok(Outcome::Done) => {
                self.meters.steps.inc();
                tracing::info!(session = slot.id, ?action, "step taken");
                if matches!(action, Action::Settle { .. }) {
                    turns.finished(action);
                } else {
                    turns.succeeded(action, block);
                }
            }
            Ok(Outcome::Superseded) => {
                self.meters.superseded.inc();
                tracing::debug!(session = slot.id, ?action, "somebody else was faster");
                if matches!(action, Action::Settle { .. }) {
                    turns.finished(action);
                } else {
                    turns.succeeded(action, block);
                }
            }
            Ok(Outcome::Early) => {
                turns.waits(action, block);
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(session = slot.id, ?action, error = chain(&error), "the node does not answer");
                turns.waits(action, block);
            }
            Err(error) => {
                self.meters.failures.inc();
                let failures = turns.failed(action, block);
                tracing::warn!(session = slot.id, ?action, failures, error = chain(&error), "step failed");
                if ended && failures >= crate::turns::HOPELESS {
                    tracing::warn!(session = slot.id, ?action, "given up until the next start");
                    turns.finished(action);
                }
            }
        }
    }
}

/// The name of a step in the journal: the same step of the same round has the same name in every run.
fn name(session: u64, action: &Action) -> String {
    let step = match action {
        Action::Start => "0/start".to_owned(),
        Action::Expire => "0/expire".to_owned(),
        Action::Close { round } => format!("{round}/close"),
        Action::RollOver { round, rollovers } => format!("{round}/roll_over/{rollovers}"),
        Action::Forfeit { round, seat, operator } => format!("{round}/forfeit/{seat}/{operator}"),
        Action::CloseUnmasking { round } => format!("{round}/close_unmasking"),
        Action::Finalize { round } => format!("{round}/finalize"),
        Action::VoidRound { round } => format!("{round}/void"),
        Action::Settle { seat, operator } => format!("settle/{seat}/{operator}"),
        Action::Withdraw { owner } => format!("withdraw/{owner}"),
        Action::Propose { round, .. } => format!("{round}/propose"),
        Action::Attest { round, proposal } => format!("{round}/attest/{proposal}"),
        Action::PushPayouts { root } => format!("pay/{root}"),
    };
    format!("keep/{session}/{step}")
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
