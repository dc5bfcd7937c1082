//! How far local training goes, and updates that count per step.
//!
//! FedNova (Wang et al. 2020, section 3) writes an update as `y - x = -eta sum_t a_t g_t` over the local gradients `g_t`. The
//! sum `|a|_1` is the number of steps for plain SGD, and with momentum rho `(tau - rho (1 - rho^tau) / (1 - rho)) / (1 - rho)`.

use parity_protocol::training::{Optimizer, Training};

use super::{
    mean::Weighted,
    models::{same_shape, zip},
};
use crate::{Result, tensors::Tensors};

/// `|a|_1` of a seat with so many rows: its path in units of the learning rate.
pub fn path(training: &Training, samples: u64) -> f64 {
    let batches = samples.div_ceil(u64::from(training.batch_size).max(1));
    let steps = batches.saturating_mul(u64::from(training.epochs));
    match training.optimizer {
        Optimizer::Sgd { momentum, .. } if momentum > 0.0 => {
            let rest = 1.0 - momentum;
            (float(steps) - momentum * (1.0 - power(momentum, steps)) / rest) / rest
        }
        _ => float(steps),
    }
}

/// Models as if each had gone the same path: `previous + (w_i - previous) p / p_i` with `p = sum_k (n_k / n) p_k` (Wang et al.
/// 2020, equation 8, with the effective number of steps that keeps the mean's length). `paths` are the `p_i`.
///
/// # Errors
/// [`Error::Aggregate`](crate::Error::Aggregate) when names or shapes differ.
pub fn normalise_steps(inputs: &[Weighted<'_>], previous: &Tensors, paths: &[f64]) -> Result<Vec<Tensors>> {
    let mut terms: Vec<f64> = inputs.iter().zip(paths).map(|(input, path)| float(input.weight) * path).collect();
    // The sum must not depend on the order of the inputs.
    terms.sort_by(f64::total_cmp);
    let mean = terms.iter().sum::<f64>() / float(inputs.iter().map(|input| input.weight).sum());
    let one = |(input, path): (&Weighted<'_>, &f64)| {
        same_shape(previous, input.model)?;
        let factor = mean / path;
        Ok(zip(previous, input.model, |base, value| base + factor * (value - base)))
    };
    inputs.iter().zip(paths).map(one).collect()
}

/// `base^exponent` by squaring: `powi` may round otherwise on another machine.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

#[expect(clippy::cast_precision_loss, reason = "steps and samples above 2^53 may lose their last digits")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use parity_protocol::training::Schedule;

    use super::*;
    use crate::tensors::Tensor;

    fn training(momentum: f64) -> Training {
        let optimizer = Optimizer::Sgd { learning_rate: 0.1, momentum };
        let schedule = Schedule::Constant {};
        Training { optimizer, schedule, epochs: 2, batch_size: 8, proximal: 0.0, seed: 1 }
    }

    /// `|a|_1` by running momentum on gradients of 1.
    fn by_hand(momentum: f64, steps: u32) -> f64 {
        let (mut velocity, mut path) = (0.0, 0.0);
        for _ in 0..steps {
            velocity = momentum * velocity + 1.0;
            path += velocity;
        }
        path
    }

    #[test]
    fn a_path_is_as_long_as_its_steps() {
        // 20 rows are 3 batches of 8, twice.
        assert!((path(&training(0.0), 20) - 6.0).abs() < 1e-12);
        for momentum in [0.5, 0.9, 0.99] {
            assert!((path(&training(momentum), 20) - by_hand(momentum, 6)).abs() < 1e-9, "{momentum}");
        }
    }

    #[test]
    fn longer_paths_count_less_and_the_mean_keeps_its_length() {
        let model = |value: f32| Tensors([("w".to_owned(), Tensor { shape: vec![1], data: vec![value] })].into());
        let (start, near, far) = (model(1.0), model(2.0), model(4.0));
        let inputs = [Weighted { model: &near, weight: 1 }, Weighted { model: &far, weight: 1 }];
        let same = normalise_steps(&inputs, &start, &[1.0, 3.0]).unwrap();
        // Both went 1 per step, and 2 steps on average.
        assert_eq!(same, [model(3.0), model(3.0)]);
    }
}
