//! How good a model is on a set of rows. The figures are those of scikit-learn, to the rounding of the last operations.

use serde::{Deserialize, Serialize};

use crate::confusion::ConfusionMatrix;

/// Metrics of one evaluation. Fields that do not apply to the task, or that the rows leave undefined, are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Rows evaluated.
    pub samples: u64,
    /// Log loss, that is the mean cross-entropy (nats), or mean squared error of the standardised label.
    pub loss: f64,
    /// Share of rows classified right, 0 to 1.
    pub accuracy: Option<f64>,
    /// Mean F1 of the classes that occur, as labels or as predictions, 0 to 1.
    pub macro_f1: Option<f64>,
    /// Area under the ROC curve, 0 to 1, rows of equal scores sharing their ranks: of the second of two classes, otherwise the
    /// mean over classes, each against the others. Absent where a class has no row, or all.
    pub auc: Option<f64>,
    /// Coefficient of determination.
    pub r2: Option<f64>,
    /// Mean absolute error in units of the label.
    pub mae: Option<f64>,
    /// Root of the mean squared error in units of the label.
    pub rmse: Option<f64>,
}

/// Metrics with what a single figure cannot tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The figures.
    pub metrics: Metrics,
    /// Of a classification with few enough classes.
    pub confusion: Option<ConfusionMatrix>,
}

impl Metrics {
    /// The figure that people look at first: accuracy, or R2.
    pub fn headline(&self) -> Option<(&'static str, f64)> {
        self.accuracy.map(|value| ("accuracy", value)).or(self.r2.map(|value| ("r2", value)))
    }

    /// All figures that there are, with what they are called, the headline first.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let figures = [
            ("accuracy", self.accuracy),
            ("macro F1", self.macro_f1),
            ("AUC", self.auc),
            ("R2", self.r2),
            ("MAE", self.mae),
            ("RMSE", self.rmse),
            (if self.accuracy.is_some() { "log loss" } else { "loss" }, Some(self.loss)),
        ];
        figures.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Whether no figure is an infinity or NaN.
    pub fn is_finite(&self) -> bool {
        self.figures().all(|(_, value)| value.is_finite())
    }
}
