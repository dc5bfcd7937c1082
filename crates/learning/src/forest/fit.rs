//! Growing a forest from rows: tree by tree, several at a time.

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        bins::{Binned, Bins},
        draw::{BLOCK, row_keys},
        grower::Grower,
        recipe::Recipe,
        split::{Gini, Tally, Variance},
        tree::{Forest, Kind, Tree, position},
    },
    table::Table,
};

/// Grows a forest on these rows, with bins of their own.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe or are too many.
pub fn fit(recipe: &Recipe, table: &Table) -> Result<Forest> {
    recipe.check(table)?;
    fit_with(recipe, &Bins::of(table, recipe.shape.bins), table)
}

/// Grows a forest on these rows, with given bins: the same as [`grow`](crate::forest::grow) makes of them level by level.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe or are too many, [`Error::Forest`] when the bins do not.
pub fn fit_with(recipe: &Recipe, bins: &Bins, table: &Table) -> Result<Forest> {
    recipe.check(table)?;
    check_bins(recipe, bins)?;
    let targets = recipe.targets(&table.labels)?;
    let weights = recipe.weights(&recipe.count(&targets));
    let trees = match recipe.kind {
        Kind::Classes(_) => grow_trees(recipe, bins, table, &targets, &Gini { weights })?,
        Kind::Numbers => grow_trees(recipe, bins, table, &targets, &Variance)?,
    };
    Ok(Forest { features: position(recipe.features), kind: recipe.kind, trees, growth: None })
}

pub(crate) fn check_bins(recipe: &Recipe, bins: &Bins) -> Result<()> {
    if bins.features() != recipe.features {
        return Err(Error::Forest(format!("bins of {} features, the forest has {}", bins.features(), recipe.features)));
    }
    Ok(())
}

fn grow_trees<T: Tally + Sync>(
    recipe: &Recipe,
    bins: &Bins,
    table: &Table,
    targets: &[i32],
    tally: &T,
) -> Result<Vec<Tree>> {
    let binned = Binned::new(bins, table);
    let keys = row_keys(table);
    let draws = recipe.draws();
    let count = usize::from(recipe.shape.trees);
    let mut trees = Vec::with_capacity(count);
    for first in (0..count).step_by(BLOCK) {
        let block = draws.block(recipe.seed, u64::try_from(first / BLOCK).expect("an index"), &keys);
        let here = first..(first + BLOCK).min(count);
        let rows = block.par_chunks(table.rows().max(1)).take(here.len());
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
