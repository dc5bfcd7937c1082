//! How good a model is on a set of rows.

use serde::{Deserialize, Serialize};

/// Metrics of one evaluation. Fields that do not apply to the task are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Rows evaluated.
    pub samples: u64,
    /// Mean cross-entropy (nats) or mean squared error of the standardised label.
    pub loss: f64,
    /// Share of rows classified right, 0 to 1.
    pub accuracy: Option<f64>,
    /// Coefficient of determination.
    pub r2: Option<f64>,
    /// Mean absolute error in units of the label.
    pub mae: Option<f64>,
}

impl Metrics {
    /// The figure that people look at first: accuracy, or R2.
    pub fn headline(&self) -> Option<(&'static str, f64)> {
        self.accuracy.map(|value| ("accuracy", value)).or(self.r2.map(|value| ("r2", value)))
    }
}
