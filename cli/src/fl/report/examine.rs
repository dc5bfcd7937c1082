//! A model on labelled rows that whoever writes the report has: metrics, what it takes for what, and what it owes to each
//! column.

use anyhow::Context;
use parity_learning::{
    forest::{Recipe, impurity_importances, out_of_bag},
    importance::permutation_importances,
    predict::Predictions,
    random::{Purpose, Stream},
    table::{Labels, Table},
    weights::{AnyPredictor, Weights},
};
use parity_protocol::{
    confusion::ConfusionMatrix,
    metrics::{Evaluation, Metrics},
    schema::Schema,
    spec::SessionSpec,
};
use serde::Serialize;

use super::facts::Share;

/// Shuffles per column, as in scikit-learn.
const REPETITIONS: u32 = 5;
/// Rows that columns are shuffled on; from more rows so many are drawn. An accuracy on a thousand rows is known to within 0.03, and
/// 784 columns of them take a perceptron a minute.
const MOST_ROWS: usize = 1000;
/// Groups of rows with similar labels.
const GROUPS: usize = 10;

/// What a model is worth on some rows.
#[derive(Debug, Serialize)]
pub(crate) struct Examination {
    /// Where the rows are from.
    pub(crate) rows: String,
    pub(crate) metrics: Metrics,
    pub(crate) confusion: Option<ConfusionMatrix>,
    /// Of a regression: rows with similar labels, the smallest labels first.
    pub(crate) groups: Vec<Group>,
    /// Loss of the headline metric when a column is shuffled, the largest first.
    pub(crate) importances: Vec<Share>,
    /// Of a forest: metrics on these rows by the trees that did not see them.
    pub(crate) out_of_bag: Option<Metrics>,
}

/// Rows with similar labels.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) rows: usize,
    pub(crate) mean_label: f64,
    pub(crate) mean_prediction: f64,
    pub(crate) mean_absolute_error: f64,
}

/// Measures a model on rows; `rows` says where they are from.
pub(crate) fn examine(
    spec: &SessionSpec,
    weights: &Weights,
    table: &Table,
    rows: String,
) -> anyhow::Result<Examination> {
    let model = AnyPredictor::of_spec(spec, weights)?;
    let Evaluation { metrics, confusion } = model.evaluate(table).context("measuring the model on the rows")?;
    let groups = match (model.predict(&table.x)?, &table.labels) {
        (Predictions::Numbers(said), Labels::Numbers(labels)) => groups(labels, &said),
        _ => Vec::new(),
    };
    let some = sample(table, spec.training.seed);
    let importances =
        permutation_importances(&model, &spec.schema.features_of_columns(), &some, spec.training.seed, REPETITIONS)?;
    let importances = importances.into_iter().map(|importance| (importance.mean, Some(importance.deviation)));
    Ok(Examination {
        rows,
        metrics,
        confusion,
        groups,
        importances: ranked(&spec.schema, importances),
        out_of_bag: unseen(spec, weights, table)?,
    })
}

/// Shares of the columns in what a forest's splits achieved; none of other models.
pub(crate) fn impurity(schema: &Schema, weights: &Weights) -> Vec<Share> {
    let Weights::Forest(forest) = weights else { return Vec::new() };
    let importances = impurity_importances(forest);
    let of_column = |features: std::ops::Range<usize>| (importances[features].iter().sum(), None);
    ranked(schema, schema.features_of_columns().into_iter().map(of_column))
}

/// What a forest says of rows by the trees that did not see them; none of other models, of refitted forests, whose trees have seen all
/// rows, and where every tree saw every row.
pub(crate) fn unseen(spec: &SessionSpec, weights: &Weights, table: &Table) -> anyhow::Result<Option<Metrics>> {
    let Weights::Forest(forest) = weights else { return Ok(None) };
    if forest.is_refitted() {
        return Ok(None);
    }
    let said = out_of_bag(forest, &Recipe::of_spec(spec)?, table)?;
    Ok(said.evaluate(&spec.schema.label.task, &table.labels)?.map(|evaluation| evaluation.metrics))
}

fn ranked(schema: &Schema, values: impl Iterator<Item = (f64, Option<f64>)>) -> Vec<Share> {
    let named = schema.columns.iter().zip(values);
    let mut shares: Vec<Share> =
        named.map(|(column, (value, deviation))| Share { column: column.name.clone(), value, deviation }).collect();
    shares.sort_by(|a, b| b.value.total_cmp(&a.value));
    shares
}

/// At most [`MOST_ROWS`] rows, drawn by the seed.
fn sample(table: &Table, seed: u64) -> Table {
    let mut rows: Vec<usize> = (0..table.rows()).collect();
    if rows.len() > MOST_ROWS {
        Stream::new(Purpose::Permutation, seed, u64::MAX, 0).shuffle(&mut rows);
        rows.truncate(MOST_ROWS);
    }
    table.select(&rows)
}

/// [`GROUPS`] groups of about equally many rows, or one per row where there are fewer.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn groups(labels: &[f32], said: &[f64]) -> Vec<Group> {
    let mut pairs: Vec<(f64, f64)> = labels.iter().map(|label| f64::from(*label)).zip(said.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = GROUPS.min(pairs.len());
    let group = |index: usize| {
        let part = &pairs[index * pairs.len() / count..(index + 1) * pairs.len() / count];
        let mean = |of: fn(&(f64, f64)) -> f64| part.iter().map(of).sum::<f64>() / part.len() as f64;
        Group {
            rows: part.len(),
            mean_label: mean(|pair| pair.0),
            mean_prediction: mean(|pair| pair.1),
            mean_absolute_error: mean(|pair| (pair.1 - pair.0).abs()),
        }
    };
    (0..count).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_share_the_rows_in_the_order_of_their_labels() {
        let labels: Vec<f32> = (0_u8..25).rev().map(f32::from).collect();
        let said: Vec<f64> = labels.iter().map(|label| f64::from(*label) + 1.0).collect();
        let groups = groups(&labels, &said);
        assert_eq!(groups.iter().map(|group| group.rows).sum::<usize>(), 25);
        assert!(groups.len() == GROUPS && groups.iter().all(|group| (2..=3).contains(&group.rows)));
        assert!(groups.windows(2).all(|pair| pair[0].mean_label < pair[1].mean_label));
        assert!(groups.iter().all(|group| (group.mean_absolute_error - 1.0).abs() < 1e-12));
        assert!(super::groups(&[], &[]).is_empty());
    }
}
