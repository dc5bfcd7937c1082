//! Hyperparameters of local training, as a spec names them.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How a runner trains in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The optimiser; its state starts anew each round.
    pub optimizer: Optimizer,
    /// How the step size changes from round to round.
    pub schedule: Schedule,
    /// Passes over the local rows per round, 1 to 1000.
    pub epochs: u32,
    /// Rows per step, 1 to 65536.
    pub batch_size: u32,
    /// Pull towards the round's starting model: `mu / 2 * |w - w_start|^2` is added to the loss (FedProx, Li et al. 2020, equation
    /// 2); 0 for none, at most 100.
    pub proximal: f64,
    /// Seed of initial weights, shuffles and partitions.
    pub seed: u64,
}

/// The optimiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Step size, above 0 to 10.
        learning_rate: f64,
        /// Momentum, 0 to below 1.
        momentum: f64,
    },
    /// Adam (Kingma and Ba 2015) with beta 0.9 and 0.999, epsilon 1e-8.
    Adam {
        /// Step size, above 0 to 10.
        learning_rate: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), the same betas and epsilon.
    AdamW {
        /// Step size, above 0 to 10.
        learning_rate: f64,
        /// Each step shrinks weights by `learning_rate * weight_decay`, 0 to 1.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// The step size of the first round.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { learning_rate, .. } | Self::Adam { learning_rate } | Self::AdamW { learning_rate, .. } => {
                *learning_rate
            }
        }
    }
}

/// How the step size changes from round to round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// It does not.
    Constant {},
    /// Half a cosine from the full step in round 1 to a hundredth of it in round `rounds` (Loshchilov and Hutter 2017, equation
    /// 5), constant after. Rounded to millionths, so that no platform's cosine matters.
    Cosine {
        /// Rounds until the smallest step, 2 to 10,000.
        rounds: u16,
    },
    /// A tenth after every `rounds` rounds.
    Step {
        /// Rounds between two drops, 1 to 10,000.
        rounds: u16,
    },
}

impl Schedule {
    /// What the step size of a round (1-based) is multiplied with.
    pub fn factor(self, round: u16) -> f64 {
        let done = f64::from(round.saturating_sub(1));
        match self {
            Self::Constant {} => 1.0,
            Self::Cosine { rounds } => {
                let share = (done / f64::from(rounds.saturating_sub(1).max(1))).min(1.0);
                let factor = 0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
                (factor * 1e6).round() / 1e6
            }
            Self::Step { rounds } => 0.1_f64.powi(i32::from((round.saturating_sub(1)) / rounds.max(1))),
        }
    }
}

impl Training {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |field, value: String, expected: &str| Err(Error::Spec { field, value, expected: expected.into() });
        if !(1..=1000).contains(&self.epochs) {
            return refuse("training.epochs", self.epochs.to_string(), "1 to 1000");
        }
        if !(1..=65_536).contains(&self.batch_size) {
            return refuse("training.batch_size", self.batch_size.to_string(), "1 to 65536");
        }
        if !(0.0..=100.0).contains(&self.proximal) {
            return refuse("training.proximal", self.proximal.to_string(), "0 (none) to 100");
        }
        match self.schedule {
            Schedule::Cosine { rounds } if !(2..=10_000).contains(&rounds) => {
                return refuse("training.schedule.rounds", rounds.to_string(), "2 to 10000");
            }
            Schedule::Step { rounds } if !(1..=10_000).contains(&rounds) => {
                return refuse("training.schedule.rounds", rounds.to_string(), "1 to 10000");
            }
            _ => {}
        }
        match &self.optimizer {
            Optimizer::Sgd { momentum, .. } if !(0.0..1.0).contains(momentum) => {
                return refuse("training.optimizer.momentum", momentum.to_string(), "0 to below 1");
            }
            Optimizer::AdamW { weight_decay, .. } if !(0.0..=1.0).contains(weight_decay) => {
                return refuse("training.optimizer.weight_decay", weight_decay.to_string(), "0 to 1");
            }
            _ => {}
        }
        let rate = self.optimizer.learning_rate();
        if !(rate > 0.0 && rate <= 10.0) {
            return refuse("training.optimizer.learning_rate", rate.to_string(), "above 0, at most 10");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_start_at_the_full_step() {
        for schedule in [Schedule::Constant {}, Schedule::Cosine { rounds: 10 }, Schedule::Step { rounds: 3 }] {
            assert!((schedule.factor(1) - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn a_cosine_falls_to_a_hundredth_and_stays() {
        let schedule = Schedule::Cosine { rounds: 11 };
        assert!((schedule.factor(6) - 0.505).abs() < 1e-12);
        assert!((schedule.factor(11) - 0.01).abs() < 1e-12);
        assert!((schedule.factor(500) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn steps_drop_to_a_tenth() {
        let schedule = Schedule::Step { rounds: 3 };
        assert!((schedule.factor(3) - 1.0).abs() < 1e-15);
        assert!((schedule.factor(4) - 0.1).abs() < 1e-15);
        assert!((schedule.factor(7) - 0.01).abs() < 1e-15);
    }
}
