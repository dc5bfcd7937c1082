//! Architectures and hyperparameters for users who name none. Chosen by model, width and number of rows alone, never by
//! looking at a data set's test scores.

use std::{fmt, str::FromStr};

use parity_protocol::{
    forest::ForestShape,
    model::{Activation, Convolution, Model, Volume},
    training::{Optimizer, Schedule, Training, unknowns},
};

use crate::{Error, Result};

/// Seed where the user names none.
pub const SEED: u64 = 0;
/// Longest schedule that a spec may have.
const MAX_ROUNDS: u16 = 10_000;
/// Share of the rows that becomes the holdout where the user names none.
pub const HOLDOUT_SHARE: f64 = 0.2;

/// Most unknowns for which a regression is solved exactly where the user names no method: a seat tells at most 8 MB a round.
const AFFORDABLE: usize = 1_000;

/// What a user calls a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelType {
    /// Multi-layer perceptron.
    NeuralNetwork,
    /// Softmax regression.
    LogisticRegression,
    /// Least squares.
    LinearRegression,
    /// Convolutions over an image, then a perceptron.
    ConvolutionalNetwork,
    /// Trees on drawn rows.
    RandomForest,
    /// Trees with random thresholds.
    ExtraTrees,
}

impl ModelType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NeuralNetwork,
        Self::LogisticRegression,
        Self::LinearRegression,
        Self::ConvolutionalNetwork,
        Self::RandomForest,
        Self::ExtraTrees,
    ];

    /// As typed on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeuralNetwork => "neural_network",
            Self::LogisticRegression => "logistic_regression",
            Self::LinearRegression => "linear_regression",
            Self::ConvolutionalNetwork => "convolutional_network",
            Self::RandomForest => "random_forest",
            Self::ExtraTrees => "extra_trees",
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
        let name = match text.replace('-', "_") {
            short if short == "cnn" => Self::ConvolutionalNetwork.name().to_owned(),
            long => long,
        };
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| Error::Unknown {
            what: "model type",
            value: text.to_owned(),
            known: "neural_network, logistic_regression, linear_regression, convolutional_network (cnn), \
                    random_forest, extra_trees",
        })
    }
}

/// An architecture for this many encoded features, outputs and rows. Perceptrons: two hidden layers, the first about twice
/// as wide as the input (16 to 256 units, a power of 2), the second half of it; one layer below 200 rows. Convolutional
/// networks: see [`convolutional`], over a square image of one channel.
///
/// # Errors
/// [`Error::Rows`] when a convolutional network is asked for and the features are not the pixels of a square.
pub fn model(kind: ModelType, features: usize, outputs: usize, rows: usize) -> Result<Model> {
    Ok(match kind {
        ModelType::LinearRegression => Model::LinearRegression {},
        ModelType::RandomForest => Model::RandomForest(ForestShape::random_forest(outputs == 1)),
        ModelType::ExtraTrees => Model::ExtraTrees(ForestShape::extra_trees(outputs == 1)),
        ModelType::LogisticRegression => Model::LogisticRegression {},
        ModelType::NeuralNetwork => {
            let widest = (2 * features.max(outputs)).next_power_of_two().clamp(16, 256);
            let first = u32::try_from(widest).unwrap_or(256);
            let hidden = if rows < 200 { vec![first] } else { vec![first, first / 2] };
            Model::NeuralNetwork { hidden, activation: Activation::Relu, dropout: 0.0 }
        }
        ModelType::ConvolutionalNetwork => {
            let side = features.isqrt();
            if side * side != features {
                let reason = format!("{features} features are not the pixels of a square image; state its shape");
                return Err(Error::Rows(reason));
            }
            let side = u32::try_from(side).unwrap_or(u32::MAX);
            convolutional(Volume { channels: 1, height: side, width: side })
        }
    })
}

