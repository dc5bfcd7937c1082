//! The rule of a spec, with the steps before it.

use parity_protocol::aggregation::{Aggregation, Rule};

use super::{
    Models, Weighted, centred_clipping, fed_avg, geometric_median, krum, median, multi_krum, nearest_neighbours,
    norm_bound,
    root::{Trust, root_data},
    trimmed_mean,
};
use crate::{Error, Result, tensors::Tensors};

/// Applies norm bound, mixing and rule. `trust` judges updates where the rule is `root_data`; its evidence is in the order
/// of the inputs.
///
/// # Errors
/// [`Error::Aggregate`] without inputs, when shapes differ, or when the rule needs root data and has none.
pub fn apply(
    aggregation: &Aggregation,
    previous: &Tensors,
    inputs: &[Weighted<'_>],
    trust: Option<&Trust<'_>>,
) -> Result<Tensors> {
    if let Some(bound) = aggregation.norm_bound {
        let bounded = norm_bound(inputs, previous, bound)?;
        let inputs: Vec<_> =
            bounded.iter().zip(inputs).map(|(model, input)| Weighted { model, weight: input.weight }).collect();
        return mixed(aggregation, previous, &inputs, trust);
    }
    mixed(aggregation, previous, inputs, trust)
}

fn mixed(
    aggregation: &Aggregation,
    previous: &Tensors,
    inputs: &[Weighted<'_>],
    trust: Option<&Trust<'_>>,
) -> Result<Tensors> {
    let Some(faulty) = aggregation.mixing else {
        return one(aggregation.rule, previous, inputs, trust);
    };
    let mixed = nearest_neighbours(inputs, usize::from(faulty))?;
    let inputs: Vec<_> = mixed.iter().map(|(model, weight)| Weighted { model, weight: *weight }).collect();
    one(aggregation.rule, previous, &inputs, trust)
}

fn one(rule: Rule, previous: &Tensors, inputs: &[Weighted<'_>], trust: Option<&Trust<'_>>) -> Result<Tensors> {
    if rule == (Rule::Mean {}) {
        return fed_avg(inputs);
    }
    let models = Models::new(inputs)?;
    match rule {
        Rule::Mean {} => fed_avg(inputs),
        Rule::Median {} => Ok(median(&models)),
        Rule::TrimmedMean { share } => Ok(trimmed_mean(&models, share)),
        Rule::Krum { faulty } => Ok(krum(&models, usize::from(faulty))),
        Rule::MultiKrum { faulty, keep } => {
            let keep = keep.map_or(models.len().saturating_sub(usize::from(faulty)), usize::from);
            Ok(multi_krum(&models, usize::from(faulty), keep))
        }
        Rule::GeometricMedian {} => Ok(geometric_median(&models)),
        Rule::CentredClipping { radius } => centred_clipping(&models, previous, radius),
        Rule::RootData { .. } => {
            let trust = trust.ok_or_else(|| {
                Error::Aggregate("the rule root-data needs rows of the holdout, and only a keeper has them".into())
            })?;
            root_data(inputs, previous, trust)
        }
    }
}
