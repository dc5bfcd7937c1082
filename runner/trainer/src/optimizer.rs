//! Optimisers over one flat tensor of parameters: a handful of in-place operations a step. Steps are those of PyTorch's
//! `torch.optim.SGD`, `torch.optim.Adam` and `torch.optim.AdamW`; tests compare with formulas written out in f64.

use anyhow::Result;
use parity_protocol::training::Optimizer as Choice;
use tch::{Device, Kind, Tensor};

use crate::network::write;

/// Decay of Adam's first moment (Kingma and Ba 2015, algorithm 1).
const BETA1: f64 = 0.9;
/// Decay of Adam's second moment.
const BETA2: f64 = 0.999;
/// Keeps Adam from dividing by 0.
const EPSILON: f64 = 1e-8;

/// An optimiser with its state.
#[derive(Debug)]
pub(crate) enum Optimizer {
    /// `v = momentum v + g; w = w - rate v`.
    Sgd {
        momentum: f64,
        /// `-rate` as a tensor, so that one operation multiplies and adds.
        negative_rate: Tensor,
        velocity: Tensor,
    },
    /// `w = keep w; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w - rate m^ / (sqrt(v^) + eps)`.
    Adam { rate: f64, keep: f64, steps: i32, first: Tensor, second: Tensor, scratch: Tensor },
}

impl Optimizer {
    /// A new optimiser for these parameters, whose step size is multiplied with `factor`.
    pub(crate) fn new(choice: &Choice, factor: f64, parameters: &Tensor) -> Result<Self> {
        let rate = choice.learning_rate() * factor;
        let momentum = match choice {
            Choice::Sgd { momentum, .. } => *momentum,
            Choice::Adam { .. } => return Self::adam(rate, 0.0, parameters),
            Choice::AdamW { weight_decay, .. } => return Self::adam(rate, *weight_decay, parameters),
        };
        let negative_rate = Tensor::f_full([1], -rate, (Kind::Float, Device::Cpu))?;
        Ok(Self::Sgd { momentum, negative_rate, velocity: parameters.f_zeros_like()? })
    }

    fn adam(rate: f64, weight_decay: f64, parameters: &Tensor) -> Result<Self> {
        let zeros = || parameters.f_zeros_like();
        let keep = 1.0 - rate * weight_decay;
        Ok(Self::Adam { rate, keep, steps: 0, first: zeros()?, second: zeros()?, scratch: zeros()? })
    }

    /// Moves the parameters by one step along the gradients.
    pub(crate) fn step(&mut self, parameters: &mut Tensor, gradients: &Tensor) -> Result<()> {
        match self {
            Self::Sgd { momentum, negative_rate, velocity } => {
                if *momentum > 0.0 {
                    write(velocity.f_mul_scalar_(*momentum))?;
                    write(velocity.f_add_(gradients))?;
                    write(parameters.f_addcmul_(velocity, negative_rate))?;
                } else {
                    write(parameters.f_addcmul_(gradients, negative_rate))?;
                }
            }
            Self::Adam { rate, keep, steps, first, second, scratch } => {
                *steps += 1;
                if *keep < 1.0 {
                    write(parameters.f_mul_scalar_(*keep))?;
                }
                write(first.f_lerp_(gradients, 1.0 - BETA1))?;
                write(gradients.f_square_out(scratch))?;
                write(second.f_lerp_(scratch, 1.0 - BETA2))?;
                // rate m^ / (sqrt(v^) + eps) = m / (s sqrt(v) + s eps sqrt(c2)) with c = 1 - beta^t and
                // s = c1 / (rate sqrt(c2)); the sign goes into s, so that adding the quotient subtracts the step.
                let (c1, c2) = (1.0 - BETA1.powi(*steps), 1.0 - BETA2.powi(*steps));
                let scale = -c1 / (*rate * c2.sqrt());
                write(second.f_sqrt_out(scratch))?;
                write(scratch.f_mul_scalar_(scale))?;
                write(scratch.f_add_scalar_(scale * EPSILON * c2.sqrt()))?;
                write(parameters.f_addcdiv_(first, scratch))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradient of `sum(w^2 / 2 * (i + 1))` at `w`.
    fn slope(w: &[f64]) -> Vec<f64> {
        w.iter().zip(1_u8..).map(|(w, i)| w * f64::from(i)).collect()
    }

    fn run(choice: &Choice, steps: usize) -> Vec<f64> {
        let mut parameters = Tensor::from_slice(&[1.0_f32, -2.0, 0.5]);
        let mut optimizer = Optimizer::new(choice, 1.0, &parameters).unwrap();
        for _ in 0..steps {
            let now: Vec<f64> = Vec::<f32>::try_from(&parameters).unwrap().into_iter().map(f64::from).collect();
            let gradients = Tensor::from_slice(&slope(&now)).to_kind(Kind::Float);
            optimizer.step(&mut parameters, &gradients).unwrap();
        }
        Vec::<f32>::try_from(&parameters).unwrap().into_iter().map(f64::from).collect()
    }

    fn assert_close(ours: &[f64], expected: &[f64]) {
        assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{ours:?} and {expected:?}");
    }

    #[test]
    fn sgd_with_momentum_is_the_textbook_one() {
        for momentum in [0.0, 0.9] {
            let (mut w, mut v) = (vec![1.0, -2.0, 0.5], vec![0.0; 3]);
            for _ in 0..20 {
                for (i, g) in slope(&w).into_iter().enumerate() {
                    v[i] = momentum * v[i] + g;
                    w[i] -= 0.05 * v[i];
                }
            }
            assert_close(&run(&Choice::Sgd { learning_rate: 0.05, momentum }, 20), &w);
        }
    }

    #[test]
    fn adam_is_the_one_of_the_paper() {
        let (mut w, mut m, mut v) = (vec![1.0, -2.0, 0.5], vec![0.0; 3], vec![0.0; 3]);
        for t in 1..=50 {
            for (i, g) in slope(&w).into_iter().enumerate() {
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (mean, square): (f64, f64) = (m[i] / (1.0 - 0.9_f64.powi(t)), v[i] / (1.0 - 0.999_f64.powi(t)));
                w[i] -= 0.03 * mean / (square.sqrt() + 1e-8);
            }
        }
        assert_close(&run(&Choice::Adam { learning_rate: 0.03 }, 50), &w);
    }

    #[test]
    fn adamw_shrinks_weights_apart_from_the_gradient() {
        let choice = Choice::AdamW { learning_rate: 0.1, weight_decay: 0.5 };
        let mut parameters = Tensor::from_slice(&[2.0_f32]);
        let mut optimizer = Optimizer::new(&choice, 0.5, &parameters).unwrap();
        optimizer.step(&mut parameters, &Tensor::from_slice(&[0.0_f32])).unwrap();
        assert_close(&[Vec::<f32>::try_from(&parameters).unwrap()[0].into()], &[2.0 * (1.0 - 0.05 * 0.5)]);
    }

    #[test]
    fn adam_stays_where_the_slope_is_zero() {
        let mut parameters = Tensor::from_slice(&[1.0_f32]);
        let mut optimizer = Optimizer::new(&Choice::Adam { learning_rate: 0.1 }, 1.0, &parameters).unwrap();
        optimizer.step(&mut parameters, &Tensor::from_slice(&[0.0_f32])).unwrap();
        assert_eq!(Vec::<f32>::try_from(&parameters).unwrap(), [1.0]);
    }
}
