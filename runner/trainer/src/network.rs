//! Dense layers with their gradients written out, instead of autograd: forward, backward and update touch only buffers that
//! exist already.
//!
//! All parameters lie in one flat tensor, all gradients in another; layers are views of both. An optimiser then needs a few
//! operations a step, whatever the number of layers. Notation per layer: `a` input `[rows, in]`, `W` `[out, in]`, `b`, `z = aW' + b`,
//! `d = dL/dz`; then `dL/dW = d'a`, `dL/db = sum(d)`, `dL/da = dW`. A test compares the gradients with autograd's.

use anyhow::{Context, Result, ensure};
use parity_learning::{
    model::{bias_name, weight_name},
    tensors::{Tensor as Values, Tensors},
};
use parity_protocol::model::Layer;
use tch::{Device, Kind, TchError, Tensor};

/// Dense layers with ReLU between them.
#[derive(Debug)]
pub(crate) struct Network {
    /// All parameters, `[n]` f32.
    pub(crate) parameters: Tensor,
    /// Their gradients after [`Network::differentiate`], `[n]` f32.
    pub(crate) gradients: Tensor,
    layers: Vec<Dense>,
}

/// Views of one layer.
#[derive(Debug)]
struct Dense {
    size: Layer,
    weight: Tensor,
    weight_transposed: Tensor,
    bias: Tensor,
    weight_gradient: Tensor,
    bias_gradient: Tensor,
}

/// Buffers for batches of one size.
#[derive(Debug)]
pub(crate) struct Workspace {
    rows: usize,
    /// Per layer: its output, after ReLU except for the last.
    outputs: Vec<Tensor>,
    /// Per layer: `d`.
    deltas: Vec<Tensor>,
    deltas_transposed: Vec<Tensor>,
    minus_one: Tensor,
}

/// What a batch should give.
#[derive(Debug)]
pub(crate) enum Target {
    /// `[rows, 1]` i64 class indices: mean cross-entropy of the softmax.
    Classes(Tensor),
    /// `[rows, 1]` f32 standardised labels: mean squared error.
    Numbers(Tensor),
}

impl Network {
    /// The network with these weights, which fit the layers.
    pub(crate) fn new(layers: &[Layer], weights: &Tensors) -> Result<Self> {
        let mut flat = Vec::new();
        for (index, _) in layers.iter().enumerate() {
            for name in [weight_name(index), bias_name(index)] {
                flat.extend_from_slice(&weights.0.get(&name).with_context(|| format!("no tensor {name}"))?.data);
            }
        }
        let parameters = Tensor::f_from_slice(&flat)?;
        let gradients = parameters.f_zeros_like()?;
        let mut offset = 0;
        let mut views = Vec::with_capacity(layers.len());
        for &size in layers {
            let (inputs, outputs) = (i64::try_from(size.inputs)?, i64::try_from(size.outputs)?);
            let split = |of: &Tensor| -> Result<(Tensor, Tensor)> {
                let weight = of.f_narrow(0, offset, outputs * inputs)?.f_view([outputs, inputs])?;
                Ok((weight, of.f_narrow(0, offset + outputs * inputs, outputs)?))
            };
            let (weight, bias) = split(&parameters)?;
            let (weight_gradient, bias_gradient) = split(&gradients)?;
            let weight_transposed = weight.f_transpose(0, 1)?;
            views.push(Dense { size, weight, weight_transposed, bias, weight_gradient, bias_gradient });
            offset += outputs * (inputs + 1);
        }
        Ok(Self { parameters, gradients, layers: views })
    }

    /// Buffers for batches of this many rows.
    pub(crate) fn workspace(&self, rows: usize) -> Result<Workspace> {
        let count = i64::try_from(rows)?;
        let buffers = || -> Result<Vec<Tensor>> {
            let buffer = |layer: &Dense| -> Result<Tensor> {
                Ok(Tensor::f_zeros([count, i64::try_from(layer.size.outputs)?], (Kind::Float, Device::Cpu))?)
            };
            self.layers.iter().map(buffer).collect()
        };
        let (outputs, deltas) = (buffers()?, buffers()?);
        let deltas_transposed = deltas.iter().map(|delta| Ok(delta.f_transpose(0, 1)?)).collect::<Result<_>>()?;
        let minus_one = Tensor::f_full([count, 1], -1.0, (Kind::Float, Device::Cpu))?;
        Ok(Workspace { rows, outputs, deltas, deltas_transposed, minus_one })
    }

