//! Architectures and hyperparameters for users who name none. Chosen by model, width and number of rows alone, never by
//! looking at a data set's test scores.

use std::{fmt, str::FromStr};

use parity_protocol::model::{Model, Optimizer, Training};

use crate::{Error, Result};

/// Seed where the user names none.
pub const SEED: u64 = 0;
/// Share of the rows that becomes the holdout where the user names none.
pub const HOLDOUT_SHARE: f64 = 0.2;

/// What a user calls a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelType {
    /// Multi-layer perceptron.
    NeuralNetwork,
    /// Softmax regression.
    LogisticRegression,
    /// Least squares.
    LinearRegression,
}

impl ModelType {
    /// As typed on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeuralNetwork => "neural_network",
            Self::LogisticRegression => "logistic_regression",
            Self::LinearRegression => "linear_regression",
        }
    }
}

impl fmt::Display for ModelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::NeuralNetwork, Self::LogisticRegression, Self::LinearRegression]
            .into_iter()
            .find(|kind| kind.name() == text.replace('-', "_"))
            .ok_or_else(|| Error::Unknown {
                what: "model type",
                value: text.to_owned(),
                known: "neural_network, logistic_regression, linear_regression",
            })
    }
}

/// An architecture for this many encoded features, outputs and rows. Perceptrons: two hidden layers, the first about twice
/// as wide as the input (16 to 256 units, a power of 2), the second half of it; one layer below 200 rows.
pub fn model(kind: ModelType, features: usize, outputs: usize, rows: usize) -> Model {
    match kind {
        ModelType::LinearRegression => Model::LinearRegression {},
        ModelType::LogisticRegression => Model::LogisticRegression {},
        ModelType::NeuralNetwork => {
            let widest = (2 * features.max(outputs)).next_power_of_two().clamp(16, 256);
            let first = u32::try_from(widest).unwrap_or(256);
            Model::NeuralNetwork { hidden: if rows < 200 { vec![first] } else { vec![first, first / 2] } }
        }
    }
}

/// Hyperparameters for a model trained on this many rows in all seats together.
///
/// Adam with a step that suits standardised features: 0.002 for perceptrons, 0.02 for the convex models. Small data get
/// small batches and more passes, so that a seat makes at least some dozen steps a round; large data get one pass.
pub fn training(model: &Model, rows: usize) -> Training {
    let batch_size = match rows {
        0..2_000 => 16,
        2_000..20_000 => 32,
        20_000..200_000 => 64,
        _ => 128,
    };
    let epochs = match rows {
        0..500 => 10,
        500..5_000 => 5,
        5_000..50_000 => 2,
        _ => 1,
    };
    let learning_rate = match model {
        Model::NeuralNetwork { .. } => 0.002,
        Model::LinearRegression {} | Model::LogisticRegression {} => 0.02,
        // Forests take no gradient step; any valid rate will do.
        Model::RandomForest(_) | Model::ExtraTrees(_) => 0.02,
    };
    Training { optimizer: Optimizer::Adam { learning_rate }, epochs, batch_size, seed: SEED }
}

/// Largest distance from the global model that an update may have: every weight moved by 10 on average (root mean square).
/// Honest rounds on standardised features stay two orders of magnitude below.
#[expect(clippy::cast_precision_loss, reason = "a rough bound")]
pub fn max_update_norm(parameters: usize) -> f64 {
    10.0 * (parameters.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_valid() {
        for kind in [ModelType::NeuralNetwork, ModelType::LogisticRegression, ModelType::LinearRegression] {
            assert_eq!(kind.name().parse::<ModelType>().unwrap(), kind);
            for (features, outputs, rows) in [(1, 1, 2), (30, 2, 455), (4, 3, 120), (9_999, 1_000, 10_000_000)] {
                let model = model(kind, features, outputs, rows);
                model.validate().unwrap();
                training(&model, rows).validate().unwrap();
            }
        }
    }

    #[test]
    fn an_unknown_model_type_names_the_known_ones() {
        let message = "transformer".parse::<ModelType>().unwrap_err().to_string();
        assert!(message.contains("'transformer'") && message.contains("neural_network"), "{message}");
        assert_eq!("neural-network".parse::<ModelType>().unwrap(), ModelType::NeuralNetwork);
    }
}
