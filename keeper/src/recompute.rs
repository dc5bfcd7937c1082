//! The work of a keeper, free of any transaction: from chain and content to what must be proposed for a round.
//!
//! Proposing, attesting and `parity fl verify` all go through [`Recompute`]; they differ only in what they do with the result.
//! What is expensive is kept per session: the spec, the last model, the last aggregate, the final rounds. Everything kept is
//! named by digest or accumulator, so nothing needs to be invalidated when the chain is reorganised.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use parity_content::{DynStore, SealingKey, get_artifact, get_manifest};
use parity_learning::{
    holdout::Holdout,
    round::state_limit,
    tensors::Tensors,
    weights::{Weights, model_limit, plain_update_limit, update_limit},
};
use parity_protocol::{
    Address, B256, Link, TokenAmount,
    manifest::{AcceptedUpdate, AggregateManifest, PayoutLeaf},
    merkle::{SumTree, updates_root},
    spec::SessionSpec,
};

use crate::{
    aggregate::{Aggregate, Subject},
    error::{Error, Result},
    events::Events,
    history::History,
    ledger::{PaidRound, payouts},
    proposal::Claim,
    target::reaches,
    updates::Fetch,
    view::{SessionView, Terms},
};

/// Recomputes rounds from chain events and content.
#[derive(Debug)]
pub struct Recompute {
    store: DynStore,
    key: Option<SealingKey>,
    events: Arc<dyn Events>,
    round_bytes: u64,
    kept: Mutex<HashMap<u64, Kept>>,
}

/// Most bytes of all updates of a round together, unless told otherwise: a spec may ask for models of any size, and all
/// updates are in memory at once.
pub const ROUND_BYTES: u64 = 2 << 30;

/// What is kept of one session.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    spec: Option<(B256, Arc<SessionSpec>)>,
    model: Option<(Option<B256>, Arc<Weights>)>,
    aggregate: Option<(u16, B256, Arc<Aggregate>)>,
    pub(crate) holdout: Option<(B256, Arc<Holdout>)>,
    accepted: HashMap<B256, Vec<AcceptedUpdate>>,
}

/// What is proposed for a round: the claim, and the leaves under its payouts root.
#[derive(Clone, Debug)]
pub struct Recomputed {
    /// The round's aggregate.
    pub aggregate: Arc<Aggregate>,
    /// What attesters compare.
    pub claim: Claim,
    /// Cumulative payouts after the round.
    pub payouts: Vec<PayoutLeaf>,
}

/// How far a keeper may judge missing or sealed content, and by what it scores.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Content that no store has is given up.
    pub patience_over: bool,
    /// Epoch since which runners know this keeper's key; none: this is no keeper.
    pub known_since: Option<u64>,
    /// The rows that score; none: nobody's.
    pub holdout: Option<Arc<Holdout>>,
}

impl Recompute {
    /// Reads content from `store`, opens it with `key` and learns what happened from `events`.
    pub fn new(store: DynStore, key: Option<SealingKey>, events: Arc<dyn Events>) -> Self {
        Self { store, key, events, round_bytes: ROUND_BYTES, kept: Mutex::default() }
    }

    /// Grants the updates of a round another number of bytes than [`ROUND_BYTES`].
    #[must_use]
    pub fn with_round_bytes(mut self, bytes: u64) -> Self {
        self.round_bytes = bytes;
        self
    }

