//! The session spec: what is learned and how. Its digest is fixed on chain at creation.
//!
//! Money, seats, rounds and periods are not here: they stand in the terms of the contract, once.

use serde::{Deserialize, Serialize};

use crate::{
    B256, Error, Link, Result,
    aggregation::Rule,
    codec::Block,
    forest::ForestMethod,
    metrics::Metrics,
    model::Model,
    schema::{Scaling, Schema, Task},
    training::{Optimizer, Training},
};

pub use crate::{aggregation::Aggregation, compression::Compression, partition::Partition};

/// Version of the spec format.
pub const VERSION: u32 = 1;
/// Most characters of a session name.
pub const MAX_NAME: usize = 128;
/// Groups of similar value that stand in for classes where the label is a number: ten, so that a group of a few hundred
/// rows still has dozens.
pub const NUMERIC_GROUPS: usize = 10;

/// What is learned and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSpec {
    /// [`VERSION`].
    pub version: u32,
    /// What people call it, 1 to 128 characters.
    pub name: String,
    /// Shape of the data.
    pub schema: Schema,
    /// Standardisation of the features.
    pub scaling: Scaling,
    /// Where the data comes from.
    pub data: Data,
    /// The architecture.
    pub model: Model,
    /// Hyperparameters.
    pub training: Training,
    /// How updates become the next model.
    pub aggregation: Aggregation,
    /// How updates are made smaller.
    pub compression: Compression,
    /// Who may see what.
    pub privacy: Privacy,
    /// Trainer image that runners must use (`sha256:…`); none: each runner's own accepted image.
    pub image: Option<String>,
    /// Largest L2 norm of `update - model` that is accepted.
    pub max_update_norm: f64,
    /// Accuracy (R2 where the label is a number) on the holdout that ends the session early.
    pub target: Option<f64>,
}

/// Where the data comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Data {
    /// Every runner brings its own; nothing but updates leaves its machine.
    Private {
        /// Most samples that count for one update's weight.
        max_samples: u64,
    },
    /// The requester's file, partitioned and sealed per seat.
    Uploaded {
        /// How rows were dealt to seats.
        partition: Partition,
        /// Least rows of its own that every seat has, 1 or more.
        min_samples: u64,
        /// Rows of other seats that a seat has besides, per row of its own: 0 (none) to 1.
        overlap_ratio: f64,
        /// Training rows per seat, those of other seats included.
        shard_rows: Vec<u64>,
        /// Rows of the holdout that is sealed to the keepers; 0: there is none.
        holdout_rows: u64,
        /// sha2-256 of its file, so that all keepers score by the same rows; not looked at where there is none.
        holdout_digest: B256,
    },
}

/// Who may see what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// Updates are public.
    None,
    /// Updates are sealed to the keepers.
    Low,
}

impl Block for SessionSpec {
    const KIND: &'static str = "session spec";
}

impl SessionSpec {
    /// Reads a spec from its block and checks every field.
    ///
    /// # Errors
    /// When the block is not canonical or a field is out of range.
    pub fn read(block: &[u8]) -> Result<Self> {
        let spec = Self::from_block(block)?;
        spec.validate()?;
        Ok(spec)
    }

    /// The link of the spec's block.
    ///
    /// # Errors
    /// As [`Block::to_block`].
    pub fn link(&self) -> Result<Link> {
        Ok(Link::from_digest(self.digest()?))
    }

    /// Whether a model that is so good on the holdout ends the session.
    pub fn is_reached(&self, metrics: &Metrics) -> bool {
        self.target.is_some_and(|target| metrics.headline().is_some_and(|(_, value)| value >= target))
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the first field that is out of range, its value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if self.version != VERSION {
            return refuse("version", self.version.to_string(), "1");
        }
        let characters = self.name.chars().count();
        if characters == 0 || characters > MAX_NAME {
            return refuse("name", format!("{characters} characters"), "1 to 128 characters");
        }
        self.schema.validate()?;
        self.scaling.validate(self.schema.features())?;
        self.model.validate()?;
        self.model.validate_features(self.schema.features())?;
        self.training.validate()?;
        self.compression.validate()?;
        if !self.max_update_norm.is_finite() || self.max_update_norm <= 0.0 {
            return refuse("max_update_norm", self.max_update_norm.to_string(), "a finite number above 0");
        }
        match (&self.model, &self.schema.label.task) {
            (Model::LinearRegression {}, Task::Classification { .. }) => {
                return refuse("model", "linear_regression".into(), "a classifier, because the label has classes");
            }
            (Model::LogisticRegression {}, Task::Regression { .. }) => {
                return refuse(
                    "model",
                    "logistic_regression".into(),
                    "a regression model, because the label is a number",
                );
            }
            _ => {}
        }
        self.data.validate(&self.schema)?;
        self.validate_target()?;
        self.validate_aggregation()?;
        self.validate_forest()?;
        self.validate_exact()
    }

