//! The union of trees that seats grow on their own rows, in two rounds.
//!
//! First every seat grows its share of the trees. Where seats know different classes such a forest is poor: a tree votes with
//! confidence for one of the classes that its seat happens to have. So then every seat counts its own rows in every leaf of all
//! trees, and the leaves keep the sums: splits come from one seat, what they mean from all of them. Trees refitted so are
//! evidence from many partial views, so that their shares are multiplied, not averaged: see [`predict`](super::predict).
//!
//! ```text
//! "PRFL" 1, rows of each class, or rows
//! for every leaf, in the order of the forest: as in the file of a forest
//! ```

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        bins::Bins,
        bytes::{read_leaf, write_leaf},
        fit::grow_range,
        recipe::Recipe,
        split::{Gini, Tally, Variance},
        tree::{Entry, Forest, Kind, Node, Tree, position},
        varint::{self, Reader},
    },
    table::Table,
};

const MAGIC: &[u8; 5] = b"PRFL\x01";

/// Grows a seat's share of the trees on its rows: `trees / seats`, some seats one more. Seats count from 0.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe, [`Error::Forest`] when there is no such seat.
pub fn share(recipe: &Recipe, table: &Table, seat: u16, seats: u16) -> Result<Forest> {
    recipe.check(table)?;
    if seat >= seats {
        return Err(Error::Forest(format!("seat {seat} of {seats}; seats count from 0")));
    }
    let trees = grow_range(recipe, &Bins::of(table, recipe.shape.bins), table, numbers(recipe, seat, seats))?;
    Ok(recipe.forest(trees))
}

/// The numbers of the trees that a seat grows.
pub(crate) fn numbers(recipe: &Recipe, seat: u16, seats: u16) -> Range<usize> {
    let first = |seat: usize| usize::from(recipe.shape.trees) * seat / usize::from(seats);
    first(seat.into())..first(usize::from(seat) + 1)
}

/// Puts the shares of seats, in their order, together.
///
/// # Errors
/// [`Error::Forest`] when a share is of another kind or already refitted, or all have more trees than the recipe says.
pub fn unite(recipe: &Recipe, shares: &[Forest]) -> Result<Forest> {
    for share in shares {
        let same = (share.features(), share.kind) == (recipe.features, recipe.kind);
        if !same || share.refitted || share.growth.is_some() {
            return Err(Error::Forest(format!(
                "a share has {} features ({:?}), finished: {}, refitted: {}; expected {} ({:?}), true, false",
                share.features(),
                share.kind,
                share.is_finished(),
                share.refitted,
                recipe.features,
                recipe.kind
            )));
        }
    }
    let trees: Vec<Tree> = shares.iter().flat_map(|share| share.trees.iter().cloned()).collect();
    if trees.len() > usize::from(recipe.shape.trees) {
        return Err(Error::Forest(format!("{} trees, the recipe says at most {}", trees.len(), recipe.shape.trees)));
    }
    Ok(recipe.forest(trees))
}

/// A seat's rows in every leaf of a forest.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafCounts {
    /// Rows of each class, or rows.
    rows: Vec<u64>,
    /// Leaves in the order of the forest: columns and values, as in [`Tree`].
    leaves: Vec<Vec<Entry>>,
}

/// Counts a seat's rows in every leaf of a forest, every row once in each tree.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe, [`Error::Forest`] when the forest does not.
pub fn leaf_counts(forest: &Forest, recipe: &Recipe, table: &Table) -> Result<LeafCounts> {
    recipe.check(table)?;
    recipe.check_united(forest)?;
    let targets = recipe.targets(&table.labels)?;
    let rows = recipe.count(&targets);
    let count = |tree: &Tree| match recipe.kind {
        Kind::Classes(classes) => count_tree(tree, table, &targets, &Gini { weights: vec![1; classes.into()] }),
        Kind::Numbers => count_tree(tree, table, &targets, &Variance),
    };
    let trees: Vec<Vec<Vec<Entry>>> = forest.trees.par_iter().map(count).collect();
    Ok(LeafCounts { rows, leaves: trees.into_iter().flatten().collect() })
}

fn count_tree(tree: &Tree, table: &Table, targets: &[i32], tally: &impl Tally) -> Vec<Vec<Entry>> {
    let mut sums: Vec<Option<Vec<i64>>> = vec![None; tree.nodes.len()];
    for (row, target) in targets.iter().enumerate() {
        let sums = sums[tree.leaf_of(table.row(row))].get_or_insert_with(|| tally.zeros());
        tally.add(sums, *target, 1);
    }
    let leaves = sums.into_iter().zip(&tree.nodes).filter(|(_, node)| matches!(node, Node::Leaf(_)));
    leaves.map(|(sums, _)| entries(&sums.unwrap_or_default())).collect()
}

