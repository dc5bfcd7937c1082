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

/// Coordinates per task: one page of every model.
const CHUNK: usize = 1024;

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
    models.map_chunks(CHUNK, |rows, output| {
        let mut tile = vec![[0.0_f32; LANES]; rows.len()];
        simd::widest(
            #[inline(always)]
            || {
                for (index, output) in output.chunks_mut(LANES).enumerate() {
                    load(rows, index * LANES, output.len(), &mut tile);
                    network.sort(&mut tile);
                    mean_of_rows(&tile[ranks.clone()], divisor, output);
                }
            },
        );
    })
}

/// Copies columns; negative zero becomes zero, so that equal values are equal in their bits.
#[inline(always)]
fn load(rows: &[&[f32]], start: usize, columns: usize, tile: &mut [[f32; LANES]]) {
    for (lanes, row) in tile.iter_mut().zip(rows) {
        let row = &row[start..start + columns];
        match row.first_chunk::<LANES>() {
            Some(row) => *lanes = row.map(|value| value + 0.0),
            None => lanes.iter_mut().zip(row).for_each(|(lane, value)| *lane = value + 0.0),
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
