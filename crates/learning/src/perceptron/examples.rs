//! Rows as a network sees them: standardised, with targets in the units of its loss.

use parity_protocol::schema::{Scaling, Task};

use crate::{
    Error, Result, scaling,
    table::{Labels, Table},
};

/// Standardised rows with their targets.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Values per row.
    pub features: usize,
    /// `[rows, features]`, standardised.
    pub x: Vec<f32>,
    /// One per row.
    pub targets: Targets,
}

/// What a network should give.
#[derive(Clone, Debug)]
pub enum Targets {
    /// Indices of classes: the loss is the cross-entropy of the softmax.
    Classes(Vec<usize>),
    /// Standardised labels: the loss is the squared error.
    Numbers(Vec<f32>),
}

impl Examples {
    /// Standardises the rows of a table.
    ///
    /// # Errors
    /// [`Error::Rows`] when the scaling has another number of features, the labels are not those of the task, or a class is unknown.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
    pub fn new(table: &Table, scaling: &Scaling, task: &Task) -> Result<Self> {
        let targets = match (&table.labels, task) {
            (Labels::Numbers(numbers), Task::Regression { mean, deviation }) => {
                let standard = |value: &f32| ((f64::from(*value) - mean) / deviation) as f32;
                Targets::Numbers(numbers.iter().map(standard).collect())
            }
            (Labels::Classes(numbers), Task::Classification { classes }) => {
                let known = |class: &i64| {
                    let index = usize::try_from(*class).ok().filter(|class| *class < classes.len());
                    index.ok_or_else(|| {
                        Error::Rows(format!("a row has class {class}, the task knows 0 to {}", classes.len() - 1))
                    })
                };
                Targets::Classes(numbers.iter().map(known).collect::<Result<_>>()?)
            }
            _ => return Err(Error::Rows("the labels do not fit the task".into())),
        };
        if table.features != scaling.mean.len() {
            let expected = scaling.mean.len();
            return Err(Error::Rows(format!("{} features, the scaling has {expected}", table.features)));
        }
        Ok(Self { features: table.features, x: scaling::apply(scaling, &table.x)?, targets })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.targets {
            Targets::Classes(classes) => classes.len(),
            Targets::Numbers(numbers) => numbers.len(),
        }
    }

    /// The values of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.x[row * self.features..(row + 1) * self.features]
    }
}