    fn validate_exact(&self) -> Result<()> {
        let optimizer = &self.training.optimizer;
        optimizer.validate_model(&self.model, self.schema.features(), self.schema.outputs())?;
        if !optimizer.is_exact() {
            return Ok(());
        }
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if self.aggregation != Aggregation::fed_avg() {
            let value = format!("{:?}", self.aggregation);
            return refuse(
                "aggregation",
                value,
                "fedavg over all seats, because what seats tell an exact method is summed",
            );
        }
        if !self.compression.is_none() {
            let value = self.compression.to_string();
            return refuse("compression", value, "none, because what seats tell an exact method is summed exactly");
        }
        Ok(())
    }

    fn validate_target(&self) -> Result<()> {
        let Some(target) = self.target else { return Ok(()) };
        let refuse =
            |value: String, expected: &str| Err(Error::Spec { field: "target", value, expected: expected.to_owned() });
        if !(target > 0.0 && target <= 1.0) {
            return refuse(target.to_string(), "above 0, at most 1: an accuracy, or R2 where the label is a number");
        }
        match &self.data {
            Data::Uploaded { holdout_rows: 1.., .. } => Ok(()),
            Data::Uploaded { .. } => refuse(target.to_string(), "none without held-out rows to measure it on"),
            Data::Private { .. } => refuse(
                target.to_string(),
                "none with private data: there are no held-out rows, and what runners say of themselves ends no session",
            ),
        }
    }

    fn validate_forest(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        let Some(shape) = self.model.forest() else { return Ok(()) };
        let mut plain = Aggregation::fed_avg();
        match (shape.method, &self.data) {
            (ForestMethod::Union { seats }, Data::Uploaded { shard_rows, .. })
                if usize::from(seats) != shard_rows.len() =>
            {
                let expected = format!("the {} seats of the session", shard_rows.len());
                return refuse("model.method.seats", seats.to_string(), &expected);
            }
            // Who is not drawn in the first round would have no trees in the forest.
            (ForestMethod::Union { .. }, _) => {}
            (ForestMethod::Histogram {}, _) => plain.participation = self.aggregation.participation,
        }
        if self.aggregation != plain {
            let value = format!("{:?}", self.aggregation);
            return refuse("aggregation", value, "fedavg, because what seats tell of a forest is summed");
        }
        if !self.compression.is_none() {
            let value = self.compression.to_string();
            return refuse("compression", value, "none, because what seats tell of a forest is summed exactly");
        }
        Ok(())
    }

    fn validate_aggregation(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        let seats = match &self.data {
            Data::Private { .. } => None,
            Data::Uploaded { shard_rows, .. } => Some(shard_rows.len()),
        };
        let aggregation = &self.aggregation;
        aggregation.validate(seats)?;
        if aggregation.control.is_some() && !matches!(self.training.optimizer, Optimizer::Sgd { .. }) {
            return refuse(
                "aggregation.control",
                "scaffold".into(),
                "the optimiser sgd, whose steps it is computed from",
            );
        }
        if let Rule::RootData { rows } = aggregation.rule {
            match &self.data {
                Data::Uploaded { holdout_rows, .. } if *holdout_rows / 2 >= u64::from(rows) => {}
                _ => {
                    return refuse(
                        "aggregation.rule.rows",
                        rows.to_string(),
                        "no more than half of the rows of the holdout",
                    );
                }
            }
        }
        Ok(())
    }
}

impl Data {
    /// Rows of the holdout and the digest of its file, where there is one.
    pub fn holdout(&self) -> Option<(u64, B256)> {
        match self {
            Self::Uploaded { holdout_rows: rows @ 1.., holdout_digest, .. } => Some((*rows, *holdout_digest)),
            _ => None,
        }
    }

    fn validate(&self, schema: &Schema) -> Result<()> {
        let refuse = |field, value: String, expected: String| Err(Error::Spec { field, value, expected });
        let Self::Uploaded { partition, min_samples, overlap_ratio, shard_rows, .. } = self else {
            let Self::Private { max_samples: 0 } = self else { return Ok(()) };
            return refuse("data.max_samples", "0".into(), "at least 1".into());
        };
        partition.validate()?;
        let groups = match &schema.label.task {
            Task::Classification { classes } => classes.len(),
            Task::Regression { .. } => NUMERIC_GROUPS,
        };
        if let Partition::LabelSkew { classes } = partition
            && usize::try_from(*classes).map_or(true, |classes| classes > groups)
        {
            let expected =
                format!("at most the {groups} classes of the label (tenths of the rows, where it is a number)");
            return refuse("data.partition.classes", classes.to_string(), expected);
        }
        if *min_samples == 0 {
            return refuse("data.min_samples", "0".into(), "at least 1".into());
        }
        if !(0.0..=1.0).contains(overlap_ratio) {
            return refuse("data.overlap_ratio", overlap_ratio.to_string(), "0 (none) to 1".into());
        }
        if shard_rows.is_empty() || shard_rows.iter().any(|rows| rows < min_samples) {
            let expected = format!("at least {min_samples} for every seat");
            return refuse("data.shard_rows", format!("{shard_rows:?}"), expected);
        }
        Ok(())
    }
}
