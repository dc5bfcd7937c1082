//! Encoded rows: what a shard, a holdout or a private data set looks like in memory and as bytes.
//!
//! Features are encoded (one number each) but not standardised; the scaling travels in the session spec.

use std::collections::HashMap;

use safetensors::{Dtype, tensor::TensorView};

use crate::{Error, Result, tensors};

/// What is to be predicted, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Indices into the classes of the schema.
    Classes(Vec<i64>),
    /// Numbers in units of the label.
    Numbers(Vec<f32>),
}

impl Labels {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of these rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(rows.iter().map(|&row| classes[row]).collect()),
            Self::Numbers(numbers) => Self::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
        }
    }
}

/// Rows of encoded features with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Features per row.
    pub features: usize,
    /// `[rows, features]`, row-major, not standardised.
    pub x: Vec<f32>,
    /// One label per row.
    pub labels: Labels,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// The features of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.x[row * self.features..(row + 1) * self.features]
    }

    /// These rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut x = Vec::with_capacity(rows.len() * self.features);
        for &row in rows {
            x.extend_from_slice(self.row(row));
        }
        Self { features: self.features, x, labels: self.labels.select(rows) }
    }

    /// A safetensors file with `x` (f32 `[rows, features]`) and `y` (i64 or f32 `[rows]`). Equal tables have equal bytes.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let rows = self.rows();
        let x: Vec<u8> = self.x.iter().flat_map(|value| value.to_le_bytes()).collect();
        let (dtype, y): (_, Vec<u8>) = match &self.labels {
            Labels::Classes(classes) => (Dtype::I64, classes.iter().flat_map(|class| class.to_le_bytes()).collect()),
            Labels::Numbers(numbers) => (Dtype::F32, numbers.iter().flat_map(|value| value.to_le_bytes()).collect()),
        };
        let view = |dtype, shape, data| TensorView::new(dtype, shape, data).expect("sizes follow from the data");
        let views = [("x", view(Dtype::F32, vec![rows, self.features], &x)), ("y", view(dtype, vec![rows], &y))];
        safetensors::serialize(views, None).expect("two tensors with valid names serialise")
    }

    /// Reads a file of [`Table::to_safetensors`].
    ///
    /// # Errors
    /// [`Error::Tensors`] when the bytes are not such a file, [`Error::Rows`] when a feature or label is not finite or a
    /// class is negative.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let file = tensors::open(bytes, usize::MAX)?;
        let views: HashMap<&str, TensorView<'_>> = file.iter().collect();
        let find = |name: &str| {
            views.get(name).ok_or_else(|| Error::Tensors(format!("'{name}' is missing, expected 'x' and 'y'")))
        };
        let (x, y) = (find("x")?, find("y")?);
        let (Dtype::F32, &[rows, features], true) = (x.dtype(), x.shape(), views.len() == 2) else {
            return Err(Error::Tensors(format!(
                "{} tensors, x is {:?} {:?}; expected x and y alone, x as F32 [rows, features]",
                views.len(),
                x.dtype(),
                x.shape()
            )));
        };
        if y.shape() != [rows] {
            return Err(Error::Tensors(format!("y has shape {:?}, expected [{rows}]", y.shape())));
        }
        let labels = match y.dtype() {
            Dtype::I64 => Labels::Classes(y.data().as_chunks::<8>().0.iter().map(|c| i64::from_le_bytes(*c)).collect()),
            Dtype::F32 => Labels::Numbers(tensors::floats(y.data())),
            other => return Err(Error::Tensors(format!("y is {other:?}, expected I64 or F32"))),
        };
        let table = Self { features, x: tensors::floats(x.data()), labels };
        table.check()?;
        Ok(table)
    }

    fn check(&self) -> Result<()> {
        if self.features == 0 {
            return Err(Error::Rows("there is no feature".into()));
        }
        if let Some(at) = self.x.iter().position(|value| !value.is_finite()) {
            let (row, feature) = (at / self.features, at % self.features);
            return Err(Error::Rows(format!(
                "feature {feature} of row {row} is {}, expected a finite number",
                self.x[at]
            )));
        }
        match &self.labels {
            Labels::Classes(classes) => {
                if let Some(row) = classes.iter().position(|class| *class < 0) {
                    return Err(Error::Rows(format!("the class of row {row} is {}, expected 0 or more", classes[row])));
                }
            }
            Labels::Numbers(numbers) => {
                if let Some(row) = numbers.iter().position(|value| !value.is_finite()) {
                    let value = numbers[row];
                    return Err(Error::Rows(format!("the label of row {row} is {value}, expected a finite number")));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        Table { features: 2, x: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], labels: Labels::Classes(vec![0, 2, 1]) }
    }

    #[test]
    fn a_table_survives_its_bytes() {
        let classes = sample();
        assert_eq!(Table::from_safetensors(&classes.to_safetensors()).unwrap(), classes);
        let numbers = Table { labels: Labels::Numbers(vec![0.5, -1.5, 2.0]), ..sample() };
        assert_eq!(Table::from_safetensors(&numbers.to_safetensors()).unwrap(), numbers);
    }

    #[test]
    fn selected_rows_keep_their_labels() {
        let picked = sample().select(&[2, 0]);
        assert_eq!(picked.x, [5.0, 6.0, 1.0, 2.0]);
        assert_eq!(picked.labels, Labels::Classes(vec![1, 0]));
    }

    #[test]
    fn broken_files_are_refused_with_the_place() {
        let nan = Table { x: vec![1.0, 2.0, 3.0, f32::NAN, 5.0, 6.0], ..sample() };
        let message = Table::from_safetensors(&nan.to_safetensors()).unwrap_err().to_string();
        assert!(message.contains("feature 1 of row 1 is NaN"), "{message}");
        let negative = Table { labels: Labels::Classes(vec![0, -1, 1]), ..sample() };
        assert!(matches!(Table::from_safetensors(&negative.to_safetensors()), Err(Error::Rows(_))));
        let bytes = sample().to_safetensors();
        assert!(matches!(Table::from_safetensors(&bytes[..20]), Err(Error::Tensors(_))));
        assert!(matches!(
            Table::from_safetensors(&crate::tensors::Tensors::default().to_bytes()),
            Err(Error::Tensors(_))
        ));
    }
}
