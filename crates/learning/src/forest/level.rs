//! One level of growth: what becomes of every open node, given what all seats tell of it.

use crate::{
    Error, Result,
    forest::{
        bins::Bins,
        cells::{read_cells, read_head},
        draw::{Candidates, cutoffs},
        fit::check_total,
        frontier::{Open, open_nodes},
        histogram::Histograms,
        recipe::Recipe,
        scan::{self, BinSums},
        search::{Found, Search, Split},
        split::Tally,
        tree::{Forest, Kind, Leaf, Node, Tree, index, position},
        varint::Reader,
    },
};

/// One level of growth.
pub(crate) struct Level<'a, T> {
    forest: &'a Forest,
    recipe: &'a Recipe,
    bins: &'a Bins,
    level: u8,
    seats: Vec<Reader<'a>>,
    tally: &'a T,
    candidates: Candidates,
    sums: BinSums,
}

/// What becomes of an open node, with what it and its children add up to.
enum Outcome {
    /// It stays a leaf; it is open while it waits.
    Leaf(Option<Vec<i64>>, Option<u8>),
    /// It is split.
    Split(Split, [Vec<i64>; 2]),
}

impl<'a, T: Tally> Level<'a, T> {
    pub(crate) fn new(
        forest: &'a Forest,
        recipe: &'a Recipe,
        (bins, level): (&'a Bins, u8),
        seats: &'a [Histograms],
        tally: &'a T,
    ) -> Self {
        Self {
            forest,
            recipe,
            bins,
            level,
            seats: seats.iter().map(Histograms::nodes).collect(),
            tally,
            candidates: recipe.candidates(bins),
            sums: BinSums::new(recipe.kind.width()),
        }
    }

    /// The trees after this level.
    pub(crate) fn grow(mut self) -> Result<Vec<Tree>> {
        let forest = self.forest;
        forest.trees.iter().zip(0..).map(|(tree, number)| self.tree(tree, number)).collect()
    }

    /// The tree with its open nodes decided. A split puts two nodes more in its place, which moves all nodes after it.
    fn tree(&mut self, tree: &Tree, number: u64) -> Result<Tree> {
        let mut decided = Vec::new();
        for open in open_nodes(tree) {
            decided.push((open.node, self.decide(number, &open)?));
        }
        let splits: Vec<usize> = decided
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Split(..)))
            .map(|(node, _)| *node)
            .collect();
        let moved = |node: u32| node + 2 * position(splits.partition_point(|split| *split < index(node)));
        let mut grown = Tree { vote: tree.vote, ..Tree::new() };
        let mut decided = decided.into_iter().peekable();
        for (at, node) in tree.nodes.iter().enumerate() {
            match (decided.next_if(|(node, _)| *node == at), node) {
                (Some((_, Outcome::Split(split, children))), _) => self.push_split(&mut grown, split, children),
                (Some((_, Outcome::Leaf(Some(mut total), open))), _) => {
                    self.tally.leaf(&mut total);
                    grown.push_leaf(&total, open);
                }
                (Some((_, Outcome::Leaf(None, open))), Node::Leaf(leaf)) => push_same(&mut grown, tree, *leaf, open),
                (_, Node::Leaf(leaf)) => push_same(&mut grown, tree, *leaf, leaf.open),
                (_, Node::Split { feature, threshold, right }) => {
                    let right = moved(*right);
                    grown.nodes.push(Node::Split { feature: *feature, threshold: *threshold, right });
                }
            }
        }
        Ok(grown)
    }

    fn push_split(&self, tree: &mut Tree, split: Split, children: [Vec<i64>; 2]) {
        let threshold = self.bins.cut(index(split.feature), split.last_left);
        let right = position(tree.nodes.len() + 2);
        tree.nodes.push(Node::Split { feature: split.feature, threshold, right });
        for mut total in children {
            // Whether numbers are all alike shows in the next round.
            let alike = self.recipe.kind != Kind::Numbers && is_pure(&total);
            let may_split = self.recipe.may_split(self.tally.draws(&total), self.level + 1);
            self.tally.leaf(&mut total);
            tree.push_leaf(&total, (may_split && !alike).then_some(0));
        }
    }

    /// Reads what all seats tell of a node and decides.
    fn decide(&mut self, tree: u64, open: &Open) -> Result<Outcome> {
        let kind = self.recipe.kind;
        let mut telling = Vec::new();
        let mut range: Option<(i64, i64)> = None;
        for (seat, reader) in self.seats.iter_mut().enumerate() {
            if let Some((least, most)) = read_head(reader, kind)? {
                telling.push(seat);
                range = Some(range.map_or((least, most), |known| (known.0.min(least), known.1.max(most))));
            }
        }
        let mut search = Search::new(self.recipe.shape.min_samples_leaf);
        let mut balance = self.tally.balance();
        let mut shares = cutoffs(self.recipe.seed, tree, open.path, open.waits);
        let mut total: Option<Vec<i64>> = None;
        let mut kept: Vec<(u32, BinSums)> = Vec::new();
        if telling.is_empty() {
            return Ok(Outcome::Leaf(None, None));
        }
        for feature in self.candidates.of(tree, open.path, open.waits) {
            let bins = self.bins.values(index(*feature)).len();
            for seat in &telling {
                read_cells(&mut self.seats[*seat], kind, bins, &mut self.sums)?;
            }
            let total = total.get_or_insert_with(|| self.sums.total());
            check_total(self.tally, total)?;
            if self.recipe.extra {
                let share = shares.next().expect("there is no end of shares");
                scan::one_cut((*feature, share), &self.sums, self.bins, total, &mut balance, &mut search);
            } else {
                scan::every_cut(*feature, &self.sums, total, &mut balance, &mut search);
            }
            if search.is_best(*feature) {
                kept = vec![(*feature, self.sums.clone())];
            }
            self.sums.clear();
        }
        let total = total.ok_or_else(|| Error::Forest("an open node has no feature to choose from".into()))?;
        let alike = match kind {
            Kind::Numbers => range.is_none_or(|(least, most)| least == most),
            Kind::Classes(_) => is_pure(&total),
        };
        if alike {
            return Ok(Outcome::Leaf(Some(total), None));
        }
        let draws = self.tally.draws(&total);
        if !self.recipe.may_split(draws, self.level) {
            return Ok(Outcome::Leaf(Some(total), None));
        }
        Ok(match (search.found(self.bins), kept.pop()) {
            (Found::Best(split), Some((_, sums))) => {
                let left = sums.up_to(split.last_left);
                let right = total.iter().zip(&left).map(|(total, left)| total - left).collect();
                Outcome::Split(split, [left, right])
            }
            (Found::Constant, _) => {
                let waits = open.waits + 1;
                let more = !self.candidates.of(tree, open.path, waits).is_empty();
                let may_split = self.recipe.may_split(draws, self.level + 1);
                Outcome::Leaf(Some(total), (more && may_split).then_some(waits))
            }
            _ => Outcome::Leaf(Some(total), None),
        })
    }
}

/// Whether all rows have the same class.
fn is_pure(total: &[i64]) -> bool {
    total.iter().filter(|count| **count > 0).count() < 2
}

fn push_same(grown: &mut Tree, tree: &Tree, leaf: Leaf, open: Option<u8>) {
    let start = position(grown.entries.len());
    grown.entries.extend_from_slice(tree.entries(leaf));
    grown.nodes.push(Node::Leaf(Leaf { start, end: position(grown.entries.len()), open }));
}
