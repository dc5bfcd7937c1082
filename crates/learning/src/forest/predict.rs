//! What a forest says about rows: the mean of what its trees say, weighted by their votes.
//!
//! A tree says the class shares of the leaf (or its mean label) that a row ends in; a leaf without rows says nothing. Class
//! shares of refitted trees are multiplied instead (a logarithmic opinion pool, Genest and Zidek 1986, section 3.3): a tree
//! that tells few classes apart then leaves the others undecided instead of outvoting who knows better.

use parity_protocol::schema::Task;
use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        recipe::deviations,
        tree::{Entry, Forest, Kind, Leaf, Node, Tree},
    },
    predict::Predictions,
};

/// Rows per task.
const BLOCK: usize = 64;

impl Forest {
    /// Predictions `[rows, outputs]` for features `[rows, features]` (encoded, not standardised): the share of each class,
    /// or the label in standard deviations from its mean.
    ///
    /// # Errors
    /// [`Error::Rows`] when `x` is not a whole number of rows.
    pub fn predict(&self, x: &[f32]) -> Result<Vec<f64>> {
        let (features, width) = (self.features(), self.outputs());
        if !x.len().is_multiple_of(features) {
            return Err(Error::Rows(format!("{} values do not make rows of {features} features", x.len())));
        }
        let mut said = vec![0.0; x.len() / features * width];
        said.par_chunks_mut(BLOCK * width).zip(x.par_chunks(BLOCK * features)).for_each(|(said, x)| {
            for (said, row) in said.chunks_mut(width).zip(x.chunks(features)) {
                let mut opinion = Opinion::new(self);
                self.trees.iter().for_each(|tree| opinion.hear(tree, row, said));
                opinion.conclude(said);
            }
        });
        Ok(said)
    }

    /// Whether the class shares of trees are multiplied, not averaged.
    pub(crate) fn multiplies_shares(&self) -> bool {
        self.refitted && matches!(self.kind, Kind::Classes(_))
    }

    /// As [`Forest::predict`], for users: likeliest classes with all shares, or numbers in units of the label.
    ///
    /// # Errors
    /// As [`Forest::predict`]; [`Error::Forest`] when the forest is not one of the task.
    pub fn predict_task(&self, task: &Task, x: &[f32]) -> Result<Predictions> {
        let said = self.predict(x)?;
        match (self.kind, task) {
            (Kind::Classes(_), Task::Classification { classes }) if classes.len() == self.outputs() => {
                let classes = said.chunks(self.outputs()).map(likeliest).collect();
                Ok(Predictions::Classes { classes, probabilities: said })
            }
            (Kind::Numbers, Task::Regression { mean, deviation }) => {
                Ok(Predictions::Numbers(said.iter().map(|value| value * deviation + mean).collect()))
            }
            _ => Err(Error::Forest(format!(
                "its {} outputs ({:?}) are not those of {task:?}",
                self.outputs(),
                self.kind
            ))),
        }
    }
}

/// Index of the largest share, the first one of equals.
pub(crate) fn likeliest(said: &[f64]) -> usize {
    (1..said.len()).fold(0, |best, class| if said[class] > said[best] { class } else { best })
}

/// What trees have said about a row so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opinion {
    kind: Kind,
    /// Logarithms of shares are added, not shares.
    multiplies: bool,
    votes: u64,
    /// Trees that said something.
    trees: u64,
}

impl Opinion {
    pub(crate) fn new(forest: &Forest) -> Self {
        Self { kind: forest.kind, multiplies: forest.multiplies_shares(), votes: 0, trees: 0 }
    }

    /// Adds what a tree says about a row to `said`.
    pub(crate) fn hear(&mut self, tree: &Tree, row: &[f32], said: &mut [f64]) {
        let Node::Leaf(leaf) = tree.nodes[tree.leaf_of(row)] else { return };
        if self.add(tree, leaf, said) {
            self.votes += u64::from(tree.vote);
            self.trees += 1;
        }
    }

    /// Adds what a tree says about the rows of a leaf to `said`; whether it says something.
    pub(crate) fn add(&self, tree: &Tree, leaf: Leaf, said: &mut [f64]) -> bool {
        let entries = tree.entries(leaf);
        if entries.is_empty() {
            return false;
        }
        let vote = f64::from(tree.vote);
        match self.kind {
            Kind::Numbers => said[0] += vote * mean_label(entries),
            Kind::Classes(_) if self.multiplies => add_logarithms(entries, vote, said),
            Kind::Classes(_) => add_shares(entries, vote, said),
        }
        true
    }

