//! Proposing and attesting: the work that only bonded keepers do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parity_content::put_manifest;
use parity_learning::holdout::Holdout;
use parity_protocol::{
    B256, TokenAmount,
    manifest::RoundReport,
    metrics::{Evaluation, Metrics},
};

use crate::{
    act::chain,
    aggregate::Aggregate,
    error::{Error, Result},
    evaluate::{as_reported, on_holdout},
    holdout::may_do_without,
    keeper::Keeper,
    plan::Action,
    recompute::{Judgement, Recomputed},
    slot::Slot,
    timings::{RoundTiming, millis},
    turns::WORTH_AN_ERROR,
    view::{Phase, Proposal, SessionView},
};

/// Share of the proposal period for which missing content is waited for: early enough for the proposal to come in time,
/// late enough for a slow store.
const PATIENCE: u64 = 4;

/// Judgement of content at this block, by these rows.
fn judgement(view: &SessionView, known_since: Option<u64>, holdout: Option<Arc<Holdout>>) -> Judgement {
    let patience_over = match view.progress.phase {
        Phase::Closed | Phase::Proposed => {
            let begun = view.progress.deadline.saturating_sub(view.terms.propose_period);
            view.block > begun.saturating_add(view.terms.propose_period / PATIENCE)
        }
        Phase::None | Phase::Training | Phase::Unmasking => false,
    };
    Judgement { patience_over, known_since, holdout }
}

impl Keeper {
    /// Proposes or attests, and books the outcome.
    pub(crate) async fn judge(&self, slot: &Slot, view: &SessionView, known_since: Option<u64>, action: &Action) {
        let result = match action {
            Action::Propose { .. } => self.propose(slot, view, known_since, action).await,
            Action::Attest { .. } => self.attest(slot, view, known_since, action).await,
            _ => Ok(()),
        };
        let Err(error) = result else { return };
        let (session, round) = (view.id, view.progress.round);
        let mut turns = slot.turns();
        match error {
            Error::NotYet { missing, .. } => {
                tracing::info!(session, round, missing, "content of updates is awaited");
                turns.waits(action, view.block);
            }
            Error::NoHoldout { reason, .. } => {
                tracing::warn!(session, round, reason, "the holdout is awaited; others score the round meanwhile");
                turns.waits(action, view.block);
            }
            Error::WrongProposal(difference) => {
                let failures = turns.failed(action, view.block);
                let difference = difference.to_string();
                tracing::error!(session, round, failures, difference, "the standing proposal is wrong; not attested");
            }
            error if error.is_retryable() => {
                turns.waits(action, view.block);
                tracing::warn!(session, round, error = chain(&error), "the round cannot be judged yet");
            }
            error => {
                let failures = turns.failed(action, view.block);
                let error = chain(&error);
                if failures < WORTH_AN_ERROR {
                    tracing::info!(session, round, failures, error, "the round cannot be judged");
                } else {
                    tracing::error!(session, round, failures, error, "the round cannot be judged");
                }
            }
        }
    }

    /// Computes ahead what the proposal will need, while the round is being closed.
    pub(crate) async fn prepare(&self, slot: &Slot, view: &SessionView, known_since: Option<u64>) {
        let prepared = async {
            let holdout = self.to_propose_with(view).await?;
            let judgement = judgement(view, known_since, holdout);
            let aggregate = self.recompute.aggregate(view, &judgement).await?;
            self.evaluation(slot, view, &aggregate).await;
            aggregate.publish(&**self.recompute.store()).await
        };
        if let Err(error) = prepared.await {
            tracing::debug!(session = view.id, round = view.progress.round, error = chain(&error), "not prepared");
        }
    }

