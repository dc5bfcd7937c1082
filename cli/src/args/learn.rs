//! What is learned: model, optimiser, hyperparameters. Every flag has a default that follows from the data.

use clap::{Args, ValueEnum};
use parity_learning::defaults::ModelType;
use parity_protocol::{
    aggregation::Aggregation,
    compression::Compression,
    model::{Activation, Convolution},
    training::Schedule,
};

use super::forest::ForestArgs;

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerKind {
    /// Stochastic gradient descent
    Sgd,
    /// Adam
    Adam,
    /// Adam with weight decay apart from the gradient
    Adamw,
    /// Linear regression in one round, exact
    LeastSquares,
    /// Logistic regression in about eight rounds, to the last digits
    Newton,
}

/// Flags about learning that sessions and simulations share.
#[derive(Clone, Debug, Args)]
pub(crate) struct LearnArgs {
    /// neural_network, logistic_regression, linear_regression, convolutional_network (cnn), random_forest or extra_trees; one of
    /// the regressions when absent, by task
    #[arg(long, value_name = "TYPE")]
    pub(crate) model_type: Option<ModelType>,
    /// Units per hidden layer, for example 64,32
    #[arg(long, value_delimiter = ',', value_name = "UNITS")]
    pub(crate) hidden: Vec<u32>,
    /// Between layers: relu, leaky_relu, tanh or sigmoid
    #[arg(long, value_parser = activation)]
    pub(crate) activation: Option<Activation>,
    /// Share of hidden units left out in each training step
    #[arg(long, value_name = "SHARE")]
    pub(crate) dropout: Option<f64>,
    /// Convolutional layers as CHANNELS:KERNEL:POOL, for example 16:3:2,32:3:2
    #[arg(long, value_delimiter = ',', value_parser = convolution, value_name = "LAYERS")]
    pub(crate) convolutions: Vec<Convolution>,
    /// The optimiser; when absent, regressions of up to 1000 unknowns are solved exactly unless a flag or rule of descent is given, and
    /// other models are trained with adam
    #[arg(long, value_enum)]
    pub(crate) optimizer: Option<OptimizerKind>,
    /// Step size
    #[arg(long, value_name = "STEP")]
    pub(crate) learning_rate: Option<f64>,
    /// Momentum of sgd; 0.9 when absent
    #[arg(long)]
    pub(crate) momentum: Option<f64>,
    /// Weight decay of adamw; 0.01 when absent
    #[arg(long)]
    pub(crate) weight_decay: Option<f64>,
    /// Weight of the squared coefficients; 0 for least-squares and 1 for newton when absent
    #[arg(long)]
    pub(crate) ridge: Option<f64>,
    /// How the step size changes from round to round: constant, cosine:ROUNDS or step:ROUNDS; when absent, networks follow a cosine
    /// over the session's rounds, other models keep their step
    #[arg(long, value_parser = schedule)]
    pub(crate) schedule: Option<Schedule>,
    /// Passes over the local rows per round
    #[arg(long)]
    pub(crate) epochs: Option<u32>,
    /// Rows per step
    #[arg(long, value_name = "ROWS")]
    pub(crate) batch_size: Option<u32>,
    /// How updates become the next model, parts joined by +: fedavg, fedadam, fedyogi, scaffold, median, trimmed-mean:0.2,
    /// krum:4, multi-krum:4, geometric-median, centred-clipping, nnm:4, sample:0.5 and others
    #[arg(long, default_value = "fedavg", value_name = "RULE")]
    pub(crate) rule: Aggregation,
    /// How updates are made smaller: none, int8 (a byte per value) or top-k:SHARE (the largest changes), with what is left out
    /// carried to the seat's next update
    #[arg(long, default_value = "none", value_name = "METHOD")]
    pub(crate) compression: Compression,
    /// Pull towards the round's starting model (FedProx); 0 for none
    #[arg(long, default_value_t = 0.0, value_name = "MU")]
    pub(crate) proximal: f64,
    #[command(flatten)]
    pub(crate) forest: ForestArgs,
}

fn activation(text: &str) -> Result<Activation, String> {
    let name = text.replace('-', "_");
    let found = Activation::NAMES.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, activation)| activation).ok_or_else(|| "expected relu, leaky_relu, tanh or sigmoid".to_owned())
}

fn convolution(text: &str) -> Result<Convolution, String> {
    let wrong = || "expected CHANNELS:KERNEL:POOL, for example 16:3:2".to_owned();
    let parts: Vec<u32> = text.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    match parts[..] {
        [channels, kernel, pool] => Ok(Convolution { channels, kernel, pool }),
        _ => Err(wrong()),
    }
}

fn schedule(text: &str) -> Result<Schedule, String> {
    let wrong = || "expected constant, cosine:ROUNDS or step:ROUNDS".to_owned();
    let rounds = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    match text.split_once(':') {
        None if text == "constant" => Ok(Schedule::Constant {}),
        Some(("cosine", text)) => Ok(Schedule::Cosine { rounds: rounds(text)? }),
        Some(("step", text)) => Ok(Schedule::Step { rounds: rounds(text)? }),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_as_typed() {
        assert_eq!(convolution("16:3:2").unwrap(), Convolution { channels: 16, kernel: 3, pool: 2 });
        assert_eq!(schedule("cosine:30").unwrap(), Schedule::Cosine { rounds: 30 });
        assert_eq!(activation("leaky-relu").unwrap(), Activation::LeakyRelu);
    }

    #[test]
    fn anything_else_says_what_is_expected() {
        assert!(convolution("16:3").unwrap_err().contains("CHANNELS:KERNEL:POOL"));
        assert!(schedule("cosine").unwrap_err().contains("cosine:ROUNDS"));
        assert!(activation("gelu").unwrap_err().contains("tanh"));
    }
}
