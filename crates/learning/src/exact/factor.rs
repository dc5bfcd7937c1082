//! Solving `A x = b` for a symmetric positive semidefinite `A` of any rank, with the same bits on every machine.
//!
//! `A` is scaled to a diagonal of ones and factored into `L L'` by Cholesky's method with complete pivoting, until nothing is left above
//! rounding noise (Higham 2002, section 10.3). Where that is before the end, `A` has no inverse, and the answer is the shortest of the
//! best `x`: `L (L'L)^-2 L' b`, by the pseudo-inverse of a full-rank factorisation (Ben-Israel and Greville 2003, section 1.6).

use rayon::prelude::*;

/// What is left of a column counts as noise below this many units in the last place for each row.
const NOISE: f64 = 64.0 * f64::EPSILON;
/// Sums side by side in a dot product: fixed, so that vectors of any width give the same bits.
const LANES: usize = 8;
/// Rows of a column that one task computes.
const ROWS: usize = 128;

/// A matrix factored for solving.
#[derive(Debug)]
pub(super) struct Factor {
    size: usize,
    rank: usize,
    /// Pivots in order.
    order: Vec<usize>,
    /// `[size, size]`: rows of `A`, columns in the order of the pivots. Of the scaled matrix; of `A` itself below full rank.
    lower: Vec<f64>,
    /// `1 / sqrt` of the diagonal.
    scale: Vec<f64>,
    /// `L'L` below full rank.
    inner: Option<Box<Factor>>,
}

impl Factor {
    /// Factors a matrix `[size, size]`. `magnitudes` are those of the terms whose sum the diagonal is: what is not above their noise
    /// counts as 0.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    pub(super) fn new(matrix: &[f64], magnitudes: &[f64]) -> Self {
        let size = magnitudes.len();
        let noise = NOISE * size as f64;
        let diagonal = |index: usize| matrix[index * size + index];
        let scale: Vec<f64> = (0..size)
            .map(|index| if diagonal(index) > noise * magnitudes[index] { 1.0 / diagonal(index).sqrt() } else { 0.0 })
            .collect();
        let mut left: Vec<f64> = scale.iter().map(|scale| if *scale > 0.0 { 1.0 } else { 0.0 }).collect();
        let (mut lower, mut order) = (vec![0.0; size * size], Vec::new());
        while let Some(pivot) = largest(&left).filter(|pivot| left[*pivot] > noise) {
            let done = order.len();
            let root = left[pivot].sqrt();
            let pivots: Vec<f64> = lower[pivot * size..pivot * size + done].to_vec();
            let fill = |(index, row): (usize, &mut [f64])| {
                if left[index] > 0.0 {
                    let scaled = scale[index] * matrix[pivot * size + index] * scale[pivot];
                    row[done] = (scaled - dot(&row[..done], &pivots)) / root;
                }
            };
            lower.par_chunks_mut(size).enumerate().with_min_len(ROWS).for_each(fill);
            lower[pivot * size + done] = root;
            for (left, row) in left.iter_mut().zip(lower.chunks(size)) {
                // What is below 0 is noise.
                *left = (*left - row[done] * row[done]).max(0.0);
            }
            left[pivot] = 0.0;
            order.push(pivot);
        }
        let mut factor = Self { size, rank: order.len(), order, lower, scale, inner: None };
        if factor.rank < size && factor.rank > 0 {
            factor.unscale();
            factor.inner = Some(Box::new(factor.inner_product()));
        }
        factor
    }

    /// The solution, or the shortest of the best.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        match &self.inner {
            None if self.rank < self.size => vec![0.0; self.size],
            None => self.solve_regular(right),
            Some(inner) => {
                let mut short = vec![0.0; self.rank];
                for (row, right) in self.rows().zip(right) {
                    short.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * right);
                }
                let short = inner.solve(&inner.solve(&short));
                self.rows().map(|row| dot(row, &short)).collect()
            }
        }
    }

    fn solve_regular(&self, right: &[f64]) -> Vec<f64> {
        let row = |step: usize| &self.lower[self.order[step] * self.size..][..self.size];
        let mut values = vec![0.0; self.size];
        for step in 0..self.size {
            let index = self.order[step];
            let known = dot(&row(step)[..step], &values[..step]);
            values[step] = (right[index] * self.scale[index] - known) / row(step)[step];
        }
        for step in (0..self.size).rev() {
            values[step] /= row(step)[step];
            let (above, rest) = values.split_at_mut(step);
            above.iter_mut().zip(row(step)).for_each(|(value, factor)| *value -= factor * rest[0]);
        }
        let mut solution = vec![0.0; self.size];
        self.order.iter().zip(values).for_each(|(&index, value)| solution[index] = value * self.scale[index]);
        solution
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.lower.chunks_exact(self.size).map(|row| &row[..self.rank])
    }

    /// From the factor of the scaled matrix to that of the matrix.
    fn unscale(&mut self) {
        for (row, scale) in self.lower.chunks_exact_mut(self.size).zip(&self.scale) {
            row.iter_mut().for_each(|value| *value = if *scale > 0.0 { *value / scale } else { 0.0 });
        }
    }

    fn inner_product(&self) -> Self {
        let mut columns = vec![0.0; self.rank * self.size];
        for (index, row) in self.rows().enumerate() {
            row.iter().enumerate().for_each(|(column, value)| columns[column * self.size + index] = *value);
        }
        let column = |index: usize| &columns[index * self.size..][..self.size];
        let mut product = vec![0.0; self.rank * self.rank];
        product.par_chunks_mut(self.rank).enumerate().for_each(|(index, row)| {
            row.iter_mut().enumerate().for_each(|(other, value)| *value = dot(column(index), column(other)));
        });
        let diagonal: Vec<f64> = (0..self.rank).map(|index| product[index * self.rank + index]).collect();
        Self::new(&product, &diagonal)
    }
}

