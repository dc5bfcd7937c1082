//! What an update must be to count: one that chain, spec and previous model agree with.

use std::collections::BTreeMap;

use parity_protocol::{
    manifest::Rejection,
    spec::{Data, SessionSpec},
};

use super::{UpdateContent, UpdateInput};
use crate::{
    Error,
    aggregate::{self, distance},
    compress, model,
    tensors::Tensors,
};

/// An update that passed every check.
pub(super) struct Checked {
    pub(super) weights: Tensors,
    /// Weight in the mean: samples, capped where the spec says so.
    pub(super) samples: u64,
    /// L2 norm of its step from the previous model.
    pub(super) length: f64,
}

pub(super) fn check(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    shapes: &BTreeMap<String, Vec<usize>>,
    previous: &Tensors,
    input: &UpdateInput,
) -> Result<Checked, Rejection> {
    let (content, samples) = check_manifest(spec, session, round, input)?;
    let (weights, length) = check_weights(spec, shapes, previous, &content.weights)?;
    // What fixed-point sums cannot hold must not stop the round for the others.
    if !aggregate::fits(&weights, samples) {
        return Err(Rejection::NormTooLarge);
    }
    Ok(Checked { weights, samples, length })
}

/// Checks an update against chain and spec; returns its content and the samples that count.
pub(crate) fn check_manifest<'a>(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    input: &'a UpdateInput,
) -> Result<(&'a UpdateContent, u64), Rejection> {
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
    Ok((content, samples))
}

/// Checks the file of new weights alone: format, names, shapes, finiteness and distance. Runners use it before they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(spec: &SessionSpec, previous: &Tensors, weights: &[u8]) -> Result<Tensors, Rejection> {
    check_weights(spec, &model::shapes(spec), previous, weights).map(|(weights, _)| weights)
}

/// The weights and the norm of their step.
fn check_weights(
    spec: &SessionSpec,
    shapes: &BTreeMap<String, Vec<usize>>,
    previous: &Tensors,
    weights: &[u8],
) -> Result<(Tensors, f64), Rejection> {
    let weights = compress::decode(spec.compression, weights, previous)
        .map_err(|_| Rejection::Malformed { part: "weights".to_owned() })?;
    model::check_shapes(shapes, &weights).map_err(|error| match error {
        Error::Shape { tensor, .. } => Rejection::WrongShape { tensor },
        _ => Rejection::Malformed { part: "weights".to_owned() },
    })?;
    if let Some(tensor) = weights.not_finite() {
        return Err(Rejection::NotFinite { tensor: tensor.to_owned() });
    }
    let length = distance(previous, &weights);
    if length > spec.max_update_norm {
        return Err(Rejection::NormTooLarge);
    }
    Ok((weights, length))
}