fn entries(sums: &[i64]) -> Vec<Entry> {
    (0..).zip(sums).filter(|(_, value)| **value != 0).map(|(column, value)| (column, *value)).collect()
}

impl LeafCounts {
    /// Rows that were counted.
    pub fn samples(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The file.
    pub fn to_bytes(&self, recipe: &Recipe) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.rows.iter().for_each(|rows| varint::write(&mut bytes, *rows));
        self.leaves.iter().for_each(|leaf| write_leaf(&mut bytes, recipe.kind, leaf));
        bytes
    }

    /// Reads a file about this forest: in every tree every row must be counted once.
    ///
    /// # Errors
    /// [`Error::Forest`] when the bytes are not what [`LeafCounts::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8], forest: &Forest, recipe: &Recipe) -> Result<Self> {
        recipe.check_united(forest)?;
        let mut reader = Reader(bytes);
        if reader.array::<5>()? != *MAGIC {
            return Err(Error::Forest("the bytes do not begin as leaf counts of version 1 do".into()));
        }
        let rows = recipe.read_rows(&mut reader)?;
        let (samples, mut leaves): (u64, _) = (rows.iter().sum(), Vec::new());
        for tree in &forest.trees {
            let mut counted = 0;
            for _ in tree.nodes.iter().filter(|node| matches!(node, Node::Leaf(_))) {
                let mut leaf = Vec::new();
                counted += read_leaf(&mut reader, recipe.kind, &mut leaf)?;
                leaves.push(leaf);
            }
            if counted != samples {
                return Err(Error::Forest(format!("a tree counts {counted} rows of {samples}")));
            }
        }
        reader.end()?;
        Ok(Self { rows, leaves })
    }
}

/// Gives every leaf the rows of all seats. Without counts the forest stays as it is.
///
/// # Errors
/// [`Error::Forest`] when forest, recipe and counts do not belong together or count more than 2^32 rows.
pub fn refit(forest: &Forest, recipe: &Recipe, seats: &[LeafCounts]) -> Result<Forest> {
    recipe.check_united(forest)?;
    let Some(first) = seats.first() else {
        return Ok(forest.clone());
    };
    let mut rows = vec![0; first.rows.len()];
    seats.iter().for_each(|seat| rows.iter_mut().zip(&seat.rows).for_each(|(sum, rows)| *sum += rows));
    let total: u64 = rows.iter().sum();
    if u32::try_from(total).is_err() || seats.iter().any(|seat| seat.leaves.len() != first.leaves.len()) {
        return Err(Error::Forest(format!("the seats count {total} rows, or in different leaves")));
    }
    let trees = match recipe.kind {
        Kind::Classes(_) => refit_trees(forest, seats, &Gini { weights: recipe.weights(&rows) }),
        Kind::Numbers => refit_trees(forest, seats, &Variance),
    };
    Ok(Forest { trees, refitted: true, ..forest.clone() })
}

fn refit_trees(forest: &Forest, seats: &[LeafCounts], tally: &impl Tally) -> Vec<Tree> {
    let mut leaf = 0;
    let mut refit_tree = |tree: &Tree| {
        let mut fresh = Tree { vote: tree.vote, ..Tree::new() };
        for node in &tree.nodes {
            if let Node::Split { .. } = node {
                fresh.nodes.push(*node);
                continue;
            }
            let mut sums = tally.zeros();
            for (column, value) in seats.iter().flat_map(|seat| &seat.leaves[leaf]) {
                sums[usize::from(*column)] += value;
            }
            leaf += 1;
            tally.leaf(&mut sums);
            fresh.push_leaf(&sums, None);
        }
        fresh
    };
    forest.trees.iter().map(&mut refit_tree).collect()
}

impl Recipe {
    /// A finished forest of these trees.
    pub(crate) fn forest(&self, trees: Vec<Tree>) -> Forest {
        Forest { features: position(self.features), kind: self.kind, trees, growth: None, refitted: false }
    }

    /// Checks that a forest is finished, and one of these features and this kind of label.
    pub(crate) fn check_united(&self, forest: &Forest) -> Result<()> {
        if (forest.features(), forest.kind) != (self.features, self.kind) || forest.growth.is_some() {
            return Err(Error::Forest(format!(
                "{} features ({:?}), finished: {}; expected {} ({:?}), true",
                forest.features(),
                forest.kind,
                forest.is_finished(),
                self.features,
                self.kind
            )));
        }
        Ok(())
    }
}
