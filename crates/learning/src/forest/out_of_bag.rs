//! What a forest says about rows by the trees alone that did not see them (Breiman 1996): an estimate of its quality that
//! needs no holdout.
//!
//! Which trees saw a row follows from the row's content, so that it holds on every seat, whoever grew the forest. It does not
//! hold of refitted trees, whose leaves have seen all rows.

use parity_protocol::{metrics::Evaluation, schema::Task};
use rayon::prelude::*;

use crate::{
    Result,
    forest::{
        draw::{BLOCK, row_keys},
        predict::Opinion,
        recipe::Recipe,
        tree::Forest,
    },
    metrics,
    table::{Labels, Table},
};

/// Predictions by the trees that did not see a row.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfBag {
    /// Rows that at least one tree did not see, ascending.
    pub rows: Vec<usize>,
    /// `[rows, outputs]`, as [`Forest::predict`] gives them.
    pub predictions: Vec<f64>,
}

/// Asks about every row the trees that did not see it.
///
/// # Errors
/// [`Error::Rows`](crate::Error::Rows) when the rows do not fit the recipe.
pub fn out_of_bag(forest: &Forest, recipe: &Recipe, table: &Table) -> Result<OutOfBag> {
    recipe.check(table)?;
    let (keys, draws) = (row_keys(table), recipe.draws());
    let (rows, width) = (table.rows(), forest.outputs());
    let mut said = vec![0.0; rows * width];
    let mut opinions = vec![Opinion::new(forest); rows];
    for (block, trees) in (0..).zip(forest.trees.chunks(BLOCK)) {
        let drawn = draws.block(recipe.seed, block, &keys);
        let tasks = said.par_chunks_mut(width).zip(opinions.par_iter_mut()).enumerate();
        tasks.with_min_len(64).for_each(|(row, (said, opinion))| {
            for (tree, _) in trees.iter().zip(drawn[row..].iter().step_by(rows)).filter(|(_, draws)| **draws == 0) {
                opinion.hear(tree, table.row(row), said);
            }
        });
    }
    let mut out = OutOfBag { rows: Vec::new(), predictions: Vec::new() };
    for ((row, said), opinion) in said.chunks_mut(width).enumerate().zip(opinions) {
        if opinion.conclude(said) {
            out.rows.push(row);
            out.predictions.extend_from_slice(said);
        }
    }
    Ok(out)
}

impl OutOfBag {
    /// How good the forest is on the rows that have predictions; none without any. `labels` are those of all rows.
    ///
    /// # Errors
    /// [`Error::Rows`](crate::Error::Rows) when the labels do not fit the task.
    pub fn evaluate(&self, task: &Task, labels: &Labels) -> Result<Option<Evaluation>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        metrics::of_shares(task, &self.predictions, &labels.select(&self.rows)).map(Some)
    }
}
