//! Rules that bound how far one model may pull: centred clipping and the norm bound.

use super::{
    fold::distance,
    gram::Gram,
    mean::Weighted,
    models::{self, Models},
};
use crate::{Result, tensors::Tensors};

/// Steps of centred clipping. One suffices in the paper, which starts from the last aggregate with momentum; more make up for
/// starting at the previous model.
const STEPS: usize = 5;

/// Centred clipping (Karimireddy et al. 2021, equation 5): from `v = previous`, a few times
/// `v <- v + (1/n) sum_i (w_i - v) min(1, radius / |w_i - v|)`. All models weigh the same.
///
/// # Errors
/// [`Error::Aggregate`](crate::Error::Aggregate) when `previous` has other names or shapes.
pub fn centred_clipping<'a>(models: &Models<'a>, previous: &'a Tensors, radius: f64) -> Result<Tensors> {
    models.check(previous)?;
    let gram = Gram::around(models, previous);
    // v = previous + sum_i pulls[i] (w_i - previous)
    let mut pulls = vec![0.0; models.len()];
    for _ in 0..STEPS {
        let factors: Vec<f64> =
            gram.squared_distances_to(&pulls).iter().map(|squared| shrink(squared.sqrt(), radius)).collect();
        let rest = 1.0 - factors.iter().sum::<f64>() / models.count();
        for (pull, factor) in pulls.iter_mut().zip(&factors) {
            *pull = *pull * rest + factor / models.count();
        }
    }
    let stays = 1.0 - pulls.iter().sum::<f64>();
    pulls.push(stays);
    Ok(models.followed_by(previous).combine(&pulls))
}

/// Models no further than `bound` from the previous one: `previous + (w_i - previous) min(1, bound / |w_i - previous|)`
/// (Sun et al. 2019, section 5.2.1).
///
/// # Errors
/// [`Error::Aggregate`](crate::Error::Aggregate) when names or shapes differ.
pub fn norm_bound(inputs: &[Weighted<'_>], previous: &Tensors, bound: f64) -> Result<Vec<Tensors>> {
    let one = |input: &Weighted<'_>| {
        models::same_shape(previous, input.model)?;
        let factor = shrink(distance(previous, input.model), bound);
        if factor >= 1.0 {
            return Ok(input.model.clone());
        }
        Ok(models::zip(previous, input.model, |base, value| base + factor * (value - base)))
    };
    inputs.iter().map(one).collect()
}

/// `min(1, bound / length)`.
pub(super) fn shrink(length: f64, bound: f64) -> f64 {
    if length <= bound { 1.0 } else { bound / length }
}
