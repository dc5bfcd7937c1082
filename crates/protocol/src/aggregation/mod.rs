//! How the updates of a round become the next model.
//!
//! The parts are orthogonal and apply in this order: which seats take part (`participation`), what their steps count for
//! (`normalise_steps`), how far one may go (`norm_bound`), who is mixed with whom (`mixing`), how many become one (`rule`), and how
//! the model follows (`server`). `control` (SCAFFOLD) changes what runners compute in the next round. Text such as
//! `krum:4+fedadam` names the same thing on a command line ([`Aggregation::from_str`](std::str::FromStr::from_str)).

mod text;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

pub use text::KNOWN_RULES;

/// How updates become the next model. The default is FedAvg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// Share of the seats that take part in each round, drawn by the training seed; above 0 to 1.
    pub participation: f64,
    /// FedNova (Wang et al. 2020): updates count per local step, so that seats with many rows do not pull harder.
    pub normalise_steps: bool,
    /// Updates longer than this L2 norm are scaled down to it.
    pub norm_bound: Option<f64>,
    /// Nearest-neighbour mixing (Allouah et al. 2023) against so many faulty seats.
    pub mixing: Option<u16>,
    /// How many models become one.
    pub rule: Rule,
    /// How the model follows.
    pub server: Server,
    /// SCAFFOLD (Karimireddy et al. 2020): corrections against the drift of seats with different data.
    pub control: Option<Control>,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self {
            participation: 1.0,
            normalise_steps: false,
            norm_bound: None,
            mixing: None,
            rule: Rule::Mean {},
            server: Server::None {},
            control: None,
        }
    }
}

/// How many models become one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Mean weighted by samples (FedAvg, McMahan et al. 2017).
    Mean {},
    /// Median of every coordinate (Yin et al. 2018).
    Median {},
    /// Mean of every coordinate without its extremes (Yin et al. 2018).
    TrimmedMean {
        /// Share left out on each side, 0 to below 0.5.
        share: f64,
    },
    /// The update with the closest neighbours (Blanchard et al. 2017).
    Krum {
        /// Faulty seats to withstand; of `n` seats at most `(n - 3) / 2`.
        faulty: u16,
    },
    /// Mean of the updates with the closest neighbours (Blanchard et al. 2017).
    MultiKrum {
        /// Faulty seats to withstand; of `n` seats at most `(n - 3) / 2`.
        faulty: u16,
        /// How many are averaged; none: all accepted updates but `faulty`.
        keep: Option<u16>,
    },
    /// Smallest sum of distances (Pillutla et al. 2022).
    GeometricMedian {},
    /// Steps of bounded length from the previous model (Karimireddy et al. 2021).
    CentredClipping {
        /// Longest pull of one update.
        radius: f64,
    },
    /// Rows that the keepers hold say which seats count and how far the model moves.
    RootData {
        /// Rows of the holdout that are used, 1 to 1000.
        rows: u16,
    },
}

/// How the model follows `delta = rule(updates) - model` (Reddi et al. 2021, algorithm 2; its beta, tau and eta).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Server {
    /// `model + delta`.
    None {},
    /// FedAvgM (Hsu et al. 2019): `m = momentum m + delta`, `model + rate m`.
    Momentum {
        /// 0 to below 1.
        momentum: f64,
        /// Above 0, at most 10.
        rate: f64,
    },
    /// FedAdagrad: `v = v + delta^2`.
    Adagrad(Adaptive),
    /// FedAdam: `v = beta2 v + (1 - beta2) delta^2`.
    Adam(Adaptive),
    /// FedYogi: `v = v - (1 - beta2) delta^2 sign(v - delta^2)`.
    Yogi(Adaptive),
}

/// Parameters of an adaptive server: `m = beta1 m + (1 - beta1) delta`, `model + rate m / (sqrt(v) + tau)`, `v` from `tau^2`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptive {
    /// Step size, above 0 to 10.
    pub rate: f64,
    /// Decay of the momentum, 0 to below 1.
    pub beta1: f64,
    /// Decay of the second moment, 0 to below 1; FedAdagrad does not use it.
    pub beta2: f64,
    /// Degree of adaptivity, above 0 to 1.
    pub tau: f64,
}

impl Default for Adaptive {
    /// The values that Reddi et al. (2021, section 5) keep fixed; the rate is the one that did best on most of their tasks.
    fn default() -> Self {
        Self { rate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }
    }
}

/// Control variates of SCAFFOLD, option II, computed by the aggregator from the updates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Largest L2 norm of a seat's control variate: bounds what one strange update does to all later rounds.
    pub clip: f64,
}

