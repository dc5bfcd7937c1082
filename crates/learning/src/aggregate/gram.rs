//! All products of centred models at once: the Gram matrix, from which distances and norms follow.
//!
//! With `x_i = fl32(w_i - c)` and `G_ij = <x_i, x_j>`: `|w_i - w_j|^2 = G_ii + G_jj - 2 G_ij`. Centring first keeps the
//! subtraction from cancelling: models of a round are close to each other and far from 0. Products of f32 are exact in f64.
//! Every entry is a sum in the order of the coordinates, within parts whose borders depend on the shape alone.

use rayon::prelude::*;

use super::{fixed, models::Models, simd};
use crate::tensors::Tensors;

/// Coordinates in one panel: with 50 models it takes 56 KiB and stays in the second-level cache.
const PANEL: usize = 128;
/// Most parts of one tensor that are summed apart.
const PARTS: usize = 16;
/// Models in one block of a panel.
const WIDTH: usize = 8;
/// Rows of the product that are in registers at once.
const HEIGHT: usize = 4;

/// `WIDTH` models of one coordinate.
type Block = [f64; WIDTH];

/// Products of centred models, in the order of the models.
#[derive(Clone, Debug)]
pub(super) struct Gram {
    count: usize,
    products: Vec<f64>,
}

impl Gram {
    /// Centred at the mean of the models.
    pub(super) fn centred(models: &Models<'_>) -> Self {
        Self::new(models, None)
    }

    /// Centred at another model of the same shape.
    pub(super) fn around(models: &Models<'_>, centre: &Tensors) -> Self {
        Self::new(models, Some(centre))
    }

    fn new(models: &Models<'_>, centre: Option<&Tensors>) -> Self {
        let count = models.len();
        let padded = count.next_multiple_of(WIDTH);
        let mut total = vec![0.0; padded * padded];
        for (name, tensor) in &models.model(0).0 {
            let rows = models.rows(name);
            let centre = centre.and_then(|centre| centre.0.get(name)).map(|tensor| &tensor.data[..]);
            let length = tensor.data.len();
            let part = length.div_ceil(PARTS).next_multiple_of(PANEL).max(PANEL);
            let starts: Vec<usize> = (0..length).step_by(part).collect();
            let partial: Vec<Vec<f64>> = (starts.into_par_iter())
                .map(|start| {
                    let end = (start + part).min(length);
                    simd::widest(
                        #[inline(always)]
                        || products(&rows, centre, start..end, padded),
                    )
                })
                .collect();
            for part in partial {
                total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
        }
        let mut products = vec![0.0; count * count];
        for i in 0..count {
            for j in i..count {
                let value = total[i * padded + j];
                products[i * count + j] = value;
                products[j * count + i] = value;
            }
        }
        Self { count, products }
    }

    /// `<x_i, x_j>`.
    pub(super) fn product(&self, i: usize, j: usize) -> f64 {
        self.products[i * self.count + j]
    }

    /// `|w_i - w_j|^2`.
    pub(super) fn squared_distance(&self, i: usize, j: usize) -> f64 {
        (self.product(i, i) + self.product(j, j) - 2.0 * self.product(i, j)).max(0.0)
    }

    /// `|sum_k coefficients[k] x_k - x_i|^2` for every `i`.
    pub(super) fn squared_distances_to(&self, coefficients: &[f64]) -> Vec<f64> {
        let along: Vec<f64> = (0..self.count)
            .map(|i| coefficients.iter().enumerate().map(|(k, c)| c * self.product(k, i)).sum())
            .collect();
        let length: f64 = coefficients.iter().zip(&along).map(|(c, a)| c * a).sum();
        along.iter().enumerate().map(|(i, along)| (self.product(i, i) - 2.0 * along + length).max(0.0)).collect()
    }
}

/// Upper triangle of the products of some coordinates, as a `padded x padded` matrix.
#[inline(always)]
fn products(rows: &[&[f32]], centre: Option<&[f32]>, range: std::ops::Range<usize>, padded: usize) -> Vec<f64> {
    let blocks = padded / WIDTH;
    let mut sums = vec![0.0; padded * padded];
    let mut panel = vec![[0.0; WIDTH]; blocks * PANEL];
    for start in range.clone().step_by(PANEL) {
        let columns = PANEL.min(range.end - start);
        fill(&mut panel, rows, centre, start, columns);
        for right in 0..blocks {
            let b = &panel[right * PANEL..][..columns];
            for left in 0..=right {
                let a = &panel[left * PANEL..][..columns];
                for half in 0..WIDTH / HEIGHT {
                    let row = left * WIDTH + half * HEIGHT;
                    let mut tile: [Block; HEIGHT] =
                        std::array::from_fn(|i| load(&sums[(row + i) * padded + right * WIDTH..]));
                    multiply(&mut tile, a, b, half * HEIGHT);
                    for (i, values) in tile.iter().enumerate() {
                        sums[(row + i) * padded + right * WIDTH..][..WIDTH].copy_from_slice(values);
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn load(values: &[f64]) -> Block {
    let mut block = [0.0; WIDTH];
    block.copy_from_slice(&values[..WIDTH]);
    block
}

/// `tile[i][j] += a[c][first + i] * b[c][j]` for all coordinates `c`, in order.
#[inline(always)]
fn multiply(tile: &mut [Block; HEIGHT], a: &[Block], b: &[Block], first: usize) {
    let mut sums = *tile;
    for (a, b) in a.iter().zip(b) {
        for i in 0..HEIGHT {
            let left = a[(first + i) % WIDTH];
            for j in 0..WIDTH {
                sums[i][j] += left * b[j];
            }
        }
    }
    *tile = sums;
}

/// Centres and transposes some coordinates of all models.
#[inline(always)]
fn fill(panel: &mut [Block], rows: &[&[f32]], centre: Option<&[f32]>, start: usize, columns: usize) {
    let mut middle = [0.0_f64; PANEL];
    let middle = &mut middle[..columns];
    match centre {
        Some(centre) => middle.iter_mut().zip(&centre[start..]).for_each(|(m, c)| *m = f64::from(*c)),
        None => {
            for row in rows {
                middle.iter_mut().zip(&row[start..]).for_each(|(m, value)| *m += f64::from(*value));
            }
            let count: f64 = rows.iter().map(|_| 1.0).sum();
            middle.iter_mut().for_each(|m| *m /= count);
        }
    }
    for (block, rows) in rows.chunks(WIDTH).enumerate() {
        let block = &mut panel[block * PANEL..][..columns];
        for (lane, row) in rows.iter().enumerate() {
            for ((block, value), m) in block.iter_mut().zip(&row[start..]).zip(&*middle) {
                block[lane] = f64::from(fixed::round(f64::from(*value) - m));
            }
        }
    }
}