/// Convolutions of 3 x 3 pixels: two of them, so that a unit sees 5 x 5 pixels before any is thrown away, then one after each
/// pool of 2 x 2 while both sides are at least 4 (three pools at most). 16 channels below 4,000 values an image (more pixels cost more
/// than more channels bring there), else 8; twice as many with each further layer. Then one dense layer of 64 units.
pub fn convolutional(image: Volume) -> Model {
    let mut channels = if image.values() < 4_000 { 16 } else { 8 };
    let mut convolutions = vec![Convolution { channels, kernel: 3, pool: 1 }];
    let mut side = image.height.min(image.width);
    while convolutions.len() < 4 && (side >= 4 || convolutions.len() == 1) {
        let pool = if side >= 4 { 2 } else { 1 };
        channels *= 2;
        convolutions.push(Convolution { channels, kernel: 3, pool });
        side /= pool;
    }
    Model::ConvolutionalNetwork { image, convolutions, hidden: vec![64], activation: Activation::Relu, dropout: 0.0 }
}

/// Hyperparameters of descent for a model trained in so many rounds on this many rows in all seats together.
///
/// Adam with a step that suits standardised features: 0.005 for networks, 0.02 for the convex models, at 2,000 rows and more. Small
/// data get small batches and more passes, so that a seat makes at least some dozen steps a round, and longer steps, by the square root
/// of what is missing to 2,000 rows and at most 5 times; large data get one pass.
///
/// The step of networks falls over the session as half a cosine that would end one round after the last. Where seats differ, each
/// round pulls the model apart by what a step is long, so that the mean of long steps never settles (Li et al. 2020, "On the
/// convergence of FedAvg on non-iid data", theorem 4: without decay FedAvg stays away from the optimum).
pub fn training(model: &Model, rows: usize, rounds: u16) -> Training {
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
        Model::NeuralNetwork { .. } | Model::ConvolutionalNetwork { .. } => 0.005,
        Model::LinearRegression {} | Model::LogisticRegression {} => 0.02,
        // Forests take no gradient step; any valid rate will do.
        Model::RandomForest(_) | Model::ExtraTrees(_) => 0.02,
    };
    let schedule = match model {
        Model::NeuralNetwork { .. } | Model::ConvolutionalNetwork { .. } => {
            Schedule::Cosine { rounds: rounds.saturating_add(1).clamp(2, MAX_ROUNDS) }
        }
        _ => Schedule::Constant {},
    };
    let learning_rate = learning_rate * small(rows);
    Training { optimizer: Optimizer::Adam { learning_rate }, schedule, epochs, batch_size, proximal: 0.0, seed: SEED }
}

/// The exact method of a model, where there is one and it is affordable: least squares without a ridge, or Newton's method with a ridge of
/// 1, as scikit-learn's `LinearRegression` and `LogisticRegression` have it.
pub fn exact(model: &Model, features: usize, outputs: usize) -> Option<Optimizer> {
    let optimizer = match model {
        Model::LinearRegression {} => Optimizer::LeastSquares { ridge: 0.0 },
        Model::LogisticRegression {} => Optimizer::Newton { ridge: 1.0 },
        _ => return None,
    };
    (unknowns(features, outputs) <= AFFORDABLE).then_some(optimizer)
}

#[expect(clippy::cast_precision_loss, reason = "a rough factor")]
fn small(rows: usize) -> f64 {
    (2_000.0 / rows.clamp(1, 2_000) as f64).sqrt().min(5.0)
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
        for kind in ModelType::ALL {
            assert_eq!(kind.name().parse::<ModelType>().unwrap(), kind);
            for (features, outputs, rows) in [(1, 1, 2), (36, 2, 455), (4, 3, 120), (10_000, 1_000, 10_000_000)] {
                let model = model(kind, features, outputs, rows).unwrap();
                model.validate().unwrap();
                model.validate_features(features).unwrap();
                for rounds in [1, 30, u16::MAX] {
                    training(&model, rows, rounds).validate().unwrap();
                }
                if let Some(optimizer) = exact(&model, features, outputs) {
                    optimizer.validate_model(&model, features, outputs).unwrap();
                    assert!(model.is_linear() && features < 1_000);
                }
            }
        }
    }

    #[test]
    fn a_convolutional_network_wants_a_square() {
        let message = model(ModelType::ConvolutionalNetwork, 30, 2, 100).unwrap_err().to_string();
        assert!(message.contains("30 features"), "{message}");
    }

    #[test]
    fn an_unknown_model_type_names_the_known_ones() {
        let message = "transformer".parse::<ModelType>().unwrap_err().to_string();
        assert!(message.contains("'transformer'") && message.contains("neural_network"), "{message}");
        assert_eq!("neural-network".parse::<ModelType>().unwrap(), ModelType::NeuralNetwork);
    }
}
