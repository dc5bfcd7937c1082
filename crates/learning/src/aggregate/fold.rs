//! Sums over all coordinates of models, such as squared norms and products.

use rayon::prelude::*;

use super::simd;
use crate::tensors::Tensors;

/// Coordinates per partial sum.
const CHUNK: usize = 4096;
/// Sums of a chunk that run side by side, so that they fit vectors.
const LANES: usize = 16;

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
        if base.data.len() <= CHUNK {
            total += sum(&base.data, &left.data, &right.data, &term);
            continue;
        }
        let partial: Vec<f64> = (base.data.par_chunks(CHUNK))
            .zip(left.data.par_chunks(CHUNK))
            .zip(right.data.par_chunks(CHUNK))
            .map(|((base, left), right)| sum(base, left, right, &term))
            .collect();
        total += partial.iter().sum::<f64>();
    }
    total
}

/// Lane by lane, then the lanes in order.
fn sum(base: &[f32], left: &[f32], right: &[f32], term: &impl Fn(f64, f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    simd::widest(
        #[inline(always)]
        || {
            let ((bases, base), (lefts, left), (rights, right)) =
                (base.as_chunks::<LANES>(), left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
            for ((base, left), right) in bases.iter().zip(lefts).zip(rights) {
                add(&mut lanes, base, left, right, &term);
            }
            add(&mut lanes, base, left, right, &term);
        },
    );
    lanes.iter().sum()
}

#[inline(always)]
fn add(lanes: &mut [f64; LANES], base: &[f32], left: &[f32], right: &[f32], term: &impl Fn(f64, f64, f64) -> f64) {
    for (((lane, base), left), right) in lanes.iter_mut().zip(base).zip(left).zip(right) {
        *lane += term(f64::from(*base), f64::from(*left), f64::from(*right));
    }
}

/// L2 norm of `to - from`.
pub(crate) fn distance(from: &Tensors, to: &Tensors) -> f64 {
    fold(from, to, to, |base, left, right| (left - base) * (right - base)).sqrt()
}