impl Aggregation {
    /// FedAvg: [`Self::default`].
    pub fn fed_avg() -> Self {
        Self::default()
    }

    /// Whether rounds hand a state on beside the model.
    pub fn has_state(&self) -> bool {
        let judges = matches!(self.rule, Rule::RootData { .. });
        judges || self.control.is_some() || self.server != Server::None {}
    }

    /// How many of the seats take part in a round: the share of them, rounded up.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of seats")]
    pub fn cohort(&self, seats: u16) -> u16 {
        // 0.3 of 10 seats are 3, though 0.3 is not a binary fraction.
        ((self.participation * f64::from(seats) - 1e-9).ceil().max(1.0) as u16).min(seats)
    }

    /// Checks ranges, and against the number of seats where it is known.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self, seats: Option<usize>) -> Result<()> {
        check("aggregation.participation", self.participation, "above 0, at most 1", |v| v > 0.0 && v <= 1.0)?;
        if let Some(bound) = self.norm_bound {
            check("aggregation.norm_bound", bound, POSITIVE, |v| v > 0.0)?;
        }
        if let Some(faulty) = self.mixing {
            tolerated("aggregation.mixing", faulty, seats, 1)?;
            if matches!(self.rule, Rule::RootData { .. }) {
                return refuse(
                    "aggregation.mixing",
                    &faulty.to_string(),
                    "none with root-data, which judges seats one by one",
                );
            }
        }
        if let Some(control) = &self.control {
            check("aggregation.control.clip", control.clip, POSITIVE, |v| v > 0.0)?;
        }
        self.rule.validate(seats)?;
        self.server.validate()
    }
}

impl Rule {
    fn validate(&self, seats: Option<usize>) -> Result<()> {
        match *self {
            Self::Mean {} | Self::Median {} | Self::GeometricMedian {} => Ok(()),
            Self::TrimmedMean { share } => {
                check("aggregation.rule.share", share, "0 to below 0.5", |v| (0.0..0.5).contains(&v))
            }
            Self::Krum { faulty } => tolerated("aggregation.rule.faulty", faulty, seats, 3),
            Self::MultiKrum { faulty, keep } => {
                tolerated("aggregation.rule.faulty", faulty, seats, 3)?;
                if keep == Some(0) {
                    return refuse("aggregation.rule.keep", "0", "at least 1");
                }
                Ok(())
            }
            Self::CentredClipping { radius } => check("aggregation.rule.radius", radius, POSITIVE, |v| v > 0.0),
            Self::RootData { rows } => {
                check("aggregation.rule.rows", f64::from(rows), "1 to 1000", |v| (1.0..=1000.0).contains(&v))
            }
        }
    }
}

impl Server {
    fn validate(&self) -> Result<()> {
        let rate = |rate| check("aggregation.server.rate", rate, "above 0, at most 10", |v| v > 0.0 && v <= 10.0);
        match self {
            Self::None {} => Ok(()),
            Self::Momentum { momentum, rate: step } => {
                decay("aggregation.server.momentum", *momentum)?;
                rate(*step)
            }
            Self::Adagrad(adaptive) | Self::Adam(adaptive) | Self::Yogi(adaptive) => {
                rate(adaptive.rate)?;
                decay("aggregation.server.beta1", adaptive.beta1)?;
                decay("aggregation.server.beta2", adaptive.beta2)?;
                check("aggregation.server.tau", adaptive.tau, "above 0, at most 1", |v| v > 0.0 && v <= 1.0)
            }
        }
    }
}

const POSITIVE: &str = "a finite number above 0";

fn decay(field: &'static str, value: f64) -> Result<()> {
    check(field, value, "0 to below 1", |v| (0.0..1.0).contains(&v))
}

fn check(field: &'static str, value: f64, expected: &str, allowed: impl Fn(f64) -> bool) -> Result<()> {
    if value.is_finite() && allowed(value) { Ok(()) } else { refuse(field, &value.to_string(), expected) }
}

/// Of `n` seats at most `(n - spare) / 2` may be faulty.
fn tolerated(field: &'static str, faulty: u16, seats: Option<usize>, spare: usize) -> Result<()> {
    let Some(seats) = seats else { return Ok(()) };
    let most = seats.saturating_sub(spare) / 2;
    if usize::from(faulty) <= most {
        return Ok(());
    }
    refuse(field, &faulty.to_string(), &format!("at most {most} with {seats} seats"))
}

fn refuse(field: &'static str, value: &str, expected: &str) -> Result<()> {
    Err(Error::Spec { field, value: value.to_owned(), expected: expected.to_owned() })
}
