//! Federated averaging: a mean of models, weighted by samples, the same to the last bit whatever the number of threads.
//!
//! FedAvg (McMahan et al. 2017, algorithm 1): `w = sum_k (n_k / n) w_k`. Sums run in f64 over the inputs in the order given
//! and are rounded to f32 once; threads share out the coordinates, never one coordinate's sum.

use rayon::prelude::*;

use crate::{
    Error, Result,
    tensors::{Tensor, Tensors},
};

/// Coordinates per task: 32 KiB of f64 sums stay in the first-level cache.
const CHUNK: usize = 4096;

/// One model and its weight.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// The model.
    pub model: &'a Tensors,
    /// Its weight, above 0; usually the number of samples.
    pub weight: u64,
}

/// The weighted mean, in the order of the inputs.
///
/// # Errors
/// [`Error::Aggregate`] without inputs, with a weight of 0, or when tensors differ in name or shape.
pub fn fed_avg(inputs: &[Weighted<'_>]) -> Result<Tensors> {
    let Some(first) = inputs.first() else {
        return Err(Error::Aggregate("there is no model".into()));
    };
    if inputs.iter().any(|input| input.weight == 0) {
        return Err(Error::Aggregate("a model has weight 0".into()));
    }
    let weights: Vec<f64> = inputs.iter().map(|input| weight(input.weight)).collect();
    let total: f64 = weights.iter().sum();
    let mut mean = Tensors::default();
    for (name, tensor) in &first.model.0 {
        let sources = inputs
            .iter()
            .map(|input| match input.model.0.get(name) {
                Some(other) if other.shape == tensor.shape && other.data.len() == tensor.data.len() => {
                    Ok(&other.data[..])
                }
                _ => Err(Error::Aggregate(format!("tensor {name} is not the same in all models"))),
            })
            .collect::<Result<Vec<_>>>()?;
        let mut data = vec![0.0; tensor.data.len()];
        data.par_chunks_mut(CHUNK).enumerate().for_each(|(index, chunk)| {
            mean_of_chunk(&sources, &weights, total, index * CHUNK, chunk);
        });
        mean.0.insert(name.clone(), Tensor { shape: tensor.shape.clone(), data });
    }
    if inputs.iter().any(|input| input.model.0.len() != mean.0.len()) {
        return Err(Error::Aggregate("the models have different tensors".into()));
    }
    Ok(mean)
}

#[expect(clippy::cast_possible_truncation, reason = "the sum is rounded to f32 once")]
fn mean_of_chunk(sources: &[&[f32]], weights: &[f64], total: f64, start: usize, chunk: &mut [f32]) {
    let mut sums = [0.0_f64; CHUNK];
    let sums = &mut sums[..chunk.len()];
    for (source, weight) in sources.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(&source[start..]) {
            *sum += weight * f64::from(*value);
        }
    }
    for (value, sum) in chunk.iter_mut().zip(sums) {
        *value = (*sum / total) as f32;
    }
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^53 samples may lose their last digits")]
fn weight(samples: u64) -> f64 {
    samples as f64
}

/// Sum over all coordinates of `term(previous, left, right)`, tensors in name order, partial sums in a fixed order.
pub(crate) fn fold(
    previous: &Tensors,
    left: &Tensors,
    right: &Tensors,
    term: impl Fn(f64, f64, f64) -> f64 + Sync,
) -> f64 {
    let mut total = 0.0;
    for (name, base) in &previous.0 {
        let (Some(left), Some(right)) = (left.0.get(name), right.0.get(name)) else { continue };
        let partial: Vec<f64> = (base.data.par_chunks(CHUNK))
            .zip(left.data.par_chunks(CHUNK))
            .zip(right.data.par_chunks(CHUNK))
            .map(|((base, left), right)| {
                let terms = base.iter().zip(left).zip(right);
                terms.map(|((b, l), r)| term(f64::from(*b), f64::from(*l), f64::from(*r))).sum::<f64>()
            })
            .collect();
        total += partial.iter().sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(values: Vec<f32>) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![values.len()], data: values })].into())
    }

    #[test]
    fn the_mean_is_weighted_by_samples() {
        let (a, b) = (model(vec![1.0, -2.0]), model(vec![4.0, 4.0]));
        let mean = fed_avg(&[Weighted { model: &a, weight: 1 }, Weighted { model: &b, weight: 2 }]).unwrap();
        assert_eq!(mean, model(vec![3.0, 2.0]));
    }

    #[test]
    fn sums_do_not_lose_small_values() {
        // In f32 the two 1s would vanish beside 1e8.
        let models = [model(vec![1e8]), model(vec![1.0]), model(vec![1.0]), model(vec![-1e8])];
        let inputs: Vec<_> = models.iter().map(|model| Weighted { model, weight: 1 }).collect();
        assert_eq!(fed_avg(&inputs).unwrap(), model(vec![0.5]));
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let models: Vec<Tensors> = (0..5_u16)
            .map(|m| model((0..50_000_u16).map(|i| f32::from(i.wrapping_mul(40_503) ^ m) / 7.0).collect()))
            .collect();
        let inputs: Vec<_> = models.iter().zip(3..).map(|(model, weight)| Weighted { model, weight }).collect();
        let with_threads = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| {
                (
                    fed_avg(&inputs).unwrap().to_bytes(),
                    fold(&models[0], &models[1], &models[2], |b, l, r| (l - b) * (r - b)).to_bits(),
                )
            })
        };
        assert_eq!(with_threads(1), with_threads(4));
    }

    #[test]
    fn different_models_and_no_weight_are_refused() {
        let (a, b) = (model(vec![1.0]), model(vec![1.0, 2.0]));
        assert!(fed_avg(&[]).is_err());
        assert!(fed_avg(&[Weighted { model: &a, weight: 0 }]).is_err());
        assert!(fed_avg(&[Weighted { model: &a, weight: 1 }, Weighted { model: &b, weight: 1 }]).is_err());
        let mut extra = a.clone();
        extra.0.insert("z".into(), Tensor::zeros(&[1]));
        assert!(fed_avg(&[Weighted { model: &a, weight: 1 }, Weighted { model: &extra, weight: 1 }]).is_err());
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_its_inputs(a in -1e6_f32..1e6, b in -1e6_f32..1e6, wa in 1_u64..1000, wb in 1_u64..1000) {
            let (first, second) = (model(vec![a]), model(vec![b]));
            let mean = fed_avg(&[Weighted { model: &first, weight: wa }, Weighted { model: &second, weight: wb }]).unwrap();
            let mean = mean.0["w"].data[0];
            prop_assert!(a.min(b) <= mean && mean <= a.max(b));
        }
    }
}
