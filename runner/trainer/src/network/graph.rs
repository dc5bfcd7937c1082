//! Any layers, convolutions among them, with gradients by autograd.
//!
//! The flat parameters are the one leaf of the graph, so their gradient comes out flat as well. Dropout keeps a unit with
//! probability `1 - p` and divides it by that (Srivastava et al. 2014, inverted); which ones are kept comes from our own generator,
//! because that of libtorch may change. On a graphics card the parameters go there and the gradients come back in every step; the
//! optimiser stays where it is.

use anyhow::{Context, Result};
use parity_learning::{
    perceptron::{Examples, Targets},
    random::Stream,
};
use parity_protocol::model::{Activation, Layer, LayerKind};
use tch::{Device, Reduction, Tensor};

/// Layers that autograd differentiates.
#[derive(Debug)]
pub(super) struct Graph {
    layers: Vec<Layer>,
    stream: Stream,
    device: Device,
}

impl Graph {
    /// Layers whose dropout follows `stream`, computed on `device`.
    pub(super) fn new(layers: &[Layer], stream: Stream, device: Device) -> Self {
        Self { layers: layers.to_vec(), stream, device }
    }

    /// Writes the gradients of the mean loss of these rows.
    pub(super) fn differentiate(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        examples: &Examples,
        rows: &[usize],
    ) -> Result<()> {
        let device = self.device;
        let leaf = Tensor::f_from_slice(parameters)?.f_to(device)?.f_set_requires_grad(true)?;
        let values: Vec<f32> = rows.iter().flat_map(|row| examples.row(*row)).copied().collect();
        let size = [i64::try_from(rows.len())?, i64::try_from(examples.features)?];
        let x = Tensor::f_from_slice(&values)?.f_to(device)?.f_view(size)?;
        let output = self.forward(&leaf, &x)?;
        let loss = match &examples.targets {
            Targets::Classes(classes) => {
                let classes = rows.iter().map(|row| i64::try_from(classes[*row])).collect::<Result<Vec<_>, _>>()?;
                let classes = Tensor::f_from_slice(&classes)?.f_to(device)?;
                output.f_log_softmax(1, None)?.f_nll_loss(&classes, None::<Tensor>, Reduction::Mean, -100)?
            }
            Targets::Numbers(numbers) => {
                let numbers: Vec<f32> = rows.iter().map(|row| numbers[*row]).collect();
                let numbers = Tensor::f_from_slice(&numbers)?.f_to(device)?.f_view([-1, 1])?;
                output.f_mse_loss(&numbers, Reduction::Mean)?
            }
        };
        let found = Tensor::f_run_backward(&[loss], &[leaf], false, false)?;
        let found = found.into_iter().next().context("one leaf has one gradient")?;
        found.f_to(Device::Cpu)?.f_copy_data(gradients, gradients.len())?;
        Ok(())
    }

    fn forward(&mut self, parameters: &Tensor, x: &Tensor) -> Result<Tensor> {
        let rows = x.size().first().copied().unwrap_or_default();
        let mut value = x.shallow_clone();
        let mut offset = 0;
        let Self { layers, stream, .. } = self;
        for layer in &*layers {
            let shape = dimensions(&layer.kind.weight_shape())?;
            let (size, biases) = (shape.iter().product(), i64::try_from(layer.kind.biases())?);
            let weight = parameters.f_narrow(0, offset, size)?.f_view(&shape[..])?;
            let bias = parameters.f_narrow(0, offset + size, biases)?;
            offset += size + biases;
            value = match layer.kind {
                LayerKind::Dense { inputs, .. } => activate(
                    layer.activation,
                    value.f_reshape([rows, i64::try_from(inputs)?])?.f_linear(&weight, Some(&bias))?,
                )?,
                LayerKind::Convolution { input, kernel, pool, .. } => {
                    let image = [rows, i64::from(input.channels), i64::from(input.height), i64::from(input.width)];
                    let reach = i64::try_from(kernel / 2)?;
                    let value = value.f_reshape(image)?;
                    let value = value.f_conv2d(&weight, Some(&bias), [1, 1], [reach, reach], [1, 1], 1)?;
                    let value = activate(layer.activation, value)?;
                    let pool = i64::try_from(pool)?;
                    if pool == 1 {
                        value
                    } else {
                        value.f_max_pool2d([pool, pool], [pool, pool], [0, 0], [1, 1], false)?
                    }
                }
            };
            if layer.dropout > 0.0 {
                value = value.f_mul(&mask(stream, &value, layer.dropout)?)?;
            }
        }
        Ok(value)
    }
}

/// 0 with probability `dropout`, else `1 / (1 - dropout)`.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
fn mask(stream: &mut Stream, like: &Tensor, dropout: f64) -> Result<Tensor> {
    let kept = (1.0 / (1.0 - dropout)) as f32;
    let draw = |_| if f64::from(stream.unit()) < dropout { 0.0 } else { kept };
    let values: Vec<f32> = (0..like.numel()).map(draw).collect();
    Ok(Tensor::f_from_slice(&values)?.f_to(like.device())?.f_view_as(like)?)
}

fn activate(activation: Option<Activation>, value: Tensor) -> Result<Tensor> {
    Ok(match activation {
        None => value,
        Some(Activation::Relu) => value.f_relu()?,
        Some(Activation::LeakyRelu) => value.f_leaky_relu()?,
        Some(Activation::Tanh) => value.f_tanh()?,
        Some(Activation::Sigmoid) => value.f_sigmoid()?,
    })
}

fn dimensions(shape: &[usize]) -> Result<Vec<i64>> {
    shape.iter().map(|size| i64::try_from(*size).context("a size fits 64 bits")).collect()
}
