//! The rule with root data: a few rows that the keepers hold decide whom to leave out, a median decides the rest.
//!
//! 1. Every update is scaled down to the median length of all updates, so that none pulls further than most.
//! 2. Updates are left out one after the other, at most 3 of 10: each time the one without which the mean of the others has the
//!    lowest loss on the root rows, as long as the loss falls.
//! 3. The model moves by the coordinate median of the updates that stay.
//!
//! Updates that spoil the model fail step 2, as in Zeno (Xie et al. 2019), which scores each alone; judging means finds those that
//! harm only together. Updates that serve the root rows and something else besides (backdoors) pass it and must then win a
//! majority in every coordinate. Unlike FLTrust (Cao et al. 2021) the root rows give no direction: the model does not lean to
//! so few rows, and only a forward pass is needed, so keepers can recompute it without a trainer.

use rayon::prelude::*;

use super::{
    clipping::shrink,
    fold::distance,
    mean::Weighted,
    models::{Models, zip},
    order::median,
};
use crate::{Error, Result, tensors::Tensors};

/// Largest share of the updates that root rows may leave out, in tenths: the median after it withstands the others up to one
/// half of those that stay.
const TENTHS: usize = 3;

/// The rows of the keepers, as a rule may use them.
pub trait Root: Sync {
    /// Mean loss of a model on the root rows; may be infinite.
    ///
    /// # Errors
    /// When the model cannot be evaluated.
    fn loss(&self, model: &Tensors) -> Result<f64>;
}

/// A closure is a root.
impl<F: Fn(&Tensors) -> Result<f64> + Sync> Root for F {
    fn loss(&self, model: &Tensors) -> Result<f64> {
        self(model)
    }
}

/// The model after the updates that the root rows do not speak against.
///
/// # Errors
/// [`Error::Aggregate`] when names or shapes differ, and those of `root`.
pub fn root_data(models: &Models<'_>, previous: &Tensors, root: &dyn Root) -> Result<Tensors> {
    models.check(previous)?;
    let equal = level(models, previous);
    let inputs: Vec<Weighted<'_>> = equal.iter().map(|model| Weighted { model, weight: 1 }).collect();
    let models = Models::new(&inputs)?;
    let kept: Vec<Weighted<'_>> =
        keep(&models, root)?.into_iter().map(|place| Weighted { model: models.model(place), weight: 1 }).collect();
    Ok(median(&Models::new(&kept)?))
}

/// The models no further from the previous one than the median of them.
fn level(models: &Models<'_>, previous: &Tensors) -> Vec<Tensors> {
    let lengths: Vec<f64> = models.iter().map(|input| distance(previous, input.model)).collect();
    let mut sorted = lengths.clone();
    sorted.sort_by(f64::total_cmp);
    // The lower of the middle two: that one is an honest length while less than half of the updates are longer than honest.
    let bound = sorted[(sorted.len() - 1) / 2];
    let one = |(input, length): (Weighted<'_>, &f64)| {
        let factor = shrink(*length, bound);
        zip(previous, input.model, |base, value| base + factor * (value - base))
    };
    models.iter().zip(&lengths).map(one).collect()
}

/// Places of the models that stay.
fn keep(models: &Models<'_>, root: &dyn Root) -> Result<Vec<usize>> {
    let mut kept: Vec<usize> = (0..models.len()).collect();
    let most = models.len() * TENTHS / 10;
    // With many models several go at once, so that the number of evaluations grows with the models, not their square.
    let at_once = models.len().div_ceil(20);
    let mut loss = evaluate(models, &kept, root)?;
    while models.len() - kept.len() < most {
        let without: Vec<(f64, usize)> = kept
            .par_iter()
            .map(|place| {
                let rest: Vec<usize> = kept.iter().copied().filter(|other| other != place).collect();
                Ok((evaluate(models, &rest, root)?, *place))
            })
            .collect::<Result<_>>()?;
        let mut better: Vec<(f64, usize)> = without.into_iter().filter(|(rest, _)| *rest < loss).collect();
        better.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        better.truncate(at_once.min(most - (models.len() - kept.len())));
        if better.is_empty() {
            break;
        }
        kept.retain(|place| better.iter().all(|(_, gone)| gone != place));
        loss = evaluate(models, &kept, root)?;
    }
    Ok(kept)
}

/// Loss of the mean of some models.
fn evaluate(models: &Models<'_>, places: &[usize], root: &dyn Root) -> Result<f64> {
    let loss = root.loss(&models.mean_of(places))?;
    if loss.is_nan() { Err(Error::Aggregate("the loss on the root rows is not a number".into())) } else { Ok(loss) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Tensor;

    fn model(values: [f32; 2]) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![2], data: values.to_vec() })].into())
    }

    /// Squared distance from (1, 1).
    fn loss(model: &Tensors) -> Result<f64> {
        Ok(model.0["w"].data.iter().map(|value| (f64::from(*value) - 1.0).powi(2)).sum())
    }

    fn apply(updates: &[[f32; 2]]) -> [f32; 2] {
        let models: Vec<Tensors> = updates.iter().map(|values| model(*values)).collect();
        let inputs: Vec<Weighted<'_>> = models.iter().map(|model| Weighted { model, weight: 1 }).collect();
        let result = root_data(&Models::new(&inputs).unwrap(), &model([0.0, 0.0]), &loss).unwrap();
        result.0["w"].data.clone().try_into().unwrap()
    }

    #[test]
    fn updates_that_spoil_the_model_are_left_out() {
        let mut updates = vec![[0.5, 0.5], [0.4, 0.5], [0.5, 0.4], [0.45, 0.5], [0.5, 0.45], [0.5, 0.5], [0.45, 0.45]];
        let clean = apply(&updates);
        updates.extend([[-50.0, -50.0]; 3]);
        let attacked = apply(&updates);
        assert!(attacked.iter().zip(clean).all(|(a, b)| (a - b).abs() < 0.06), "{attacked:?} {clean:?}");
    }

    #[test]
    fn nobody_pulls_further_than_most() {
        // The fourth points the right way, but far beyond the others.
        let pulled = apply(&[[0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [100.0, 100.0]]);
        assert!(pulled.iter().all(|value| (value - 0.1).abs() < 1e-6), "{pulled:?}");
    }

    #[test]
    fn a_single_update_is_taken_as_it_is() {
        assert_eq!(apply(&[[0.25, -0.5]]).map(f32::to_bits), [0.25_f32, -0.5].map(f32::to_bits));
    }

    #[test]
    fn errors_of_the_root_rows_are_passed_on() {
        let only = model([1.0, 1.0]);
        let inputs = [Weighted { model: &only, weight: 1 }];
        let models = Models::new(&inputs).unwrap();
        let failing = |_: &Tensors| Err(Error::Aggregate("no rows".into()));
        assert!(root_data(&models, &only, &failing).is_err());
        assert!(root_data(&models, &only, &|_: &Tensors| Ok(f64::NAN)).is_err());
        assert!(root_data(&models, &Tensors::default(), &loss).is_err());
    }
}
