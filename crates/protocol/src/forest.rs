//! The shape of a random forest or of extra trees, as a spec names it. Names and defaults follow scikit-learn's.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most trees of a forest.
pub const MAX_TREES: u16 = 1000;
/// Most levels of a tree.
pub const MAX_DEPTH: u8 = 64;
/// Most bins of a feature.
pub const MAX_BINS: u8 = 255;

/// How many trees grow, how far, and on which rows and features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForestShape {
    /// Trees, 1 to 1000.
    pub trees: u16,
    /// Levels of splits, 1 to 64; none: 64.
    pub max_depth: Option<u8>,
    /// Rows that a node needs to be split, at least 2. Rows drawn twice count twice.
    pub min_samples_split: u32,
    /// Rows that each side of a split keeps, at least 1. Rows drawn twice count twice.
    pub min_samples_leaf: u32,
    /// Features that a node chooses from.
    pub max_features: MaxFeatures,
    /// Rows that a tree sees.
    pub bootstrap: Bootstrap,
    /// What a row of a class counts.
    pub class_weight: ClassWeight,
    /// How seats grow the forest together.
    pub method: ForestMethod,
    /// Most bins of a feature, 2 to 255. With no more distinct values than this, splits are exact.
    pub bins: u8,
}

/// Features that a node chooses from, drawn anew for every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MaxFeatures {
    /// The square root of the number of features, rounded down.
    Sqrt {},
    /// The binary logarithm of the number of features, rounded down.
    Log2 {},
    /// All features.
    All {},
    /// This many, or all where there are fewer.
    Number {
        /// At least 1.
        features: u32,
    },
}

/// Rows that a tree sees. Every row is drawn on its own, so that the draw does not depend on which seat has the row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Bootstrap {
    /// Every row once.
    None {},
    /// A Poisson number of times with mean `share` (Oza and Russell 2001), the limit of drawing with replacement.
    WithReplacement {
        /// Rows per row, above 0 to 1.
        share: f64,
    },
    /// Once with probability `share`, else not.
    WithoutReplacement {
        /// Probability, above 0 to 1.
        share: f64,
    },
}

/// What a row of a class counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// 1.
    None,
    /// Inversely to the rows of its class, so that all classes count the same.
    Balanced,
}

/// How seats grow a forest together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ForestMethod {
    /// Every seat grows its share of the trees on its own rows in the first round; in the second one all seats fill the leaves.
    Union {
        /// Seats of the session, at most one per tree.
        seats: u16,
    },
    /// All seats grow every tree, one level a round, from summed histograms: the same forest whatever the partition.
    Histogram {},
}

impl MaxFeatures {
    /// The number, of this many features.
    pub fn of(self, features: usize) -> usize {
        let wanted = match self {
            Self::Sqrt {} => features.isqrt(),
            Self::Log2 {} => features.checked_ilog2().map_or(1, |bits| usize::try_from(bits).unwrap_or(1)),
            Self::All {} => features,
            Self::Number { features } => usize::try_from(features).unwrap_or(usize::MAX),
        };
        wanted.clamp(1, features.max(1))
    }
}

impl ForestShape {
    /// A random forest as scikit-learn grows it unless told otherwise; `regression` looks at all features.
    pub fn random_forest(regression: bool) -> Self {
        Self {
            trees: 100,
            max_depth: None,
            min_samples_split: 2,
            min_samples_leaf: 1,
            max_features: if regression { MaxFeatures::All {} } else { MaxFeatures::Sqrt {} },
            bootstrap: Bootstrap::WithReplacement { share: 1.0 },
            class_weight: ClassWeight::None,
            method: ForestMethod::Histogram {},
            bins: MAX_BINS,
        }
    }

    /// Extra trees as scikit-learn grows them unless told otherwise: every tree sees every row.
    pub fn extra_trees(regression: bool) -> Self {
        Self { bootstrap: Bootstrap::None {}, ..Self::random_forest(regression) }
    }

