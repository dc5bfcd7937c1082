//! A model in training: all parameters in one flat vector, their gradients in another, whatever the layers.

mod graph;

use anyhow::{Context, Result, ensure};
use parity_learning::{
    model::{bias_name, weight_name},
    perceptron::{Examples, Perceptron},
    random::Stream,
    tensors::{Tensor, Tensors},
};
use parity_protocol::model::Layer;
use tch::Device;

use self::graph::Graph;

/// A model with its gradients.
#[derive(Debug)]
pub(crate) struct Network {
    /// All parameters, layer by layer, weight first.
    pub(crate) parameters: Vec<f32>,
    /// Their gradients after [`Network::differentiate`].
    pub(crate) gradients: Vec<f32>,
    layers: Vec<Layer>,
    way: Way,
}

/// How gradients are computed.
#[derive(Debug)]
enum Way {
    /// Written out, where all layers are dense.
    Dense(Perceptron),
    /// By libtorch's autograd.
    Graph(Graph),
}

impl Network {
    /// The network with these weights, which fit the layers, for batches of up to so many rows. What dropout leaves out comes from
    /// `stream`. libtorch, where the layers need it, computes on `device`.
    pub(crate) fn new(
        layers: &[Layer],
        weights: &Tensors,
        batch: usize,
        stream: Stream,
        device: Device,
    ) -> Result<Self> {
        let parameters = flatten(layers, weights)?;
        let gradients = vec![0.0; parameters.len()];
        let way = match Perceptron::new(layers, batch, stream.clone()) {
            Some(dense) => Way::Dense(dense),
            None => Way::Graph(Graph::new(layers, stream, device)),
        };
        Ok(Self { parameters, gradients, layers: layers.to_vec(), way })
    }

    /// Puts the gradients of the mean loss of these rows into [`Network::gradients`].
    pub(crate) fn differentiate(&mut self, examples: &Examples, rows: &[usize]) -> Result<()> {
        let Self { parameters, gradients, way, .. } = self;
        match way {
            Way::Dense(dense) => {
                dense.differentiate(parameters, gradients, examples, rows);
                Ok(())
            }
            Way::Graph(graph) => graph.differentiate(parameters, gradients, examples, rows),
        }
    }

    /// The parameters under the names of the model.
    pub(crate) fn to_tensors(&self) -> Result<Tensors> {
        let mut tensors = Tensors::default();
        let mut rest = &self.parameters[..];
        for (index, Layer { kind, .. }) in self.layers.iter().enumerate() {
            let named = [(weight_name(index), kind.weight_shape()), (bias_name(index), vec![kind.biases()])];
            for (name, shape) in named {
                let (data, others) = rest.split_at(shape.iter().product());
                rest = others;
                tensors.0.insert(name, Tensor { shape, data: data.to_vec() });
            }
        }
        ensure!(rest.is_empty(), "{} parameters belong to no layer", rest.len());
        Ok(tensors)
    }
}

/// Tensors of a model in the order of [`Network::parameters`].
pub(crate) fn flatten(layers: &[Layer], tensors: &Tensors) -> Result<Vec<f32>> {
    let mut flat = Vec::with_capacity(tensors.values());
    for (index, _) in layers.iter().enumerate() {
        for name in [weight_name(index), bias_name(index)] {
            flat.extend_from_slice(&tensors.0.get(&name).with_context(|| format!("no tensor {name}"))?.data);
        }
    }
    Ok(flat)
}

#[cfg(test)]
mod tests;
