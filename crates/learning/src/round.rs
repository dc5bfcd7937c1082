//! One round: closed updates in, next model out. A pure function that keepers, attesters and `fl verify` share.
//!
//! Every update is checked against the chain and the spec; what fails is recorded with its reason and changes nothing for
//! the others. The order of the inputs does not matter: they are sorted by operator, then seat.

use std::collections::BTreeMap;

use bytes::Bytes;
use parity_protocol::{
    Address, B256,
    aggregation::Rule,
    manifest::{AcceptedUpdate, RejectedUpdate, Rejection, UpdateManifest},
    spec::{Data, SessionSpec},
    training::Optimizer,
};
use rayon::prelude::*;

use crate::{
    Error, Result,
    aggregate::{self, Contribution, Root, Weighted, distance},
    model,
    random::{Purpose, Stream},
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
    4 * model::parameters(spec) + (1 << 20)
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

/// Checks the updates of a round and aggregates the good ones. `state` is that of the last final round.
///
/// Scores: with `d_i = update_i - previous` and `d = target - previous`, where `target` is what the rule gave before the server
/// optimiser, `floor(10000 * max(0, cos(d_i, d)))`: how much of an update points where the rule went. 0 where it did not move.
///
/// # Errors
/// [`Error::Shape`] when `previous` is not a model of the spec, [`Error::Aggregate`] when `state` does not fit it.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Tensors,
    state: Option<&Tensors>,
    inputs: Vec<UpdateInput>,
) -> Result<RoundOutcome> {
    aggregate_with_root(spec, session, round, previous, state, inputs, None)
}

/// As [`aggregate`], with the keepers' rows for the rule `root_data`.
///
/// # Errors
/// As [`aggregate`], and those of `root`.
pub fn aggregate_with_root(
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
    let mut inputs = inputs;
    inputs.sort_by_key(|input| (input.operator, input.seat));

    let taking_part = seats(spec).map(|seats| sampled(spec, round, seats));
    let checked: Vec<Result<Checked, Rejection>> = inputs
        .par_iter()
        .map(|input| match &taking_part {
            Some(seats) if seats.get(usize::from(input.seat)) == Some(&false) => Err(Rejection::NotSampled),
            _ => check(spec, session, round, &shapes, previous, input),
        })
        .collect();
    let (mut good, mut rejected) = (Vec::new(), Vec::new());
    for (input, checked) in inputs.iter().zip(checked) {
        let UpdateInput { operator, seat, digest, .. } = *input;
        match checked {
            Ok(checked) => good.push((input, checked)),
            Err(reason) => rejected.push(RejectedUpdate { operator, seat, digest, reason }),
        }
    }
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
            score: score(previous, &update.weights, &target, moved),
        })
        .collect();
    Ok(RoundOutcome { model, state, accepted, rejected })
}

/// What the rule makes of the accepted updates.
fn target(
    spec: &SessionSpec,
    previous: &Tensors,
    good: &[(&UpdateInput, Checked)],
    root: Option<&dyn Root>,
) -> Result<Tensors> {
    let weighted: Vec<Weighted<'_>> =
        good.iter().map(|(_, update)| Weighted { model: &update.weights, weight: update.samples }).collect();
    if !spec.aggregation.normalise_steps {
        return aggregate::apply(&spec.aggregation, previous, &weighted, root);
    }
    let paths: Vec<f64> = good.iter().map(|(input, _)| aggregate::path(&spec.training, input.samples)).collect();
    let normalised = aggregate::normalise_steps(&weighted, previous, &paths)?;
    let weighted: Vec<Weighted<'_>> =
        normalised.iter().zip(&weighted).map(|(model, input)| Weighted { model, weight: input.weight }).collect();
    aggregate::apply(&spec.aggregation, previous, &weighted, root)
}

/// The model after the server optimiser, and the state for the next round.
fn follow(
    spec: &SessionSpec,
    round: u16,
    previous: &Tensors,
    state: Option<&Tensors>,
    good: &[(&UpdateInput, Checked)],
    target: &Tensors,
) -> Result<(Tensors, Option<Tensors>)> {
    let (model, mut next) = aggregate::follow(&spec.aggregation.server, previous, target, state)?;
    if let (Some(control), Optimizer::Sgd { learning_rate, .. }) = (&spec.aggregation.control, &spec.training.optimizer)
    {
        let step = learning_rate * spec.training.schedule.factor(round);
        let contributions: Vec<Contribution<'_>> = good
            .iter()
            .map(|(input, update)| Contribution {
                seat: input.seat,
                weight: if spec.aggregation.rule == (Rule::Mean {}) { float(update.samples) } else { 1.0 },
                update: &update.weights,
                distance: step * aggregate::path(&spec.training, input.samples),
            })
            .collect();
        next.0.extend(aggregate::control(state, previous, &contributions, control.clip)?.0);
    }
    Ok((model, spec.aggregation.has_state().then_some(next)))
}

/// What a seat adds to the gradients of its training in the next round (SCAFFOLD's `c - c_i`), by model tensor. None where the state
/// has no control variates.
pub fn correction(state: &Tensors, seat: u16) -> Option<Tensors> {
    aggregate::correction(state, seat)
}

/// Which of the seats take part in a round: `ceil(participation * seats)` of them, drawn by the training seed.
pub fn sampled(spec: &SessionSpec, round: u16, seats: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..seats).collect();
    Stream::new(Purpose::Sampling, spec.training.seed, u64::from(round), 0).shuffle(&mut order);
    let mut taking_part = vec![false; seats];
    order.into_iter().take(share(spec.aggregation.participation, seats)).for_each(|seat| taking_part[seat] = true);
    taking_part
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of seats")]
#[expect(clippy::cast_precision_loss, reason = "seats are numbered by 16 bits")]
fn share(participation: f64, seats: usize) -> usize {
    // 0.3 of 10 seats are 3, though 0.3 is not a binary fraction.
    ((participation * seats as f64 - 1e-9).ceil().max(1.0) as usize).min(seats)
}

/// Number of seats, where the spec fixes it.
fn seats(spec: &SessionSpec) -> Option<usize> {
    match &spec.data {
        Data::Private { .. } => None,
        Data::Uploaded { shard_rows, .. } => Some(shard_rows.len()),
    }
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
    // What fixed-point sums cannot hold must not stop the round for the others.
    if !aggregate::fits(&weights, samples) {
        return Err(Rejection::NormTooLarge);
    }
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
    if distance(previous, &weights) > spec.max_update_norm {
        return Err(Rejection::NormTooLarge);
    }
    Ok(weights)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10000 before")]
fn score(previous: &Tensors, update: &Tensors, model: &Tensors, moved: f64) -> u32 {
    let length = distance(previous, update);
    if moved <= 0.0 || length <= 0.0 {
        return 0;
    }
    let along = aggregate::fold(previous, update, model, |base, left, right| (left - base) * (right - base));
    (f64::from(MAX_SCORE) * (along / (moved * length))).floor().clamp(0.0, f64::from(MAX_SCORE)) as u32
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^24 samples may lose their last digits")]
fn float(samples: u64) -> f32 {
    samples as f32
}
