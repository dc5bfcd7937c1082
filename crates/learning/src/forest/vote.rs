//! What the votes of a seat's trees count: how much they tell about rows of their seat that they did not see.
//!
//! For classes it is the mutual information of a tree's answer and the class, in thousandths of a nat, from the table of both
//! over the rows out of bag. Accuracy would not do: the trees of a seat that knows a single class are never wrong and tell nothing.
//! For numbers it is the coefficient of determination in thousandths. Everything counts at least 1, so that seats whose rows
//! nobody else has are heard.

use parity_protocol::forest::Bootstrap;

use crate::{
    Result,
    forest::{
        draw::{BLOCK, row_keys},
        predict::mean_label,
        recipe::{Recipe, deviations},
        tree::{Entry, Forest, Kind, Node, Tree},
    },
    table::Table,
};

/// What a nat, or an R2 of 1, counts.
const SCALE: f64 = 1000.0;
/// Most that a vote counts: above a thousandfold `ln(1000)`, the most that can be told of 1000 classes.
pub(crate) const MOST: u32 = 10_000;

/// Gives trees that grew on these rows their votes; `first` is the number of the first one. Where every tree has seen every row,
/// all votes stay 1.
///
/// # Errors
/// [`Error::Rows`](crate::Error::Rows) when the labels do not fit the recipe.
pub(crate) fn weigh(mut share: Forest, first: usize, recipe: &Recipe, table: &Table) -> Result<Forest> {
    if recipe.shape.bootstrap == (Bootstrap::None {}) {
        return Ok(share);
    }
    let targets = recipe.targets(&table.labels)?;
    let (keys, draws) = (row_keys(table), recipe.draws());
    let mut drawn = (usize::MAX, Vec::new());
    for (number, tree) in (first..).zip(&mut share.trees) {
        let block = number / BLOCK;
        if drawn.0 != block {
            drawn = (block, draws.block(recipe.seed, u64::try_from(block).expect("an index"), &keys));
        }
        let of_tree = drawn.1.chunks(table.rows()).nth(number % BLOCK).expect("a block has draws of its trees");
        let unseen = || (0..table.rows()).filter(|row| of_tree[*row] == 0);
        let told = match recipe.kind {
            Kind::Classes(classes) => information(tree, table, &targets, usize::from(classes), unseen()),
            Kind::Numbers => determination(tree, table, &targets, unseen()),
        };
        tree.vote = vote(told);
    }
    Ok(share)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to MOST")]
fn vote(told: f64) -> u32 {
    1 + (told * SCALE).round().clamp(0.0, f64::from(MOST - 1)) as u32
}

/// `sum p(a, c) ln(p(a, c) / (p(a) p(c)))` over answers `a` and classes `c`, in nats (Cover and Thomas 2006, equation 2.28).
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn information(tree: &Tree, table: &Table, targets: &[i32], classes: usize, rows: impl Iterator<Item = usize>) -> f64 {
    let mut counts = vec![0_usize; classes * classes];
    for row in rows {
        let answer = entries(tree, table.row(row)).iter().fold(
            (0, 0),
            |best: Entry, entry| {
                if entry.1 > best.1 { *entry } else { best }
            },
        );
        let class = usize::try_from(targets[row]).expect("a class is not negative");
        counts[usize::from(answer.0) * classes + class] += 1;
    }
    let total = counts.iter().sum::<usize>() as f64;
    let answers: Vec<usize> = counts.chunks(classes).map(|row| row.iter().sum()).collect();
    let actual: Vec<usize> = (0..classes).map(|class| counts.iter().skip(class).step_by(classes).sum()).collect();
    let part = |(place, count): (usize, &usize)| {
        let both = answers[place / classes] as f64 * actual[place % classes] as f64;
        *count as f64 / total * libm::log(*count as f64 * total / both)
    };
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(part).sum()
}

/// R2; 0 where the labels are all the same.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn determination(tree: &Tree, table: &Table, targets: &[i32], rows: impl Iterator<Item = usize>) -> f64 {
    let (mut count, mut sum, mut squares, mut errors) = (0_usize, 0.0, 0.0, 0.0);
    for row in rows {
        let label = deviations(targets[row].into(), 1);
        let error = mean_label(entries(tree, table.row(row))) - label;
        (count, sum) = (count + 1, sum + label);
        squares += label * label;
        errors += error * error;
    }
    let spread = squares - sum * sum / count.max(1) as f64;
    if spread > 0.0 { 1.0 - errors / spread } else { 0.0 }
}

/// What the leaf of a row has.
fn entries<'a>(tree: &'a Tree, row: &[f32]) -> &'a [Entry] {
    match tree.nodes[tree.leaf_of(row)] {
        Node::Leaf(leaf) => tree.entries(leaf),
        Node::Split { .. } => &[],
    }
}
