//! Weights and intercepts in f64: what an exact method learns, and its file.
//!
//! The file is safetensors with the names of the other linear models, `layers.0.weight` `[outputs, features]` and `layers.0.bias`
//! `[outputs]`, as F64. While a solution is still looked for, `search.weight` and `search.bias` hold the last good point, and
//! `search.progress` what was known there; a model without them is solved. There is one file for equal models.

use safetensors::{Dtype, tensor::TensorView};

use super::problem::Problem;
use crate::{
    Error, Result,
    model::{bias_name, weight_name},
    tensors,
};

const SEARCH: [&str; 3] = ["search.weight", "search.bias", "search.progress"];

/// A point in the space of models.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// `[outputs, features]`.
    pub(crate) weight: Vec<f64>,
    /// `[outputs]`.
    pub(crate) bias: Vec<f64>,
}

/// A linear model in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    pub(crate) point: Point,
    /// None where the model is solved.
    pub(crate) search: Option<Search>,
}

/// Where a solution was looked for last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Search {
    /// The last good point.
    pub(crate) from: Point,
    /// The objective there; the largest f64 where nothing is known yet.
    pub(crate) objective: f64,
    /// Slope of the objective there along the way to the model.
    pub(crate) slope: f64,
    /// Rows that were summed there.
    pub(crate) rows: f64,
}

impl Point {
    pub(super) fn origin(features: usize, outputs: usize) -> Self {
        Self { weight: vec![0.0; features * outputs], bias: vec![0.0; outputs] }
    }

    /// `self + share * (other - self)`.
    pub(super) fn towards(&self, other: &Self, share: f64) -> Self {
        let mix = |from: &[f64], to: &[f64]| from.iter().zip(to).map(|(from, to)| from + share * (to - from)).collect();
        Self { weight: mix(&self.weight, &other.weight), bias: mix(&self.bias, &other.bias) }
    }

    fn values(&self) -> impl Iterator<Item = &f64> {
        self.weight.iter().chain(&self.bias)
    }

    fn fits(&self, features: usize, outputs: usize) -> bool {
        self.bias.len() == outputs && self.weight.len() == features * outputs
    }
}

impl Coefficients {
    /// The model before the first round: zeros.
    pub fn start(problem: &Problem) -> Self {
        let origin = Point::origin(problem.features, problem.outputs);
        Self { point: origin.clone(), search: Some(Search::nowhere(origin)) }
    }

    /// `[outputs, features]`, row-major: by how much an output rises with each standardised feature.
    pub fn weight(&self) -> &[f64] {
        &self.point.weight
    }

    /// `[outputs]`.
    pub fn bias(&self) -> &[f64] {
        &self.point.bias
    }

    /// Whether there is nothing left to improve.
    pub fn is_solved(&self) -> bool {
        self.search.is_none()
    }

    /// Outputs of one row of standardised features.
    pub(crate) fn outputs_of(&self, row: &[f64], outputs: &mut [f64]) {
        let Point { weight, bias } = &self.point;
        for (output, (weight, bias)) in outputs.iter_mut().zip(weight.chunks_exact(row.len()).zip(bias)) {
            *output = weight.iter().zip(row).fold(*bias, |sum, (weight, value)| sum + weight * value);
        }
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tensors = self.tensors();
        let data: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let views = tensors.iter().zip(&data).map(|((name, shape, _), data)| {
            (name, TensorView::new(Dtype::F64, shape.clone(), data).expect("sizes follow from the data"))
        });
        safetensors::serialize(views, None).expect("tensors with valid names serialise")
    }

    fn tensors(&self) -> Vec<(String, Vec<usize>, Vec<f64>)> {
        let outputs = self.point.bias.len();
        let point = |[weight, bias]: [String; 2], point: &Point| {
            let shape = vec![outputs, point.weight.len().checked_div(outputs).unwrap_or(0)];
            [(weight, shape, point.weight.clone()), (bias, vec![outputs], point.bias.clone())]
        };
        let mut tensors = point([weight_name(0), bias_name(0)], &self.point).to_vec();
        if let Some(search) = &self.search {
            let [weight, bias, progress] = SEARCH.map(str::to_owned);
            tensors.extend(point([weight, bias], &search.from));
            tensors.push((progress, vec![3], vec![search.objective, search.slope, search.rows]));
        }
        tensors
    }

    /// Whether a file is one of coefficients and not of weights in f32.
    pub fn is_file_of(bytes: &[u8]) -> bool {
        tensors::open(bytes, usize::MAX).is_ok_and(|file| file.iter().any(|(_, view)| view.dtype() == Dtype::F64))
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Tensors`] when the bytes are too many, not such a file, or hold a value that is not finite.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self> {
        let refuse = |reason: String| Error::Tensors(reason);
        let file = tensors::open(bytes, limit)?;
        let read = |name: &str| {
            let view = file.tensor(name).map_err(|error| refuse(error.to_string()))?;
            if view.dtype() != Dtype::F64 {
                return Err(refuse(format!("'{name}' is {:?}, expected F64", view.dtype())));
            }
            let values: Vec<f64> = view.data().as_chunks::<8>().0.iter().map(|c| f64::from_le_bytes(*c)).collect();
            match values.iter().all(|value| value.is_finite()) {
                true => Ok(values),
                false => Err(refuse(format!("'{name}' has a value that is not finite"))),
            }
        };
        let point = Point { weight: read(&weight_name(0))?, bias: read(&bias_name(0))? };
        let search = match file.len() {
            2 => None,
            _ => {
                let [weight, bias, progress] = SEARCH;
                let [objective, slope, rows] = read(progress)?[..] else {
                    return Err(refuse(format!("'{progress}' does not have 3 values")));
                };
                Some(Search { from: Point { weight: read(weight)?, bias: read(bias)? }, objective, slope, rows })
            }
        };
        let model = Self { point, search };
        // Names, shapes, order and gaps in one comparison.
        if model.to_bytes() == bytes { Ok(model) } else { Err(refuse("the file is not the one of its values".into())) }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check(&self, features: usize, outputs: usize) -> Result<()> {
        let points = std::iter::once(&self.point).chain(self.search.as_ref().map(|search| &search.from));
        if points.into_iter().all(|point| point.fits(features, outputs)) {
            return Ok(());
        }
        let reason = format!("{} values, expected [{outputs}, {features}]", self.point.weight.len());
        Err(Error::Shape { tensor: weight_name(0), reason })
    }

    /// Checks that the sizes are those of a problem.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check_problem(&self, problem: &Problem) -> Result<()> {
        self.check(problem.features, problem.outputs)
    }

    /// Whether no value is larger than this in magnitude, or not a number.
    pub(super) fn is_within(&self, most: f64) -> bool {
        self.point.values().all(|value| value.abs() <= most)
    }

    /// The largest magnitude of a value.
    pub(super) fn magnitude(&self) -> f64 {
        self.point.values().fold(0.0, |largest: f64, value| largest.max(value.abs()))
    }
}

impl Search {
    /// A search that begins here.
    pub(super) fn nowhere(from: Point) -> Self {
        Self { from, objective: f64::MAX, slope: 0.0, rows: 0.0 }
    }
}
