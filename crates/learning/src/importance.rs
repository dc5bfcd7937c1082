//! What a model owes to each column, whatever kind of model it is: how much worse it is on rows whose values of that column are
//! dealt anew (Breiman 2001, section 10).

use std::ops::Range;

use parity_protocol::metrics::Metrics;
use rayon::prelude::*;

use crate::{
    Error, Result,
    random::{Purpose, Stream},
    table::Table,
    weights::AnyPredictor,
};

/// Loss of the headline metric, accuracy or R2, when the values of a column are shuffled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// Mean over the repetitions.
    pub mean: f64,
    /// Population standard deviation over the repetitions.
    pub deviation: f64,
}

/// Permutation importance of columns, each given by its encoded features, which are moved together. Every column is shuffled
/// `repetitions` times, in orders that follow from the seed. Where all labels are equal numbers, every importance is 0.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the model, there are none, or there is no repetition.
pub fn permutation_importances(
    model: &AnyPredictor,
    columns: &[Range<usize>],
    table: &Table,
    seed: u64,
    repetitions: u32,
) -> Result<Vec<Importance>> {
    if repetitions == 0 {
        return Err(Error::Rows("0 repetitions; at least 1 is needed".into()));
    }
    if let Some(column) = columns.iter().find(|column| column.end > table.features) {
        return Err(Error::Rows(format!("features {column:?} of rows with {}", table.features)));
    }
    let whole = quality(model, table)?;
    let of_column = |(index, column): (usize, &Range<usize>)| -> Result<Importance> {
        let mut shuffled = table.clone();
        let mut losses = Vec::new();
        for repetition in 0..repetitions {
            let mut order: Vec<usize> = (0..table.rows()).collect();
            let place = u64::try_from(index).expect("an index fits 64 bits");
            Stream::new(Purpose::Permutation, seed, place, repetition.into()).shuffle(&mut order);
            for (row, other) in shuffled.x.chunks_mut(table.features).zip(order) {
                row[column.clone()].copy_from_slice(&table.row(other)[column.clone()]);
            }
            losses.push(whole - quality(model, &shuffled)?);
        }
        let count = f64::from(repetitions);
        let mean = losses.iter().sum::<f64>() / count;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / count;
        Ok(Importance { mean, deviation: variance.sqrt() })
    };
    columns.par_iter().enumerate().map(of_column).collect()
}

fn quality(model: &AnyPredictor, table: &Table) -> Result<f64> {
    let Metrics { accuracy, r2, .. } = model.evaluate(table)?.metrics;
    Ok(accuracy.or(r2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parity_protocol::{
        model::Model,
        schema::{Scaling, Task},
    };

    use super::*;
    use crate::{
        table::Labels,
        tensors::{Tensor, Tensors},
        weights::Weights,
    };

    /// A line through the sum of features 1 and 2 of 4; feature 3 has a weight but one value only.
    fn line() -> AnyPredictor {
        let tensor = |shape: &[usize], data: &[f32]| Tensor { shape: shape.to_vec(), data: data.to_vec() };
        let tensors = Tensors(BTreeMap::from([
            ("layers.0.weight".to_owned(), tensor(&[1, 4], &[0.0, 1.0, 1.0, 5.0])),
            ("layers.0.bias".to_owned(), tensor(&[1], &[0.0])),
        ]));
        let task = Task::Regression { mean: 0.0, deviation: 1.0 };
        let scaling = Scaling { mean: vec![0.0; 4], deviation: vec![1.0; 4], limit: None };
        AnyPredictor::new(&Model::LinearRegression {}, 4, &task, &scaling, &Weights::Tensors(tensors)).unwrap()
    }

    fn table(rows: u16) -> Table {
        let x = |row: u16| [row * 7 % 11, row, row % 3, 0].map(f32::from);
        let y = |row: u16| f32::from(row + row % 3);
        Table { features: 4, x: (0..rows).flat_map(x).collect(), labels: Labels::Numbers((0..rows).map(y).collect()) }
    }

    #[test]
    fn only_what_the_model_uses_matters() {
        let columns = [0..1, 1..2, 2..3, 3..4];
        let importances = permutation_importances(&line(), &columns, &table(90), 7, 5).unwrap();
        // Shuffling a feature that makes up nearly all of the label leaves R2 near -1.
        assert!(importances[1].mean > 1.5 && importances[1].deviation > 0.0, "{importances:?}");
        assert!(importances[2].mean > 0.0 && importances[2].mean < 0.1, "{importances:?}");
        for unused in [0, 3] {
            assert_eq!(importances[unused], Importance { mean: 0.0, deviation: 0.0 });
        }
        assert_eq!(permutation_importances(&line(), &columns, &table(90), 7, 5).unwrap(), importances);
    }

    #[test]
    fn the_features_of_a_column_move_together() {
        // Moved together, the sum of both features moves as one; and all features together are a shuffle of the labels.
        let [both, all] = permutation_importances(&line(), &[1..3, 0..4], &table(90), 7, 5).unwrap()[..] else {
            panic!("two importances expected")
        };
        assert!(both.mean > 1.5 && all.mean > 1.5, "{both:?} {all:?}");
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let message = |columns: Range<usize>, table: &Table, repetitions| {
            permutation_importances(&line(), std::slice::from_ref(&columns), table, 0, repetitions)
                .unwrap_err()
                .to_string()
        };
        assert!(message(0..1, &table(5), 0).contains("0 repetitions"));
        assert!(message(0..5, &table(5), 1).contains("0..5 of rows with 4"));
        assert!(message(0..1, &table(0), 1).contains("no row"));
    }
}
