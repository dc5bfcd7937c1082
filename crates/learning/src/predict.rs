//! What a model says about rows, and how good it is on them. Pure Rust, so that whoever has the weights can use them without
//! libtorch; the trainer reports its metrics by the same code.
//!
//! Arithmetic: features are standardised in f64 and rounded to f32; layers run in f32, inputs in order; probabilities and
//! metrics in f64. No sum depends on the number of threads and `exp` and `tanh` are those of the `libm` crate, so that outputs are
//! the same bits on every machine.

mod convolution;
mod dense;
mod layer;

use parity_protocol::{
    metrics::Evaluation,
    model::Model,
    schema::{Scaling, Task},
    spec::SessionSpec,
};
use rayon::prelude::*;

use self::layer::Layer;
use crate::{Error, Result, metrics, model, scaling, table::Table, tensors::Tensors};

/// Rows per task: their activations stay in the second-level cache for layers of up to a few thousand units.
const BLOCK: usize = 64;
/// A model ready to use: weights, standardisation and task.
#[derive(Clone, Debug)]
pub struct Predictor {
    layers: Vec<Layer>,
    width: usize,
    features: usize,
    scaling: Scaling,
    task: Task,
}

/// Predictions for rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Classification.
    Classes {
        /// Index of the likeliest class per row (the first one of equals).
        classes: Vec<usize>,
        /// `[rows, classes]`, each row adding up to 1.
        probabilities: Vec<f64>,
    },
    /// Regression, in units of the label.
    Numbers(Vec<f64>),
}

