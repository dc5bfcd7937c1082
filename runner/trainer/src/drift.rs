//! What keeps a seat with unusual data from drifting away: terms that are added to every gradient.

use anyhow::Result;
use parity_protocol::model::Layer;
use tch::Tensor;

use crate::{
    input::Input,
    network::{flatten, write},
};

/// Corrections of the gradient.
#[derive(Debug)]
pub(crate) struct Drift {
    proximal: Option<Proximal>,
    correction: Option<Tensor>,
}

/// `mu (w - w_start)`, the gradient of FedProx's pull (Li et al. 2020, equation 2).
#[derive(Debug)]
struct Proximal {
    mu: f64,
    start: Tensor,
    scratch: Tensor,
}

impl Drift {
    /// The corrections that the job asks for.
    pub(crate) fn new(input: &Input, layers: &[Layer], mu: f64, parameters: &Tensor) -> Result<Self> {
        let mut proximal = None;
        if mu > 0.0 {
            let mut start = parameters.f_zeros_like()?;
            start.f_copy_(parameters)?;
            proximal = Some(Proximal { mu, start, scratch: parameters.f_zeros_like()? });
        }
        let correction = match &input.correction {
            Some(tensors) => Some(Tensor::f_from_slice(&flatten(layers, tensors)?)?),
            None => None,
        };
        Ok(Self { proximal, correction })
    }

    /// Adds them to the gradients at these parameters.
    pub(crate) fn correct(&mut self, gradients: &mut Tensor, parameters: &Tensor) -> Result<()> {
        if let Some(Proximal { mu, start, scratch }) = &mut self.proximal {
            write(parameters.f_sub_out(scratch, start))?;
            write(scratch.f_mul_scalar_(*mu))?;
            write(gradients.f_add_(scratch))?;
        }
        if let Some(correction) = &self.correction {
            write(gradients.f_add_(correction))?;
        }
        Ok(())
    }
}