    /// From sums to the answer; without any vote, all classes are equally likely, and a number is the mean label. Says whether
    /// there was a vote.
    #[expect(clippy::cast_precision_loss, reason = "votes of a forest are far below 2^53")]
    pub(crate) fn conclude(self, said: &mut [f64]) -> bool {
        if self.votes == 0 {
            said.fill(self.kind.undecided());
            return false;
        }
        if self.multiplies {
            // Votes weigh trees against each other; together they count as many as there are.
            let vote = self.trees as f64 / self.votes as f64;
            let largest = said[likeliest(said)];
            said.iter_mut().for_each(|value| *value = libm::exp((*value - largest) * vote));
            let total: f64 = said.iter().sum();
            said.iter_mut().for_each(|value| *value /= total);
        } else {
            said.iter_mut().for_each(|value| *value /= self.votes as f64);
        }
        true
    }
}

impl Kind {
    /// Every output where no tree knows anything: all classes are equally likely, or the mean label.
    pub(crate) fn undecided(self) -> f64 {
        match self {
            Self::Classes(classes) => 1.0 / f64::from(classes),
            Self::Numbers => 0.0,
        }
    }
}

/// The mean label of a leaf. A sum of 0 is not written.
pub(crate) fn mean_label(entries: &[Entry]) -> f64 {
    match entries {
        [(0, rows), (1, sum)] => deviations(*sum, *rows),
        _ => 0.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a tree counts fewer than 2^32 rows")]
fn add_shares(entries: &[Entry], vote: f64, said: &mut [f64]) {
    // Most leaves are pure.
    if let [(class, _)] = entries {
        said[usize::from(*class)] += vote;
        return;
    }
    let total = entries.iter().map(|entry| entry.1).sum::<i64>() as f64;
    entries.iter().for_each(|(class, count)| said[usize::from(*class)] += vote * (*count as f64 / total));
}

/// Adds `ln((n_c + 1/K) / (n + 1))` up to what all classes have in common: shares smoothed by one row that is spread evenly
/// over the `K` classes (Perks 1947).
#[expect(clippy::cast_precision_loss, reason = "a tree counts fewer than 2^32 rows")]
fn add_logarithms(entries: &[Entry], vote: f64, said: &mut [f64]) {
    let classes = said.len() as f64;
    entries.iter().for_each(|(class, count)| said[usize::from(*class)] += vote * libm::log1p(*count as f64 * classes));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stump on feature 0 at 0.5, its leaves with these numbers.
    fn stump(vote: u32, left: &[i64], right: &[i64]) -> Tree {
        let mut tree = Tree { vote, ..Tree::new() };
        tree.nodes.push(Node::Split { feature: 0, threshold: 0.5, right: 2 });
        tree.push_leaf(left, None);
        tree.push_leaf(right, None);
        tree
    }

    #[test]
    fn classes_are_the_weighted_mean_of_leaf_shares() {
        let trees = vec![stump(1, &[1, 3], &[5, 0]), stump(3, &[4, 0], &[0, 0])];
        let forest = Forest { features: 1, kind: Kind::Classes(2), trees, growth: None, refitted: false };
        assert_eq!(forest.predict(&[0.5, 0.6]).unwrap(), [3.25 / 4.0, 0.75 / 4.0, 1.0, 0.0]);
        assert!(forest.predict(&[]).unwrap().is_empty());
    }

    #[test]
    fn numbers_are_means_in_standard_deviations() {
        let unit = 1 << 20;
        let trees = vec![stump(1, &[2, 3 * unit], &[4, 0]), stump(1, &[1, -unit], &[0, 0])];
        let forest = Forest { features: 1, kind: Kind::Numbers, trees, growth: None, refitted: false };
        assert_eq!(forest.predict(&[0.0, 1.0]).unwrap(), [0.25, 0.0]);
        let silent = Forest { trees: vec![stump(1, &[0, 0], &[0, 0])], ..forest };
        assert_eq!(silent.predict(&[0.0]).unwrap(), [0.0]);
    }

    #[test]
    fn broken_rows_are_refused() {
        let trees = vec![stump(1, &[1, 0], &[0, 1])];
        let forest = Forest { features: 2, kind: Kind::Classes(2), trees, growth: None, refitted: false };
        assert!(forest.predict(&[1.0, 2.0, 3.0]).is_err());
    }
}
