//! From numbers to bins: per feature at most 255 representative values; a number belongs to the nearest one.
//!
//! A feature with no more distinct values than bins keeps each of them, so that splits are exact. Others are represented by
//! quantiles. A cut lies midway between neighbours, as in scikit-learn, and never on the upper one: `x <= cut` says the same
//! of a number and of its bin.

use parity_protocol::forest::MAX_BINS;
use rayon::prelude::*;

use crate::{Error, Result, forest::sketch::Sketch, table::Table};

/// Representative values per feature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    values: Vec<Vec<f32>>,
    cuts: Vec<Vec<f32>>,
}

impl Bins {
    /// Bins with these representatives per feature.
    ///
    /// # Errors
    /// [`Error::Forest`] when a feature has more than 255, or they are not finite and ascending.
    pub(crate) fn new(values: Vec<Vec<f32>>) -> Result<Self> {
        for (feature, values) in values.iter().enumerate() {
            if values.len() > usize::from(MAX_BINS) {
                return Err(Error::Forest(format!("feature {feature} has {} bins, at most 255 work", values.len())));
            }
            let ascending = values.windows(2).all(|pair| pair[0] < pair[1]);
            if !ascending || values.iter().any(|value| !is_canonical(*value)) {
                return Err(Error::Forest(format!("the bins of feature {feature} are not finite numbers in order")));
            }
        }
        let cuts = values.iter().map(|values| values.windows(2).map(|pair| midway(pair[0], pair[1])).collect());
        Ok(Self { cuts: cuts.collect(), values })
    }

    /// At most `limit` bins for each feature of these rows: the distinct values, or where those are more, quantiles.
    pub(crate) fn of(table: &Table, limit: u8) -> Self {
        Sketch::bins(&Sketch::of(table), limit)
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.values.len()
    }

    /// Representatives of a feature, ascending.
    pub(crate) fn values(&self, feature: usize) -> &[f32] {
        &self.values[feature]
    }

    /// The number that separates this bin from the next one: what is not larger lies in this bin or below.
    pub(crate) fn cut(&self, feature: usize, bin: u8) -> f32 {
        self.cuts[feature][usize::from(bin)]
    }

    /// The bin of a number.
    pub(crate) fn bin(&self, feature: usize, value: f32) -> u8 {
        u8::try_from(self.cuts[feature].partition_point(|cut| *cut < value)).expect("at most 255 bins")
    }

    /// The last bin whose representative is not above `value`, but at least `low` and below `high`.
    pub(crate) fn last_below(&self, feature: usize, value: f64, low: u8, high: u8) -> u8 {
        let between = &self.values[feature][usize::from(low) + 1..usize::from(high)];
        let above = between.partition_point(|representative| f64::from(*representative) <= value);
        low + u8::try_from(above).expect("at most 255 bins")
    }

    /// Features that tell rows apart.
    pub(crate) fn usable(&self) -> Vec<u32> {
        (0..).zip(&self.values).filter(|(_, values)| values.len() > 1).map(|(feature, _)| feature).collect()
    }
}

/// Rows as bins, column by column.
#[derive(Clone, Debug)]
pub(crate) struct Binned {
    rows: usize,
    columns: Vec<u8>,
}

impl Binned {
    pub(crate) fn new(bins: &Bins, table: &Table) -> Self {
        let rows = table.rows();
        let mut columns = vec![0; rows * table.features];
        columns.par_chunks_mut(rows.max(1)).enumerate().for_each(|(feature, column)| {
            let values = table.x.iter().skip(feature).step_by(table.features);
            column.iter_mut().zip(values).for_each(|(bin, value)| *bin = bins.bin(feature, *value));
        });
        Self { rows, columns }
    }

    /// Bins of a feature, one per row.
    pub(crate) fn column(&self, feature: u32) -> &[u8] {
        let start = usize::try_from(feature).expect("an index") * self.rows;
        &self.columns[start..start + self.rows]
    }
}

/// Finite, and not the zero below zero.
pub(crate) fn is_canonical(value: f32) -> bool {
    value.is_finite() && !(value == 0.0 && value.is_sign_negative())
}

/// One zero instead of two.
pub(crate) fn canonical(value: f32) -> f32 {
    value + 0.0
}

/// The number midway between two, below the upper one.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
fn midway(low: f32, high: f32) -> f32 {
    let middle = f64::midpoint(f64::from(low), f64::from(high)) as f32;
    if middle < high { canonical(middle) } else { low }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::Labels;

    fn column(x: Vec<f32>) -> Table {
        Table { features: 1, labels: Labels::Classes(vec![0; x.len()]), x }
    }

    #[test]
    fn few_values_keep_a_bin_each() {
        let bins = Bins::of(&column(vec![3.0, -0.0, 1.0, 0.0, 3.0]), 255);
        assert_eq!(bins.values(0), [0.0, 1.0, 3.0]);
        assert_eq!((bins.cut(0, 0), bins.cut(0, 1)), (0.5, 2.0));
        assert_eq!([-9.0, 0.5, 0.6, 2.0, 2.1, 9.0].map(|value| bins.bin(0, value)), [0, 0, 1, 1, 2, 2]);
        assert_eq!((bins.last_below(0, 1.5, 0, 2), bins.last_below(0, 0.5, 0, 2)), (1, 0));
    }

    #[test]
    fn many_values_are_represented_by_quantiles() {
        let bins = Bins::of(&column((0_u16..1000).map(f32::from).collect()), 4);
        assert_eq!(bins.values(0), [125.0, 375.0, 625.0, 875.0]);
        // A value that fills several quantiles is one bin.
        let bins = Bins::of(&column((0_u16..1000).map(|row| f32::from(row.saturating_sub(700))).collect()), 4);
        assert_eq!(bins.values(0), [0.0, 175.0]);
    }

    #[test]
    fn neighbours_without_a_number_between_them_are_told_apart() {
        let low = 1.0_f32;
        let high = low.next_up();
        let bins = Bins::of(&column(vec![low, high]), 255);
        assert_eq!((bins.bin(0, low), bins.bin(0, high)), (0, 1));
    }

    #[test]
    fn broken_bins_are_refused() {
        for values in [vec![1.0, 1.0], vec![f32::NAN], vec![-0.0], vec![0.0, f32::INFINITY]] {
            assert!(Bins::new(vec![values]).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_cut_says_the_same_of_a_number_and_of_its_bin(x in prop::collection::vec(-1e6_f32..1e6, 2..400), limit in 2_u8..255) {
            let table = column(x.clone());
            let bins = Bins::of(&table, limit);
            prop_assert!(bins.values(0).len() <= usize::from(limit));
            for value in x {
                for cut in 0..u8::try_from(bins.values(0).len() - 1).unwrap() {
                    prop_assert_eq!(value <= bins.cut(0, cut), bins.bin(0, value) <= cut);
                }
            }
        }
    }
}
