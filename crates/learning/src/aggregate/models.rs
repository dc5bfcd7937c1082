//! Models of the same shape, in an order that depends on their content alone.
//!
//! Robust rules compute with floats, whose sums depend on their order. Here the models are sorted by their bits first, so that
//! a rule gives the same result however its inputs are arranged; models that are equal in all bits are interchangeable.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::{fixed, mean::Weighted, simd};
use crate::{
    Error, Result,
    tensors::{Tensor, Tensors},
};

/// Coordinates per task.
const CHUNK: usize = 2048;

/// Models with equal names and shapes, at least one, in canonical order. All values are finite.
#[derive(Clone, Debug)]
pub struct Models<'a> {
    sorted: Vec<Weighted<'a>>,
}

impl<'a> Models<'a> {
    /// Checks and sorts the models.
    ///
    /// # Errors
    /// [`Error::Aggregate`] without models, with a weight of 0, when names or shapes differ or a value is not finite.
    pub fn new(inputs: &[Weighted<'a>]) -> Result<Self> {
        let Some(first) = inputs.first() else {
            return Err(Error::Aggregate("there is no model".into()));
        };
        for input in inputs {
            if input.weight == 0 {
                return Err(Error::Aggregate("a model has weight 0".into()));
            }
            same_shape(first.model, input.model)?;
        }
        if let Some(tensor) = inputs.iter().find_map(|input| input.model.not_finite()) {
            return Err(Error::Aggregate(format!("tensor {tensor} has a value that is not finite")));
        }
        let mut sorted = inputs.to_vec();
        sorted.sort_by(|a, b| by_content(a.model, b.model).then(a.weight.cmp(&b.weight)));
        Ok(Self { sorted })
    }

    /// Number of models.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The models with their weights, in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Weighted<'a>> + '_ {
        self.sorted.iter().copied()
    }

    /// The model at a place of the canonical order.
    pub(super) fn model(&self, index: usize) -> &'a Tensors {
        self.sorted[index].model
    }

    /// Number of models as a float.
    pub(super) fn count(&self) -> f64 {
        self.iter().map(|_| 1.0).sum()
    }

    /// Checks that another model has the same names and shapes.
    pub(crate) fn check(&self, other: &Tensors) -> Result<()> {
        same_shape(self.model(0), other)
    }

    /// Applies `kernel(rows, means)` to chunks of every tensor: `rows` are the same coordinates of all models.
    pub(super) fn map_chunks(&self, chunk: usize, kernel: impl Fn(&[&[f32]], &mut [f32]) + Sync) -> Tensors {
        let tensors = self.model(0).0.iter().map(|(name, tensor)| {
            let rows = self.rows(name);
            let mut data = vec![0.0; tensor.data.len()];
            data.par_chunks_mut(chunk).enumerate().for_each(|(index, output)| {
                let start = index * chunk;
                let rows: Vec<&[f32]> = rows.iter().map(|row| &row[start..start + output.len()]).collect();
                kernel(&rows, output);
            });
            (name.clone(), Tensor { shape: tensor.shape.clone(), data })
        });
        Tensors(tensors.collect())
    }

    /// These models and, after them, another of the same shape.
    pub(super) fn followed_by(&self, last: &'a Tensors) -> Self {
        let mut sorted = self.sorted.clone();
        sorted.push(Weighted { model: last, weight: 1 });
        Self { sorted }
    }

    /// One tensor of all models.
    pub(super) fn rows(&self, name: &str) -> Vec<&'a [f32]> {
        self.sorted.iter().filter_map(|input| input.model.0.get(name)).map(|tensor| &tensor.data[..]).collect()
    }

    /// `sum_k coefficients[k] * model[k]`, in f64, rounded once.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Tensors {
        self.map_chunks(CHUNK, |rows, output| {
            simd::widest(
                #[inline(always)]
                || combine(rows, coefficients, output),
            );
        })
    }

    /// The plain mean of the models at these places.
    pub(super) fn mean_of(&self, places: &[usize]) -> Tensors {
        let mut coefficients = vec![0.0; self.len()];
        let share = 1.0 / places.iter().map(|_| 1.0).sum::<f64>();
        places.iter().for_each(|&place| coefficients[place] = share);
        self.combine(&coefficients)
    }
}

#[inline(always)]
fn combine(rows: &[&[f32]], coefficients: &[f64], output: &mut [f32]) {
    let mut sums = [0.0_f64; CHUNK];
    let sums = &mut sums[..output.len()];
    for (row, coefficient) in rows.iter().zip(coefficients) {
        if *coefficient == 0.0 {
            continue;
        }
        for (sum, value) in sums.iter_mut().zip(*row) {
            *sum += coefficient * f64::from(*value);
        }
    }
    for (value, sum) in output.iter_mut().zip(sums) {
        *value = fixed::round(*sum);
    }
}

/// `base + sum_k ...` of two models: `term(base, other)` for every coordinate, rounded to f32 once.
pub(crate) fn zip(base: &Tensors, other: &Tensors, term: impl Fn(f64, f64) -> f64 + Sync) -> Tensors {
    let tensors = base.0.iter().zip(other.0.values()).map(|((name, left), right)| {
        let data = left.data.par_iter().zip(&right.data);
        let data = data.with_min_len(CHUNK).map(|(l, r)| fixed::round(term(f64::from(*l), f64::from(*r)))).collect();
        (name.clone(), Tensor { shape: left.shape.clone(), data })
    });
    Tensors(tensors.collect())
}

/// `target + share (previous - update)` for every coordinate, rounded to f32 once: a mean in which the update's seat, which has this
/// share of it, had not moved.
pub(crate) fn shifted(target: &Tensors, previous: &Tensors, update: &Tensors, share: f64) -> Tensors {
    let tensors =
        target.0.iter().zip(previous.0.values().zip(update.0.values())).map(|((name, target), (from, to))| {
            let values = target.data.par_iter().zip(&from.data).zip(&to.data).with_min_len(CHUNK);
            let one = |((target, from), to): ((&f32, &f32), &f32)| {
                fixed::round(f64::from(*target) + share * (f64::from(*from) - f64::from(*to)))
            };
            (name.clone(), Tensor { shape: target.shape.clone(), data: values.map(one).collect() })
        });
    Tensors(tensors.collect())
}

/// Names and shapes of two models must agree.
pub(crate) fn same_shape(expected: &Tensors, actual: &Tensors) -> Result<()> {
    for (name, tensor) in &expected.0 {
        match actual.0.get(name) {
            Some(other) if other.shape == tensor.shape && other.data.len() == tensor.data.len() => {}
            _ => return Err(Error::Aggregate(format!("tensor {name} is not the same in all models"))),
        }
    }
    match actual.0.keys().find(|name| !expected.0.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::Aggregate(format!("tensor {name} is not in all models"))),
    }
}

/// The order of the first values that differ.
fn by_content(left: &Tensors, right: &Tensors) -> Ordering {
    let pairs = left.0.values().zip(right.0.values()).flat_map(|(l, r)| l.data.iter().zip(&r.data));
    pairs.map(|(l, r)| l.total_cmp(r)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
