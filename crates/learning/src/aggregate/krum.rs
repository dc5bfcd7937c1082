//! Krum and Multi-Krum (Blanchard et al. 2017, section 4): the models with the closest neighbours.
//!
//! With `n` models of which `f` may be faulty, the score of a model is the sum of the squared distances to its `n - f - 2`
//! nearest others. The guarantee of the paper needs `n >= 2f + 3`; with fewer models at least one neighbour counts, so that a
//! round in which seats are silent still has a result. Weights do not count.

use super::{gram::Gram, models::Models};
use crate::tensors::Tensors;

/// The model with the lowest score, unchanged.
pub fn krum(models: &Models<'_>, faulty: usize) -> Tensors {
    models.model(ranking(models, faulty)[0]).clone()
}

/// The mean of the `keep` models with the lowest scores; of all when there are fewer.
pub fn multi_krum(models: &Models<'_>, faulty: usize, keep: usize) -> Tensors {
    let mut places = ranking(models, faulty);
    places.truncate(keep.max(1));
    models.mean_of(&places)
}

/// Places of the models from the lowest score; the canonical order decides between equals.
fn ranking(models: &Models<'_>, faulty: usize) -> Vec<usize> {
    let count = models.len();
    let gram = Gram::centred(models);
    let neighbours = count.saturating_sub(faulty.saturating_add(2)).max(1);
    let score = |place: usize| {
        let mut distances: Vec<f64> =
            (0..count).filter(|other| *other != place).map(|other| gram.squared_distance(place, other)).collect();
        distances.sort_by(f64::total_cmp);
        distances.iter().take(neighbours).sum::<f64>()
    };
    let mut places: Vec<(f64, usize)> = (0..count).map(|place| (score(place), place)).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    places.into_iter().map(|(_, place)| place).collect()
}
