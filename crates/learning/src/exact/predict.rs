//! What coefficients say about rows. Arithmetic is in f64, features in order.

use parity_protocol::{
    metrics::Evaluation,
    schema::{Scaling, Task},
};
use rayon::prelude::*;

use super::coefficients::Coefficients;
use crate::{
    Error, Result,
    metrics::{self, argmax},
    predict::Predictions,
    table::Table,
};

/// Rows per task.
const BLOCK: usize = 256;

/// Coefficients ready to use: with standardisation and task.
#[derive(Clone, Debug)]
pub struct LinearPredictor {
    model: Coefficients,
    scaling: Scaling,
    task: Task,
    features: usize,
}

impl LinearPredictor {
    /// A model with these coefficients.
    ///
    /// # Errors
    /// [`Error::Shape`] when the coefficients are not those of features and task, [`Error::Rows`] when the scaling has another number of
    /// features.
    pub fn new(model: &Coefficients, features: usize, task: &Task, scaling: &Scaling) -> Result<Self> {
        let outputs = match task {
            Task::Classification { classes } => classes.len(),
            Task::Regression { .. } => 1,
        };
        model.check(features, outputs)?;
        if features == 0 || scaling.validate(features).is_err() {
            return Err(Error::Rows(format!("the scaling is not one of {features} features")));
        }
        Ok(Self { model: model.clone(), scaling: scaling.clone(), task: task.clone(), features })
    }

    /// Outputs `[rows, outputs]` for encoded, not yet standardised features `[rows, features]`: logits of the classes, or the
    /// standardised label.
    ///
    /// # Errors
    /// [`Error::Rows`] when `x` is not a whole number of rows or an output is not finite.
    pub fn outputs(&self, x: &[f32]) -> Result<Vec<f64>> {
        let (features, width) = (self.features, self.model.bias().len());
        if !x.len().is_multiple_of(features) {
            return Err(Error::Rows(format!("{} values do not make rows of {features} features", x.len())));
        }
        let mut outputs = vec![0.0; x.len() / features * width];
        outputs.par_chunks_mut(width).zip(x.par_chunks(features)).with_min_len(BLOCK).for_each(|(outputs, row)| {
            let row: Vec<f64> = self.scaling.standardised(row).collect();
            self.model.outputs_of(&row, outputs);
        });
        // What metrics cannot hold counts as infinite.
        match outputs.iter().position(|value| !(0.0..=f64::from(f32::MAX)).contains(&value.abs())) {
            None => Ok(outputs),
            Some(at) => Err(Error::Rows(format!("the model's output for row {} is {}", at / width, outputs[at]))),
        }
    }

    /// Predictions for encoded, not yet standardised features.
    ///
    /// # Errors
    /// As [`LinearPredictor::outputs`].
    pub fn predict(&self, x: &[f32]) -> Result<Predictions> {
        let outputs = self.outputs(x)?;
        Ok(match &self.task {
            Task::Classification { classes } => {
                let rows = || outputs.chunks(classes.len());
                Predictions::Classes {
                    classes: rows().map(argmax).collect(),
                    probabilities: rows().flat_map(softmax).collect(),
                }
            }
            Task::Regression { mean, deviation } => {
                Predictions::Numbers(outputs.iter().map(|value| value * deviation + mean).collect())
            }
        })
    }

    /// How good the model is on rows with labels.
    ///
    /// # Errors
    /// [`Error::Rows`] without rows, with labels of the other task or an unknown class, and as [`LinearPredictor::outputs`].
    #[expect(
        clippy::cast_possible_truncation,
        reason = "metrics are computed from f32 outputs, as those of other models"
    )]
    pub fn evaluate(&self, table: &Table) -> Result<Evaluation> {
        if table.features != self.features {
            return Err(Error::Rows(format!("{} features, the model has {}", table.features, self.features)));
        }
        let outputs: Vec<f32> = self.outputs(&table.x)?.iter().map(|value| *value as f32).collect();
        metrics::of_outputs(&self.task, &outputs, &table.labels)
    }
}

/// Probabilities from logits.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits[argmax(logits)];
    let shares = logits.iter().map(|logit| libm::exp(logit - largest));
    let total: f64 = shares.clone().sum();
    shares.map(|share| share / total).collect()
}