    /// Checks that so many updates of this spec fit the memory granted.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(crate) fn check_size(&self, spec: &SessionSpec, round: u16, updates: usize) -> Result<()> {
        let updates = u64::try_from(updates.max(1)).unwrap_or(u64::MAX);
        let actual = wide(plain_update_limit(spec)).saturating_mul(updates);
        if actual > self.round_bytes {
            return Err(Error::TooLarge { round, limit: self.round_bytes, actual });
        }
        Ok(())
    }

    /// The content store.
    pub fn store(&self) -> &DynStore {
        &self.store
    }

    /// The key that sealed content is opened with.
    pub fn key(&self) -> Option<&SealingKey> {
        self.key.as_ref()
    }

    /// Frees what is kept of a session.
    pub fn forget(&self, session: u64) {
        self.kept().remove(&session);
    }

    /// Drops the last aggregate of a session, whose rejections may be out of date.
    pub fn forget_aggregate(&self, session: u64) {
        self.kept().entry(session).or_default().aggregate = None;
    }

    /// Drops everything that events told: the chain was reorganised.
    pub async fn forget_events(&self) {
        self.events.forget(0).await;
    }

    /// The spec of a session, checked.
    ///
    /// # Errors
    /// [`Error::Content`] or [`Error::Protocol`].
    pub async fn spec(&self, session: u64, digest: B256) -> Result<Arc<SessionSpec>> {
        if let Some((kept, spec)) = &self.kept().entry(session).or_default().spec
            && *kept == digest
        {
            return Ok(Arc::clone(spec));
        }
        let fetch = Error::content("fetch the session spec");
        let block = self.store.get_block(&Link::from_digest(digest)).await.map_err(fetch)?;
        let spec = Arc::new(SessionSpec::read(&block)?);
        self.kept().entry(session).or_default().spec = Some((digest, Arc::clone(&spec)));
        Ok(spec)
    }

    /// The aggregate of the round that has just been closed (or is about to be, once everyone posted).
    ///
    /// # Errors
    /// See [`Error`]; [`Error::NotYet`] while content is missing.
    pub async fn aggregate(&self, view: &SessionView, judgement: &Judgement) -> Result<Arc<Aggregate>> {
        let (round, accumulator) = (view.progress.round, view.progress.accumulator);
        if let Some((kept_round, kept_accumulator, aggregate)) = &self.kept().entry(view.id).or_default().aggregate
            && (*kept_round, *kept_accumulator, aggregate.manifest.previous, aggregate.manifest.holdout)
                == (round, accumulator, view.progress.model, judgement.holdout.is_some())
        {
            return Ok(Arc::clone(aggregate));
        }
        let spec = self.spec(view.id, view.terms.spec).await?;
        self.check_size(&spec, round, usize::from(view.progress.posted))?;
        let start = self.model(view.id, &spec, view.progress.model).await?;
        let past = self.complete(view.id, round, accumulator).await?.round(round);
        let posted = past.posted_under(accumulator).map_err(incomplete(round, accumulator))?;
        let fetch = Fetch {
            store: &*self.store,
            key: self.key.as_ref(),
            spec: view.terms.spec,
            limit: limit(&spec),
            round,
            patience_over: judgement.patience_over,
            surely_recipient: match (judgement.known_since, past.started_at) {
                (Some(known), Some(started)) => known < started,
                _ => false,
            },
        };
        let begun = Instant::now();
        let inputs = fetch.all(posted).await?;
        let fetching = begun.elapsed();
        let state = self.state(view.id, &spec, view.progress.model).await?;
        let holdout = judgement.holdout.clone();
        let subject = Subject { session: view.id, round, spec, previous: view.progress.model, start, state, holdout };
        let mut aggregate = Aggregate::compute(subject, inputs).await?;
        aggregate.fetching = fetching;
        let aggregate = Arc::new(aggregate);
        self.kept().entry(view.id).or_default().aggregate = Some((round, accumulator, Arc::clone(&aggregate)));
        Ok(aggregate)
    }

    /// What must be proposed for the current round if `proposer` proposes it.
    ///
    /// # Errors
    /// As [`Self::aggregate`] and [`Self::leaves`].
    pub async fn proposal(&self, view: &SessionView, judgement: &Judgement, proposer: Address) -> Result<Recomputed> {
        let aggregate = self.aggregate(view, judgement).await?;
        let round = view.progress.round;
        let mut rounds = self.paid_rounds(view.id, &*self.events.history(view.id).await?, round).await?;
        let committed = SumTree::new(&payouts(&view.terms, &rounds)?)?.root();
        if !view.budget.committed.is_zero() && committed.hash != view.budget.root {
            self.events.forget(view.id).await;
            return Err(Error::Payouts { expected: view.budget.root, actual: committed.hash });
        }
        let spec = self.spec(view.id, view.terms.spec).await?;
        let (weights, holdout) = (Arc::clone(&aggregate.weights), judgement.holdout.clone());
        let reached = reaches(spec, &view.terms, weights, holdout).await?;
        rounds.push(PaidRound { round, proposer, accepted: aggregate.manifest.accepted.clone(), reached });
        recomputed(aggregate, &view.terms, &rounds)
    }

    /// The leaves under the payouts root that Escrow has in this view. Later rounds may have become final since.
    ///
    /// # Errors
    /// [`Error::Payouts`] when no final round leads to that root.
    pub async fn leaves(&self, view: &SessionView) -> Result<Vec<PayoutLeaf>> {
        let history = self.events.history(view.id).await?;
        let mut rounds = self.paid_rounds(view.id, &history, u16::MAX).await?;
        let mut actual = B256::ZERO;
        while !rounds.is_empty() {
            let leaves = payouts(&view.terms, &rounds)?;
            let root = SumTree::new(&leaves)?.root().hash;
            if root == view.budget.root {
                return Ok(leaves);
            }
            actual = root;
            rounds.pop();
        }
        self.events.forget(view.id).await;
        Err(Error::Payouts { expected: view.budget.root, actual })
    }

    /// The past of a session, with a list of updates for `round` that folds to `accumulator`.
    pub(crate) async fn complete(&self, session: u64, round: u16, accumulator: B256) -> Result<Arc<History>> {
        let history = self.events.history(session).await?;
        if history.round(round).posted_under(accumulator).is_ok() {
            return Ok(history);
        }
        // Events of an abandoned fork may have been kept: read everything again, once.
        self.events.forget(session).await;
        let history = self.events.history(session).await?;
        history.round(round).posted_under(accumulator).map_err(incomplete(round, accumulator))?;
        Ok(history)
    }

    /// The model that a round starts from.
    pub(crate) async fn model(
        &self,
        session: u64,
        spec: &Arc<SessionSpec>,
        aggregate: Option<B256>,
    ) -> Result<Arc<Weights>> {
        if let Some(model) = self.kept_model(session, aggregate) {
            return Ok(model);
        }
        let model = match aggregate {
            None => {
                let spec = Arc::clone(spec);
                tokio::task::spawn_blocking(move || Weights::initial(&spec)).await.map_err(|_| Error::Computation)??
            }
            Some(digest) => {
                let manifest = self.manifest(digest).await?;
                let bytes = get_artifact(&*self.store, &manifest.model, None, &[], wide(model_limit(spec)))
                    .await
                    .map_err(Error::content("fetch the previous model"))?;
                Weights::of_spec(&bytes, spec)?
            }
        };
        let model = Arc::new(model);
        self.kept().entry(session).or_default().model = Some((aggregate, Arc::clone(&model)));
        Ok(model)
    }

    /// The state that the aggregation of a round starts from.
    pub(crate) async fn state(
        &self,
        session: u64,
        spec: &SessionSpec,
        aggregate: Option<B256>,
    ) -> Result<Option<Arc<Tensors>>> {
        let Some(digest) = aggregate.filter(|_| spec.aggregation.has_state()) else { return Ok(None) };
        if let Some((_, _, kept)) = &self.kept().entry(session).or_default().aggregate
            && kept.digest == digest
        {
            return Ok(kept.state.as_ref().map(|(state, _)| Arc::clone(state)));
        }
        let Some(artifact) = self.manifest(digest).await?.state else { return Ok(None) };
        let most = state_limit(spec);
        let bytes = get_artifact(&*self.store, &artifact, None, &[], u64::try_from(most).unwrap_or(u64::MAX))
            .await
            .map_err(Error::content("fetch the state of the last aggregation"))?;
        Ok(Some(Arc::new(Tensors::from_bytes(&bytes, most)?)))
    }

    fn kept_model(&self, session: u64, wanted: Option<B256>) -> Option<Arc<Weights>> {
        let mut kept = self.kept();
        let kept = kept.entry(session).or_default();
        match (&kept.model, &kept.aggregate) {
            (Some((digest, model)), _) if *digest == wanted => Some(Arc::clone(model)),
            (_, Some((_, _, aggregate))) if Some(aggregate.digest) == wanted => {
                let model = Arc::clone(&aggregate.weights);
                kept.model = Some((wanted, Arc::clone(&model)));
                Some(model)
            }
            _ => None,
        }
    }

    pub(crate) async fn manifest(&self, digest: B256) -> Result<AggregateManifest> {
        get_manifest(&*self.store, digest).await.map_err(Error::content("fetch an aggregate manifest"))
    }

    /// Final rounds before `round`, with those who earned in them.
    pub(crate) async fn paid_rounds(&self, session: u64, history: &History, round: u16) -> Result<Vec<PaidRound>> {
        let mut rounds = Vec::new();
        for (round, digest) in history.final_before(round) {
            // Who proposed is not kept: after a reorganisation it may be somebody else for the same aggregate.
            let proposal = history.round(round).proposal.filter(|proposal| proposal.claim.aggregate == digest);
            let proposal = proposal.ok_or(Error::NoEvent { event: "RoundProposed", round })?;
            let (proposer, reached) = (proposal.proposer, proposal.claim.reached);
            let kept = self.kept().entry(session).or_default().accepted.get(&digest).cloned();
            let accepted = match kept {
                Some(accepted) => accepted,
                None => {
                    let accepted = self.manifest(digest).await?.accepted;
                    self.kept().entry(session).or_default().accepted.insert(digest, accepted.clone());
                    accepted
                }
            };
            rounds.push(PaidRound { round, proposer, accepted, reached });
        }
        Ok(rounds)
    }

    pub(crate) async fn history(&self, session: u64) -> Result<Arc<History>> {
        self.events.history(session).await
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, HashMap<u64, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts an aggregate and the payouts of all rounds up to it into one claim.
pub(crate) fn recomputed(aggregate: Arc<Aggregate>, terms: &Terms, rounds: &[PaidRound]) -> Result<Recomputed> {
    let payouts = payouts(terms, rounds)?;
    let root = SumTree::new(&payouts)?.root();
    let claim = Claim {
        aggregate: aggregate.digest,
        updates_root: updates_root(&aggregate.manifest.accepted),
        payouts_root: root.hash,
        payout_sum: TokenAmount::from_base_units(root.sum),
        reached: rounds.last().is_some_and(|last| last.reached),
    };
    Ok(Recomputed { aggregate, claim, payouts })
}

pub(crate) fn limit(spec: &SessionSpec) -> u64 {
    wide(update_limit(spec))
}

fn wide(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

pub(crate) fn incomplete(round: u16, expected: B256) -> impl FnOnce(B256) -> Error {
    move |actual| Error::Incomplete { round, expected, actual }
}
