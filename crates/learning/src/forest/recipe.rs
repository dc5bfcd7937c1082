//! What a forest is grown by: shape, kind of tree, label and seed.

use parity_protocol::{
    forest::{ClassWeight, ForestShape},
    model::Model,
    schema::Task,
    spec::SessionSpec,
};

use crate::{
    Error, Result,
    forest::{
        bins::Bins,
        draw::{Candidates, Draws},
        tree::Kind,
        varint::Reader,
    },
    table::{Labels, Table},
};

/// Units of a standard deviation: 2^20, so that a label keeps six digits and sums of 2^32 rows fit 64 bits.
const UNIT: f64 = 1_048_576.0;
/// Balanced classes together count about this much in a tree, so that squares fit 64 bits.
const BALANCED_TOTAL: u64 = 1 << 28;
/// Finest resolution of a class weight.
const FINEST_WEIGHT: u64 = 1 << 16;

/// What a forest is grown by.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub(crate) shape: ForestShape,
    /// Extra trees: thresholds are drawn, not searched.
    pub(crate) extra: bool,
    pub(crate) features: usize,
    pub(crate) kind: Kind,
    /// Mean and standard deviation of a numeric label.
    pub(crate) scale: (f64, f64),
    pub(crate) seed: u64,
}

impl Recipe {
    /// The recipe of a spec.
    ///
    /// # Errors
    /// As [`Recipe::new`].
    pub fn of_spec(spec: &SessionSpec) -> Result<Self> {
        Self::new(&spec.model, spec.schema.features(), &spec.schema.label.task, spec.training.seed)
    }

    /// The recipe of this model for rows of so many features.
    ///
    /// # Errors
    /// [`Error::Forest`] when the model is no forest, its shape is out of range, or there are more than 1000 classes.
    pub fn new(model: &Model, features: usize, task: &Task, seed: u64) -> Result<Self> {
        let shape = model.forest().ok_or_else(|| Error::Forest(format!("{model:?} is not a forest")))?;
        shape.validate().map_err(|error| Error::Forest(error.to_string()))?;
        if features == 0 || u32::try_from(features).is_err() {
            return Err(Error::Forest(format!("{features} features; at least 1 is needed")));
        }
        let (kind, scale) = match task {
            Task::Classification { classes } => (Kind::Classes(classes_of(classes.len())?), (0.0, 1.0)),
            Task::Regression { mean, deviation } => (Kind::Numbers, (*mean, *deviation)),
        };
        let extra = matches!(model, Model::ExtraTrees(_));
        Ok(Self { shape: shape.clone(), extra, features, kind, scale, seed })
    }

    /// Checks that rows have these features and this kind of label.
    pub(crate) fn check(&self, table: &Table) -> Result<()> {
        if table.features != self.features {
            return Err(Error::Rows(format!("{} features, the forest has {}", table.features, self.features)));
        }
        self.check_labels(&table.labels)?;
        if table.rows() == 0 || u32::try_from(table.rows()).is_err() {
            return Err(Error::Rows(format!("{} rows; a forest grows on 1 to 2^32 - 1", table.rows())));
        }
        Ok(())
    }

    fn check_labels(&self, labels: &Labels) -> Result<()> {
        match (self.kind, labels) {
            (Kind::Classes(_), Labels::Numbers(_)) => {
                Err(Error::Rows("the labels are numbers, the forest predicts classes".into()))
            }
            (Kind::Numbers, Labels::Classes(_)) => {
                Err(Error::Rows("the labels are classes, the forest predicts a number".into()))
            }
            _ => Ok(()),
        }
    }