    /// Puts the gradients of the batch's mean loss into [`Network::gradients`].
    pub(crate) fn differentiate(&self, space: &mut Workspace, x: &Tensor, target: &Target) -> Result<()> {
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, rest) = space.outputs.split_at_mut(index);
            let input = before.last().map_or(x, |output| output);
            write(layer.bias.f_addmm_out(&rest[0], input, &layer.weight_transposed))?;
            if index < last {
                write(rest[0].f_relu_())?;
            }
        }
        loss_gradient(space, target)?;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let input = if index == 0 { x } else { &space.outputs[index - 1] };
            write(space.deltas_transposed[index].f_mm_out(&layer.weight_gradient, input))?;
            write(space.deltas[index].f_sum_intlist_out(&layer.bias_gradient, &[0_i64][..], false, Kind::Float))?;
            if index > 0 {
                let below = &space.deltas[index - 1];
                write(space.deltas[index].f_mm_out(below, &layer.weight))?;
                // ReLU passes the gradient where its output is above 0.
                write(space.outputs[index - 1].f_threshold_backward_grad_input(below, below, 0))?;
            }
        }
        Ok(())
    }

    /// The parameters under the names of the model.
    pub(crate) fn to_tensors(&self) -> Result<Tensors> {
        let flat = Vec::<f32>::try_from(&self.parameters)?;
        let mut tensors = Tensors::default();
        let mut rest = &flat[..];
        for (index, Dense { size, .. }) in self.layers.iter().enumerate() {
            let named = [(weight_name(index), vec![size.outputs, size.inputs]), (bias_name(index), vec![size.outputs])];
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

/// Operations that write into a tensor also return it; only their failure matters.
pub(crate) fn write(outcome: Result<Tensor, TchError>) -> Result<()> {
    drop(outcome?);
    Ok(())
}

/// `d` of the last layer: `(softmax(z) - onehot(y)) / rows`, or `2 (z - y) / rows`.
#[expect(clippy::cast_precision_loss, reason = "a batch has at most 65536 rows")]
fn loss_gradient(space: &mut Workspace, target: &Target) -> Result<()> {
    let (Some(output), Some(delta)) = (space.outputs.last(), space.deltas.last_mut()) else { return Ok(()) };
    let rows = space.rows as f64;
    match target {
        Target::Classes(classes) => {
            write(output.f_internal_softmax_out(delta, 1, false))?;
            write(delta.f_scatter_add_(1, classes, &space.minus_one))?;
            write(delta.f_mul_scalar_(1.0 / rows))?;
        }
        Target::Numbers(numbers) => {
            write(output.f_sub_out(delta, numbers))?;
            write(delta.f_mul_scalar_(2.0 / rows))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use parity_learning::model::initial_of;
    use parity_protocol::model::Model;

    use super::*;

    /// Gradients by autograd, flat in the order of the parameters.
    fn by_autograd(layers: &[Layer], weights: &Tensors, x: &Tensor, target: &Target) -> Vec<f32> {
        let leaf = |name: String| {
            let values = &weights.0[&name];
            let shape: Vec<i64> = values.shape.iter().map(|size| i64::try_from(*size).unwrap()).collect();
            Tensor::from_slice(&values.data).view(&shape[..]).set_requires_grad(true)
        };
        let leaves: Vec<(Tensor, Tensor)> =
            (0..layers.len()).map(|index| (leaf(weight_name(index)), leaf(bias_name(index)))).collect();
        let mut value = x.shallow_clone();
        for (index, (weight, bias)) in leaves.iter().enumerate() {
            value = value.linear(weight, Some(bias));
            if index + 1 < layers.len() {
                value = value.relu();
            }
        }
        let loss = match target {
            Target::Classes(classes) => value.cross_entropy_for_logits(&classes.squeeze_dim(1)),
            Target::Numbers(numbers) => value.mse_loss(numbers, tch::Reduction::Mean),
        };
        loss.backward();
        leaves
            .iter()
            .flat_map(|(weight, bias)| [weight, bias].map(|leaf| Vec::<f32>::try_from(leaf.grad().view(-1)).unwrap()))
            .flatten()
            .collect()
    }

    fn assert_same_gradients(model: &Model, outputs: usize, target: &Target) {
        let rows = 13;
        let layers = model.layers(7, outputs);
        let weights = initial_of(model, 7, outputs, 3);
        let x =
            Tensor::from_slice(&(0_u8..91).map(|i| (f32::from(i) * 0.37).sin()).collect::<Vec<_>>()).view([rows, 7]);
        let network = Network::new(&layers, &weights).unwrap();
        let mut space = network.workspace(13).unwrap();
        network.differentiate(&mut space, &x, target).unwrap();
        let ours = Vec::<f32>::try_from(&network.gradients).unwrap();
        let theirs = by_autograd(&layers, &weights, &x, target);
        assert_eq!(ours.len(), theirs.len());
        for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert!((ours - theirs).abs() <= 1e-6 + 1e-5 * theirs.abs(), "{index}: {ours} and {theirs}");
        }
        assert!(ours.iter().any(|value| value.abs() > 1e-3));
    }

    fn classes() -> Target {
        let classes: Vec<i64> = (0..13).map(|row| row % 3).collect();
        Target::Classes(Tensor::from_slice(&classes).view([13, 1]))
    }

    fn numbers() -> Target {
        let numbers: Vec<f32> = (0_u8..13).map(|row| f32::from(row).cos()).collect();
        Target::Numbers(Tensor::from_slice(&numbers).view([13, 1]))
    }

    #[test]
    fn gradients_of_a_classifier_are_those_of_autograd() {
        assert_same_gradients(&Model::NeuralNetwork { hidden: vec![11, 6] }, 3, &classes());
        assert_same_gradients(&Model::LogisticRegression {}, 3, &classes());
    }

    #[test]
    fn gradients_of_a_regression_are_those_of_autograd() {
        assert_same_gradients(&Model::NeuralNetwork { hidden: vec![11] }, 1, &numbers());
        assert_same_gradients(&Model::LinearRegression {}, 1, &numbers());
    }

    #[test]
    fn weights_survive_the_way_through_the_network() {
        let model = Model::NeuralNetwork { hidden: vec![11, 6] };
        let weights = initial_of(&model, 7, 3, 9);
        assert_eq!(Network::new(&model.layers(7, 3), &weights).unwrap().to_tensors().unwrap(), weights);
    }
}
