//! Growing one tree from rows, depth first.

use std::ops::Range;

use crate::{
    Result,
    forest::{
        bins::{Binned, Bins},
        draw::{Candidates, Path, ROOT, children, cutoffs},
        fit::check_total,
        recipe::Recipe,
        scan::{self, BinSums},
        search::{Found, Search, Split},
        split::{Balance, Tally},
        tree::{Node, Tree, index, position},
    },
};

/// A row as a node holds it.
#[derive(Clone, Copy, Debug)]
struct Sample {
    row: u32,
    target: i32,
    draws: u32,
}

/// A node that is still to be made.
struct Pending {
    samples: Range<usize>,
    path: Path,
    level: u8,
    /// The node whose right child this is.
    right_of: Option<usize>,
}

/// Grows one tree after another; keeps its buffers.
pub(crate) struct Grower<'a, T> {
    recipe: &'a Recipe,
    bins: &'a Bins,
    binned: &'a Binned,
    tally: &'a T,
    candidates: Candidates,
    samples: Vec<Sample>,
    spare: Vec<Sample>,
    total: Vec<i64>,
    sums: BinSums,
}

impl<'a, T: Tally> Grower<'a, T> {
    pub(crate) fn new(recipe: &'a Recipe, bins: &'a Bins, binned: &'a Binned, tally: &'a T) -> Self {
        let width = recipe.kind.width();
        Self {
            recipe,
            bins,
            binned,
            tally,
            candidates: recipe.candidates(bins),
            samples: Vec::new(),
            spare: Vec::new(),
            total: vec![0; width],
            sums: BinSums::new(width),
        }
    }

    /// Grows the tree of this number from the rows with at least one draw.
    pub(crate) fn tree(&mut self, number: u64, targets: &[i32], draws: &[u8]) -> Result<Tree> {
        let drawn = (0..).zip(targets).zip(draws).filter(|(_, draws)| **draws > 0);
        let samples = drawn.map(|((row, target), draws)| Sample { row, target: *target, draws: u32::from(*draws) });
        self.samples.clear();
        self.samples.extend(samples);
        let mut balance = self.tally.balance();
        let mut tree = Tree::new();
        let root = Pending { samples: 0..self.samples.len(), path: ROOT, level: 0, right_of: None };
        let mut pending = vec![root];
        while let Some(node) = pending.pop() {
            if let Some(parent) = node.right_of {
                let here = position(tree.nodes.len());
                if let Node::Split { right, .. } = &mut tree.nodes[parent] {
                    *right = here;
                }
            }
            let alike = self.add_up(node.samples.clone());
            if node.path == ROOT {
                check_total(self.tally, &self.total)?;
            }
            let mut level = node.level;
            let split = if alike { None } else { self.search(number, &node, &mut level, &mut balance) };
            let Some(split) = split else {
                self.tally.leaf(&mut self.total);
                tree.push_leaf(&self.total, None);
                continue;
            };
            let middle = self.part(node.samples.clone(), split);
            let parent = tree.nodes.len();
            let threshold = self.bins.cut(index(split.feature), split.last_left);
            tree.nodes.push(Node::Split { feature: split.feature, threshold, right: 0 });
            let (left, right) = children(node.path);
            let level = level + 1;
            pending.push(Pending { samples: middle..node.samples.end, path: right, level, right_of: Some(parent) });
            pending.push(Pending { samples: node.samples.start..middle, path: left, level, right_of: None });
        }
        Ok(tree)
    }

    /// Adds up a node's rows; says whether all have the same label.
    fn add_up(&mut self, samples: Range<usize>) -> bool {
        let samples = &self.samples[samples];
        self.total.fill(0);
        let mut alike = true;
        for sample in samples {
            self.tally.add(&mut self.total, sample.target, i64::from(sample.draws));
            alike &= sample.target == samples[0].target;
        }
        alike
    }

    /// The split of a node, at the level where it has one.
    fn search(&mut self, tree: u64, node: &Pending, level: &mut u8, balance: &mut impl Balance) -> Option<Split> {
        let draws = self.tally.draws(&self.total);
        for attempt in 0.. {
            if !self.recipe.may_split(draws, *level) {
                return None;
            }
            let mut search = Search::new(self.recipe.shape.min_samples_leaf);
            let features = self.candidates.of(tree, node.path, attempt);
            if features.is_empty() {
                return None;
            }
            let samples = &self.samples[node.samples.clone()];
            if self.recipe.extra {
                let shares = cutoffs(self.recipe.seed, tree, node.path, attempt);
                for (feature, share) in features.iter().zip(shares) {
                    let column = self.binned.column(*feature);
                    cut_at(self.bins, (*feature, share), samples, column, &self.total, balance, &mut search);
                }
            } else {
                for feature in features {
                    let column = self.binned.column(*feature);
                    for sample in samples {
                        let sums = self.sums.bin_mut(column[index(sample.row)]);
                        self.tally.add(sums, sample.target, i64::from(sample.draws));
                    }
                    scan::every_cut(*feature, &self.sums, &self.total, balance, &mut search);
                    self.sums.clear();
                }
            }
            match search.found(self.bins) {
                Found::Best(split) => return Some(split),
                Found::Nothing => return None,
                Found::Constant => *level += 1,
            }
        }
        None
    }

    /// Brings the rows that go left to the front, each side in its order; returns where the right side starts.
    fn part(&mut self, samples: Range<usize>, split: Split) -> usize {
        let column = self.binned.column(split.feature);
        self.spare.clear();
        let mut end = samples.start;
        for place in samples.clone() {
            let sample = self.samples[place];
            if column[index(sample.row)] <= split.last_left {
                self.samples[end] = sample;
                end += 1;
            } else {
                self.spare.push(sample);
            }
        }
        self.samples[end..samples.end].copy_from_slice(&self.spare);
        end
    }
}

/// As [`scan::one_cut`], of rows in any order.
fn cut_at(
    bins: &Bins,
    (feature, share): (u32, f64),
    samples: &[Sample],
    column: &[u8],
    total: &[i64],
    balance: &mut impl Balance,
    search: &mut Search,
) {
    let bin = |sample: &Sample| column[index(sample.row)];
    let (low, high) = samples.iter().map(bin).fold((u8::MAX, 0), |(low, high), bin| (low.min(bin), high.max(bin)));
    if low >= high {
        return;
    }
    search.note_varies();
    let last_left = scan::place(bins, feature, share, low, high);
    balance.start(total);
    for sample in samples.iter().filter(|sample| bin(sample) <= last_left) {
        balance.shift(sample.target, i64::from(sample.draws));
    }
    search.consider(feature, last_left, last_left + 1, balance);
}
