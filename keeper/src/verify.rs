//! Checking a session after the fact: recomputes every final round from chain events and content and compares.
//!
//! Updates that the proposer recorded as unavailable are taken as such: nobody can prove later that content was there. All
//! else must come out bit for bit. Whether the target was reached is taken as claimed: only who has the holdout can tell.

use parity_learning::round::UpdateInput;
use parity_protocol::{
    B256, Link,
    manifest::{AggregateManifest, Rejection},
    merkle::SumTree,
};

use crate::{
    aggregate::{Aggregate, Subject},
    error::{Error, Result},
    history::History,
    ledger::PaidRound,
    proposal::{Claim, Difference},
    recompute::{Recompute, incomplete, limit, recomputed},
    updates::Fetch,
    view::{SessionView, State},
};

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
    /// Where they differ; none: the round is right.
    pub difference: Option<Difference>,
}

impl Recompute {
    /// Recomputes all final rounds of a session, in order, and the root that Escrow pays by.
    ///
    /// # Errors
    /// When an event or content is missing, or updates are sealed to others. A round that differs is a [`Verdict`], not an error.
    pub async fn verify(&self, view: &SessionView) -> Result<Vec<Verdict>> {
        let history = self.history(view.id).await?;
        let mut rounds: Vec<PaidRound> = Vec::new();
        let mut verdicts = Vec::new();
        let mut previous = None;
        for (round, digest) in history.final_before(u16::MAX) {
            let aggregate = self.recompute_final(view, &history, round, digest, previous).await?;
            let proposal = history.round(round).proposal.ok_or(Error::NoEvent { event: "RoundProposed", round })?;
            rounds.push(PaidRound {
                round,
                proposer: proposal.proposer,
                accepted: aggregate.manifest.accepted.clone(),
                reached: proposal.claim.reached,
            });
            let (model, accepted, rejected) =
                (aggregate.manifest.model.link, aggregate.manifest.accepted.len(), aggregate.manifest.rejected.len());
            let recomputed = recomputed(aggregate.into(), &view.terms, &rounds)?;
            let difference = recomputed.claim.difference(&proposal.claim);
            verdicts.push(Verdict {
                round,
                claimed: proposal.claim,
                recomputed: recomputed.claim,
                model,
                accepted,
                rejected,
                difference,
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
        digest: B256,
        previous: Option<B256>,
    ) -> Result<Aggregate> {
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
        Aggregate::compute(Subject { session: view.id, round, spec, previous, start, state }, inputs).await
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
