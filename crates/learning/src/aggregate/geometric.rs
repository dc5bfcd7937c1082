//! The geometric median: the point with the smallest sum of distances to all models.
//!
//! RFA (Pillutla et al. 2022, algorithm 2), the smoothed iteration of Weiszfeld: `v <- sum_i b_i w_i / sum_i b_i` with
//! `b_i = 1 / max(nu, |v - w_i|)`. Every iterate is a combination of the models, so distances come from their Gram matrix and
//! the models are read twice, however many iterations there are. All models weigh the same.

use super::{gram::Gram, models::Models};
use crate::tensors::Tensors;

/// Iterations: convergence is linear, and on models of a round the result no longer changes in f32 after 20 to 60.
const ITERATIONS: usize = 100;
/// The smoothing `nu` relative to the root mean square distance from the mean, as the paper's 1e-6 is to unit distances.
const SMOOTHING: f64 = 1e-6;

/// The smoothed geometric median.
pub fn geometric_median(models: &Models<'_>) -> Tensors {
    let gram = Gram::centred(models);
    let places = 0..models.len();
    let spread = (places.clone().map(|i| gram.product(i, i)).sum::<f64>() / models.count()).sqrt();
    if spread == 0.0 {
        return models.model(0).clone();
    }
    let smallest = SMOOTHING * spread;
    let mut shares = vec![1.0 / models.count(); models.len()];
    for _ in 0..ITERATIONS {
        let pulls: Vec<f64> =
            gram.squared_distances_to(&shares).iter().map(|squared| 1.0 / squared.sqrt().max(smallest)).collect();
        let total: f64 = pulls.iter().sum();
        shares = pulls.iter().map(|pull| pull / total).collect();
    }
    models.combine(&shares)
}
