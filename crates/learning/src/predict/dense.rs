//! A dense layer in f32. Every output adds up its inputs in order, in fused steps, like a layer in training.

use crate::product::{LANES, Left, Product, Start, transpose};

/// `Wx + b`.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    inputs: usize,
    outputs: usize,
    /// `[inputs, outputs]`, rows filled up to whole vectors.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Dense {
    /// Turns a weight `[outputs, inputs]`, so that rows of data are rows of the product.
    pub(super) fn new(inputs: usize, outputs: usize, weight: &[f32], bias: &[f32]) -> Self {
        let stride = outputs.next_multiple_of(LANES);
        let mut turned = vec![0.0; inputs * stride];
        transpose(weight, inputs, &mut turned, stride, outputs, inputs);
        Self { inputs, outputs, weight: turned, bias: bias.to_vec() }
    }

    /// `Wx + b` for rows `[rows, inputs]`.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.inputs;
        let mut values = self.bias.repeat(rows);
        Product {
            out: &mut values,
            out_stride: self.outputs,
            left: Left::Rows { values: x, stride: self.inputs },
            right: &self.weight,
            right_stride: self.outputs.next_multiple_of(LANES),
            rows,
            columns: self.outputs,
            inner: self.inputs,
            start: Start::Out,
        }
        .run();
        values
    }
}
