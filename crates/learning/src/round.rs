//! One round: closed updates in, next model out. A pure function that keepers, attesters and `fl verify` share.
//!
//! Every update is checked against the chain and the spec; what fails is recorded with its reason and changes nothing for
//! the others. The order of the inputs does not matter: they are sorted by operator, then seat.

use std::collections::BTreeMap;

use bytes::Bytes;
use parity_protocol::{
    Address, B256,
    manifest::{AcceptedUpdate, RejectedUpdate, Rejection, UpdateManifest},
    spec::{Aggregation, Data, SessionSpec},
};
use rayon::prelude::*;

use crate::{
    Error, Result,
    aggregate::{self, Weighted},
    model,
    tensors::Tensors,
};

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
    /// The new weights as a safetensors file (opened, where they were sealed).
    pub weights: Bytes,
}

/// What a round comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundOutcome {
    /// The next model; the previous one when nothing was accepted.
    pub model: Tensors,
    /// Sorted by operator, then seat.
    pub accepted: Vec<AcceptedUpdate>,
    /// Sorted by operator, then seat.
    pub rejected: Vec<RejectedUpdate>,
}

/// Most bytes that a file of the spec's model can have: data, and 1 MiB of header.
pub fn weights_limit(spec: &SessionSpec) -> usize {
    4 * model::parameters(spec) + (1 << 20)
}

/// Checks the updates of a round and aggregates the good ones.
///
/// Scores: with `d_i = update_i - previous` and `d = model - previous`, `floor(10000 * max(0, cos(d_i, d)))`: how much of
/// an update points where the mean went. 0 where the mean did not move.
///
/// # Errors
/// [`Error::Shape`] when `previous` is not a model of the spec.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Tensors,
    inputs: Vec<UpdateInput>,
) -> Result<RoundOutcome> {
    let shapes = model::shapes(spec);
    model::check_shapes(&shapes, previous)?;
    let mut inputs = inputs;
    inputs.sort_by_key(|input| (input.operator, input.seat));

    let checked: Vec<Result<Checked, Rejection>> =
        inputs.par_iter().map(|input| check(spec, session, round, &shapes, previous, input)).collect();
    let (mut good, mut rejected) = (Vec::new(), Vec::new());
    for (input, checked) in inputs.iter().zip(checked) {
        let UpdateInput { operator, seat, digest, .. } = *input;
        match checked {
            Ok(checked) => good.push((input, checked)),
            Err(reason) => rejected.push(RejectedUpdate { operator, seat, digest, reason }),
        }
    }
    if good.is_empty() {
        return Ok(RoundOutcome { model: previous.clone(), accepted: Vec::new(), rejected });
    }
    let weighted: Vec<Weighted<'_>> =
        good.iter().map(|(_, update)| Weighted { model: &update.weights, weight: update.samples }).collect();
    let model = match spec.aggregation {
        Aggregation::FedAvg => aggregate::fed_avg(&weighted)?,
    };
    let moved = norm(previous, &model);
    let accepted = good
        .iter()
        .map(|(input, update)| AcceptedUpdate {
            operator: input.operator,
            seat: input.seat,
            digest: input.digest,
            samples: update.samples,
            score: score(previous, &update.weights, &model, moved),
        })
        .collect();
    Ok(RoundOutcome { model, accepted, rejected })
}

/// An update that passed every check.
struct Checked {
    weights: Tensors,
    /// Weight in the mean: samples, capped where the spec says so.
    samples: u64,
}

fn check(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    shapes: &BTreeMap<String, Vec<usize>>,
    previous: &Tensors,
    input: &UpdateInput,
) -> Result<Checked, Rejection> {
    let content = input.content.as_ref().map_err(Clone::clone)?;
    let manifest = &content.manifest;
    let fields = [
        ("session", manifest.session == session),
        ("round", manifest.round == round),
        ("seat", manifest.seat == input.seat),
        ("operator", manifest.operator == input.operator),
        ("samples", manifest.samples == input.samples),
    ];
    if let Some((field, _)) = fields.iter().find(|(_, same)| !same) {
        return Err(Rejection::Mismatch { field: (*field).to_owned() });
    }
    let samples = match &spec.data {
        Data::Private { max_samples } => input.samples.min(*max_samples),
        Data::Uploaded { shard_rows, .. } => {
            if shard_rows.get(usize::from(input.seat)) != Some(&input.samples) {
                return Err(Rejection::WrongSamples);
            }
            input.samples
        }
    };
    if samples == 0 {
        return Err(Rejection::WrongSamples);
    }
    let weights = check_weights(spec, shapes, previous, &content.weights)?;
    Ok(Checked { weights, samples })
}

/// Checks the file of new weights alone: format, names, shapes, finiteness and distance. Runners use it before they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(spec: &SessionSpec, previous: &Tensors, weights: &[u8]) -> Result<Tensors, Rejection> {
    check_weights(spec, &model::shapes(spec), previous, weights)
}

fn check_weights(
    spec: &SessionSpec,
    shapes: &BTreeMap<String, Vec<usize>>,
    previous: &Tensors,
    weights: &[u8],
) -> Result<Tensors, Rejection> {
    let weights = Tensors::from_bytes(weights, weights_limit(spec))
        .map_err(|_| Rejection::Malformed { part: "weights".to_owned() })?;
    model::check_shapes(shapes, &weights).map_err(|error| match error {
        Error::Shape { tensor, .. } => Rejection::WrongShape { tensor },
        _ => Rejection::Malformed { part: "weights".to_owned() },
    })?;
    if let Some(tensor) = weights.not_finite() {
        return Err(Rejection::NotFinite { tensor: tensor.to_owned() });
    }
    if norm(previous, &weights) > spec.max_update_norm {
        return Err(Rejection::NormTooLarge);
    }
    Ok(weights)
}

/// L2 norm of `to - from`.
fn norm(from: &Tensors, to: &Tensors) -> f64 {
    aggregate::fold(from, to, to, |base, left, right| (left - base) * (right - base)).sqrt()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10000 before")]
fn score(previous: &Tensors, update: &Tensors, model: &Tensors, moved: f64) -> u32 {
    let length = norm(previous, update);
    if moved <= 0.0 || length <= 0.0 {
        return 0;
    }
    let along = aggregate::fold(previous, update, model, |base, left, right| (left - base) * (right - base));
    (f64::from(MAX_SCORE) * (along / (moved * length))).floor().clamp(0.0, f64::from(MAX_SCORE)) as u32
}
