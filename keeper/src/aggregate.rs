//! One round's aggregate: posted updates in, manifest and model bytes out, the same for everyone who has the same content.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parity_content::{Store, cid_of_bytes, put_bytes, put_manifest};
use parity_learning::{
    holdout::Holdout,
    round::{Judge, RoundOutcome, UpdateInput},
    tensors::Tensors,
    weights::{self, Weights},
};
use parity_protocol::{
    B256,
    codec::Block,
    manifest::{AcceptedUpdate, AggregateManifest, Artifact},
    metrics::Metrics,
    spec::SessionSpec,
};

use crate::error::{Error, Result};

/// What a round comes to, with its bytes.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The manifest that attesters compare.
    pub manifest: AggregateManifest,
    /// Its digest.
    pub digest: B256,
    /// The model file that the manifest names.
    pub model: Bytes,
    /// The same model, decoded.
    pub weights: Arc<Weights>,
    /// What the next round needs beside the model, with its file.
    pub state: Option<(Arc<Tensors>, Bytes)>,
    /// Private data: what the runners of accepted updates reported about the previous model, with their weights.
    pub reported: Vec<(u64, Metrics)>,
    /// Time spent on fetching the updates.
    pub fetching: Duration,
    /// Time spent on checking and averaging them.
    pub computing: Duration,
    /// When it was there.
    pub ready: Instant,
}

/// The round to aggregate.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Session id.
    pub session: u64,
    /// Round.
    pub round: u16,
    /// The spec.
    pub spec: Arc<SessionSpec>,
    /// Aggregate digest of the last final round.
    pub previous: Option<B256>,
    /// Its model, or the initial one.
    pub start: Arc<Weights>,
    /// Its state, where it left one.
    pub state: Option<Arc<Tensors>>,
    /// The rows that score, where they are at hand.
    pub holdout: Option<Arc<Holdout>>,
}

impl Aggregate {
    /// Checks, averages and scores the updates. Runs on a thread for computations.
    ///
    /// # Errors
    /// When the starting model is not one of the spec, or the manifest is too large.
    pub async fn compute(subject: Subject, inputs: Vec<UpdateInput>) -> Result<Self> {
        tokio::task::spawn_blocking(move || Self::compute_now(&subject, inputs))
            .await
            .map_err(|_| Error::Computation)?
    }

    fn compute_now(subject: &Subject, inputs: Vec<UpdateInput>) -> Result<Self> {
        let begun = Instant::now();
        let holdouts: Vec<_> = inputs
            .iter()
            .filter_map(|input| {
                let metrics = input.content.as_ref().ok()?.manifest.holdout.clone()?;
                Some(((input.operator, input.seat), metrics))
            })
            .collect();
        let Subject { session, round, spec, start, state, holdout, .. } = subject;
        let judge = holdout.as_deref().map_or(Judge::Blind, Judge::Holdout);
        let RoundOutcome { model: weights, state, accepted, rejected } =
            weights::aggregate(spec, *session, *round, start, state.as_deref(), inputs, judge)?;
        let reported = accepted
            .iter()
            .filter_map(|update| {
                let (_, metrics) = holdouts.iter().find(|(place, _)| *place == (update.operator, update.seat))?;
                Some((update.samples, metrics.clone()))
            })
            .collect();
        let model = Bytes::from(weights.to_bytes());
        let state =
            state.map(|state| (Bytes::from(state.to_bytes()), Arc::new(state))).map(|(file, state)| (state, file));
        let manifest = AggregateManifest {
            session: subject.session,
            round: subject.round,
            previous: subject.previous,
            model: plain(&model),
            state: state.as_ref().map(|(_, file)| plain(file)),
            holdout: holdout.is_some(),
            accepted,
            rejected,
        };
        Ok(Self {
            digest: manifest.digest()?,
            manifest,
            model,
            weights: Arc::new(weights),
            state,
            reported,
            fetching: Duration::ZERO,
            computing: begun.elapsed(),
            ready: Instant::now(),
        })
    }

    /// Replaces what only the holdout tells by what was published of it: the scores, and where it judged, the model and its state.
    ///
    /// # Errors
    /// When the manifest is too large.
    pub fn with_published(mut self, published: &AggregateManifest, judged: bool) -> Result<Self> {
        for update in &mut self.manifest.accepted {
            let same = |other: &&AcceptedUpdate| {
                (other.operator, other.seat, other.digest) == (update.operator, update.seat, update.digest)
            };
            if let Some(other) = published.accepted.iter().find(same) {
                update.score = other.score;
            }
        }
        self.manifest.holdout = published.holdout;
        if judged {
            self.manifest.model = published.model.clone();
            self.manifest.state.clone_from(&published.state);
        }
        self.digest = self.manifest.digest()?;
        Ok(self)
    }

    /// Stores model, state and manifest. Storing what is there already is cheap, so attesters do it too: what they vouch for stays
    /// available.
    ///
    /// # Errors
    /// [`Error::Content`].
    pub async fn publish(&self, store: &dyn Store) -> Result<()> {
        put_bytes(store, self.model.clone()).await.map_err(Error::content("store the aggregated model"))?;
        if let Some((_, file)) = &self.state {
            put_bytes(store, file.clone()).await.map_err(Error::content("store the state of the aggregation"))?;
        }
        put_manifest(store, &self.manifest).await.map_err(Error::content("store the aggregate manifest"))?;
        Ok(())
    }
}

/// A file that is stored as it is.
fn plain(bytes: &Bytes) -> Artifact {
    let file = cid_of_bytes(bytes);
    Artifact { link: file.link, bytes: file.bytes, envelopes: Vec::new() }
}
