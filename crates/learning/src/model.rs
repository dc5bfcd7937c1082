//! From a session spec to tensors: names, shapes and initial weights.
//!
//! Layer `i` has `layers.{i}.weight`, `[outputs, inputs]` or `[outputs, channels, kernel, kernel]`, and `layers.{i}.bias`
//! `[outputs]`.

use std::collections::BTreeMap;

use parity_protocol::{
    model::{Layer, Model},
    spec::SessionSpec,
};

use crate::{
    Error, Result,
    random::{Purpose, Stream},
    tensors::{Tensor, Tensors},
};

/// Name of a layer's weight.
pub fn weight_name(layer: usize) -> String {
    format!("layers.{layer}.weight")
}

/// Name of a layer's bias.
pub fn bias_name(layer: usize) -> String {
    format!("layers.{layer}.bias")
}

/// The layers of a spec, from input to output.
pub fn layers(spec: &SessionSpec) -> Vec<Layer> {
    spec.model.layers(spec.schema.features(), spec.schema.outputs())
}

/// Tensor shapes by name.
pub fn shapes(spec: &SessionSpec) -> BTreeMap<String, Vec<usize>> {
    shapes_of(&layers(spec))
}

/// Tensor shapes by name, of these layers.
pub fn shapes_of(layers: &[Layer]) -> BTreeMap<String, Vec<usize>> {
    let named = |(index, layer): (usize, &Layer)| {
        [(weight_name(index), layer.kind.weight_shape()), (bias_name(index), vec![layer.kind.biases()])]
    };
    layers.iter().enumerate().flat_map(named).collect()
}

/// Number of weights and biases of a spec's model.
pub fn parameters(spec: &SessionSpec) -> usize {
    layers(spec).iter().map(|layer| layer.kind.biases() * (layer.kind.fan_in() + 1)).sum()
}

/// The model before the first round.
pub fn initial(spec: &SessionSpec) -> Tensors {
    initial_of(&spec.model, spec.schema.features(), spec.schema.outputs(), spec.training.seed)
}

/// Initial weights. Networks: uniform in ±1/sqrt(fan-in) for weight and bias (the default of PyTorch's `nn.Linear` and
/// `nn.Conv2d`: He et al. 2015, equation 10 with a = sqrt(5)), each layer from its own stream, weight first. Linear and
/// logistic regression have a convex loss and start at 0.
pub fn initial_of(model: &Model, features: usize, outputs: usize, seed: u64) -> Tensors {
    let mut tensors = BTreeMap::new();
    for (index, layer) in model.layers(features, outputs).into_iter().enumerate() {
        let mut weight = Tensor::zeros(&layer.kind.weight_shape());
        let mut bias = Tensor::zeros(&[layer.kind.biases()]);
        if !model.is_linear() {
            let position = u64::try_from(index).expect("an index fits 64 bits");
            let mut stream = Stream::new(Purpose::Weights, seed, position, 0);
            let bound = bound(layer.kind.fan_in());
            for value in weight.data.iter_mut().chain(&mut bias.data) {
                *value = (2.0 * stream.unit() - 1.0) * bound;
            }
        }
        tensors.insert(weight_name(index), weight);
        tensors.insert(bias_name(index), bias);
    }
    Tensors(tensors)
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
#[expect(clippy::cast_precision_loss, reason = "a layer has at most a few million inputs, exact in f64")]
fn bound(inputs: usize) -> f32 {
    (1.0 / (inputs.max(1) as f64).sqrt()) as f32
}

/// Checks that the tensors are exactly those of the model.
///
/// # Errors
/// [`Error::Shape`] naming the first tensor that is missing, unknown or of another shape.
pub fn check_shapes(expected: &BTreeMap<String, Vec<usize>>, tensors: &Tensors) -> Result<()> {
    for (name, shape) in expected {
        let tensor = tensors
            .0
            .get(name)
            .ok_or_else(|| Error::Shape { tensor: name.clone(), reason: format!("missing, expected {shape:?}") })?;
        if tensor.shape != *shape || tensor.data.len() != shape.iter().product::<usize>() {
            let reason = format!("shape {:?}, expected {shape:?}", tensor.shape);
            return Err(Error::Shape { tensor: name.clone(), reason });
        }
    }
    match tensors.0.keys().find(|name| !expected.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::Shape { tensor: name.clone(), reason: "the model has no such tensor".into() }),
    }
}

#[cfg(test)]
mod tests {
    use parity_protocol::model::Activation;

    use super::*;

    fn network() -> Model {
        Model::NeuralNetwork { hidden: vec![16, 8], activation: Activation::Relu, dropout: 0.0 }
    }

    #[test]
    fn initial_weights_fit_the_model_and_their_bound() {
        let tensors = initial_of(&network(), 30, 2, 1);
        check_shapes(&shapes_of(&network().layers(30, 2)), &tensors).unwrap();
        assert_eq!(tensors.0["layers.0.weight"].shape, [16, 30]);
        assert_eq!(tensors.0["layers.2.bias"].shape, [2]);
        let weight = &tensors.0["layers.1.weight"].data;
        let bound = 0.25;
        assert!(weight.iter().all(|w| w.abs() <= bound));
        assert!(weight.iter().any(|w| *w > bound / 2.0) && weight.iter().any(|w| *w < -bound / 2.0));
    }

    #[test]
    fn the_seed_alone_decides() {
        assert_eq!(initial_of(&network(), 30, 2, 1), initial_of(&network(), 30, 2, 1));
        assert_ne!(initial_of(&network(), 30, 2, 1), initial_of(&network(), 30, 2, 2));
    }

    #[test]
    fn convex_models_start_at_zero() {
        let tensors = initial_of(&Model::LogisticRegression {}, 4, 3, 9);
        assert!(tensors.0.values().all(|t| t.data.iter().all(|v| v.to_bits() == 0)));
    }

    #[test]
    fn missing_unknown_and_misshapen_tensors_are_named() {
        let shapes = shapes_of(&network().layers(30, 2));
        let name = |tensors: &Tensors| match check_shapes(&shapes, tensors).unwrap_err() {
            Error::Shape { tensor, .. } => tensor,
            other => panic!("{other}"),
        };
        let good = initial_of(&network(), 30, 2, 1);
        let mut missing = good.clone();
        missing.0.remove("layers.1.bias");
        assert_eq!(name(&missing), "layers.1.bias");
        let mut unknown = good.clone();
        unknown.0.insert("layers.9.bias".into(), Tensor::zeros(&[1]));
        assert_eq!(name(&unknown), "layers.9.bias");
        let mut turned = good;
        turned.0.get_mut("layers.0.weight").unwrap().shape = vec![30, 16];
        assert_eq!(name(&turned), "layers.0.weight");
    }
}
