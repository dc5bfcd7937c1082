//! The rule with root data: updates are judged by rows that the keepers hold.
//!
//! FLTrust (Cao et al. 2021, algorithm 2): an update counts by `max(0, cos(d_i, d_0))` with the root update `d_0`, at the root
//! update's length.

use super::{
    fold::{distance, fold},
    models::Models,
};
use crate::{Result, tensors::Tensors};

/// The rows of the keepers, as a rule may use them.
pub trait Root: Sync {
    /// The model after one round of training on the root rows.
    ///
    /// # Errors
    /// When training fails.
    fn train(&self, model: &Tensors) -> Result<Tensors>;

    /// Mean loss of a model on the root rows.
    ///
    /// # Errors
    /// When the model cannot be evaluated.
    fn loss(&self, model: &Tensors) -> Result<f64>;
}

/// The model after the updates that the root rows speak for.
///
/// # Errors
/// Those of `root`, and when shapes differ.
pub fn root_data<'a>(models: &Models<'a>, previous: &'a Tensors, root: &dyn Root) -> Result<Tensors> {
    let trained = root.train(previous)?;
    models.check(previous)?;
    models.check(&trained)?;
    let length = distance(previous, &trained);
    let mut shares: Vec<f64> = models
        .iter()
        .map(|input| {
            let own = distance(previous, input.model);
            let along = fold(previous, input.model, &trained, |base, left, right| (left - base) * (right - base));
            if own > 0.0 && length > 0.0 { (along / (own * length)).max(0.0) * length / own } else { 0.0 }
        })
        .collect();
    let total: f64 = shares.iter().sum();
    if total > 0.0 {
        shares.iter_mut().for_each(|share| *share /= total);
    }
    let stays = 1.0 - shares.iter().sum::<f64>();
    shares.push(stays);
    Ok(models.followed_by(previous).combine(&shares))
}
