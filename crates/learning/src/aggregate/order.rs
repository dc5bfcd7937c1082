//! Rules by rank, coordinate by coordinate: median and trimmed mean (Yin et al. 2018, definitions 1 and 2).
//!
//! Weights do not count: whoever lies about samples must not gain by it.

use super::{
    fixed,
    models::Models,
    network::{LANES, Network},
    simd,
};
use crate::tensors::Tensors;

/// Most coordinates per task: one page of every model is read at a time, because so many streams of small pieces are too many
/// for the processor to fetch ahead.
const CHUNK: usize = 1024;
/// Most values of a task, 256 KiB: they stay in the second-level cache.
const VALUES: usize = 1 << 16;

/// The median of every coordinate; of an even number the mean of the middle two.
pub fn median(models: &Models<'_>) -> Tensors {
    middle(models, (models.len() - 1) / 2)
}

/// The mean of every coordinate without its `floor(share * n)` smallest and largest values. `share` is 0 to below 0.5.
pub fn trimmed_mean(models: &Models<'_>, share: f64) -> Tensors {
    middle(models, trimmed(models.len(), share))
}

/// How many values go on each side; at least one stays.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to below the number of models")]
#[expect(clippy::cast_precision_loss, reason = "a number of models is far below 2^53")]
fn trimmed(count: usize, share: f64) -> usize {
    ((share * count as f64).floor().max(0.0) as usize).min((count - 1) / 2)
}

/// The mean of the ranks `cut..n - cut`, summed from the smallest.
fn middle(models: &Models<'_>, cut: usize) -> Tensors {
    let rows = models.len();
    let ranks = cut..rows - cut;
    let network = Network::new(rows, ranks.clone());
    let divisor = ranks.clone().map(|_| 1.0).sum::<f64>();
    let chunk = (VALUES / rows).next_multiple_of(LANES).min(CHUNK);
    models.map_chunks(chunk, |rows, output| {
        let tiles = output.len().div_ceil(LANES);
        let mut values = vec![[0.0_f32; LANES]; tiles * rows.len()];
        simd::widest(
            #[inline(always)]
            || {
                load(rows, &mut values);
                for (tile, output) in values.chunks_exact_mut(rows.len()).zip(output.chunks_mut(LANES)) {
                    network.sort(tile);
                    mean_of_rows(&tile[ranks.clone()], divisor, output);
                }
            },
        );
    })
}

/// Deals the columns of all rows to tiles, each with all rows of `LANES` columns. Negative zero becomes zero, so that equal values
/// are equal in their bits.
#[inline(always)]
fn load(rows: &[&[f32]], values: &mut [[f32; LANES]]) {
    for (place, row) in rows.iter().enumerate() {
        let (whole, rest) = row.as_chunks::<LANES>();
        let mut lanes = values[place..].iter_mut().step_by(rows.len());
        for (piece, lanes) in whole.iter().zip(lanes.by_ref()) {
            for (lane, value) in lanes.iter_mut().zip(piece) {
                *lane = value + 0.0;
            }
        }
        if let Some(lanes) = lanes.next() {
            lanes.iter_mut().zip(rest).for_each(|(lane, value)| *lane = value + 0.0);
        }
    }
}

#[inline(always)]
fn mean_of_rows(tile: &[[f32; LANES]], divisor: f64, output: &mut [f32]) {
    let mut sums = [0.0_f64; LANES];
    for row in tile {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    for (value, sum) in output.iter_mut().zip(sums) {
        *value = fixed::round(sum / divisor);
    }
}
