//! Dense networks and the gradients of their loss, written out: no graph, no allocation in a step, and the same bits on every
//! processor. One step of 32 rows through 64-64-10 takes 15 us, through libtorch with reused buffers 95.
//!
//! Rows of a batch lie side by side in the vectors of the processor: activations are `[width, rows]`. Notation per layer: `a` its
//! input, `W` `[out, in]`, `b`, `z = Wa + b`, `d = dL/dz`; then `dL/dW = d a'`, `dL/db = sum(d)`, `dL/da = W'd`. A batch goes through in
//! blocks, whose gradients add up in the order of the rows: memory is that of a block.

mod activation;
mod examples;
mod loss;

use parity_protocol::model::{Activation, Layer, LayerKind};

pub use self::examples::{Examples, Targets};
use crate::{
    product::{LANES, Left, Product, Start, transpose},
    random::Stream,
};

/// Rows that go through together: weights are read once for them, and their activations stay in the second-level cache up to
/// a thousand units.
const BLOCK: usize = 64;

/// Dense layers, and room for a block of rows.
#[derive(Debug)]
pub struct Perceptron {
    layers: Vec<Dense>,
    /// `a` of the first layer.
    input: Values,
    /// What is left out comes from here.
    stream: Stream,
    /// From one unit's activations to the next one's.
    stride: usize,
}

/// One layer, and room for what goes through it.
#[derive(Debug)]
struct Dense {
    inputs: usize,
    outputs: usize,
    /// Where its weight begins in the parameters; the bias follows it.
    offset: usize,
    activation: Option<Activation>,
    dropout: f64,
    /// What the next layer sees.
    output: Values,
    /// `[outputs, stride]`: the slope of `output` along `z`.
    slopes: Vec<f32>,
    /// `[outputs, stride]`: `d`.
    delta: Vec<f32>,
}

/// Activations of a block, both ways round.
#[derive(Debug)]
struct Values {
    /// `[width, stride]`.
    by_unit: Vec<f32>,
    /// `[rows, width]`, rows filled up to whole vectors.
    by_row: Vec<f32>,
    width: usize,
}

impl Values {
    fn new(width: usize, stride: usize) -> Self {
        let by_row = vec![0.0; stride * width.next_multiple_of(LANES)];
        Self { by_unit: vec![0.0; width * stride], by_row, width }
    }

    fn row_stride(&self) -> usize {
        self.width.next_multiple_of(LANES)
    }
}

impl Perceptron {
    /// Room for batches of up to so many rows; none where a layer is not dense. What dropout leaves out comes from `stream`.
    pub fn new(layers: &[Layer], batch: usize, stream: Stream) -> Option<Self> {
        let stride = batch.min(BLOCK).next_multiple_of(LANES);
        let mut offset = 0;
        let mut dense = Vec::with_capacity(layers.len());
        for Layer { kind, activation, dropout } in layers {
            let LayerKind::Dense { inputs, outputs } = *kind else { return None };
            dense.push(Dense {
                inputs,
                outputs,
                offset,
                activation: *activation,
                dropout: *dropout,
                output: Values::new(outputs, stride),
                slopes: vec![1.0; outputs * stride],
                delta: vec![0.0; outputs * stride],
            });
            offset += outputs * (inputs + 1);
        }
        let input = Values::new(dense.first()?.inputs, stride);
        Some(Self { layers: dense, input, stream, stride })
    }

    /// Writes the gradients of the mean loss of some rows: of all parameters, layer by layer, weight first.
    pub fn differentiate(&mut self, parameters: &[f32], gradients: &mut [f32], examples: &Examples, rows: &[usize]) {
        let share = share(rows.len());
        for (index, rows) in rows.chunks(BLOCK.min(self.stride)).enumerate() {
            self.forward(parameters, examples, rows);
            if let Some(Dense { output, delta, .. }) = self.layers.last_mut() {
                delta.copy_from_slice(&output.by_unit);
                loss::slope(delta, self.stride, &examples.targets, rows, share);
            }
            self.backward(parameters, gradients, rows.len(), index == 0);
        }
    }

    fn forward(&mut self, parameters: &[f32], examples: &Examples, rows: &[usize]) {
        let Self { layers, input, stream, stride } = self;
        let width = input.row_stride();
        for (place, row) in input.by_row.chunks_mut(width).zip(rows) {
            place[..input.width].copy_from_slice(examples.row(*row));
        }
        transpose(&input.by_row, width, &mut input.by_unit, *stride, rows.len(), input.width);
        let mut input = &*input;
        for layer in layers {
            layer.forward(parameters, input, *stride, rows.len());
            layer.leave_out(stream, *stride, rows.len());
            let Values { by_unit, by_row, width } = &mut layer.output;
            if layer.activation.is_some() {
                transpose(by_unit, *stride, by_row, width.next_multiple_of(LANES), *width, rows.len());
            }
            input = &layer.output;
        }
    }

