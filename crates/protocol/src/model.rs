//! Model architectures, as a spec names them, and the layers they are made of.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, forest::ForestShape};

/// Most hidden units of one layer.
pub const MAX_UNITS: u32 = 16_384;
/// Most hidden layers.
pub const MAX_LAYERS: usize = 32;
/// Most pixels on a side of an image.
pub const MAX_SIDE: u32 = 1024;
/// Most values in one weight: a file of it stays below 2 GiB.
pub const MAX_WEIGHT: usize = 1 << 28;

/// The architecture. Inputs and outputs follow from the schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// Least squares: `y = Wx + b`.
    LinearRegression {},
    /// Softmax over `Wx + b`.
    LogisticRegression {},
    /// Multi-layer perceptron.
    NeuralNetwork {
        /// Units per hidden layer, input side first.
        hidden: Vec<u32>,
        /// Between the layers.
        activation: Activation,
        /// Share of hidden units left out in each training step, 0 to below 1.
        dropout: f64,
    },
    /// Convolutions over an image, then a multi-layer perceptron. The features of a row are the pixels: channels outermost, then
    /// rows, then columns.
    ConvolutionalNetwork {
        /// Shape of the input; its product is the number of features.
        image: Volume,
        /// Convolutional layers, input side first.
        convolutions: Vec<Convolution>,
        /// Units per hidden dense layer; may be empty.
        hidden: Vec<u32>,
        /// Between the layers.
        activation: Activation,
        /// Share of hidden dense units left out in each training step, 0 to below 1.
        dropout: f64,
    },
    /// Trees on drawn rows, best thresholds (Breiman 2001). Without layers.
    RandomForest(ForestShape),
    /// Trees with random thresholds (Geurts, Ernst and Wehenkel 2006). Without layers.
    ExtraTrees(ForestShape),
}

/// The function between layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    #[default]
    Relu,
    /// `x` above 0, `x / 100` below.
    LeakyRelu,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

impl Activation {
    /// All of them, by name.
    pub const NAMES: [(&'static str, Self); 4] =
        [("relu", Self::Relu), ("leaky_relu", Self::LeakyRelu), ("tanh", Self::Tanh), ("sigmoid", Self::Sigmoid)];
    /// Slope of [`Activation::LeakyRelu`] below 0, the default of PyTorch.
    pub const LEAK: f32 = 0.01;
}

/// Shape of an image or of a layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Channels.
    pub channels: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Columns of pixels.
    pub width: u32,
}

impl Volume {
    /// Number of values.
    pub fn values(self) -> usize {
        [self.channels, self.height, self.width].into_iter().map(size).fold(1, usize::saturating_mul)
    }
}

/// One convolutional layer: stride 1, zeros around the image so that its size stays, activation, then the largest of every
/// `pool x pool` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Output channels.
    pub channels: u32,
    /// Pixels on a side of the kernel, odd.
    pub kernel: u32,
    /// Pixels on a side of the pooled square; 1 for none.
    pub pool: u32,
}

/// One layer with weights, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// What the weights do.
    pub kind: LayerKind,
    /// What follows; none at the last layer.
    pub activation: Option<Activation>,
    /// Share of the outputs left out in training.
    pub dropout: f64,
}

/// What the weights of a layer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// `Wx + b` with `W` `[outputs, inputs]`.
    Dense {
        /// Columns of the weight.
        inputs: usize,
        /// Rows of the weight, length of the bias.
        outputs: usize,
    },
    /// A convolution with weight `[outputs, channels, kernel, kernel]`, pooled after the activation.
    Convolution {
        /// Shape of its input.
        input: Volume,
        /// Output channels, length of the bias.
        outputs: usize,
        /// Pixels on a side of the kernel.
        kernel: usize,
        /// Pixels on a side of the pooled square.
        pool: usize,
    },
}

impl LayerKind {
    /// Shape of the weight, outermost first.
    pub fn weight_shape(self) -> Vec<usize> {
        match self {
            Self::Dense { inputs, outputs } => vec![outputs, inputs],
            Self::Convolution { input, outputs, kernel, .. } => vec![outputs, size(input.channels), kernel, kernel],
        }
    }