/// The place of the largest value, the first one of equals.
fn largest(values: &[f64]) -> Option<usize> {
    (0..values.len()).reduce(|best, index| if values[index] > values[best] { index } else { best })
}

/// A sum of products in a fixed order.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `X'X` and its diagonal, for rows of `columns` values.
    fn gram(rows: &[f64], columns: usize) -> (Vec<f64>, Vec<f64>) {
        let entry = |i: usize, j: usize| rows.chunks(columns).map(|row| row[i] * row[j]).sum::<f64>();
        let matrix: Vec<f64> = (0..columns * columns).map(|at| entry(at / columns, at % columns)).collect();
        let diagonal = (0..columns).map(|index| matrix[index * columns + index]).collect();
        (matrix, diagonal)
    }

    fn times(matrix: &[f64], x: &[f64]) -> Vec<f64> {
        matrix.chunks(x.len()).map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
    }

    proptest! {
        #[test]
        fn regular_systems_are_solved(rows in prop::collection::vec(-3.0_f64..3.0, 60 * 5), scales in prop::collection::vec(-8_i32..8, 5)) {
            let scaled: Vec<f64> = rows.iter().enumerate().map(|(at, value)| value * 10_f64.powi(scales[at % 5])).collect();
            let (matrix, diagonal) = gram(&scaled, 5);
            let wanted = [1.0, -2.0, 3.0, 0.5, -0.25];
            let factor = Factor::new(&matrix, &diagonal);
            let solution = factor.solve(&times(&matrix, &wanted));
            prop_assert_eq!(factor.rank, 5);
            // Columns of different scale do not see each other's rounding.
            for (index, (found, wanted)) in solution.iter().zip(wanted).enumerate() {
                let largest = (0..5).map(|other| 10_f64.powi(scales[other] - scales[index])).fold(1.0, f64::max);
                prop_assert!((found - wanted).abs() < 1e-11 * largest, "{solution:?}");
            }
        }

        #[test]
        fn of_equally_good_solutions_the_shortest_is_found(rows in prop::collection::vec(-3.0_f64..3.0, 40 * 3), share in -2.0_f64..2.0) {
            // Two columns more: one doubled, one a mixture.
            let wide: Vec<f64> =
                rows.chunks(3).flat_map(|row| [row[0], row[1], row[2], row[1], row[0] + share * row[2]]).collect();
            let (matrix, diagonal) = gram(&wide, 5);
            let right = times(&matrix, &[1.0, 2.0, -1.0, 0.0, 0.5]);
            let factor = Factor::new(&matrix, &diagonal);
            let solution = factor.solve(&right);
            prop_assert_eq!(factor.rank, 3);
            let again = times(&matrix, &solution);
            prop_assert!(again.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs())), "{again:?} {right:?}");
            // The shortest is at right angles to what changes nothing.
            prop_assert!((solution[1] - solution[3]).abs() < 1e-9);
            prop_assert!((solution[0] + share * solution[2] - solution[4]).abs() < 1e-9);
        }
    }

    #[test]
    fn zeros_are_solved_by_zeros() {
        assert_eq!(Factor::new(&[0.0; 9], &[0.0; 3]).solve(&[1.0, 2.0, 3.0]), [0.0; 3]);
        let factor = Factor::new(&[4.0, 0.0, 0.0, 0.0], &[4.0, 0.0]);
        assert_eq!((factor.rank, factor.solve(&[2.0, 5.0])), (1, vec![0.5, 0.0]));
    }
}
