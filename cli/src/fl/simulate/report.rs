//! What simulated sessions came to, for people and for programs.

use std::{iter, time::Duration};

use anyhow::Context;
use parity_learning::contribution::MAX_SCORE;
use parity_protocol::{TokenAmount, confusion::ConfusionMatrix};
use serde::Serialize;

use super::run::Run;
use crate::{
    args::{reward::RewardArgs, simulate::SimulateArgs},
    output::{facts, table},
    plot::{Line, LineChart},
};

/// The document.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Accuracy after the last round of a classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Spread>,
    /// Macro F1 after the last round of a classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    macro_f1: Option<Spread>,
    /// Area under the ROC curve after the last round of a classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    auc: Option<Spread>,
    /// R2 after the last round of a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    r2: Option<Spread>,
    /// Mean absolute error after the last round of a regression, in units of the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    mae: Option<Spread>,
    /// Root of the mean squared error after the last round of a regression, in units of the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    rmse: Option<Spread>,
    /// Loss after the last round.
    loss: Spread,
    /// Rows of each class that the last model of the last seed took for each class.
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<ConfusionMatrix>,
    /// Share of held-out rows that a planted backdoor turns into the first class.
    #[serde(skip_serializing_if = "Option::is_none")]
    backdoor: Option<Spread>,
    /// Mean contribution score of every seat, 0 to 10000, over rounds and seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<f64>>,
    clients: u16,
    threads: usize,
    /// Mean of the headline metric after every round that all seeds reached.
    curve: Vec<f64>,
    rounds_per_second: f64,
    seconds: Parts,
    bytes: Bytes,
    /// Base units that a session with these rounds and rewards locks.
    cost: String,
}

/// A value over seeds.
#[derive(Debug, Serialize)]
struct Spread {
    mean: f64,
    /// Sample standard deviation; absent for one seed.
    std: Option<f64>,
    per_seed: Vec<f64>,
}

/// Seconds of all seeds together.
#[derive(Debug, Serialize)]
struct Parts {
    /// Until the first round began: reading the data, starting trainers.
    start_up: f64,
    training: f64,
    aggregation: f64,
    evaluation: f64,
}

/// Bytes of all rounds of one seed, on average.
#[derive(Debug, Serialize)]
struct Bytes {
    /// Models to seats.
    down: u64,
    /// Updates from seats.
    up: u64,
}

impl Report {
    /// Sums up the runs.
    pub(super) fn new(
        args: &SimulateArgs,
        threads: usize,
        start_up: Duration,
        runs: &[(u64, Run)],
    ) -> anyhow::Result<Self> {
        let last = || runs.iter().map(|(_, run)| run.curve.last().context("a session has a round"));
        let metrics = last().collect::<anyhow::Result<Vec<_>>>()?;
        let spread = |values: Option<Vec<f64>>| values.map(Spread::of);
        let headline = |run: &Run, round: usize| run.curve.get(round)?.headline().map(|(_, value)| value);
        let shortest = runs.iter().map(|(_, run)| run.curve.len()).min().unwrap_or_default();
        let curve = (0..shortest).filter_map(|round| {
            let values: Option<Vec<f64>> = runs.iter().map(|(_, run)| headline(run, round)).collect();
            values.map(|values| Spread::of(values).mean)
        });
        let seconds =
            |part: fn(&Run) -> Duration| runs.iter().map(|(_, run)| part(run)).sum::<Duration>().as_secs_f64();
        let parts = Parts {
            start_up: start_up.as_secs_f64(),
            training: seconds(|run| run.time.training),
            aggregation: seconds(|run| run.time.aggregation),
            evaluation: seconds(|run| run.time.evaluation),
        };
        let rounds = runs.iter().map(|(_, run)| run.curve.len()).sum::<usize>();
        let seeds = runs.len().max(1) as u64;
        Ok(Self {
            accuracy: spread(metrics.iter().map(|metrics| metrics.accuracy).collect()),
            macro_f1: spread(metrics.iter().map(|metrics| metrics.macro_f1).collect()),
            auc: spread(metrics.iter().map(|metrics| metrics.auc).collect()),
            r2: spread(metrics.iter().map(|metrics| metrics.r2).collect()),
            mae: spread(metrics.iter().map(|metrics| metrics.mae).collect()),
            rmse: spread(metrics.iter().map(|metrics| metrics.rmse).collect()),
            loss: Spread::of(metrics.iter().map(|metrics| metrics.loss).collect()),
            confusion: runs.last().and_then(|(_, run)| run.confusion.clone()),
            backdoor: spread(runs.iter().map(|(_, run)| run.backdoor).collect()),
            scores: scores(runs),
            clients: args.clients,
            threads,
            curve: curve.collect(),
            rounds_per_second: count(rounds) / (parts.training + parts.aggregation + parts.evaluation),
            seconds: parts,
            bytes: Bytes {
                down: runs.iter().map(|(_, run)| run.down).sum::<u64>() / seeds,
                up: runs.iter().map(|(_, run)| run.up).sum::<u64>() / seeds,
            },
            cost: cost(&args.reward, args.rounds)?.base_units().to_string(),
        })
    }