impl Predictor {
    /// The model of a spec with these weights.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn of_spec(spec: &SessionSpec, tensors: &Tensors) -> Result<Self> {
        Self::new(&spec.model, spec.schema.features(), &spec.schema.label.task, &spec.scaling, tensors)
    }

    /// A model with these weights.
    ///
    /// # Errors
    /// [`Error::Shape`] when the weights are not those of the model, [`Error::Rows`] when the scaling has another number of
    /// features.
    pub fn new(
        architecture: &Model,
        features: usize,
        task: &Task,
        scaling: &Scaling,
        tensors: &Tensors,
    ) -> Result<Self> {
        let outputs = match task {
            Task::Classification { classes } => classes.len(),
            Task::Regression { .. } => 1,
        };
        let sizes = architecture.layers(features, outputs);
        model::check_shapes(&model::shapes_of(&sizes), tensors)?;
        architecture.validate_features(features).map_err(|error| Error::Rows(error.to_string()))?;
        if scaling.validate(features).is_err() {
            return Err(Error::Rows(format!("the scaling is not one of {features} features")));
        }
        let data = |name: String| &tensors.0[&name].data;
        let layers = (sizes.into_iter().enumerate())
            .map(|(index, size)| Layer::new(size, data(model::weight_name(index)), data(model::bias_name(index))));
        Ok(Self { layers: layers.collect(), width: outputs, features, scaling: scaling.clone(), task: task.clone() })
    }

    /// Outputs `[rows, outputs]` for encoded, not yet standardised features `[rows, features]`: logits of the classes, or the
    /// standardised label.
    ///
    /// # Errors
    /// [`Error::Rows`] when `x` is not a whole number of rows or an output is not finite.
    pub fn outputs(&self, x: &[f32]) -> Result<Vec<f32>> {
        let x = scaling::apply(&self.scaling, x)?;
        let width = self.width;
        let mut outputs = vec![0.0; x.len() / self.features * width];
        outputs
            .par_chunks_mut(BLOCK * width)
            .zip(x.par_chunks(BLOCK * self.features))
            .for_each(|(outputs, x)| outputs.copy_from_slice(&self.forward(x)));
        match outputs.iter().position(|value| !value.is_finite()) {
            None => Ok(outputs),
            Some(at) => Err(Error::Rows(format!("the model's output for row {} is {}", at / width, outputs[at]))),
        }
    }

    /// Predictions for encoded, not yet standardised features.
    ///
    /// # Errors
    /// As [`Predictor::outputs`].
    pub fn predict(&self, x: &[f32]) -> Result<Predictions> {
        let outputs = self.outputs(x)?;
        Ok(match &self.task {
            Task::Classification { classes } => {
                let rows = || outputs.chunks(classes.len());
                Predictions::Classes {
                    classes: rows().map(metrics::argmax).collect(),
                    probabilities: rows().flat_map(metrics::softmax).collect(),
                }
            }
            Task::Regression { mean, deviation } => {
                Predictions::Numbers(outputs.iter().map(|value| f64::from(*value) * deviation + mean).collect())
            }
        })
    }

    /// How good the model is on rows with labels.
    ///
    /// # Errors
    /// [`Error::Rows`] without rows, with labels of the other task or an unknown class, and as [`Predictor::outputs`].
    pub fn evaluate(&self, table: &Table) -> Result<Evaluation> {
        if table.features != self.features {
            return Err(Error::Rows(format!("{} features, the model has {}", table.features, self.features)));
        }
        metrics::of_outputs(&self.task, &self.outputs(&table.x)?, &table.labels)
    }

    fn forward(&self, x: &[f32]) -> Vec<f32> {
        self.layers.iter().fold(x.to_vec(), |values, layer| layer.apply(&values))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parity_protocol::model::{Activation, Convolution, Volume};

    use super::*;
    use crate::{table::Labels, tensors::Tensor};

    fn tensors(entries: &[(&str, &[usize], &[f32])]) -> Tensors {
        let tensor = |(name, shape, data): &(&str, &[usize], &[f32])| {
            ((*name).to_owned(), Tensor { shape: shape.to_vec(), data: data.to_vec() })
        };
        Tensors(entries.iter().map(tensor).collect::<BTreeMap<_, _>>())
    }

    fn two_classes() -> Task {
        Task::Classification { classes: vec!["a".into(), "b".into()] }
    }

    #[test]
    fn a_network_is_computed_as_written() {
        let weights = tensors(&[
            ("layers.0.weight", &[2, 2], &[1.0, -1.0, 2.0, 0.5]),
            ("layers.0.bias", &[2], &[0.0, -1.0]),
            ("layers.1.weight", &[2, 2], &[1.0, 0.0, -1.0, 3.0]),
            ("layers.1.bias", &[2], &[0.25, 0.0]),
        ]);
        let scaling = Scaling { mean: vec![1.0, 0.0], deviation: vec![2.0, 1.0], limit: None };
        let model = Model::NeuralNetwork { hidden: vec![2], activation: Activation::Relu, dropout: 0.0 };
        let predictor = Predictor::new(&model, 2, &two_classes(), &scaling, &weights).unwrap();
        // x = (3, 2) -> (1, 2) -> relu(-1, 2) = (0, 2) -> (0.25, 6).
        assert_eq!(predictor.outputs(&[3.0, 2.0]).unwrap(), [0.25, 6.0]);
        let Predictions::Classes { classes, probabilities } = predictor.predict(&[3.0, 2.0]).unwrap() else {
            panic!("classes expected")
        };
        assert_eq!(classes, [1]);
        assert!((probabilities[1] - 1.0 / (1.0 + (-5.75_f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn regression_answers_in_units_of_the_label() {
        let weights = tensors(&[("layers.0.weight", &[1, 1], &[2.0]), ("layers.0.bias", &[1], &[0.0])]);
        let task = Task::Regression { mean: 100.0, deviation: 10.0 };
        let scaling = Scaling { mean: vec![0.0], deviation: vec![1.0], limit: None };
        let predictor = Predictor::new(&Model::LinearRegression {}, 1, &task, &scaling, &weights).unwrap();
        assert_eq!(predictor.predict(&[1.0, -1.0]).unwrap(), Predictions::Numbers(vec![120.0, 80.0]));
        let table = Table { features: 1, x: vec![1.0, -1.0], labels: Labels::Numbers(vec![120.0, 90.0]) };
        let metrics = predictor.evaluate(&table).unwrap().metrics;
        assert!((metrics.loss - 0.5).abs() < 1e-12);
        assert!((metrics.mae.unwrap() - 5.0).abs() < 1e-9);
        assert!((metrics.r2.unwrap() - (1.0 - 100.0 / 450.0)).abs() < 1e-9);
    }

    #[test]
    fn a_convolution_is_computed_as_written() {
        // One 2 x 3 image, a kernel that takes the pixel to the left, the largest of 2 x 2 pixels.
        let kernel = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let weights = tensors(&[
            ("layers.0.weight", &[1, 1, 3, 3], &kernel),
            ("layers.0.bias", &[1], &[-1.0]),
            ("layers.1.weight", &[2, 1], &[1.0, -2.0]),
            ("layers.1.bias", &[2], &[0.0, 0.5]),
        ]);
        let model = Model::ConvolutionalNetwork {
            image: Volume { channels: 1, height: 2, width: 3 },
            convolutions: vec![Convolution { channels: 1, kernel: 3, pool: 2 }],
            hidden: vec![],
            activation: Activation::Relu,
            dropout: 0.0,
        };
        let scaling = Scaling { mean: vec![0.0; 6], deviation: vec![1.0; 6], limit: None };
        let predictor = Predictor::new(&model, 6, &two_classes(), &scaling, &weights).unwrap();
        // Shifted right and less 1: (-1, 0, 1), (-1, 3, 4); the third column is cut off by the pool.
        assert_eq!(predictor.outputs(&[1.0, 2.0, 9.0, 4.0, 5.0, 9.0]).unwrap(), [3.0, -5.5]);
    }

    #[test]
    fn many_rows_give_what_single_rows_give() {
        let model = Model::NeuralNetwork { hidden: vec![7], activation: Activation::Relu, dropout: 0.0 };
        let weights = crate::model::initial_of(&model, 3, 2, 1);
        let scaling = Scaling { mean: vec![0.5; 3], deviation: vec![2.0; 3], limit: None };
        let predictor = Predictor::new(&model, 3, &two_classes(), &scaling, &weights).unwrap();
        let x: Vec<f32> = (0_u16..1500).map(|i| f32::from(i % 37) - 10.0).collect();
        let single: Vec<f32> = x.chunks(3).flat_map(|row| predictor.outputs(row).unwrap()).collect();
        assert_eq!(predictor.outputs(&x).unwrap(), single);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let weights = tensors(&[("layers.0.weight", &[2, 1], &[1.0, f32::MAX]), ("layers.0.bias", &[2], &[0.0, 0.0])]);
        let scaling = Scaling { mean: vec![0.0], deviation: vec![1.0], limit: None };
        let logistic = Model::LogisticRegression {};
        let predictor = Predictor::new(&logistic, 1, &two_classes(), &scaling, &weights).unwrap();
        assert!(predictor.outputs(&[f32::MAX]).is_err());
        let table = |features, labels| Table { features, x: vec![1.0, 1.0], labels };
        assert!(predictor.evaluate(&table(2, Labels::Classes(vec![0]))).is_err());
        assert!(predictor.evaluate(&table(1, Labels::Numbers(vec![0.0, 1.0]))).is_err());
        assert!(predictor.evaluate(&table(1, Labels::Classes(vec![0, 2]))).is_err());
        assert!(predictor.evaluate(&Table { features: 1, x: vec![], labels: Labels::Classes(vec![]) }).is_err());
        assert!(Predictor::new(&logistic, 2, &two_classes(), &scaling, &weights).is_err());
    }
}
