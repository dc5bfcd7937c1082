//! Checking a session after the fact: recomputes every final round from chain events and content and compares.
//!
//! Updates that the proposer recorded as unavailable are taken as such: nobody can prove later that content was there. What only the
//! holdout tells is taken as published by who has not got it, and said to be ([`Taken`]). All else must come out bit for bit.

use std::sync::Arc;

use parity_learning::{holdout::Holdout, round::UpdateInput};
use parity_protocol::{
    B256, Link,
    aggregation::Rule,
    manifest::{AggregateManifest, Rejection},
    merkle::SumTree,
};

use crate::{
    aggregate::{Aggregate, Subject},
    error::{Error, Result},
    history::History,
    holdout::may_do_without,
    ledger::PaidRound,
    proposal::{Claim, Difference},
    recompute::{Recompute, incomplete, limit, recomputed},
    target::reaches,
    updates::Fetch,
    view::{SessionView, State},
};

/// What of a round was not recomputed, for want of the holdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Everything was recomputed.
    Nothing,
    /// The scores of the updates, and with them who earned which part of the performance share; whether the target was reached.
    Scores,
    /// The same, the model and the state of the aggregation: the holdout judged which updates enter it.
    Model,
}

/// What came of recomputing one final round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Round.
    pub round: u16,
    /// What the chain has.
    pub claimed: Claim,
    /// What was recomputed.
    pub recomputed: Claim,
    /// The recomputed model.
    pub model: Link,
    /// Number of accepted updates.
    pub accepted: usize,
    /// Number of rejected updates.
    pub rejected: usize,
    /// Where they differ; none: the round is right, given what was taken as published.
    pub difference: Option<Difference>,
    /// What was taken as published.
    pub taken: Taken,
}

impl Recompute {
    /// Recomputes all final rounds of a session, in order, and the root that Escrow pays by; with the holdout, if it is at hand.
    ///
    /// # Errors
    /// When an event or content is missing, or updates are sealed to others. A round that differs is a [`Verdict`], not an error.
    pub async fn verify(&self, view: &SessionView, holdout: Option<Arc<Holdout>>) -> Result<Vec<Verdict>> {
        let history = self.history(view.id).await?;
        let mut rounds: Vec<PaidRound> = Vec::new();
        let mut verdicts = Vec::new();
        let mut previous = None;
        for (round, digest) in history.final_before(u16::MAX) {
            let (aggregate, taken) =
                self.recompute_final(view, &history, round, (digest, previous), holdout.clone()).await?;
            let proposal = history.round(round).proposal.ok_or(Error::NoEvent { event: "RoundProposed", round })?;
            let reached = match (aggregate.manifest.holdout, &holdout) {
                (true, None) => proposal.claim.reached,
                (judged, holdout) => {
                    let spec = self.spec(view.id, view.terms.spec).await?;
                    let holdout = holdout.clone().filter(|_| judged);
                    reaches(spec, &view.terms, Arc::clone(&aggregate.weights), holdout).await?
                }
            };
            rounds.push(PaidRound {
                round,
                proposer: proposal.proposer,
                accepted: aggregate.manifest.accepted.clone(),
                reached,
            });
            let (model, accepted, rejected) =
                (aggregate.manifest.model.link, aggregate.manifest.accepted.len(), aggregate.manifest.rejected.len());
            let blind = self.blind_too_early(view, &history, round, aggregate.manifest.holdout).await?;
            let recomputed = recomputed(aggregate.into(), &view.terms, &rounds)?;
            let difference = recomputed.claim.difference(&proposal.claim).or(blind);
            verdicts.push(Verdict {
                round,
                claimed: proposal.claim,
                recomputed: recomputed.claim,
                model,
                accepted,
                rejected,
                difference,
                taken,
            });
            previous = Some(digest);
        }
        self.check_root(view, &rounds)?;
        Ok(verdicts)
    }

    async fn recompute_final(
        &self,
        view: &SessionView,
        history: &History,
        round: u16,
        (digest, previous): (B256, Option<B256>),
        holdout: Option<Arc<Holdout>>,
    ) -> Result<(Aggregate, Taken)> {
        let spec = self.spec(view.id, view.terms.spec).await?;
        let claimed = self.manifest(digest).await?;
        let past = history.round(round);
        let accumulator = past.closed.ok_or(Error::NoEvent { event: "RoundClosed", round })?;
        let posted = past.posted_under(accumulator).map_err(incomplete(round, accumulator))?;
        self.check_size(&spec, round, posted.len())?;
        let fetch = Fetch {
            store: &**self.store(),
            key: self.key(),
            spec: view.terms.spec,
            limit: limit(&spec),
            round,
            patience_over: true,
            surely_recipient: true,
        };
        let mut inputs = fetch.all(posted).await?;
        let mut missing = 0;
        for input in &mut inputs {
            if !take_as_recorded(&claimed, input) {
                missing += 1;
            }
        }
        if missing > 0 {
            return Err(Error::NotYet { round, missing });
        }
        let start = self.model(view.id, &spec, previous).await?;
        let state = self.state(view.id, &spec, previous).await?;
        let judged = matches!(spec.aggregation.rule, Rule::RootData { .. });
        let at_hand = holdout.filter(|_| claimed.holdout);
        let taken = match (claimed.holdout && at_hand.is_none(), judged) {
            (false, _) => Taken::Nothing,
            (true, false) => Taken::Scores,
            (true, true) => Taken::Model,
        };
        let subject = Subject { session: view.id, round, spec, previous, start, state, holdout: at_hand };
        let aggregate = Aggregate::compute(subject, inputs).await?;
        if taken == Taken::Nothing {
            return Ok((aggregate, taken));
        }
        Ok((aggregate.with_published(&claimed, judged)?, taken))
    }

    /// Says whether a round did without the holdout that its session has while that was not allowed yet.
    async fn blind_too_early(
        &self,
        view: &SessionView,
        history: &History,
        round: u16,
        has_holdout: bool,
    ) -> Result<Option<Difference>> {
        let spec = self.spec(view.id, view.terms.spec).await?;
        if has_holdout || spec.data.holdout().is_none() {
            return Ok(None);
        }
        let past = history.round(round);
        let epoch = past.proposal.ok_or(Error::NoEvent { event: "RoundProposed", round })?.at;
        let propose_by = past.propose_by.ok_or(Error::NoEvent { event: "RoundClosed", round })?;
        let allowed = may_do_without(epoch, propose_by, view.terms.propose_period);
        Ok((!allowed).then_some(Difference::WithoutHoldout { epoch }))
    }

    fn check_root(&self, view: &SessionView, rounds: &[PaidRound]) -> Result<()> {
        let root = SumTree::new(&crate::ledger::payouts(&view.terms, rounds)?)?.root();
        // While a session runs, a round may become final between reading the view and reading the events.
        if view.progress.state == State::Ended && !view.budget.committed.is_zero() && root.hash != view.budget.root {
            return Err(Error::Payouts { expected: view.budget.root, actual: root.hash });
        }
        Ok(())
    }
}

/// Replaces content that the manifest records as unavailable by that record. False when content is missing that was there.
fn take_as_recorded(claimed: &AggregateManifest, input: &mut UpdateInput) -> bool {
    let absent = |reason: &Rejection| matches!(reason, Rejection::Unavailable | Rejection::WrongDigest);
    let record = claimed.rejected.iter().find(|rejected| {
        rejected.digest == input.digest && rejected.operator == input.operator && absent(&rejected.reason)
    });
    match record {
        Some(record) => {
            input.content = Err(record.reason.clone());
            true
        }
        None => !input.content.as_ref().is_err_and(absent),
    }
}
