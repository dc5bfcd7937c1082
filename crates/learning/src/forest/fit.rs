//! Growing a forest from rows: tree by tree, several at a time.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        bins::{Binned, Bins},
        draw::{BLOCK, row_keys},
        grower::Grower,
        recipe::Recipe,
        split::{Gini, Tally, Variance},
        tree::{Forest, Kind, Tree},
    },
    table::Table,
};

/// Grows a forest on these rows: the same as [`grow`](crate::forest::grow) makes of them level by level.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe or are too many.
pub fn fit(recipe: &Recipe, table: &Table) -> Result<Forest> {
    recipe.check(table)?;
    let trees = 0..usize::from(recipe.shape.trees);
    Ok(recipe.forest(grow_range(recipe, &Bins::of(table, recipe.shape.bins), table, trees)?))
}

/// The trees of these numbers.
///
/// # Errors
/// As [`fit()`].
pub(crate) fn grow_range(recipe: &Recipe, bins: &Bins, table: &Table, numbers: Range<usize>) -> Result<Vec<Tree>> {
    let targets = recipe.targets(&table.labels)?;
    let weights = recipe.weights(&recipe.count(&targets));
    match recipe.kind {
        Kind::Classes(_) => grow_trees(recipe, bins, table, &targets, numbers, &Gini { weights }),
        Kind::Numbers => grow_trees(recipe, bins, table, &targets, numbers, &Variance),
    }
}

fn grow_trees<T: Tally + Sync>(
    recipe: &Recipe,
    bins: &Bins,
    table: &Table,
    targets: &[i32],
    numbers: Range<usize>,
    tally: &T,
) -> Result<Vec<Tree>> {
    let binned = Binned::new(bins, table);
    let keys = row_keys(table);
    let draws = recipe.draws();
    let mut trees = Vec::with_capacity(numbers.len());
    for block in numbers.start / BLOCK..numbers.end.div_ceil(BLOCK) {
        let first = block * BLOCK;
        let here = numbers.start.max(first)..numbers.end.min(first + BLOCK);
        let drawn = draws.block(recipe.seed, u64::try_from(block).expect("an index"), &keys);
        let rows = drawn.par_chunks(table.rows()).skip(here.start - first).take(here.len());
        let grown: Result<Vec<Tree>> = here
            .into_par_iter()
            .zip(rows)
            .map_init(
                || Grower::new(recipe, bins, &binned, tally),
                |grower, (tree, draws)| grower.tree(u64::try_from(tree).expect("an index"), targets, draws),
            )
            .collect();
        trees.extend(grown?);
    }
    Ok(trees)
}

/// Checks that squares of what a tree counts fit 64 bits.
pub(crate) fn check_total(tally: &impl Tally, total: &[i64]) -> Result<()> {
    let mut counted = total.to_vec();
    tally.leaf(&mut counted);
    let counts = tally.draws(&counted);
    if u32::try_from(counts).is_err() {
        return Err(Error::Rows(format!("a tree counts {counts} rows; use fewer rows or a smaller bootstrap share")));
    }
    Ok(())
}
