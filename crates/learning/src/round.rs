//! One round: closed updates in, next model out. A pure function that keepers, attesters and `fl verify` share.
//!
//! Every update is checked against the chain and the spec; what fails is recorded with its reason and changes nothing for
//! the others. The order of the inputs does not matter: they are sorted by operator, then seat, and carry the order of posting with
//! them, by which the earliest of an update and its copies is paid.

mod check;
mod score;
mod seats;
mod sift;
mod step;

use bytes::Bytes;
use parity_protocol::{
    Address, B256,
    aggregation::{Aggregation, Rule},
    manifest::{AcceptedUpdate, RejectedUpdate, Rejection, UpdateManifest},
    spec::SessionSpec,
};

use self::{
    check::check,
    seats::seats,
    step::{Step, evidence, follow},
};
use crate::{
    Error, Result,
    aggregate::{self, Root},
    holdout::Holdout,
    model,
    predict::Predictor,
    table::Table,
    tensors::Tensors,
};

pub(crate) use self::{
    check::check_manifest,
    sift::{sift, sorted},
};
pub use self::{check::check_update, seats::sampled};

/// An update as the chain has it, with what the stores have of it.
#[derive(Clone, Debug)]
pub struct UpdateInput {
    /// Who posted it.
    pub operator: Address,
    /// Seat.
    pub seat: u16,
    /// Digest of the update manifest, as posted.
    pub digest: B256,
    /// Samples, as posted.
    pub samples: u64,
    /// How many updates of the round were posted before it.
    pub posted: u32,
    /// Its content, or why there is none.
    pub content: Result<UpdateContent, Rejection>,
}

impl UpdateInput {
    /// Its file; empty where there is none.
    pub(crate) fn file(&self) -> &[u8] {
        self.content.as_ref().map_or(&[], |content| &content.weights)
    }
}

/// The bytes behind a digest, already checked against it.
#[derive(Clone, Debug)]
pub struct UpdateContent {
    /// The manifest.
    pub manifest: UpdateManifest,
    /// The new weights as a safetensors file, or compressed where the spec says so (opened, where they were sealed).
    pub weights: Bytes,
}

/// What a round is judged by, beside what everyone sees.
#[derive(Clone, Copy, Debug)]
pub enum Judge<'a> {
    /// Nothing: private data, or a holdout that nobody who judges could open. Scores are then those of who went where the rule
    /// went, and the rule `root_data` becomes the median.
    Blind,
    /// The held-out rows.
    Holdout(&'a Holdout),
    /// The held-out rows where the rule needs some; nobody is scored, which costs time.
    Unscored(&'a Holdout),
}

impl<'a> Judge<'a> {
    fn holdout(self) -> Option<&'a Holdout> {
        match self {
            Self::Blind => None,
            Self::Holdout(holdout) | Self::Unscored(holdout) => Some(holdout),
        }
    }

    /// The held-out rows if seats are scored by them.
    pub(crate) fn scoring(self) -> Option<&'a Holdout> {
        match self {
            Self::Holdout(holdout) => Some(holdout),
            Self::Blind | Self::Unscored(_) => None,
        }
    }
}

/// What a round comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundOutcome<M = Tensors> {
    /// The next model; the previous one when nothing was accepted.
    pub model: M,
    /// What the next round needs beside the model: moments of the server optimiser, control variates, evidence of root rows. None
    /// where the spec has none of them, or before anything was accepted.
    pub state: Option<Tensors>,
    /// Sorted by operator, then seat.
    pub accepted: Vec<AcceptedUpdate>,
    /// Sorted by operator, then seat.
    pub rejected: Vec<RejectedUpdate>,
}

/// Most bytes that a file of the spec's model can have: data, and 1 MiB of header.
pub fn weights_limit(spec: &SessionSpec) -> usize {
    file_limit(model::parameters(spec))
}

/// Most bytes of a file of so many values.
pub(crate) fn file_limit(values: usize) -> usize {
    4 * values + (1 << 20)
}

