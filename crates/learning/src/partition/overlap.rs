//! An overlap: rows of other seats that a seat is lent besides its own.

use std::collections::BTreeSet;

use super::Shard;
use crate::{
    Error, Result,
    random::{Purpose, Stream},
};

/// A ratio is counted in billionths, so that 0.29 of 100 rows are 29 and not, as in binary fractions, 28.
const PARTS: u64 = 1_000_000_000;

/// Lends every seat exactly `floor(ratio * own rows)` rows of other seats, drawn without replacement from all of them. Two
/// seats may be lent the same row.
///
/// # Errors
/// [`Error::Split`] when the other seats have too few rows.
pub(super) fn lend(own: Vec<Vec<usize>>, ratio: f64, seed: u64) -> Result<Vec<Shard>> {
    let total: usize = own.iter().map(Vec::len).sum();
    let lent = |(seat, own): (usize, Vec<usize>)| {
        let (wanted, others) = (borrowed(own.len(), ratio), total - own.len());
        if wanted > others {
            return Err(Error::Split(format!(
                "an overlap of {ratio} means {wanted} rows of other seats for the {} rows of seat {seat}, but there are \
                 {others}; use an overlap of at most {} or seats of similar size",
                own.len(),
                most(own.len(), others)
            )));
        }
        let position = u64::try_from(seat).expect("a seat fits 64 bits");
        let drawn = sample(others, wanted, &mut Stream::new(Purpose::Overlap, seed, position, 0));
        let borrowed = beside(&own, drawn);
        Ok(Shard { own, borrowed })
    };
    own.into_iter().enumerate().map(lent).collect()
}

/// `floor(ratio * rows)`.
fn borrowed(rows: usize, ratio: f64) -> usize {
    let rows = u128::try_from(rows).unwrap_or(u128::MAX);
    let borrowed = rows.saturating_mul(u128::from(billionths(ratio))) / u128::from(PARTS);
    usize::try_from(borrowed).unwrap_or(usize::MAX)
}

/// The largest ratio in thousandths at which `rows` borrow no more than `others`.
#[expect(clippy::cast_precision_loss, reason = "a number for an error message, rounded down")]
fn most(rows: usize, others: usize) -> f64 {
    (others as f64 / rows as f64 * 1000.0).floor() / 1000.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the ratio is in 0..=1")]
fn billionths(ratio: f64) -> u64 {
    (ratio * 1e9).round() as u64
}

/// `wanted` different numbers below `bound`, every set equally likely (Bentley and Floyd 1987, algorithm F2).
fn sample(bound: usize, wanted: usize, stream: &mut Stream) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    for last in bound - wanted..bound {
        let number = stream.below(u64::try_from(last).expect("a row fits 64 bits") + 1);
        let number = usize::try_from(number).expect("below a number of rows");
        if !drawn.insert(number) {
            drawn.insert(last);
        }
    }
    drawn
}

/// The rows with these positions (ascending) among those that are not in `own`.
fn beside(own: &[usize], positions: BTreeSet<usize>) -> Vec<usize> {
    let mut own = own.to_vec();
    own.sort_unstable();
    let mut passed = 0;
    let row_at = |position: usize| {
        // The row lies behind as many own rows as are not above it.
        while own.get(passed).is_some_and(|row| *row <= position + passed) {
            passed += 1;
        }
        position + passed
    };
    positions.into_iter().map(row_at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_among_the_rows_of_others() {
        assert_eq!(beside(&[5, 0, 2], BTreeSet::from([0, 1, 2, 3])), [1, 3, 4, 6]);
        assert_eq!(beside(&[], BTreeSet::from([0, 7])), [0, 7]);
    }

    #[test]
    fn every_row_of_others_is_lent_equally_often() {
        let mut times = [0_u32; 10];
        for seed in 0..7_000 {
            for number in sample(10, 3, &mut Stream::new(Purpose::Overlap, seed, 0, 0)) {
                times[number] += 1;
            }
        }
        // Binomial: mean 2100, standard deviation 38.
        assert!(times.iter().all(|t| t.abs_diff(2100) < 160), "{times:?}");
    }

    #[test]
    fn a_ratio_means_what_it_says_in_decimals() {
        assert_eq!((borrowed(100, 0.29), borrowed(30, 0.1), borrowed(9, 0.5), borrowed(9, 1.0)), (29, 3, 4, 9));
        assert_eq!((borrowed(10, 0.0), borrowed(10, 0.099), borrowed(3, 1.0 / 3.0)), (0, 0, 0));
    }
}