    /// Levels of splits that a tree may have.
    pub fn levels(&self) -> u8 {
        self.max_depth.unwrap_or(MAX_DEPTH)
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if !(1..=MAX_TREES).contains(&self.trees) {
            return refuse("model.trees", self.trees.to_string(), "1 to 1000");
        }
        if !(1..=MAX_DEPTH).contains(&self.levels()) {
            return refuse("model.max_depth", self.levels().to_string(), "1 to 64, or none");
        }
        if self.min_samples_split < 2 {
            return refuse("model.min_samples_split", self.min_samples_split.to_string(), "at least 2");
        }
        if self.min_samples_leaf == 0 {
            return refuse("model.min_samples_leaf", "0".into(), "at least 1");
        }
        if self.max_features == (MaxFeatures::Number { features: 0 }) {
            return refuse("model.max_features", "0".into(), "sqrt, log2, all or a number of at least 1");
        }
        if let Bootstrap::WithReplacement { share } | Bootstrap::WithoutReplacement { share } = self.bootstrap
            && !(share > 0.0 && share <= 1.0)
        {
            return refuse("model.bootstrap.share", share.to_string(), "above 0, at most 1");
        }
        if self.bins < 2 {
            return refuse("model.bins", self.bins.to_string(), "2 to 255");
        }
        match self.method {
            ForestMethod::Union { seats } if seats == 0 || seats > self.trees => {
                let expected = format!("1 to the {} trees, of which every seat grows at least one", self.trees);
                refuse("model.method.seats", seats.to_string(), &expected)
            }
            ForestMethod::Union { .. } | ForestMethod::Histogram {} => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_subsets_have_the_sizes_of_scikit_learn() {
        let of = |kind: MaxFeatures| [1, 4, 30, 64].map(|features| kind.of(features));
        assert_eq!(of(MaxFeatures::Sqrt {}), [1, 2, 5, 8]);
        assert_eq!(of(MaxFeatures::Log2 {}), [1, 2, 4, 6]);
        assert_eq!(of(MaxFeatures::All {}), [1, 4, 30, 64]);
        assert_eq!(of(MaxFeatures::Number { features: 5 }), [1, 4, 5, 5]);
    }

    #[test]
    fn every_range_is_checked() {
        let good = ForestShape::random_forest(false);
        good.validate().unwrap();
        ForestShape::extra_trees(true).validate().unwrap();
        let refused = |change: fn(&mut ForestShape)| {
            let mut shape = good.clone();
            change(&mut shape);
            shape.validate().unwrap_err().to_string()
        };
        assert!(refused(|shape| shape.trees = 0).contains("model.trees is 0"));
        assert!(refused(|shape| shape.trees = 1001).contains("1001"));
        assert!(refused(|shape| shape.max_depth = Some(65)).contains("model.max_depth is 65"));
        assert!(refused(|shape| shape.max_depth = Some(0)).contains("model.max_depth is 0"));
        assert!(refused(|shape| shape.min_samples_split = 1).contains("min_samples_split"));
        assert!(refused(|shape| shape.min_samples_leaf = 0).contains("min_samples_leaf"));
        assert!(refused(|shape| shape.max_features = MaxFeatures::Number { features: 0 }).contains("max_features"));
        assert!(refused(|shape| shape.bootstrap = Bootstrap::WithReplacement { share: f64::NAN }).contains("NaN"));
        assert!(refused(|shape| shape.bootstrap = Bootstrap::WithoutReplacement { share: 1.5 }).contains("1.5"));
        assert!(refused(|shape| shape.bins = 1).contains("model.bins is 1"));
        assert!(refused(|shape| shape.method = ForestMethod::Union { seats: 0 }).contains("seats is 0"));
        assert!(refused(|shape| shape.method = ForestMethod::Union { seats: 101 }).contains("1 to the 100 trees"));
    }
}