    /// Number of values of one output that the inputs of one unit come from.
    pub fn fan_in(self) -> usize {
        match self {
            Self::Dense { inputs, .. } => inputs,
            Self::Convolution { input, kernel, .. } => size(input.channels) * kernel * kernel,
        }
    }

    /// Length of the bias.
    pub fn biases(self) -> usize {
        match self {
            Self::Dense { outputs, .. } | Self::Convolution { outputs, .. } => outputs,
        }
    }
}

impl Model {
    /// Layers from input to output; none where the model is a forest.
    pub fn layers(&self, features: usize, outputs: usize) -> Vec<Layer> {
        let (convolutions, hidden, activation, dropout): (&[Convolution], &[u32], _, _) = match self {
            Self::LinearRegression {} | Self::LogisticRegression {} => (&[], &[], Activation::Relu, 0.0),
            Self::NeuralNetwork { hidden, activation, dropout } => (&[], hidden, *activation, *dropout),
            Self::ConvolutionalNetwork { convolutions, hidden, activation, dropout, .. } => {
                (convolutions, hidden, *activation, *dropout)
            }
            Self::RandomForest(_) | Self::ExtraTrees(_) => return Vec::new(),
        };
        let mut layers = Vec::with_capacity(convolutions.len() + hidden.len() + 1);
        let mut inputs = features;
        if let Self::ConvolutionalNetwork { image, .. } = self {
            let mut input = *image;
            for convolution in convolutions {
                let Convolution { channels, kernel, pool } = *convolution;
                let kind =
                    LayerKind::Convolution { input, outputs: size(channels), kernel: size(kernel), pool: size(pool) };
                layers.push(Layer { kind, activation: Some(activation), dropout: 0.0 });
                input = Volume { channels, height: input.height / pool.max(1), width: input.width / pool.max(1) };
            }
            inputs = input.values();
        }
        for &units in hidden {
            let kind = LayerKind::Dense { inputs, outputs: size(units) };
            layers.push(Layer { kind, activation: Some(activation), dropout });
            inputs = size(units);
        }
        layers.push(Layer { kind: LayerKind::Dense { inputs, outputs }, activation: None, dropout: 0.0 });
        layers
    }

    /// Whether the outputs are linear in the features.
    pub fn is_linear(&self) -> bool {
        matches!(self, Self::LinearRegression {} | Self::LogisticRegression {})
    }

    /// The shape of the forest, where the model is one.
    pub fn forest(&self) -> Option<&ForestShape> {
        match self {
            Self::RandomForest(shape) | Self::ExtraTrees(shape) => Some(shape),
            Self::LinearRegression {}
            | Self::LogisticRegression {}
            | Self::NeuralNetwork { .. }
            | Self::ConvolutionalNetwork { .. } => None,
        }
    }

    /// Checks sizes that do not depend on the data.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::LinearRegression {} | Self::LogisticRegression {} => Ok(()),
            Self::RandomForest(shape) | Self::ExtraTrees(shape) => shape.validate(),
            Self::NeuralNetwork { hidden, dropout, .. } => {
                if hidden.is_empty() {
                    return Err(wrong_hidden(hidden));
                }
                check_dense(hidden, *dropout)
            }
            Self::ConvolutionalNetwork { image, convolutions, hidden, dropout, .. } => {
                check_convolutions(*image, convolutions)?;
                check_dense(hidden, *dropout)
            }
        }
    }

    /// Checks that the model can read rows of so many features.
    ///
    /// # Errors
    /// [`Error::Spec`] when an image has another number of pixels, or a weight would be too large.
    pub fn validate_features(&self, features: usize) -> Result<()> {
        let refuse = |field, value: String, expected: String| Err(Error::Spec { field, value, expected });
        if let Self::ConvolutionalNetwork { image, .. } = self
            && image.values() != features
        {
            let Volume { channels, height, width } = *image;
            let expected = format!("channels x height x width equal to the {features} features");
            return refuse("model.image", format!("{channels} x {height} x {width}"), expected);
        }
        let weights = self.layers(features, 1);
        let largest = weights.iter().map(|layer| layer.kind.weight_shape().into_iter().fold(1, usize::saturating_mul));
        match largest.max() {
            Some(values) if values > MAX_WEIGHT => refuse(
                "model",
                format!("a weight of {values} values"),
                format!("at most {MAX_WEIGHT}; use smaller layers"),
            ),
            _ => Ok(()),
        }
    }
}

