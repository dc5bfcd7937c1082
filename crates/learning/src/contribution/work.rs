//! What scores cost, from the spec and the number of updates alone, so that everyone takes the same way out.

use parity_protocol::{
    aggregation::{Aggregation, Rule},
    model::LayerKind,
    spec::SessionSpec,
};

use crate::model;

/// Most multiplications that the scores of a round may take: a minute or two of one core.
pub(crate) const MOST: u64 = 1 << 38;

/// Whether what a seat adds to the target can be taken away from it again: the plain mean.
pub(crate) fn is_plain(aggregation: &Aggregation) -> bool {
    aggregation.rule == (Rule::Mean {})
        && aggregation.norm_bound.is_none()
        && aggregation.mixing.is_none()
        && !aggregation.normalise_steps
}

/// Multiplications for the scores of so many updates on so many held-out rows. Robust rules compare all pairs of models once for every
/// seat that stands still.
pub(crate) fn of_models(spec: &SessionSpec, aggregation: &Aggregation, updates: usize, rows: usize) -> u64 {
    let (updates, rows) = (wide(updates), wide(rows));
    let (row, parameters) = (of_a_row(spec), wide(model::parameters(spec)));
    let evaluations = product(&[updates + 1, rows, row]);
    if is_plain(aggregation) {
        return evaluations.saturating_add(product(&[updates, parameters]));
    }
    evaluations.saturating_add(product(&[updates, updates, updates, parameters]))
}

/// Multiplications of a forward pass.
fn of_a_row(spec: &SessionSpec) -> u64 {
    let layer = |kind: LayerKind| {
        let places = match kind {
            LayerKind::Dense { .. } => 1,
            LayerKind::Convolution { input, .. } => u64::from(input.height) * u64::from(input.width),
        };
        product(&[wide(kind.biases()), wide(kind.fan_in()), places])
    };
    model::layers(spec).into_iter().fold(0, |sum, each| sum.saturating_add(layer(each.kind)))
}

fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor))
}

/// A length in 64 bits.
pub(crate) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
