//! Rows as the sums see them, block by block: features and label standardised in f64, and a 1 for the intercept.

use std::ops::Range;

use parity_protocol::schema::{Scaling, Task};
use rayon::prelude::*;

use super::fixed::{self, LANES};
use crate::{
    Error, Result,
    table::{Labels, Table},
};

/// Largest sum of squares of a column over a seat's rows, 2^50: what [`fixed::MAX_SUM`] units are worth.
const MAX_SQUARES: f64 = 1_125_899_906_842_624.0;

/// A table with its standardisation, checked: every product of two of its values may be summed over all rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) table: &'a Table,
    scaling: &'a Scaling,
    /// Mean and deviation of the label, where it is a number.
    label: Option<(f64, f64)>,
}

impl<'a> Rows<'a> {
    /// # Errors
    /// [`Error::Rows`] when rows, scaling and task do not fit each other, or a value is too far from its mean.
    pub(super) fn new(table: &'a Table, scaling: &'a Scaling, task: &Task) -> Result<Self> {
        if scaling.validate(table.features).is_err() {
            return Err(Error::Rows(format!("the scaling is not one of {} features", table.features)));
        }
        let label = match (task, &table.labels) {
            (Task::Regression { mean, deviation }, Labels::Numbers(_)) => Some((*mean, *deviation)),
            (Task::Classification { .. }, Labels::Classes(_)) => None,
            _ => return Err(Error::Rows("the labels are not of the task".into())),
        };
        let rows = Self { table, scaling, label };
        rows.check()?;
        Ok(rows)
    }

    /// Squares must be terms, and their sums over all rows must fit.
    fn check(&self) -> Result<()> {
        let count = self.table.rows();
        #[expect(clippy::cast_precision_loss, reason = "a bound")]
        let most = fixed::MAX_TERM.min(MAX_SQUARES / count.max(1) as f64).sqrt();
        let far = |row: usize| {
            let place =
                self.standardised(row).chain(self.label(row)).position(|value| !(0.0..=most).contains(&value.abs()));
            place.map(|place| (row, place))
        };
        match (0..count).into_par_iter().find_map_first(far) {
            None => Ok(()),
            Some((row, place)) => {
                let what =
                    if place < self.table.features { format!("feature {place}") } else { "the label".to_owned() };
                Err(Error::Rows(format!(
                    "{what} of row {row} is more than {most:.0} standard deviations from the mean, which sums over {count} rows cannot hold; \
                     correct the value or the scaling, or use --optimizer adam"
                )))
            }
        }
    }

    fn standardised(&self, row: usize) -> impl Iterator<Item = f64> {
        self.scaling.standardised(self.table.row(row))
    }

    /// The standardised label, where it is a number.
    fn label(&self, row: usize) -> Option<f64> {
        match (&self.table.labels, self.label) {
            (Labels::Numbers(numbers), Some((mean, deviation))) => Some((f64::from(numbers[row]) - mean) / deviation),
            _ => None,
        }
    }

    /// These rows: features, 1, and the label where it is a number.
    pub(super) fn block(&self, rows: Range<usize>) -> Block {
        let width = self.table.features + 1 + usize::from(self.label.is_some());
        let stride = width.next_multiple_of(LANES);
        let mut values = vec![0.0; rows.len() * stride];
        for (values, row) in values.chunks_exact_mut(stride).zip(rows.clone()) {
            let row = self.standardised(row).chain([1.0]).chain(self.label(row));
            values.iter_mut().zip(row).for_each(|(value, next)| *value = next);
        }
        Block { rows: rows.len(), width, stride, values }
    }
}

/// Some rows, `[rows, stride]`, of which the first `width` values count.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) rows: usize,
    pub(super) width: usize,
    stride: usize,
    values: Vec<f64>,
}

impl Block {
    /// The values of every row.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.stride).map(|row| &row[..self.width])
    }

    /// Adds the lower triangle of `sum weight v v'`.
    pub(super) fn add_squares(&self, totals: &mut [i128], weights: &[f64]) {
        let mut left = vec![0.0; self.width * self.rows];
        for (row, (values, weight)) in self.iter().zip(weights).enumerate() {
            values.iter().enumerate().for_each(|(column, value)| left[column * self.rows + row] = weight * value);
        }
        fixed::add_products(totals, &left, &self.values, self.rows, self.stride, fixed::Shape::Triangle);
    }

    /// Adds `sum_r left[i][r] v[r]` for every `i`; `left` is `[columns, rows]`.
    pub(super) fn add_sums(&self, totals: &mut [i128], left: &[f64]) {
        let shape = fixed::Shape::Full { right: self.width };
        fixed::add_products(totals, left, &self.values, self.rows, self.stride, shape);
    }
}