    async fn propose(&self, slot: &Slot, view: &SessionView, known_since: Option<u64>, action: &Action) -> Result<()> {
        let begun = Instant::now();
        let judgement = judgement(view, known_since, self.to_propose_with(view).await?);
        let work = self.recompute.proposal(view, &judgement, self.own).await?;
        let recomputing = begun.elapsed();
        let evaluating = Instant::now();
        let evaluation = self.evaluation(slot, view, &work.aggregate).await;
        let evaluating = evaluating.elapsed();
        let storing = Instant::now();
        let report = self.store(view, &work, evaluation.clone()).await?;
        let storing = storing.elapsed();

        let sending = Instant::now();
        let round = view.progress.round;
        let result = self.send_proposal(view.id, round, &work.claim, report, view.block).await;
        let sent = result.is_ok();
        self.book(slot, action, view.block, false, result);
        if sent {
            let metrics = evaluation.as_ref().map(|evaluation| &evaluation.metrics);
            self.note(view, &work.aggregate, metrics, work.claim.payout_sum);
            // What was fetched and averaged while the round was being closed cost the proposal nothing.
            let ahead = work.aggregate.ready < begun;
            let parts = work.aggregate.fetching + work.aggregate.computing;
            let own = if ahead { recomputing } else { recomputing.saturating_sub(parts) };
            self.record(&RoundTiming {
                session: view.id,
                round,
                ahead,
                fetch_ms: millis(work.aggregate.fetching),
                aggregate_ms: millis(work.aggregate.computing),
                evaluate_ms: millis(evaluating),
                store_ms: millis(storing),
                chain_ms: millis(sending.elapsed()),
                own_ms: millis(own),
            });
        }
        Ok(())
    }

    async fn attest(&self, slot: &Slot, view: &SessionView, known_since: Option<u64>, action: &Action) -> Result<()> {
        let Some(proposal) = &view.proposal else { return Ok(()) };
        let work = self.agree(view, known_since, proposal).await?;
        // Whoever vouches for an aggregate keeps it available.
        work.aggregate.publish(&**self.recompute.store()).await?;
        let round = view.progress.round;
        let hash = proposal.claim.hash(view.id, round);
        let result = self.send_attestation(view.id, round, hash, view.block).await;
        self.book(slot, action, view.block, false, result);
        Ok(())
    }

    /// Recomputes a proposal, in both ways where it may have been made in both.
    async fn agree(&self, view: &SessionView, known_since: Option<u64>, proposal: &Proposal) -> Result<Recomputed> {
        let round = view.progress.round;
        let (first, has_holdout) = match self.opened(view).await {
            Ok(holdout) => {
                let has_holdout = holdout.is_some();
                (self.compare(view, &judgement(view, known_since, holdout), proposal).await, has_holdout)
            }
            Err(error) => (Err(no_holdout(round, &error)), true),
        };
        let propose_by = self.recompute.history(view.id).await?.round(round).propose_by;
        let propose_by = propose_by.ok_or(Error::NoEvent { event: "RoundClosed", round })?;
        let late = may_do_without(proposal.proposed_at, propose_by, view.terms.propose_period);
        if first.is_ok() || !has_holdout || !late {
            return first;
        }
        match self.compare(view, &judgement(view, known_since, None), proposal).await {
            Err(Error::WrongProposal(_)) => first,
            second => second,
        }
    }

    async fn compare(&self, view: &SessionView, judgement: &Judgement, proposal: &Proposal) -> Result<Recomputed> {
        let work = self.recompute.proposal(view, judgement, proposal.proposer).await?;
        if work.claim.difference(&proposal.claim).is_none() {
            return Ok(work);
        }
        // What was computed before may have given up content that has come since.
        self.recompute.forget_aggregate(view.id);
        let work = self.recompute.proposal(view, judgement, proposal.proposer).await?;
        match work.claim.difference(&proposal.claim) {
            None => Ok(work),
            Some(difference) => Err(Error::WrongProposal(difference)),
        }
    }

    /// The rows by which this keeper proposes: the holdout, where the session has one; none where it is too late to wait for it.
    async fn to_propose_with(&self, view: &SessionView) -> Result<Option<Arc<Holdout>>> {
        let (phase, round) = (view.progress.phase, view.progress.round);
        let late =
            phase == Phase::Closed && may_do_without(view.block, view.progress.deadline, view.terms.propose_period);
        let problem = match self.opened(view).await {
            Ok(Some(holdout)) => match self.others_can_attest(view).await? {
                true => return Ok(Some(holdout)),
                false => Error::NoHoldout { round, reason: "it was sealed to too few keepers to agree".into() },
            },
            Ok(None) => return Ok(None),
            Err(error) => no_holdout(round, &error),
        };
        if late { Ok(None) } else { Err(problem) }
    }

