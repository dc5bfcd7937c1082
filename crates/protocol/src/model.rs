//! Model architectures and training hyperparameters, as a spec names them.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, forest::ForestShape};

/// Most hidden units of one layer.
pub const MAX_UNITS: u32 = 16_384;
/// Most hidden layers.
pub const MAX_LAYERS: usize = 32;

/// The architecture. Inputs and outputs follow from the schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// Least squares: `y = Wx + b`.
    LinearRegression {},
    /// Softmax over `Wx + b`.
    LogisticRegression {},
    /// Multi-layer perceptron with ReLU between layers.
    NeuralNetwork {
        /// Units per hidden layer, input side first.
        hidden: Vec<u32>,
    },
    /// Trees on drawn rows, best thresholds (Breiman 2001). Without layers.
    RandomForest(ForestShape),
    /// Trees with random thresholds (Geurts, Ernst and Wehenkel 2006). Without layers.
    ExtraTrees(ForestShape),
}

/// One dense layer `[outputs, inputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Columns of the weight.
    pub inputs: usize,
    /// Rows of the weight, length of the bias.
    pub outputs: usize,
}

impl Model {
    /// Dense layers from input to output; none where the model is a forest.
    pub fn layers(&self, features: usize, outputs: usize) -> Vec<Layer> {
        let hidden: &[u32] = match self {
            Self::NeuralNetwork { hidden } => hidden,
            Self::LinearRegression {} | Self::LogisticRegression {} => &[],
            Self::RandomForest(_) | Self::ExtraTrees(_) => return Vec::new(),
        };
        let mut inputs = features;
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        for &units in hidden {
            let units = usize::try_from(units).unwrap_or(usize::MAX);
            layers.push(Layer { inputs, outputs: units });
            inputs = units;
        }
        layers.push(Layer { inputs, outputs });
        layers
    }

    /// The shape of the forest, where the model is one.
    pub fn forest(&self) -> Option<&ForestShape> {
        match self {
            Self::RandomForest(shape) | Self::ExtraTrees(shape) => Some(shape),
            Self::LinearRegression {} | Self::LogisticRegression {} | Self::NeuralNetwork { .. } => None,
        }
    }

    /// Checks sizes.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        if let Some(shape) = self.forest() {
            return shape.validate();
        }
        if let Self::NeuralNetwork { hidden } = self
            && (hidden.is_empty() || hidden.len() > MAX_LAYERS || hidden.iter().any(|u| *u == 0 || *u > MAX_UNITS))
        {
            return Err(Error::Spec {
                field: "model.hidden",
                value: format!("{hidden:?}"),
                expected: "1 to 32 layers of 1 to 16384 units".into(),
            });
        }
        Ok(())
    }
}

/// How a runner trains in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The optimiser; its state starts anew each round.
    pub optimizer: Optimizer,
    /// Passes over the local rows per round, 1 to 1000.
    pub epochs: u32,
    /// Rows per step, 1 to 65536.
    pub batch_size: u32,
    /// Seed of initial weights, shuffles and partitions.
    pub seed: u64,
}

/// The optimiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Step size, above 0 to 10.
        learning_rate: f64,
        /// Momentum, 0 to below 1.
        momentum: f64,
    },
    /// Adam (Kingma and Ba 2015) with beta 0.9 and 0.999, epsilon 1e-8.
    Adam {
        /// Step size, above 0 to 10.
        learning_rate: f64,
    },
}

impl Training {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if !(1..=1000).contains(&self.epochs) {
            return refuse("training.epochs", self.epochs.to_string(), "1 to 1000");
        }
        if !(1..=65_536).contains(&self.batch_size) {
            return refuse("training.batch_size", self.batch_size.to_string(), "1 to 65536");
        }
        let rate = match &self.optimizer {
            Optimizer::Sgd { learning_rate, momentum } => {
                if !(0.0..1.0).contains(momentum) {
                    return refuse("training.optimizer.momentum", momentum.to_string(), "0 to below 1");
                }
                *learning_rate
            }
            Optimizer::Adam { learning_rate } => *learning_rate,
        };
        if !(rate > 0.0 && rate <= 10.0) {
            return refuse("training.optimizer.learning_rate", rate.to_string(), "above 0, at most 10");
        }
        Ok(())
    }
}
