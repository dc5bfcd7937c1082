//! The shape of a data set: columns, label, and how text becomes numbers.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most columns of a data set.
pub const MAX_COLUMNS: usize = 10_000;
/// Most distinct values of one categorical column, and most classes.
pub const MAX_CATEGORIES: usize = 1_000;

/// Columns in file order (the label left out) and the label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Feature columns in order.
    pub columns: Vec<Column>,
    /// What is predicted.
    pub label: Label,
}

/// A feature column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Header, or `column_3` where the file has none.
    pub name: String,
    /// How a cell becomes numbers.
    pub kind: ColumnKind,
}

/// How a cell becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ColumnKind {
    /// One number; a missing cell becomes `fill` (the median of the training rows).
    Numeric {
        /// Value of a missing cell.
        fill: f64,
    },
    /// One-hot over `values` in this order; a missing or unknown cell is all zeros.
    Categorical {
        /// Distinct values, sorted.
        values: Vec<String>,
    },
}

/// What is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Header of the label column.
    pub name: String,
    /// Classification or regression.
    pub task: Task,
}

/// Classification or regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
    /// One of these classes; the index into the list is the number a model predicts.
    Classification {
        /// Class names as they stand in the file, sorted.
        classes: Vec<String>,
    },
    /// A number, standardised with these statistics of the training rows.
    Regression {
        /// Mean of the label.
        mean: f64,
        /// Standard deviation of the label, never 0.
        deviation: f64,
    },
}

/// Mean and standard deviation per encoded feature, of the training rows: `x' = (x - mean) / deviation`, no further
/// from 0 than `limit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Mean per feature.
    pub mean: Vec<f64>,
    /// Standard deviation per feature, never 0 (1 where a feature is constant).
    pub deviation: Vec<f64>,
    /// Most deviations from the mean that a value counts for, above 0; none: as many as it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl Schema {
    /// Number of encoded features: one per numeric column, one per value of a categorical column.
    pub fn features(&self) -> usize {
        self.columns.iter().map(Column::features).sum()
    }

    /// Which encoded features stand for each column.
    pub fn features_of_columns(&self) -> Vec<Range<usize>> {
        let after = |end: &mut usize, column: &Column| {
            let start = *end;
            *end += column.features();
            Some(start..*end)
        };
        self.columns.iter().scan(0, after).collect()
    }

    /// Names of the encoded features: of a numeric column its name, of a categorical one `name=value` for each of its values.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.features());
        for column in &self.columns {
            match &column.kind {
                ColumnKind::Numeric { .. } => names.push(column.name.clone()),
                ColumnKind::Categorical { values } => {
                    names.extend(values.iter().map(|value| format!("{}={value}", column.name)));
                }
            }
        }
        names
    }

    /// Number of model outputs: one per class, or one for regression.
    pub fn outputs(&self) -> usize {
        match &self.label.task {
            Task::Classification { classes } => classes.len(),
            Task::Regression { .. } => 1,
        }
    }

    /// Checks sizes and numbers.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if self.columns.is_empty() || self.columns.len() > MAX_COLUMNS {
            return refuse("schema.columns", self.columns.len().to_string(), "1 to 10000 columns");
        }
        for column in &self.columns {
            match &column.kind {
                ColumnKind::Numeric { fill } if !fill.is_finite() => {
                    return refuse("schema.columns.fill", format!("{fill} in '{}'", column.name), "a finite number");
                }
                ColumnKind::Categorical { values } if values.is_empty() || values.len() > MAX_CATEGORIES => {
                    return refuse(
                        "schema.columns.values",
                        format!("{} values in '{}'", values.len(), column.name),
                        "1 to 1000 values",
                    );
                }
                _ => {}
            }
        }
        match &self.label.task {
            Task::Classification { classes } if classes.len() < 2 || classes.len() > MAX_CATEGORIES => {
                refuse("schema.label.classes", classes.len().to_string(), "2 to 1000 classes")
            }
            Task::Regression { mean, deviation }
                if !mean.is_finite() || !deviation.is_finite() || *deviation <= 0.0 =>
            {
                refuse("schema.label", format!("mean {mean}, deviation {deviation}"), "finite, deviation above 0")
            }
            _ => Ok(()),
        }
    }
}

impl Column {
    /// Number of encoded features.
    fn features(&self) -> usize {
        match &self.kind {
            ColumnKind::Numeric { .. } => 1,
            ColumnKind::Categorical { values } => values.len(),
        }
    }
}

impl Scaling {
    /// `(x - mean) / deviation` of the features of a row, within the limit if there is one.
    pub fn standardised(&self, row: &[f32]) -> impl Iterator<Item = f64> {
        let limit = self.limit.unwrap_or(f64::INFINITY);
        let statistics = self.mean.iter().zip(&self.deviation);
        row.iter()
            .zip(statistics)
            .map(move |(x, (mean, deviation))| ((f64::from(*x) - mean) / deviation).clamp(-limit, limit))
    }

    /// Checks that there is one finite pair per feature.
    ///
    /// # Errors
    /// [`Error::Spec`] otherwise.
    pub fn validate(&self, features: usize) -> Result<()> {
        let usable = self.mean.len() == features
            && self.deviation.len() == features
            && self.mean.iter().all(|m| m.is_finite())
            && self.deviation.iter().all(|d| d.is_finite() && *d > 0.0);
        if let Some(limit) = self.limit.filter(|limit| !(limit.is_finite() && *limit > 0.0)) {
            return Err(Error::Spec {
                field: "scaling.limit",
                value: limit.to_string(),
                expected: "a finite number above 0".into(),
            });
        }
        if usable {
            return Ok(());
        }
        Err(Error::Spec {
            field: "scaling",
            value: format!("{} means, {} deviations", self.mean.len(), self.deviation.len()),
            expected: format!("{features} finite means and {features} finite deviations above 0"),
        })
    }
}