    /// Labels as whole numbers: the class, or units of 2^-20 standard deviations from the mean (at most ±2047 deviations).
    pub(crate) fn targets(&self, labels: &Labels) -> Result<Vec<i32>> {
        self.check_labels(labels)?;
        let classes = match labels {
            Labels::Numbers(numbers) => return Ok(numbers.iter().map(|label| self.target(*label)).collect()),
            Labels::Classes(classes) => classes,
        };
        let known = self.kind.width();
        let target = |(row, class): (usize, &i64)| {
            let is_known = usize::try_from(*class).is_ok_and(|class| class < known);
            i32::try_from(*class)
                .ok()
                .filter(|_| is_known)
                .ok_or_else(|| Error::Rows(format!("row {row} has class {class}, the forest knows 0 to {}", known - 1)))
        };
        classes.iter().enumerate().map(target).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounded and clamped to the range before")]
    fn target(&self, label: f32) -> i32 {
        let (mean, deviation) = self.scale;
        ((f64::from(label) - mean) / deviation * UNIT).round().clamp(-2_147_000_000.0, 2_147_000_000.0) as i32
    }

    /// What rows of each class count. Balanced (King and Zeng 2001): rows / (classes · rows of the class), in whole numbers.
    /// Empty for numbers.
    pub(crate) fn weights(&self, rows: &[u64]) -> Vec<u32> {
        match (self.kind, self.shape.class_weight) {
            (Kind::Numbers, _) => Vec::new(),
            (Kind::Classes(classes), ClassWeight::None) => vec![1; usize::from(classes)],
            (Kind::Classes(_), ClassWeight::Balanced) => {
                let total: u64 = rows.iter().sum();
                let present = rows.iter().filter(|rows| **rows > 0).fold(0, |present: u64, _| present + 1);
                let scale = (BALANCED_TOTAL / total.max(1)).clamp(1, FINEST_WEIGHT);
                let weight = |rows: &u64| {
                    let share = (present * rows).max(1);
                    u32::try_from((scale * total + share / 2) / share).unwrap_or(u32::MAX).max(1)
                };
                rows.iter().map(weight).collect()
            }
        }
    }

    /// Rows per class, or one number for all rows.
    pub(crate) fn count(&self, targets: &[i32]) -> Vec<u64> {
        match self.kind {
            Kind::Numbers => vec![u64::try_from(targets.len()).expect("a length fits 64 bits")],
            Kind::Classes(classes) => {
                let mut rows = vec![0; usize::from(classes)];
                for target in targets {
                    rows[usize::try_from(*target).expect("a class is not negative")] += 1;
                }
                rows
            }
        }
    }

    /// Reads what [`Recipe::count`] gives.
    pub(crate) fn read_rows(&self, reader: &mut Reader<'_>) -> Result<Vec<u64>> {
        let parts = if self.kind == Kind::Numbers { 1 } else { self.kind.width() };
        (0..parts).map(|_| reader.number_in(0, u64::from(u32::MAX), "rows")).collect()
    }

    pub(crate) fn draws(&self) -> Draws {
        Draws::new(self.shape.bootstrap)
    }

    pub(crate) fn candidates(&self, bins: &Bins) -> Candidates {
        Candidates::new(self.seed, self.shape.max_features.of(self.features), bins.usable())
    }

    /// Whether a node with so many drawn rows, not known to be all alike, may be split at this level.
    pub(crate) fn may_split(&self, draws: i64, level: u8) -> bool {
        let (split, leaf) = (i64::from(self.shape.min_samples_split), i64::from(self.shape.min_samples_leaf));
        level < self.shape.levels() && draws >= split && draws >= 2 * leaf
    }
}

/// A number of classes as it is stored.
pub(crate) fn classes_of(classes: usize) -> Result<u16> {
    u16::try_from(classes)
        .ok()
        .filter(|classes| (1..=1000).contains(classes))
        .ok_or_else(|| Error::Forest(format!("{classes} classes, a forest knows 1 to 1000")))
}

/// A sum of targets in standard deviations.
#[expect(clippy::cast_precision_loss, reason = "a mean of many labels needs no more than 53 bits")]
pub(crate) fn deviations(sum: i64, rows: i64) -> f64 {
    sum as f64 / UNIT / rows as f64
}