fn check_dense(hidden: &[u32], dropout: f64) -> Result<()> {
    if hidden.len() > MAX_LAYERS || hidden.iter().any(|units| *units == 0 || *units > MAX_UNITS) {
        return Err(wrong_hidden(hidden));
    }
    if !(0.0..1.0).contains(&dropout) {
        let expected = "0 to below 1".into();
        return Err(Error::Spec { field: "model.dropout", value: dropout.to_string(), expected });
    }
    Ok(())
}

fn wrong_hidden(hidden: &[u32]) -> Error {
    let expected = format!("1 to {MAX_LAYERS} layers of 1 to {MAX_UNITS} units");
    Error::Spec { field: "model.hidden", value: format!("{hidden:?}"), expected }
}

fn check_convolutions(image: Volume, convolutions: &[Convolution]) -> Result<()> {
    let refuse = |field, value: String, expected: String| Err(Error::Spec { field, value, expected });
    let sides = [image.channels, image.height, image.width];
    if sides.iter().any(|side| *side == 0 || *side > MAX_SIDE) {
        return refuse("model.image", format!("{sides:?}"), format!("channels, height and width of 1 to {MAX_SIDE}"));
    }
    if convolutions.is_empty() || convolutions.len() > MAX_LAYERS {
        return refuse("model.convolutions", convolutions.len().to_string(), format!("1 to {MAX_LAYERS} layers"));
    }
    let (mut height, mut width) = (image.height, image.width);
    for convolution in convolutions {
        let Convolution { channels, kernel, pool } = *convolution;
        let fits = (1..=MAX_UNITS).contains(&channels)
            && kernel % 2 == 1
            && kernel <= 31
            && (1..=height.min(width)).contains(&pool);
        if !fits {
            let expected = format!(
                "1 to {MAX_UNITS} channels, an odd kernel up to 31, a pool of 1 to the image's side ({})",
                height.min(width)
            );
            return refuse("model.convolutions", format!("{channels}:{kernel}:{pool}"), expected);
        }
        (height, width) = (height / pool, width / pool);
    }
    Ok(())
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(convolutions: Vec<Convolution>) -> Model {
        Model::ConvolutionalNetwork {
            image: Volume { channels: 1, height: 8, width: 8 },
            convolutions,
            hidden: vec![32],
            activation: Activation::Relu,
            dropout: 0.0,
        }
    }

    #[test]
    fn pooling_shrinks_what_the_dense_layers_see() {
        let model = digits(vec![
            Convolution { channels: 16, kernel: 3, pool: 2 },
            Convolution { channels: 32, kernel: 3, pool: 2 },
        ]);
        model.validate().unwrap();
        model.validate_features(64).unwrap();
        let layers = model.layers(64, 10);
        let shapes: Vec<Vec<usize>> = layers.iter().map(|layer| layer.kind.weight_shape()).collect();
        assert_eq!(shapes, [vec![16, 1, 3, 3], vec![32, 16, 3, 3], vec![32, 128], vec![10, 32]]);
        assert_eq!(layers.last().unwrap().activation, None);
    }

    #[test]
    fn an_image_of_another_size_is_refused_with_both_sizes() {
        let model = digits(vec![Convolution { channels: 4, kernel: 3, pool: 1 }]);
        let message = model.validate_features(30).unwrap_err().to_string();
        assert!(message.contains("1 x 8 x 8") && message.contains("30 features"), "{message}");
    }

    #[test]
    fn impossible_convolutions_are_refused() {
        for (channels, kernel, pool) in [(0, 3, 1), (4, 2, 1), (4, 33, 1), (4, 3, 0), (4, 3, 9)] {
            assert!(digits(vec![Convolution { channels, kernel, pool }]).validate().is_err());
        }
        assert!(digits(vec![]).validate().is_err());
        let twice = Convolution { channels: 1, kernel: 1, pool: 8 };
        assert!(digits(vec![twice, Convolution { pool: 2, ..twice }]).validate().is_err());
    }
}
