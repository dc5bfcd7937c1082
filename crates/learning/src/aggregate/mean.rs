//! Federated averaging: the mean of models weighted by samples, exact to rounding and independent of order.
//!
//! FedAvg (McMahan et al. 2017, algorithm 1): `w = sum_k (n_k / n) w_k`. The sum of the `n_k w_k` is exact in fixed point
//! (units of 2^-56, see the module `fixed`), is divided once by `n` in f64 and rounded to f32 once more. The error of a
//! coordinate is half a unit in the last place of f32, a relative 2^-52, and 2^-57 for each value smaller than 2^-32.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    fixed::{self, MAX_TERM, MAX_TERMS},
    simd,
};
use crate::{
    Error, Result,
    tensors::{Tensor, Tensors},
};

/// Coordinates per task: a page of every source is read at once, and 8 sources stay in the first-level cache.
const CHUNK: usize = 1024;

/// One model and its weight.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// The model.
    pub model: &'a Tensors,
    /// Its weight, above 0; usually the number of samples.
    pub weight: u64,
}

/// The weighted mean of models that are all in memory; beside the result it needs no memory of the size of a model.
///
/// # Errors
/// [`Error::Aggregate`] without inputs, with a weight of 0, when tensors differ in name or shape, or when a value is not finite
/// or times its weight above 2^42.
pub fn fed_avg(inputs: &[Weighted<'_>]) -> Result<Tensors> {
    let Some(first) = inputs.first() else {
        return Err(Error::Aggregate("there is no model".into()));
    };
    let weights = weights(inputs)?;
    let total = total(0, inputs)?;
    let mut mean = Tensors::default();
    for (name, tensor) in &first.model.0 {
        let sources = sources(inputs, name, &tensor.shape)?;
        let mut data = vec![0.0; tensor.data.len()];
        data.par_chunks_mut(CHUNK).enumerate().try_for_each(|(index, means)| {
            let (mut high, mut low) = ([0_i64; CHUNK], [0_i64; CHUNK]);
            let (high, low) = (&mut high[..means.len()], &mut low[..means.len()]);
            add(high, low, &sources, &weights, index * CHUNK).map_err(too_large(name))?;
            simd::widest(
                #[inline(always)]
                || fixed::divide(high, low, total, means),
            );
            Ok::<(), Error>(())
        })?;
        mean.0.insert(name.clone(), Tensor { shape: tensor.shape.clone(), data });
    }
    same_names(inputs, &mean)?;
    Ok(mean)
}

/// A mean of models that arrive one after the other: its memory is four models' worth, however many come.
///
/// The result is that of [`fed_avg`] to the last bit, in whatever order and batches the models were added.
#[derive(Clone, Debug, Default)]
pub struct Mean {
    sums: BTreeMap<String, Sums>,
    weight: u64,
    terms: usize,
}

#[derive(Clone, Debug)]
struct Sums {
    shape: Vec<usize>,
    high: Vec<i64>,
    low: Vec<i64>,
}

impl Mean {
    /// The mean of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds models. A batch reads and writes the sums once per 8 models, so batches of 8 are several times faster than one by
    /// one.
    ///
    /// # Errors
    /// As [`fed_avg`]; after an error the mean is not usable.
    pub fn add(&mut self, batch: &[Weighted<'_>]) -> Result<()> {
        let Some(first) = batch.first() else { return Ok(()) };
        let weights = weights(batch)?;
        self.terms += batch.len();
        if self.terms > MAX_TERMS {
            return Err(Error::Aggregate(format!("more than {MAX_TERMS} models; average fewer at a time")));
        }
        total(self.weight, batch)?;
        self.weight += batch.iter().map(|input| input.weight).sum::<u64>();
        if self.sums.is_empty() {
            let sums = |tensor: &Tensor| {
                let length = tensor.data.len();
                Sums { shape: tensor.shape.clone(), high: vec![0; length], low: vec![0; length] }
            };
            self.sums = first.model.0.iter().map(|(name, tensor)| (name.clone(), sums(tensor))).collect();
        }
        for (name, sums) in &mut self.sums {
            let sources = sources(batch, name, &sums.shape)?;
            let chunks = sums.high.par_chunks_mut(CHUNK).zip(sums.low.par_chunks_mut(CHUNK)).enumerate();
            chunks
                .try_for_each(|(index, (high, low))| add(high, low, &sources, &weights, index * CHUNK))
                .map_err(too_large(name))?;
        }
        if batch.iter().any(|input| input.model.0.len() != self.sums.len()) {
            return Err(Error::Aggregate("the models have different tensors".into()));
        }
        Ok(())
    }

    /// The mean of all models added.
    ///
    /// # Errors
    /// [`Error::Aggregate`] when there is none.
    pub fn finish(self) -> Result<Tensors> {
        if self.terms == 0 {
            return Err(Error::Aggregate("there is no model".into()));
        }
        let total = float(self.weight);
        let tensors = self.sums.into_iter().map(|(name, sums)| {
            let mut data = vec![0.0; sums.high.len()];
            data.par_chunks_mut(CHUNK).zip(sums.high.par_chunks(CHUNK).zip(sums.low.par_chunks(CHUNK))).for_each(
                |(means, (high, low))| {
                    simd::widest(
                        #[inline(always)]
                        || fixed::divide(high, low, total, means),
                    );
                },
            );
            (name, Tensor { shape: sums.shape, data })
        });
        Ok(Tensors(tensors.collect()))
    }
}

/// Whether a model of this weight can be averaged: all values finite, and times the weight at most 2^42.
pub(crate) fn fits(model: &Tensors, weight: u64) -> bool {
    let largest = |tensor: &Tensor| {
        tensor.data.par_chunks(CHUNK).map(fixed::magnitude).reduce(|| 0.0, |a, b| if a < b { b } else { a })
    };
    model.0.values().all(|tensor| f64::from(largest(tensor)) * float(weight) <= MAX_TERM)
}

/// Adds a chunk of all sources to sums, or says which value is too large.
fn add(high: &mut [i64], low: &mut [i64], sources: &[&[f32]], weights: &[f64], start: usize) -> Result<(), f64> {
    simd::widest(
        #[inline(always)]
        || {
            let mut chunks: [&[f32]; fixed::GROUP] = [&[]; fixed::GROUP];
            for (sources, weights) in sources.chunks(fixed::GROUP).zip(weights.chunks(fixed::GROUP)) {
                for ((chunk, source), weight) in chunks.iter_mut().zip(sources).zip(weights) {
                    *chunk = &source[start..start + high.len()];
                    // This first look also fetches the chunk from memory.
                    let largest = f64::from(fixed::magnitude(chunk)) * weight;
                    if largest > MAX_TERM {
                        return Err(largest);
                    }
                }
                fixed::add(high, low, &chunks[..sources.len()], weights);
            }
            Ok(())
        },
    )
}

fn too_large(name: &str) -> impl Fn(f64) -> Error {
    move |value| {
        Error::Aggregate(format!(
            "tensor {name} has a value that times its weight is {value:e}, above {MAX_TERM:e}; leave that model out, \
             or lower max_update_norm so that it is refused"
        ))
    }
}

fn weights(inputs: &[Weighted<'_>]) -> Result<Vec<f64>> {
    if inputs.len() > MAX_TERMS {
        return Err(Error::Aggregate(format!("{} models, at most {MAX_TERMS} can be averaged", inputs.len())));
    }
    if inputs.iter().any(|input| input.weight == 0) {
        return Err(Error::Aggregate("a model has weight 0".into()));
    }
    Ok(inputs.iter().map(|input| float(input.weight)).collect())
}

/// The sum of weights, exact before it becomes a float.
fn total(before: u64, inputs: &[Weighted<'_>]) -> Result<f64> {
    let sum = inputs.iter().try_fold(before, |sum, input| sum.checked_add(input.weight));
    sum.map(float).ok_or_else(|| Error::Aggregate(format!("the weights add up to more than {}", u64::MAX)))
}

/// The data of one tensor in every model.
fn sources<'a>(inputs: &[Weighted<'a>], name: &str, shape: &[usize]) -> Result<Vec<&'a [f32]>> {
    let length = shape.iter().product::<usize>();
    let source = |input: &Weighted<'a>| match input.model.0.get(name) {
        Some(other) if other.shape == shape && other.data.len() == length => Ok(&other.data[..]),
        _ => Err(Error::Aggregate(format!("tensor {name} is not the same in all models"))),
    };
    inputs.iter().map(source).collect()
}

fn same_names(inputs: &[Weighted<'_>], mean: &Tensors) -> Result<()> {
    if inputs.iter().any(|input| input.model.0.len() != mean.0.len()) {
        return Err(Error::Aggregate("the models have different tensors".into()));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^53 samples may lose their last digits")]
fn float(samples: u64) -> f64 {
    samples as f64
}
