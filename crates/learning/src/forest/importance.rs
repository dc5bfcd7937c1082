//! How much a forest owes to each feature.

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        predict::likeliest,
        recipe::Recipe,
        tree::{Forest, Kind, Node, Tree, index},
    },
    random::{Purpose, Stream},
    table::{Labels, Table},
};

/// Loss of quality when the values of a feature are shuffled: accuracy, or the coefficient of determination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// Mean over the repetitions.
    pub mean: f64,
    /// Population standard deviation over the repetitions.
    pub deviation: f64,
}

/// Mean decrease of impurity per feature (Louppe et al. 2013, equation 1), adding up to 1, or all 0 where no tree splits.
/// As in scikit-learn each tree is brought to a sum of 1 first.
pub fn impurity_importances(forest: &Forest) -> Vec<f64> {
    let mut importances = vec![0.0; forest.features()];
    for tree in &forest.trees {
        let decreases = decreases(forest, tree);
        let total: f64 = decreases.iter().sum();
        if total > 0.0 {
            importances.iter_mut().zip(decreases).for_each(|(sum, decrease)| *sum += decrease / total);
        }
    }
    let total: f64 = importances.iter().sum();
    if total > 0.0 {
        importances.iter_mut().for_each(|importance| *importance /= total);
    }
    importances
}

/// Decrease of impurity, times rows, per feature of one tree.
fn decreases(forest: &Forest, tree: &Tree) -> Vec<f64> {
    let mut decreases = vec![0.0; forest.features()];
    // From the last node to the first, so that both children lie on top of the stack: the left one above the right one.
    let mut stack: Vec<Vec<i64>> = Vec::new();
    for node in tree.nodes.iter().rev() {
        match node {
            Node::Leaf(leaf) => {
                let mut sums = vec![0; forest.kind.width()];
                tree.entries(*leaf).iter().for_each(|(column, value)| sums[usize::from(*column)] = *value);
                stack.push(sums);
            }
            Node::Split { feature, .. } => {
                let left = stack.pop().expect("a left child follows its parent");
                let right = stack.pop().expect("a right child follows the left side");
                let both: Vec<i64> = left.iter().zip(&right).map(|(left, right)| left + right).collect();
                let purity = |sums: &[i64]| purity(forest.kind, sums);
                decreases[index(*feature)] += purity(&left) + purity(&right) - purity(&both);
                stack.push(both);
            }
        }
    }
    decreases
}

/// The part of `rows · (1 - impurity)` that a split changes: see [`split`](super::split).
#[expect(clippy::cast_precision_loss, reason = "a tree counts fewer than 2^32 rows")]
fn purity(kind: Kind, sums: &[i64]) -> f64 {
    let (squares, rows) = match kind {
        Kind::Classes(_) => {
            (sums.iter().map(|count| *count as f64 * *count as f64).sum(), sums.iter().sum::<i64>() as f64)
        }
        Kind::Numbers => (sums[1] as f64 * sums[1] as f64, sums[0] as f64),
    };
    if rows > 0.0 { squares / rows } else { 0.0 }
}

/// Permutation importance per feature (Breiman 2001, section 10): how much worse the forest is on these rows when the values
/// of one feature are shuffled, `repetitions` times with orders that follow from the recipe's seed.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe, or there are none, or no repetition.
pub fn permutation_importances(
    forest: &Forest,
    recipe: &Recipe,
    table: &Table,
    repetitions: u32,
) -> Result<Vec<Importance>> {
    recipe.check(table)?;
    if repetitions == 0 {
        return Err(Error::Rows("0 repetitions; at least 1 is needed".into()));
    }
    let whole = quality(forest, recipe, &table.x, &table.labels)?;
    let of_feature = |feature: usize| -> Result<Importance> {
        let mut losses = Vec::new();
        let mut x = table.x.clone();
        for repetition in 0..repetitions {
            let mut order: Vec<usize> = (0..table.rows()).collect();
            let place = u64::try_from(feature).expect("an index fits 64 bits");
            Stream::new(Purpose::Permutation, recipe.seed, place, repetition.into()).shuffle(&mut order);
            for (row, other) in order.into_iter().enumerate() {
                x[row * table.features + feature] = table.row(other)[feature];
            }
            losses.push(whole - quality(forest, recipe, &x, &table.labels)?);
        }
        let count = f64::from(repetitions);
        let mean = losses.iter().sum::<f64>() / count;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / count;
        Ok(Importance { mean, deviation: variance.sqrt() })
    };
    (0..table.features).into_par_iter().map(of_feature).collect()
}

/// Accuracy, or the coefficient of determination (0 where all labels are equal).
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn quality(forest: &Forest, recipe: &Recipe, x: &[f32], labels: &Labels) -> Result<f64> {
    let said = forest.predict(x)?;
    let rows = labels.len() as f64;
    Ok(match labels {
        Labels::Classes(classes) => {
            let right =
                |(said, class): &(&[f64], &i64)| i64::try_from(likeliest(said)).is_ok_and(|best| best == **class);
            said.chunks(forest.outputs()).zip(classes).filter(right).count() as f64 / rows
        }
        Labels::Numbers(numbers) => {
            let (centre, unit) = recipe.scale;
            let labels: Vec<f64> = numbers.iter().map(|label| (f64::from(*label) - centre) / unit).collect();
            let mean = labels.iter().sum::<f64>() / rows;
            let spread: f64 = labels.iter().map(|label| (label - mean).powi(2)).sum();
            let error: f64 = labels.iter().zip(&said).map(|(label, said)| (label - said).powi(2)).sum();
            if spread > 0.0 { 1.0 - error / spread } else { 0.0 }
        }
    })
}
