//! A model in libtorch: all parameters in one flat tensor, their gradients in another, so that an optimiser needs a few
//! operations a step, whatever the number of layers.

mod dense;
mod graph;

use anyhow::{Context, Result, ensure};
use parity_learning::{
    model::{bias_name, weight_name},
    random::Stream,
    tensors::{Tensor as Values, Tensors},
};
use parity_protocol::model::Layer;
use tch::{TchError, Tensor};

use self::{
    dense::{DenseNetwork, Workspace},
    graph::Graph,
};

/// A model with its gradients.
#[derive(Debug)]
pub(crate) struct Network {
    /// All parameters, `[n]` f32: layer by layer, weight first.
    pub(crate) parameters: Tensor,
    /// Their gradients after [`Network::differentiate`], `[n]` f32.
    pub(crate) gradients: Tensor,
    layers: Vec<Layer>,
    way: Way,
}

/// How gradients are computed.
#[derive(Debug)]
enum Way {
    /// Written out.
    Dense(DenseNetwork),
    /// By autograd.
    Graph(Box<Graph>),
}

/// What batches of one size need.
#[derive(Debug)]
pub(crate) struct Batches(Option<Workspace>);

/// What a batch should give.
#[derive(Debug)]
pub(crate) enum Target {
    /// `[rows, 1]` i64 class indices: mean cross-entropy of the softmax.
    Classes(Tensor),
    /// `[rows, 1]` f32 standardised labels: mean squared error.
    Numbers(Tensor),
}

impl Network {
    /// The network with these weights, which fit the layers. What dropout leaves out comes from `stream`.
    pub(crate) fn new(layers: &[Layer], weights: &Tensors, stream: Stream) -> Result<Self> {
        let parameters = Tensor::f_from_slice(&flatten(layers, weights)?)?;
        let gradients = parameters.f_zeros_like()?;
        let way = match DenseNetwork::new(layers, &parameters, &gradients)? {
            Some(dense) => Way::Dense(dense),
            None => Way::Graph(Box::new(Graph::new(layers, &parameters, stream)?)),
        };
        Ok(Self { parameters, gradients, layers: layers.to_vec(), way })
    }

    /// Buffers for batches of this many rows.
    pub(crate) fn batches(&self, rows: usize) -> Result<Batches> {
        Ok(Batches(match &self.way {
            Way::Dense(dense) => Some(dense.workspace(rows)?),
            Way::Graph(_) => None,
        }))
    }

    /// Puts the gradients of the batch's mean loss into [`Network::gradients`].
    pub(crate) fn differentiate(&mut self, batches: &mut Batches, x: &Tensor, target: &Target) -> Result<()> {
        match (&mut self.way, &mut batches.0) {
            (Way::Dense(dense), Some(space)) => dense.differentiate(space, x, target),
            (Way::Dense(_), None) => Err(anyhow::anyhow!("these buffers belong to another network")),
            (Way::Graph(graph), _) => graph.differentiate(&self.parameters, &mut self.gradients, x, target),
        }
    }

    /// The parameters under the names of the model.
    pub(crate) fn to_tensors(&self) -> Result<Tensors> {
        let flat = Vec::<f32>::try_from(&self.parameters)?;
        let mut tensors = Tensors::default();
        let mut rest = &flat[..];
        for (index, Layer { kind, .. }) in self.layers.iter().enumerate() {
            let named = [(weight_name(index), kind.weight_shape()), (bias_name(index), vec![kind.biases()])];
            for (name, shape) in named {
                let (data, others) = rest.split_at(shape.iter().product());
                rest = others;
                tensors.0.insert(name, Values { shape, data: data.to_vec() });
            }
        }
        ensure!(rest.is_empty(), "{} parameters belong to no layer", rest.len());
        Ok(tensors)
    }
}

/// Tensors of a model in the order of [`Network::parameters`].
pub(crate) fn flatten(layers: &[Layer], tensors: &Tensors) -> Result<Vec<f32>> {
    let mut flat = Vec::new();
    for (index, _) in layers.iter().enumerate() {
        for name in [weight_name(index), bias_name(index)] {
            flat.extend_from_slice(&tensors.0.get(&name).with_context(|| format!("no tensor {name}"))?.data);
        }
    }
    Ok(flat)
}

/// Operations that write into a tensor also return it; only their failure matters.
pub(crate) fn write(outcome: Result<Tensor, TchError>) -> Result<()> {
    drop(outcome?);
    Ok(())
}

#[cfg(test)]
mod tests;