/// Most bytes that a round's state can have: two moments, and a control variate for everyone and for each seat. Evidence of root rows,
/// four bytes a seat, fits where their headers have room.
pub fn state_limit(spec: &SessionSpec) -> usize {
    let variates = match (&spec.aggregation.control, seats(spec)) {
        (None, _) => 0,
        (Some(_), Some(seats)) => seats + 1,
        (Some(_), None) => usize::from(u16::MAX) + 1,
    };
    weights_limit(spec).saturating_mul(2 + variates)
}

/// Checks the updates of a round, aggregates the good ones and scores them ([`crate::contribution`]). `state` is that of the last
/// final round.
///
/// # Errors
/// [`Error::Shape`] when `previous` is not a model of the spec, [`Error::Aggregate`] when `state` does not fit it, [`Error::Rows`]
/// when the held-out rows do not.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Tensors,
    state: Option<&Tensors>,
    inputs: Vec<UpdateInput>,
    judge: Judge<'_>,
) -> Result<RoundOutcome> {
    let shapes = model::shapes(spec);
    model::check_shapes(&shapes, previous)?;
    let inputs = sorted(inputs);
    let (good, rejected) = sift(spec, round, &inputs, |input| check(spec, session, round, &shapes, previous, input));
    if good.is_empty() {
        return Ok(RoundOutcome { model: previous.clone(), state: state.cloned(), accepted: Vec::new(), rejected });
    }
    let root = judge.holdout().and_then(|holdout| root_rows(spec, holdout.judging()));
    let root = root.as_ref().map(|root| root as &dyn Root);
    let evidence = evidence(previous, state, &good, root)?;
    let step = Step { spec, aggregation: &aggregation(spec, judge), previous, good: &good, root, evidence: &evidence };
    let target = step.target(&step.all(), None)?;
    let (model, state) = follow(spec, round, previous, state, &good, &target, &evidence)?;
    let scores = score::scores(&step, &target, judge)?;
    let accepted = good
        .iter()
        .zip(scores)
        .map(|((input, update), score)| AcceptedUpdate {
            operator: input.operator,
            seat: input.seat,
            digest: input.digest,
            samples: update.samples,
            score,
        })
        .collect();
    Ok(RoundOutcome { model, state, accepted, rejected })
}

/// The aggregation of a round: without held-out rows there is no root, and the median, which is what follows its choice, is taken of
/// all updates.
fn aggregation(spec: &SessionSpec, judge: Judge<'_>) -> Aggregation {
    let rule = match (spec.aggregation.rule, judge) {
        (Rule::RootData { .. }, Judge::Blind) => Rule::Median {},
        (rule, _) => rule,
    };
    Aggregation { rule, ..spec.aggregation.clone() }
}

/// The rows of the holdout by which the rule `root_data` judges: the first ones, as many as the spec says. None under another rule.
pub fn root_rows<'a>(spec: &'a SessionSpec, holdout: &Table) -> Option<impl Root + use<'a>> {
    let Rule::RootData { rows } = spec.aggregation.rule else { return None };
    let rows: Vec<usize> = (0..holdout.rows().min(usize::from(rows))).collect();
    let rows = holdout.select(&rows);
    Some(move |model: &Tensors| loss(spec, model, &rows))
}

/// Mean loss of a model. One whose outputs are not finite is as bad as one can be.
fn loss(spec: &SessionSpec, model: &Tensors, rows: &Table) -> Result<f64> {
    match Predictor::of_spec(spec, model)?.evaluate(rows) {
        Ok(evaluation) => Ok(evaluation.metrics.loss),
        Err(Error::Rows(_)) => Ok(f64::INFINITY),
        Err(error) => Err(error),
    }
}

/// What a seat adds to the gradients of its training in the next round (SCAFFOLD's `c - c_i`), by model tensor. None where the state
/// has no control variates.
pub fn correction(state: &Tensors, seat: u16) -> Option<Tensors> {
    aggregate::correction(state, seat)
}
