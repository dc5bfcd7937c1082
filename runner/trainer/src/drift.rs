//! What keeps a seat with unusual data from drifting away: terms that are added to every gradient.

use anyhow::Result;
use parity_learning::{simd, tensors::Tensors};
use parity_protocol::model::Layer;

use crate::network::flatten;

/// Corrections of the gradient.
#[derive(Debug)]
pub(crate) struct Drift {
    proximal: Option<Proximal>,
    correction: Option<Vec<f32>>,
}

/// `mu (w - w_start)`, the gradient of FedProx's pull (Li et al. 2020, equation 2).
#[derive(Debug)]
struct Proximal {
    mu: f32,
    start: Vec<f32>,
}

impl Drift {
    /// A pull of strength `mu` to these parameters, and a correction with the shapes of the layers.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
    pub(crate) fn new(correction: Option<&Tensors>, layers: &[Layer], mu: f64, parameters: &[f32]) -> Result<Self> {
        let proximal = (mu > 0.0).then(|| Proximal { mu: mu as f32, start: parameters.to_vec() });
        let correction = correction.map(|tensors| flatten(layers, tensors)).transpose()?;
        Ok(Self { proximal, correction })
    }

    /// Adds them to the gradients at these parameters.
    pub(crate) fn correct(&self, gradients: &mut [f32], parameters: &[f32]) {
        simd::widest(
            #[inline(always)]
            || {
                if let Some(Proximal { mu, start }) = &self.proximal {
                    for ((gradient, now), start) in gradients.iter_mut().zip(parameters).zip(start) {
                        *gradient = mu.mul_add(now - start, *gradient);
                    }
                }
                if let Some(correction) = &self.correction {
                    gradients.iter_mut().zip(correction).for_each(|(gradient, correction)| *gradient += correction);
                }
            },
        );
    }
}
