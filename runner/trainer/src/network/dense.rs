//! Dense layers with ReLU between them and their gradients written out, instead of autograd: forward, backward and update
//! touch only buffers that exist already. Six times the steps of eager mode on the networks that most sessions train.
//!
//! Layers are views of the flat parameters and gradients. Notation per layer: `a` input `[rows, in]`, `W` `[out, in]`, `b`, `z = aW' + b`,
//! `d = dL/dz`; then `dL/dW = d'a`, `dL/db = sum(d)`, `dL/da = dW`. A test compares the gradients with autograd's.

use anyhow::Result;
use parity_protocol::model::{Activation, Layer, LayerKind};
use tch::{Device, Kind, Tensor};

use super::{Target, write};

/// Dense layers with ReLU between them.
#[derive(Debug)]
pub(super) struct DenseNetwork {
    layers: Vec<Dense>,
}

/// Views of one layer.
#[derive(Debug)]
struct Dense {
    outputs: i64,
    weight: Tensor,
    weight_transposed: Tensor,
    bias: Tensor,
    weight_gradient: Tensor,
    bias_gradient: Tensor,
}

/// Buffers for batches of one size.
#[derive(Debug)]
pub(super) struct Workspace {
    rows: usize,
    /// Per layer: its output, after ReLU except for the last.
    outputs: Vec<Tensor>,
    /// Per layer: `d`.
    deltas: Vec<Tensor>,
    deltas_transposed: Vec<Tensor>,
    minus_one: Tensor,
}

impl DenseNetwork {
    /// Views of these layers in flat parameters and gradients; none where a layer is not dense, or not followed by plain
    /// ReLU.
    pub(super) fn new(layers: &[Layer], parameters: &Tensor, gradients: &Tensor) -> Result<Option<Self>> {
        let mut offset = 0;
        let mut views = Vec::with_capacity(layers.len());
        for layer in layers {
            let LayerKind::Dense { inputs, outputs } = layer.kind else { return Ok(None) };
            if layer.dropout > 0.0 || layer.activation.is_some_and(|activation| activation != Activation::Relu) {
                return Ok(None);
            }
            let (inputs, outputs) = (i64::try_from(inputs)?, i64::try_from(outputs)?);
            let split = |of: &Tensor| -> Result<(Tensor, Tensor)> {
                let weight = of.f_narrow(0, offset, outputs * inputs)?.f_view([outputs, inputs])?;
                Ok((weight, of.f_narrow(0, offset + outputs * inputs, outputs)?))
            };
            let (weight, bias) = split(parameters)?;
            let (weight_gradient, bias_gradient) = split(gradients)?;
            let weight_transposed = weight.f_transpose(0, 1)?;
            views.push(Dense { outputs, weight, weight_transposed, bias, weight_gradient, bias_gradient });
            offset += outputs * (inputs + 1);
        }
        Ok(Some(Self { layers: views }))
    }

    /// Buffers for batches of this many rows.
    pub(super) fn workspace(&self, rows: usize) -> Result<Workspace> {
        let count = i64::try_from(rows)?;
        let buffers = || -> Result<Vec<Tensor>> {
            let buffer = |layer: &Dense| Ok(Tensor::f_zeros([count, layer.outputs], (Kind::Float, Device::Cpu))?);
            self.layers.iter().map(buffer).collect()
        };
        let (outputs, deltas) = (buffers()?, buffers()?);
        let deltas_transposed = deltas.iter().map(|delta| Ok(delta.f_transpose(0, 1)?)).collect::<Result<_>>()?;
        let minus_one = Tensor::f_full([count, 1], -1.0, (Kind::Float, Device::Cpu))?;
        Ok(Workspace { rows, outputs, deltas, deltas_transposed, minus_one })
    }

    /// Writes the gradients of the batch's mean loss.
    pub(super) fn differentiate(&self, space: &mut Workspace, x: &Tensor, target: &Target) -> Result<()> {
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