    /// Tables for people.
    pub(super) fn text(&self) -> String {
        let (name, value) = match (&self.accuracy, &self.r2) {
            (Some(accuracy), _) => ("accuracy", accuracy),
            (None, Some(r2)) => ("R2", r2),
            (None, None) => ("loss", &self.loss),
        };
        let rounds = table(
            ["round", name, ""],
            (1..)
                .zip(&self.curve)
                .map(|(round, value): (usize, &f64)| [round.to_string(), format!("{value:.4}"), bar(*value)]),
        );
        let Parts { start_up, training, aggregation, evaluation } = self.seconds;
        let cost = self
            .cost
            .parse()
            .map_or_else(|_| self.cost.clone(), |units| TokenAmount::from_base_units(units).to_string());
        let others = [("macro F1", &self.macro_f1), ("AUC", &self.auc), ("MAE", &self.mae), ("RMSE", &self.rmse)];
        let others = others.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?.text())));
        let figures = iter::once((name, value.text())).chain(others).chain([("loss", self.loss.text())]);
        let facts = facts(figures.chain([
            (
                "time",
                format!(
                    "start {start_up:.2} s, training {training:.2} s, aggregation {aggregation:.3} s, evaluation {evaluation:.3} s"
                ),
            ),
            ("speed", format!("{:.1} rounds a second on {} threads", self.rounds_per_second, self.threads)),
            ("bytes of a session", format!("{} to {} seats, {} back", self.bytes.down, self.clients, self.bytes.up)),
            ("price of such a session", format!("{cost} USDFC")),
        ]));
        let mut parts = vec![rounds, facts];
        if let Some(backdoor) = &self.backdoor {
            parts.push(format!("the backdoor turns {} of the other classes' rows", backdoor.text()));
        }
        if let Some(scores) = &self.scores {
            let seats = scores.iter().enumerate();
            parts.push(table(
                ["seat", "score", ""],
                seats.map(|(seat, score)| [seat.to_string(), format!("{score:.0}"), bar(score / f64::from(MAX_SCORE))]),
            ));
        }
        parts.join("\n")
    }
}

impl Spread {
    fn of(per_seed: Vec<f64>) -> Self {
        let total = count(per_seed.len());
        let mean = per_seed.iter().sum::<f64>() / total;
        let squares: f64 = per_seed.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, std: (per_seed.len() > 1).then(|| (squares / (total - 1.0)).sqrt()), per_seed }
    }

    fn text(&self) -> String {
        match self.std {
            Some(std) => format!("{:.4} ± {std:.4} over {} seeds", self.mean, self.per_seed.len()),
            None => format!("{:.4}", self.mean),
        }
    }
}

/// Mean over seeds of the scores of every seat.
fn scores(runs: &[(u64, Run)]) -> Option<Vec<f64>> {
    let all: Vec<&Vec<f64>> = runs.iter().map(|(_, run)| run.scores.as_ref()).collect::<Option<_>>()?;
    let seats = all.first()?.len();
    Some((0..seats).map(|seat| all.iter().map(|scores| scores[seat]).sum::<f64>() / count(all.len())).collect())
}

/// The headline metric of every seed over the rounds.
pub(super) fn chart(name: &str, runs: &[(u64, Run)]) -> LineChart {
    let headline = |run: &Run| run.curve.iter().map(|metrics| metrics.headline()).collect::<Option<Vec<_>>>();
    let metric = runs.iter().find_map(|(_, run)| Some(headline(run)?.first()?.0)).unwrap_or("loss");
    let line = |(seed, run): &(u64, Run)| Line {
        name: format!("seed {seed}"),
        points: (1_u32..).zip(headline(run).unwrap_or_default()).map(|(round, (_, v))| (round.into(), v)).collect(),
    };
    LineChart {
        title: name.to_owned(),
        x_axis: "round".to_owned(),
        y_axis: format!("{metric} on the held-out rows"),
        lines: runs.iter().map(line).collect(),
    }
}

/// What a session locks: see the terms of the contract.
pub(super) fn cost(reward: &RewardArgs, rounds: u16) -> anyhow::Result<TokenAmount> {
    let round = reward.reward.add(reward.keeper_fee)?;
    Ok(round.mul(rounds.into())?.add(reward.completion_bonus)?)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 40 before")]
fn bar(value: f64) -> String {
    "█".repeat((value * 40.0).clamp(0.0, 40.0).round() as usize)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(number: usize) -> f64 {
    number as f64
}
