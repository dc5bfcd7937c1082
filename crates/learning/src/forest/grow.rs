//! Growing a forest level by level from summed histograms, without seeing a row.
//!
//! What comes out is what [`fit_with`](crate::forest::fit_with) makes of the rows of all seats together, bit by bit, however
//! the rows are dealt to seats and in whichever order the histograms come.

use crate::{
    Error, Result,
    forest::{
        bins::Bins,
        cells::{read_cells, read_head},
        draw::{Candidates, cutoffs},
        fit::{check_bins, check_total},
        frontier::{Open, open_nodes},
        histogram::Histograms,
        recipe::Recipe,
        scan::{self, BinSums},
        search::{Found, Search, Split},
        split::{Gini, Tally, Variance},
        tree::{Forest, Growth, Kind, Leaf, Node, Tree, index, position},
        varint::Reader,
    },
};

/// The forest before the first level: every tree one open leaf.
///
/// # Errors
/// [`Error::Forest`] when the bins do not fit the recipe or every feature is constant.
pub fn start(recipe: &Recipe, bins: &Bins) -> Result<Forest> {
    check_bins(recipe, bins)?;
    if bins.usable().is_empty() {
        return Err(Error::Forest("every feature has a single value, so there is nothing to learn from".into()));
    }
    let mut tree = Tree::new();
    tree.push_leaf(&[], Some(0));
    Ok(Forest {
        features: position(recipe.features),
        kind: recipe.kind,
        trees: vec![tree; usize::from(recipe.shape.trees)],
        growth: Some(Growth { level: 0, weights: Vec::new(), bins: bins.clone() }),
    })
}

/// Grows the next level from the histograms of all seats. Without any histogram the forest stays as it is.
///
/// # Errors
/// [`Error::Forest`] when forest, recipe and histograms do not belong together, [`Error::Rows`] when the seats count more than
/// 2^32 draws of a tree.
pub fn grow(forest: &Forest, recipe: &Recipe, seats: &[Histograms]) -> Result<Forest> {
    let growth = recipe.growth_of(forest)?;
    if seats.is_empty() {
        return Ok(forest.clone());
    }
    let weights = match growth.weights.is_empty() {
        false => growth.weights.clone(),
        true => {
            let mut rows = vec![0; seats[0].rows.len()];
            let each = seats.iter().flat_map(|seat| seat.rows.iter().enumerate());
            each.for_each(|(class, count)| rows[class] += count);
            recipe.weights(&rows)
        }
    };
    let trees = match recipe.kind {
        Kind::Classes(_) => Level::new(forest, recipe, growth, seats, &Gini { weights: weights.clone() }).grow()?,
        Kind::Numbers => Level::new(forest, recipe, growth, seats, &Variance).grow()?,
    };
    let growth = Growth { level: growth.level + 1, weights, bins: growth.bins.clone() };
    let grown = Forest { trees, growth: Some(growth), ..*forest };
    Ok(if grown.has_open_leaf() { grown } else { Forest { growth: None, ..grown } })
}

impl Recipe {
    /// The growth of a forest that belongs to this recipe.
    pub(crate) fn growth_of<'a>(&self, forest: &'a Forest) -> Result<&'a Growth> {
        if forest.features() != self.features
            || forest.kind != self.kind
            || forest.trees.len() != usize::from(self.shape.trees)
        {
            return Err(Error::Forest(format!(
                "{} trees of {} features ({:?}), the recipe says {} trees of {} features ({:?})",
                forest.trees.len(),
                forest.features(),
                forest.kind,
                self.shape.trees,
                self.features,
                self.kind
            )));
        }
        forest.growth.as_ref().ok_or_else(|| Error::Forest("it is finished; no level is left to grow".into()))
    }
}

/// One level of growth.
struct Level<'a, T> {
    forest: &'a Forest,
    recipe: &'a Recipe,
    growth: &'a Growth,
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
    fn new(forest: &'a Forest, recipe: &'a Recipe, growth: &'a Growth, seats: &'a [Histograms], tally: &'a T) -> Self {
        Self {
            forest,
            recipe,
            growth,
            seats: seats.iter().map(Histograms::nodes).collect(),
            tally,
            candidates: recipe.candidates(&growth.bins),
            sums: BinSums::new(recipe.kind.width()),
        }
    }

    fn grow(mut self) -> Result<Vec<Tree>> {
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
        let threshold = self.growth.bins.cut(index(split.feature), split.last_left);
        let right = position(tree.nodes.len() + 2);
        tree.nodes.push(Node::Split { feature: split.feature, threshold, right });
        for mut total in children {
            // Whether numbers are all alike shows in the next round.
            let alike = self.recipe.kind != Kind::Numbers && is_pure(&total);
            let may_split = self.recipe.may_split(self.tally.draws(&total), self.growth.level + 1);
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
            let bins = self.growth.bins.values(index(*feature)).len();
            for seat in &telling {
                read_cells(&mut self.seats[*seat], kind, bins, &mut self.sums)?;
            }
            let total = total.get_or_insert_with(|| self.sums.total());
            check_total(self.tally, total)?;
            if self.recipe.extra {
                let share = shares.next().expect("there is no end of shares");
                scan::one_cut((*feature, share), &self.sums, &self.growth.bins, total, &mut balance, &mut search);
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
        if !self.recipe.may_split(draws, self.growth.level) {
            return Ok(Outcome::Leaf(Some(total), None));
        }
        Ok(match (search.found(&self.growth.bins), kept.pop()) {
            (Found::Best(split), Some((_, sums))) => {
                let left = sums.up_to(split.last_left);
                let right = total.iter().zip(&left).map(|(total, left)| total - left).collect();
                Outcome::Split(split, [left, right])
            }
            (Found::Constant, _) => {
                let waits = open.waits + 1;
                let more = !self.candidates.of(tree, open.path, waits).is_empty();
                let may_split = self.recipe.may_split(draws, self.growth.level + 1);
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
