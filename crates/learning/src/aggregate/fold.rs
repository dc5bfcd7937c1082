//! Sums over all coordinates of models, such as squared norms and products.

use rayon::prelude::*;

use crate::tensors::Tensors;

/// Coordinates per partial sum.
const CHUNK: usize = 4096;

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

/// L2 norm of `to - from`.
pub(crate) fn distance(from: &Tensors, to: &Tensors) -> f64 {
    fold(from, to, to, |base, left, right| (left - base) * (right - base)).sqrt()
}
