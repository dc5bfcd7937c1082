//! Sums of products in integers: the same to the last bit in whatever order the rows come and on whatever seats they lie.
//!
//! A term `a * b` is rounded to f64, then to a multiple of 2^-60, ties to even; integers of 128 bits add the multiples. The rounding
//! is that of f64 itself: adding `1.5 * 2^52 * u` to a term leaves the multiple of `u` in the low bits of the sum's mantissa
//! (as in `aggregate::fixed`), first with `u = 2^-11`, then, for what that leaves over, with `u = 2^-60`. Error of a term: its rounding to
//! f64 and at most 2^-61.

use std::ops::Range;

use rayon::prelude::*;

use crate::{Result, simd};

/// A unit is `2^-UNIT_BITS`.
pub(super) const UNIT_BITS: u32 = 60;
/// Largest magnitude of a term.
pub(super) const MAX_TERM: f64 = 1_099_511_627_776.0;
/// Largest magnitude of a seat's sum in units: the sums of 2^16 seats stay within 127 bits.
pub(super) const MAX_SUM: i128 = 1 << 110;
/// Rows that are added in integers of 64 bits before those of 128 take them: 2^8 terms of at most 2^51 units stay below 2^63.
pub(super) const BLOCK: usize = 256;
/// Columns that are computed together; the right side is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// 1.5 * 2^52 units of 2^-11.
const HIGH_MAGIC: f64 = 6_755_399_441_055_744.0 / 2048.0;
/// 1.5 * 2^52 units of 2^-60.
const LOW_MAGIC: f64 = 1.5 / 256.0;
/// Low units in a high unit, as a power of two.
const CARRY_BITS: u32 = UNIT_BITS - 11;
/// Units in 1.
const UNITS: f64 = 1_152_921_504_606_846_976.0;

/// A value of at most [`MAX_TERM`] in magnitude, in units.
#[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 101 bits")]
pub(super) fn of(value: f64) -> i128 {
    libm::rint(value * UNITS) as i128
}

/// A number of rows in units.
pub(super) fn of_count(count: u64) -> i128 {
    i128::from(count) << UNIT_BITS
}

/// Which products of left and right columns are added.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// All; a left column's sums lie side by side, `right` of them.
    Full {
        /// Right columns.
        right: usize,
    },
    /// Those whose right column is not beyond the left one: a lower triangle, row by row.
    Triangle,
}

/// Adds `sum_r left[i][r] * right[r][j]` to the totals, for at most [`BLOCK`] rows. `left` is `[columns, rows]`; `right` is `[rows, stride]`
/// with a stride that [`LANES`] divide.
pub(super) fn add_products(totals: &mut [i128], left: &[f64], right: &[f64], rows: usize, stride: usize, shape: Shape) {
    simd::widest(
        #[inline(always)]
        || products(totals, left, right, rows, stride, shape),
    );
}

#[inline(always)]
fn products(totals: &mut [i128], left: &[f64], right: &[f64], rows: usize, stride: usize, shape: Shape) {
    let mut start = 0;
    for (index, column) in left.chunks_exact(rows).enumerate() {
        let width = match shape {
            Shape::Full { right } => right,
            Shape::Triangle => index + 1,
        };
        for (lanes, totals) in totals[start..start + width].chunks_mut(LANES).enumerate() {
            let sums = lane_sums(column, &right[lanes * LANES..], stride);
            totals.iter_mut().zip(sums).for_each(|(total, (high, low))| {
                *total += (i128::from(high) << CARRY_BITS) + i128::from(low);
            });
        }
        start += width;
    }
}

/// `sum_r column[r] * right[r * stride + lane]` as high and low units.
#[inline(always)]
fn lane_sums(column: &[f64], right: &[f64], stride: usize) -> [(i64, i64); LANES] {
    // Every term adds the bits of a magic number, too; they go in advance.
    let terms = i64::try_from(column.len()).expect("a block is short");
    let start = |bits: u64| bits.cast_signed().wrapping_mul(terms).wrapping_neg();
    let (mut high, mut low) = ([start(HIGH_MAGIC.to_bits()); LANES], [start(LOW_MAGIC.to_bits()); LANES]);
    for (value, right) in column.iter().zip(right.chunks(stride)) {
        let right = right.first_chunk::<LANES>().expect("the right side is padded");
        for lane in 0..LANES {
            let term = value * right[lane];
            let shifted = term + HIGH_MAGIC;
            let rest = term - (shifted - HIGH_MAGIC);
            high[lane] = high[lane].wrapping_add(shifted.to_bits().cast_signed());
            low[lane] = low[lane].wrapping_add((rest + LOW_MAGIC).to_bits().cast_signed());
        }
    }
    std::array::from_fn(|lane| (high[lane], low[lane]))
}

/// Sums over all rows, block by block on all threads. `add` adds the rows of a block to the totals.
///
/// # Errors
/// Those of `add`.
pub(super) fn over_blocks(
    rows: usize,
    entries: usize,
    add: impl Fn(Range<usize>, &mut [i128]) -> Result<()> + Sync,
) -> Result<Vec<i128>> {
    // One set of totals a thread: what an update may need, times threads.
    let share = rows.div_ceil(rayon::current_num_threads()).next_multiple_of(BLOCK);
    let starts: Vec<usize> = (0..rows).step_by(share).collect();
    let totals = |start: usize| {
        let mut totals = vec![0; entries];
        let end = rows.min(start + share);
        for start in (start..end).step_by(BLOCK) {
            add(start..end.min(start + BLOCK), &mut totals)?;
        }
        Ok(totals)
    };
    starts.into_par_iter().map(totals).try_reduce(
        || vec![0; entries],
        |mut sum, other| {
            sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
            Ok(sum)
        },
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn products_are_the_sums_of_their_units(
            values in prop::collection::vec((-1e6_f64..1e6, -1e6_f64..1e6, -30_i32..1), 1..BLOCK),
            turn in 0_usize..BLOCK,
        ) {
            let total = |values: &[(f64, f64, i32)]| {
                let left: Vec<f64> = values.iter().map(|(a, _, scale)| a * 2_f64.powi(*scale)).collect();
                let right: Vec<f64> = values.iter().flat_map(|(_, b, _)| [*b, -*b, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).collect();
                let mut totals = [5, 7];
                add_products(&mut totals, &left, &right, left.len(), LANES, Shape::Full { right: 2 });
                let expected: i128 = left.iter().zip(right.chunks(LANES)).map(|(a, b)| of(a * b[0])).sum();
                (totals, expected)
            };
            let (totals, expected) = total(&values);
            prop_assert_eq!(totals, [expected + 5, 7 - expected]);
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            prop_assert_eq!(total(&turned).0, totals);
        }
    }

    #[test]
    fn a_triangle_is_filled_row_by_row() {
        let left = [1.0, 2.0, 3.0];
        let right = [1.0, 10.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut totals = [0; 6];
        add_products(&mut totals, &left, &right, 1, LANES, Shape::Triangle);
        assert_eq!(totals.map(|total| total >> UNIT_BITS), [1, 2, 20, 3, 30, 300]);
    }

    #[test]
    fn the_largest_terms_fit() {
        for value in [MAX_TERM, -MAX_TERM, MAX_TERM - 1.0 / 4096.0] {
            let mut totals = [0];
            add_products(&mut totals, &[value; BLOCK], &[1.0; BLOCK * LANES], BLOCK, LANES, Shape::Triangle);
            assert_eq!(totals[0], 256 * of(value));
        }
    }
}