    /// The holdout, opened; none where the session has none.
    async fn opened(&self, view: &SessionView) -> Result<Option<Arc<Holdout>>> {
        let spec = self.recompute.spec(view.id, view.terms.spec).await?;
        if spec.data.holdout().is_none() {
            return Ok(None);
        }
        let Some(sealed) = self.holdout(view.id, self.own).await? else {
            let reason = "the requester has not sealed it to this keeper; 'parity fl seal' does".into();
            return Err(Error::NoHoldout { round: view.progress.round, reason });
        };
        self.recompute.holdout(view.id, view.terms.spec, &spec, sealed).await.map(Some)
    }

    /// Whether the holdout was sealed to as many bonded keepers as must agree.
    async fn others_can_attest(&self, view: &SessionView) -> Result<bool> {
        let wanted = usize::from(view.terms.attestations);
        if wanted < 2 {
            return Ok(true);
        }
        let mut sealed = 0;
        for keeper in self.standing(view.block, view.terms.keeper_bond).await?.keepers {
            sealed += usize::from(self.holdout(view.id, keeper).await?.is_some());
            if sealed == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the report says of the model; none when it cannot be had, which holds nothing up.
    async fn evaluation(&self, slot: &Slot, view: &SessionView, aggregate: &Aggregate) -> Option<Evaluation> {
        if let Some(evaluation) = slot.evaluated(aggregate.digest) {
            return evaluation;
        }
        let evaluation = match self.evaluate(view, aggregate).await {
            Ok(evaluation) => evaluation,
            Err(error) => {
                let (session, round) = (view.id, view.progress.round);
                tracing::warn!(session, round, error = chain(&error), "proposed without an evaluation");
                None
            }
        };
        slot.keep_evaluation(aggregate.digest, evaluation.clone());
        evaluation
    }

    async fn evaluate(&self, view: &SessionView, aggregate: &Aggregate) -> Result<Option<Evaluation>> {
        if !view.terms.uploaded {
            let mean = as_reported(&aggregate.reported);
            return Ok(mean.map(|metrics| Evaluation { metrics, confusion: None }));
        }
        let Some(holdout) = self.opened(view).await? else { return Ok(None) };
        let spec = self.recompute.spec(view.id, view.terms.spec).await?;
        on_holdout(self.trial.as_deref(), &spec, aggregate, holdout).await.map(Some)
    }

    async fn store(&self, view: &SessionView, work: &Recomputed, evaluation: Option<Evaluation>) -> Result<B256> {
        let store = &**self.recompute.store();
        work.aggregate.publish(store).await?;
        let (evaluation, confusion) =
            evaluation.map_or((None, None), |evaluation| (Some(evaluation.metrics), evaluation.confusion));
        let report = RoundReport {
            session: view.id,
            round: view.progress.round,
            aggregate: work.aggregate.digest,
            evaluation,
            confusion,
            payouts: work.payouts.clone(),
        };
        put_manifest(store, &report).await.map_err(Error::content("store the round report"))
    }

    fn note(&self, view: &SessionView, aggregate: &Aggregate, metrics: Option<&Metrics>, paid: TokenAmount) {
        let (session, round) = (view.id, view.progress.round);
        for rejected in &aggregate.manifest.rejected {
            let (operator, seat, reason) = (rejected.operator, rejected.seat, rejected.reason.to_string());
            tracing::warn!(session, round, %operator, seat, reason, "update rejected");
        }
        let (accepted, rejected) = (aggregate.manifest.accepted.len(), aggregate.manifest.rejected.len());
        let headline = metrics.and_then(Metrics::headline).map(|(_, value)| value);
        tracing::info!(session, round, accepted, rejected, headline, earned = %paid, "round proposed");
    }

    fn record(&self, timing: &RoundTiming) {
        if let Err(error) = self.timings.append(timing) {
            tracing::warn!(%error, "timings cannot be written");
        }
    }
}

/// Why a round cannot be scored, in one error.
fn no_holdout(round: u16, error: &Error) -> Error {
    match error {
        Error::NoHoldout { reason, .. } => Error::NoHoldout { round, reason: reason.clone() },
        error => Error::NoHoldout { round, reason: chain(error) },
    }
}

/// Longest time that judging one round may take before it is started anew.
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 60);
