//! Nearest-neighbour mixing (Allouah et al. 2023, algorithm 2): a step before any rule that makes honest models alike.
//!
//! Each model is replaced by the mean of the `n - f` models nearest to it, itself included. It brings every robust rule to the
//! optimal order of error when data differ between seats.

use rayon::prelude::*;

use super::{gram::Gram, mean::Weighted, models::Models};
use crate::{Result, tensors::Tensors};

/// The mixed models with the weights of those they replace, in canonical order.
///
/// # Errors
/// As [`Models::new`].
pub fn nearest_neighbours(inputs: &[Weighted<'_>], faulty: usize) -> Result<Vec<(Tensors, u64)>> {
    let models = Models::new(inputs)?;
    let gram = Gram::centred(&models);
    let near = models.len().saturating_sub(faulty).max(1);
    let mixed = models.iter().enumerate().collect::<Vec<_>>().into_par_iter().map(|(place, input)| {
        let mut others: Vec<(f64, usize)> =
            (0..models.len()).map(|other| (gram.squared_distance(place, other), other)).collect();
        // The model itself comes first even where another is at distance 0.
        others[place].0 = -1.0;
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut places: Vec<usize> = others.into_iter().take(near).map(|(_, other)| other).collect();
        places.sort_unstable();
        (models.mean_of(&places), input.weight)
    });
    Ok(mixed.collect())
}
