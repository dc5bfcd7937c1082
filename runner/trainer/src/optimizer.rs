//! Optimisers over one flat vector of parameters. Steps are those of PyTorch's `torch.optim.SGD`, `torch.optim.Adam` and
//! `torch.optim.AdamW`; tests compare with formulas written out in f64. Every parameter goes its own way through multiplications and
//! additions in a fixed order, so neither vectors nor threads change a bit.

use anyhow::{Context, Result};
use parity_learning::simd;
use parity_protocol::training::Optimizer as Choice;

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
    Sgd { momentum: f64, rate: f64, velocity: Vec<f32> },
    /// `w = keep w; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w - rate m^ / (sqrt(v^) + eps)`.
    Adam { rate: f64, keep: f64, powers: [f64; 2], first: Vec<f32>, second: Vec<f32> },
}

impl Optimizer {
    /// A new optimiser for so many parameters, whose step size is multiplied with `factor`.
    pub(crate) fn new(choice: &Choice, factor: f64, parameters: usize) -> Result<Self> {
        let rate = choice.learning_rate().context("an exact method takes no steps")? * factor;
        let weight_decay = match choice {
            Choice::Sgd { momentum, .. } => {
                return Ok(Self::Sgd { momentum: *momentum, rate, velocity: vec![0.0; parameters] });
            }
            Choice::AdamW { weight_decay, .. } => *weight_decay,
            Choice::Adam { .. } | Choice::LeastSquares { .. } | Choice::Newton { .. } => 0.0,
        };
        let zeros = || vec![0.0; parameters];
        Ok(Self::Adam { rate, keep: 1.0 - rate * weight_decay, powers: [1.0; 2], first: zeros(), second: zeros() })
    }

    /// Moves the parameters by one step along the gradients.
    pub(crate) fn step(&mut self, parameters: &mut [f32], gradients: &[f32]) {
        match self {
            Self::Sgd { momentum, rate, velocity } if *momentum > 0.0 => {
                let (momentum, rate) = (round(*momentum), round(-*rate));
                simd::widest(
                    #[inline(always)]
                    || {
                        for ((w, v), g) in parameters.iter_mut().zip(velocity).zip(gradients) {
                            *v = momentum.mul_add(*v, *g);
                            *w = rate.mul_add(*v, *w);
                        }
                    },
                );
            }
            Self::Sgd { rate, .. } => {
                let rate = round(-*rate);
                simd::widest(
                    #[inline(always)]
                    || parameters.iter_mut().zip(gradients).for_each(|(w, g)| *w = rate.mul_add(*g, *w)),
                );
            }
            Self::Adam { rate, keep, powers: [power1, power2], first, second } => {
                (*power1, *power2) = (*power1 * BETA1, *power2 * BETA2);
                // rate m^ / (sqrt(v^) + eps) = m / (s sqrt(v) + s eps sqrt(c2)) with c = 1 - beta^t and s = c1 / (rate sqrt(c2)).
                let (c1, c2) = (1.0 - *power1, 1.0 - *power2);
                let scale = c1 / (*rate * c2.sqrt());
                let (keep, floor, scale) = (round(*keep), round(scale * EPSILON * c2.sqrt()), round(scale));
                let (share1, share2) = (round(1.0 - BETA1), round(1.0 - BETA2));
                simd::widest(
                    #[inline(always)]
                    || {
                        for (((w, m), v), g) in parameters.iter_mut().zip(first).zip(second).zip(gradients) {
                            *m = share1.mul_add(g - *m, *m);
                            *v = share2.mul_add(g.mul_add(*g, -*v), *v);
                            *w = *w * keep - *m / scale.mul_add(v.sqrt(), floor);
                        }
                    },
                );
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
fn round(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradient of `sum(w^2 / 2 * (i + 1))` at `w`.
    fn slope(w: &[f64]) -> Vec<f64> {
        w.iter().zip(1_u8..).map(|(w, i)| w * f64::from(i)).collect()
    }

    fn run(choice: &Choice, steps: usize) -> Vec<f64> {
        let mut parameters = vec![1.0, -2.0, 0.5];
        let mut optimizer = Optimizer::new(choice, 1.0, parameters.len()).unwrap();
        let exact = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
        for _ in 0..steps {
            let gradients: Vec<f32> = slope(&exact(&parameters)).into_iter().map(round).collect();
            optimizer.step(&mut parameters, &gradients);
        }
        exact(&parameters)
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
        let mut parameters = [2.0];
        Optimizer::new(&choice, 0.5, 1).unwrap().step(&mut parameters, &[0.0]);
        assert_close(&parameters.map(f64::from), &[2.0 * (1.0 - 0.05 * 0.5)]);
    }

    #[test]
    fn adam_stays_where_the_slope_is_zero() {
        let mut parameters = [1.0_f32];
        Optimizer::new(&Choice::Adam { learning_rate: 0.1 }, 1.0, 1).unwrap().step(&mut parameters, &[0.0]);
        assert_eq!(parameters.map(f32::to_bits), [1.0_f32.to_bits()]);
    }

    #[test]
    fn a_parameter_moves_the_same_in_a_vector_and_alone() {
        // 37 is no multiple of any vector: some parameters go through the scalar rest of the loop.
        let start: Vec<f32> = (0_u8..37).map(|i| f32::from(i).sin()).collect();
        let slopes: Vec<f32> = (0_u8..37).map(|i| f32::from(i).cos() * 1e-3).collect();
        for choice in [
            Choice::Sgd { learning_rate: 0.1, momentum: 0.0 },
            Choice::Sgd { learning_rate: 0.1, momentum: 0.9 },
            Choice::AdamW { learning_rate: 0.1, weight_decay: 0.1 },
        ] {
            let mut all = start.clone();
            let mut optimizer = Optimizer::new(&choice, 1.0, 37).unwrap();
            (0..3).for_each(|_| optimizer.step(&mut all, &slopes));
            for ((all, start), slope) in all.iter().zip(&start).zip(&slopes) {
                let mut alone = [*start];
                let mut optimizer = Optimizer::new(&choice, 1.0, 1).unwrap();
                (0..3).for_each(|_| optimizer.step(&mut alone, &[*slope]));
                assert_eq!(alone[0].to_bits(), all.to_bits(), "{choice:?}");
            }
        }
    }
}
