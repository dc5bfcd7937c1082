//! Hyperparameters of local training, as a spec names them.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, model::Model};

/// Most unknowns of an exact method: what a seat tells of 2,000 takes 32 MB, and solving for them takes seconds.
pub const MAX_UNKNOWNS: usize = 2_000;
/// Largest ridge: beyond, nothing is learned.
const MAX_RIDGE: f64 = 1e12;

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

/// The optimiser: steps of descent on batches, or an exact method, in which seats tell sums over all their rows and keepers solve.
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
    /// Linear regression, exact in one round: minimises `sum (y - Wx - b)^2 + ridge |W|^2` from summed moments. Without a ridge, the
    /// shortest `W` of equally good ones.
    LeastSquares {
        /// 0 (none) to 1e12; the `alpha` of scikit-learn's `Ridge`.
        ridge: f64,
    },
    /// Logistic regression by Newton's method, one step a round: minimises `sum loss + ridge / 2 |W|^2` from summed derivatives. With
    /// two classes, `W` is the difference of their weights.
    Newton {
        /// Above 0, at most 1e12; `1 / C` of scikit-learn's `LogisticRegression`.
        ridge: f64,
    },
}

impl Optimizer {
    /// The step size of the first round; none where the method is exact.
    pub fn learning_rate(&self) -> Option<f64> {
        match self {
            Self::Sgd { learning_rate, .. } | Self::Adam { learning_rate } | Self::AdamW { learning_rate, .. } => {
                Some(*learning_rate)
            }
            Self::LeastSquares { .. } | Self::Newton { .. } => None,
        }
    }

    /// Whether seats tell sums instead of training weights.
    pub fn is_exact(&self) -> bool {
        self.learning_rate().is_none()
    }

    /// Checks that this model can be trained so.
    ///
    /// # Errors
    /// [`Error::Spec`] when an exact method meets a model that it does not solve, or one with too many unknowns.
    pub fn validate_model(&self, model: &Model, features: usize, outputs: usize) -> Result<()> {
        let refuse =
            |value: String, expected: String| Err(Error::Spec { field: "training.optimizer", value, expected });
        let (name, fits, solves) = match self {
            Self::Sgd { .. } | Self::Adam { .. } | Self::AdamW { .. } => return Ok(()),
            Self::LeastSquares { .. } => ("least_squares", *model == Model::LinearRegression {}, "linear_regression"),
            Self::Newton { .. } => ("newton", *model == Model::LogisticRegression {}, "logistic_regression"),
        };
        if !fits {
            return refuse(name.to_owned(), format!("sgd, adam or adam_w, because {name} solves {solves} alone"));
        }
        let unknowns = unknowns(features, outputs);
        if unknowns > MAX_UNKNOWNS {
            let expected = format!("at most {MAX_UNKNOWNS} unknowns; use sgd, adam or adam_w for more");
            return refuse(format!("{name} with {unknowns} unknowns"), expected);
        }
        Ok(())
    }
}

/// Unknowns of an exact method: weights and intercept of a number, or of every class but one.
pub fn unknowns(features: usize, outputs: usize) -> usize {
    features.saturating_add(1).saturating_mul(outputs.saturating_sub(1).max(1))
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
            Optimizer::LeastSquares { ridge } if !(0.0..=MAX_RIDGE).contains(ridge) => {
                return refuse("training.optimizer.ridge", ridge.to_string(), "0 (none) to 1e12");
            }
            Optimizer::Newton { ridge } if !(*ridge > 0.0 && *ridge <= MAX_RIDGE) => {
                return refuse("training.optimizer.ridge", ridge.to_string(), "above 0, at most 1e12");
            }
            _ => {}
        }
        match self.optimizer.learning_rate() {
            Some(rate) if !(rate > 0.0 && rate <= 10.0) => {
                refuse("training.optimizer.learning_rate", rate.to_string(), "above 0, at most 10")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_methods_solve_the_models_they_are_for() {
        let (linear, logistic) = (Model::LinearRegression {}, Model::LogisticRegression {});
        let (squares, newton) = (Optimizer::LeastSquares { ridge: 0.0 }, Optimizer::Newton { ridge: 1.0 });
        squares.validate_model(&linear, MAX_UNKNOWNS - 1, 1).unwrap();
        newton.validate_model(&logistic, MAX_UNKNOWNS - 1, 2).unwrap();
        Optimizer::Adam { learning_rate: 0.1 }.validate_model(&logistic, 1 << 20, 1000).unwrap();
        let message = newton.validate_model(&logistic, 1000, 3).unwrap_err().to_string();
        assert!(message.contains("2002 unknowns") && message.contains("at most 2000"), "{message}");
        let message = squares.validate_model(&logistic, 3, 2).unwrap_err().to_string();
        assert!(message.contains("least_squares") && message.contains("linear_regression"), "{message}");
        assert!(newton.validate_model(&linear, 3, 1).is_err());
    }

    #[test]
    fn a_ridge_has_its_range() {
        let refused = |optimizer| {
            let schedule = Schedule::Constant {};
            Training { optimizer, schedule, epochs: 1, batch_size: 1, proximal: 0.0, seed: 0 }.validate().is_err()
        };
        assert!(!refused(Optimizer::LeastSquares { ridge: 0.0 }) && !refused(Optimizer::Newton { ridge: 1e-6 }));
        for ridge in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(refused(Optimizer::LeastSquares { ridge }) && refused(Optimizer::Newton { ridge }), "{ridge}");
        }
        assert!(refused(Optimizer::Newton { ridge: 0.0 }));
    }

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