    fn backward(&mut self, parameters: &[f32], gradients: &mut [f32], rows: usize, first: bool) {
        let Self { layers, input, stride, .. } = self;
        let mut rest = &mut layers[..];
        while let Some((layer, below)) = rest.split_last_mut() {
            let input = below.last().map_or(&*input, |below| &below.output);
            layer.add_gradients(gradients, input, *stride, rows, first);
            if let Some(below) = below.last_mut() {
                layer.pass_back(parameters, below, *stride, rows);
            }
            rest = below;
        }
    }
}

impl Dense {
    /// `output = f(W input + b)`, and the slope of `f`.
    fn forward(&mut self, parameters: &[f32], input: &Values, stride: usize, rows: usize) {
        let (weight, bias) = self.split(parameters);
        Product {
            out: &mut self.output.by_unit,
            out_stride: stride,
            left: Left::Rows { values: weight, stride: self.inputs },
            right: &input.by_unit,
            right_stride: stride,
            rows: self.outputs,
            columns: rows,
            inner: self.inputs,
            start: Start::Bias(bias),
        }
        .run();
        if let Some(activation) = self.activation {
            activation::activate(activation, &mut self.output.by_unit, &mut self.slopes);
        }
    }

    /// Keeps a unit with probability `1 - p` and divides it by that (Srivastava et al. 2014, inverted).
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
    fn leave_out(&mut self, stream: &mut Stream, stride: usize, rows: usize) {
        if self.dropout <= 0.0 {
            return;
        }
        let kept = (1.0 / (1.0 - self.dropout)) as f32;
        for (values, slopes) in self.output.by_unit.chunks_mut(stride).zip(self.slopes.chunks_mut(stride)) {
            for (value, slope) in values[..rows].iter_mut().zip(slopes) {
                let factor = if f64::from(stream.unit()) < self.dropout { 0.0 } else { kept };
                (*value, *slope) = (*value * factor, *slope * factor);
            }
        }
    }

    /// Writes `d a'` and the sum of `d`, or adds them to what is there.
    fn add_gradients(&self, gradients: &mut [f32], input: &Values, stride: usize, rows: usize, first: bool) {
        let weights = self.outputs * self.inputs;
        let (weight, bias) = gradients[self.offset..][..weights + self.outputs].split_at_mut(weights);
        Product {
            out: weight,
            out_stride: self.inputs,
            left: Left::Rows { values: &self.delta, stride },
            right: &input.by_row,
            right_stride: input.row_stride(),
            rows: self.outputs,
            columns: self.inputs,
            inner: rows,
            start: if first { Start::Zero } else { Start::Out },
        }
        .run();
        for (bias, delta) in bias.iter_mut().zip(self.delta.chunks_exact(stride)) {
            let total = sum(delta);
            *bias = if first { total } else { *bias + total };
        }
    }

    /// `d` of the layer below: `W'd` times the slope there.
    fn pass_back(&self, parameters: &[f32], below: &mut Self, stride: usize, rows: usize) {
        let (weight, _) = self.split(parameters);
        Product {
            out: &mut below.delta,
            out_stride: stride,
            left: Left::Columns { values: weight, stride: self.inputs },
            right: &self.delta,
            right_stride: stride,
            rows: self.inputs,
            columns: rows,
            inner: self.outputs,
            start: Start::Zero,
        }
        .run();
        for (delta, slopes) in below.delta.chunks_mut(stride).zip(below.slopes.chunks(stride)) {
            delta[..rows].iter_mut().zip(slopes).for_each(|(delta, slope)| *delta *= slope);
            delta[rows..].fill(0.0);
        }
    }

    fn split<'a>(&self, parameters: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        let weights = self.outputs * self.inputs;
        parameters[self.offset..][..weights + self.outputs].split_at(weights)
    }
}

/// The sum of whole vectors: lane by lane, then by halves.
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for values in values.as_chunks::<LANES>().0 {
        lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += value);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[expect(clippy::cast_precision_loss, reason = "a batch has at most 65536 rows")]
fn share(rows: usize) -> f32 {
    1.0 / rows as f32
}

#[cfg(test)]
mod tests;
