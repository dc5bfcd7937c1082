//! The slope of a batch's mean loss at the outputs of the last layer.

use super::{activation::exp, examples::Targets};
use crate::{product::LANES, simd};

/// Turns outputs `[outputs, stride]` of these rows into `dL/dz`: `(softmax(z) - onehot(y)) share`, the slope of the cross-entropy, or
/// `2 (z - y) share`, that of the squared error. `share` is 1 over the rows of the batch. Columns beyond the rows become 0.
pub(super) fn slope(outputs: &mut [f32], stride: usize, targets: &Targets, rows: &[usize], share: f32) {
    match targets {
        Targets::Classes(classes) => {
            softmax(outputs, stride, share);
            for (column, row) in rows.iter().enumerate() {
                outputs[classes[*row] * stride + column] -= share;
            }
        }
        Targets::Numbers(numbers) => {
            for (output, row) in outputs.iter_mut().zip(rows) {
                *output = 2.0 * share * (*output - numbers[*row]);
            }
        }
    }
    for outputs in outputs.chunks_mut(stride) {
        outputs[rows.len()..].fill(0.0);
    }
}

/// `share * softmax` of every column, from which its largest value is subtracted first so that nothing overflows.
fn softmax(outputs: &mut [f32], stride: usize, share: f32) {
    simd::widest(
        #[inline(always)]
        || {
            for first in (0..stride).step_by(LANES) {
                let (mut largest, mut total) = ([f32::NEG_INFINITY; LANES], [0.0; LANES]);
                for outputs in outputs.chunks_exact(stride) {
                    for (largest, value) in largest.iter_mut().zip(&outputs[first..first + LANES]) {
                        *largest = if *value > *largest { *value } else { *largest };
                    }
                }
                for outputs in outputs.chunks_exact_mut(stride) {
                    let values = outputs[first..first + LANES].iter_mut().zip(&largest).zip(&mut total);
                    for ((value, largest), total) in values {
                        *value = exp(*value - largest);
                        *total += *value;
                    }
                }
                let scale = total.map(|total| share / total);
                for outputs in outputs.chunks_exact_mut(stride) {
                    outputs[first..first + LANES].iter_mut().zip(&scale).for_each(|(value, scale)| *value *= scale);
                }
            }
        },
    );
}
