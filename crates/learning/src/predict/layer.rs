//! One layer of a model: weights, activation, pooling.

use parity_protocol::model::{self, Activation, LayerKind};

use super::{convolution::Convolution, dense::Dense};

/// A layer ready to use.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    weights: Weights,
    activation: Option<Activation>,
}

#[derive(Clone, Debug)]
enum Weights {
    Dense(Dense),
    Convolution { convolution: Convolution, pool: usize },
}

impl Layer {
    /// Packs weights whose shapes were checked.
    pub(super) fn new(layer: model::Layer, weight: &[f32], bias: &[f32]) -> Self {
        let weights = match layer.kind {
            LayerKind::Dense { inputs, outputs } => Weights::Dense(Dense::new(inputs, outputs, weight, bias)),
            LayerKind::Convolution { input, outputs, kernel, pool } => {
                Weights::Convolution { convolution: Convolution::new(input, outputs, kernel, weight, bias), pool }
            }
        };
        Self { weights, activation: layer.activation }
    }

    /// Outputs of a batch, one row after the other.
    pub(super) fn apply(&self, values: &[f32]) -> Vec<f32> {
        match &self.weights {
            Weights::Dense(dense) => self.activate(dense.apply(values)),
            Weights::Convolution { convolution, pool } => {
                convolution.pool(&self.activate(convolution.apply(values)), *pool)
            }
        }
    }

    fn activate(&self, mut values: Vec<f32>) -> Vec<f32> {
        if let Some(activation) = self.activation {
            values.iter_mut().for_each(|value| *value = activate(activation, *value));
        }
        values
    }
}

/// Every function keeps NaN, so that a broken model shows.
fn activate(activation: Activation, value: f32) -> f32 {
    match activation {
        Activation::Relu => {
            if value < 0.0 {
                0.0
            } else {
                value
            }
        }
        Activation::LeakyRelu => {
            if value < 0.0 {
                value * Activation::LEAK
            } else {
                value
            }
        }
        Activation::Tanh => libm::tanhf(value),
        Activation::Sigmoid => 1.0 / (1.0 + libm::expf(-value)),
    }
}
