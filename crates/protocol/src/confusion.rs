//! Which classes a model takes for which.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most classes of a confusion matrix: 4,096 counts are some 36 KB of a manifest and still a table that a person can read.
pub const MAX_CONFUSION_CLASSES: usize = 64;

/// Rows of each class (outer, in the order of the schema) that a model took for each class (inner).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix(Vec<Vec<u64>>);

/// How well a model tells one class from the others. A share of nothing is absent; scikit-learn says 0 there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Share of the rows taken for the class that are of it.
    pub precision: Option<f64>,
    /// Share of the rows of the class that were taken for it.
    pub recall: Option<f64>,
    /// Harmonic mean of both; absent where no row is of the class nor taken for it.
    pub f1: Option<f64>,
    /// Rows of the class.
    pub support: u64,
}

impl ConfusionMatrix {
    /// A matrix of these counts.
    ///
    /// # Errors
    /// [`Error::Confusion`] when it is not square, has fewer than 2 or more than [`MAX_CONFUSION_CLASSES`] classes, or counts
    /// more rows than 64 bits.
    pub fn new(counts: Vec<Vec<u64>>) -> Result<Self> {
        let classes = counts.len();
        if !(2..=MAX_CONFUSION_CLASSES).contains(&classes) {
            return Err(Error::Confusion(format!("{classes} classes, expected 2 to {MAX_CONFUSION_CLASSES}")));
        }
        if let Some(row) = counts.iter().find(|row| row.len() != classes) {
            return Err(Error::Confusion(format!("a row of {} counts for {classes} classes", row.len())));
        }
        let total = counts.iter().flatten().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        total.ok_or_else(|| Error::Confusion("it counts more rows than 64 bits can".to_owned()))?;
        Ok(Self(counts))
    }

    /// The counts, by class of the row and class it was taken for.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.0
    }

    /// Figures of every class.
    pub fn per_class(&self) -> Vec<ClassFigures> {
        let figures = |(class, row): (usize, &Vec<u64>)| {
            let taken = self.0.iter().map(|row| row[class]).sum();
            ClassFigures::new(row[class], taken, row.iter().sum())
        };
        self.0.iter().enumerate().map(figures).collect()
    }
}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = Error;

    fn try_from(counts: Vec<Vec<u64>>) -> Result<Self> {
        Self::new(counts)
    }
}

impl ClassFigures {
    /// Of a class with `support` rows, when `taken` rows were taken for it, `hits` of them rightly.
    pub fn new(hits: u64, taken: u64, support: u64) -> Self {
        Self {
            precision: share(hits, taken),
            recall: share(hits, support),
            f1: share(hits.saturating_mul(2), taken.saturating_add(support)),
            support,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_class_follow_from_the_counts() {
        let matrix = ConfusionMatrix::new(vec![vec![3, 1, 0], vec![2, 2, 0], vec![0, 0, 0]]).unwrap();
        let figures = matrix.per_class();
        assert_eq!((figures[0].precision, figures[0].recall, figures[0].support), (Some(0.6), Some(0.75), 4));
        assert_eq!(figures[1].f1, Some(4.0 / 7.0));
        assert_eq!(figures[2], ClassFigures { precision: None, recall: None, f1: None, support: 0 });
    }

    #[test]
    fn what_is_no_matrix_of_classes_is_refused() {
        let read = |json: &str| serde_json::from_str::<ConfusionMatrix>(json).map_err(|error| error.to_string());
        assert_eq!(read("[[1,2],[3,4]]").unwrap().counts(), [[1, 2], [3, 4]]);
        assert!(read("[[1]]").unwrap_err().contains("1 classes"));
        assert!(read("[[1,2],[3]]").unwrap_err().contains("a row of 1 counts"));
        assert!(read("[[18446744073709551615,1],[0,0]]").unwrap_err().contains("64 bits"));
    }
}
