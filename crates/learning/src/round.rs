//! One round: closed updates in, next model out. A pure function that keepers, attesters and `fl verify` share.
//!
//! Every update is checked against the chain and the spec; what fails is recorded with its reason and changes nothing for
//! the others. The order of the inputs does not matter: they are sorted by operator, then seat.

mod check;
mod seats;
mod sift;
mod step;

use bytes::Bytes;
use parity_protocol::{
    Address, B256,
    aggregation::Rule,
    manifest::{AcceptedUpdate, RejectedUpdate, Rejection, UpdateManifest},
    spec::SessionSpec,
};

use self::{
    check::{Checked, check},
    seats::seats,
    step::{follow, target},
};
use crate::{
    Error, Result,
    aggregate::{self, Root, distance},
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

/// The highest contribution score: an update that points exactly where the mean went.
pub const MAX_SCORE: u32 = 10_000;

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
    /// Its content, or why there is none.
    pub content: Result<UpdateContent, Rejection>,
}

/// The bytes behind a digest, already checked against it.
#[derive(Clone, Debug)]
pub struct UpdateContent {
    /// The manifest.
    pub manifest: UpdateManifest,
    /// The new weights as a safetensors file, or compressed where the spec says so (opened, where they were sealed).
    pub weights: Bytes,
}

/// What a round comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundOutcome<M = Tensors> {
    /// The next model; the previous one when nothing was accepted.
    pub model: M,
    /// What the next round needs beside the model: moments of the server optimiser, control variates. None where the spec has
    /// neither, or before anything was accepted.
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

/// Most bytes that a round's state can have: two moments, and a control variate for everyone and for each seat.
pub fn state_limit(spec: &SessionSpec) -> usize {
    let variates = match (&spec.aggregation.control, seats(spec)) {
        (None, _) => 0,
        (Some(_), Some(seats)) => seats + 1,
        (Some(_), None) => usize::from(u16::MAX) + 1,
    };
    weights_limit(spec).saturating_mul(2 + variates)
}

/// Checks the updates of a round and aggregates the good ones. `state` is that of the last final round, `root` the
/// keepers' rows where the rule is `root_data`.
///
/// Scores: with `d_i = update_i - previous` and `d = target - previous`, where `target` is what the rule gave before the server
/// optimiser, `floor(10000 * max(0, cos(d_i, d)))`: how much of an update points where the rule went. 0 where it did not move.
///
/// # Errors
/// [`Error::Shape`] when `previous` is not a model of the spec, [`Error::Aggregate`] when `state` does not fit it, and those
/// of `root`.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Tensors,
    state: Option<&Tensors>,
    inputs: Vec<UpdateInput>,
    root: Option<&dyn Root>,
) -> Result<RoundOutcome> {
    let shapes = model::shapes(spec);
    model::check_shapes(&shapes, previous)?;
    let inputs = sorted(inputs);
    let (good, rejected) = sift(spec, round, &inputs, |input| check(spec, session, round, &shapes, previous, input));
    if good.is_empty() {
        return Ok(RoundOutcome { model: previous.clone(), state: state.cloned(), accepted: Vec::new(), rejected });
    }
    let target = target(spec, previous, &good, root)?;
    let (model, state) = follow(spec, round, previous, state, &good, &target)?;
    let moved = distance(previous, &target);
    let accepted = good
        .iter()
        .map(|(input, update)| AcceptedUpdate {
            operator: input.operator,
            seat: input.seat,
            digest: input.digest,
            samples: update.samples,
            score: score(previous, update, &target, moved),
        })
        .collect();
    Ok(RoundOutcome { model, state, accepted, rejected })
}

/// The rows of the holdout by which the rule `root_data` judges: the first ones, as many as the spec says. None under another rule.
pub fn root_rows<'a>(spec: &'a SessionSpec, holdout: &Table) -> Option<impl Root + use<'a>> {
    let Rule::RootData { rows } = spec.aggregation.rule else { return None };
    let rows: Vec<usize> = (0..holdout.rows().min(usize::from(rows))).collect();
    let rows = holdout.select(&rows);
    Some(move |model: &Tensors| match Predictor::of_spec(spec, model)?.evaluate(&rows) {
        Ok(metrics) => Ok(metrics.loss),
        // A model whose outputs are not finite is as bad as one can be.
        Err(Error::Rows(_)) => Ok(f64::INFINITY),
        Err(error) => Err(error),
    })
}

/// What a seat adds to the gradients of its training in the next round (SCAFFOLD's `c - c_i`), by model tensor. None where the state
/// has no control variates.
pub fn correction(state: &Tensors, seat: u16) -> Option<Tensors> {
    aggregate::correction(state, seat)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10000 before")]
fn score(previous: &Tensors, update: &Checked, model: &Tensors, moved: f64) -> u32 {
    let Checked { weights, length, .. } = update;
    if moved <= 0.0 || *length <= 0.0 {
        return 0;
    }
    let along = aggregate::fold(previous, weights, model, |base, left, right| (left - base) * (right - base));
    (f64::from(MAX_SCORE) * (along / (moved * length))).floor().clamp(0.0, f64::from(MAX_SCORE)) as u32
}
