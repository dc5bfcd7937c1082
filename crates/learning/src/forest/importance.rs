//! How much a forest owes to each feature, by what its splits did to the rows it grew on. See
//! [`importance`](crate::importance) for a measure on other rows.

use crate::forest::tree::{Forest, Kind, Node, Tree, index};

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
