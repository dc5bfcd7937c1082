//! The best split of a node among many.

use crate::forest::{bins::Bins, split::Balance, tree::index};

/// A split of a node: rows in bins up to `last_left` of `feature` go left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: u32,
    pub(crate) last_left: u8,
}

/// What a search for a split found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    /// Every candidate feature is constant.
    Constant,
    /// No cut leaves enough rows on both sides.
    Nothing,
    /// The best split.
    Best(Split),
}

/// The best cut of all candidates; of equals the first one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    min_leaf: i64,
    varies: bool,
    gain: f64,
    /// Feature, and the bins on both sides of the cut.
    best: Option<(u32, u8, u8)>,
}

impl Search {
    pub(crate) fn new(min_leaf: u32) -> Self {
        Self { min_leaf: i64::from(min_leaf), varies: false, gain: f64::NEG_INFINITY, best: None }
    }

    /// A feature has more than one value.
    pub(crate) fn note_varies(&mut self) {
        self.varies = true;
    }

    /// Considers the cut between two bins.
    #[inline]
    pub(crate) fn consider(&mut self, feature: u32, low: u8, high: u8, balance: &impl Balance) {
        let (left, right) = balance.draws();
        if left >= self.min_leaf && right >= self.min_leaf {
            let gain = balance.gain();
            if gain > self.gain {
                (self.gain, self.best) = (gain, Some((feature, low, high)));
            }
        }
    }

    /// Whether the best cut so far is one of this feature.
    pub(crate) fn is_best(&self, feature: u32) -> bool {
        self.best.is_some_and(|(best, ..)| best == feature)
    }

    /// What was found. The cut lies where the middle between the representatives of both bins does.
    pub(crate) fn found(&self, bins: &Bins) -> Found {
        match self.best {
            None if self.varies => Found::Nothing,
            None => Found::Constant,
            Some((feature, low, high)) => {
                let place = index(feature);
                let value = |bin: u8| f64::from(bins.values(place)[usize::from(bin)]);
                let middle = f64::midpoint(value(low), value(high));
                Found::Best(Split { feature, last_left: bins.last_below(place, middle, low, high) })
            }
        }
    }
}
