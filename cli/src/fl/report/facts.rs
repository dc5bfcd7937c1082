//! What a report tells: plain values, free of where they were read and of how they look.

use parity_protocol::{TokenAmount, confusion::ConfusionMatrix, metrics::Metrics};
use serde::Serialize;

use super::examine::Examination;

/// Everything on the page.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    /// Name of the session. A stranger chose it.
    pub(crate) name: String,
    /// Which session it is, and in which state; or that it is a simulation.
    pub(crate) origin: String,
    /// Model, rule, partition, privacy and so on.
    pub(crate) learned: Vec<Fact>,
    /// Names of the classes; none where the label is a number.
    pub(crate) classes: Vec<String>,
    /// Metrics of every round: one history for a session, one per seed for a simulation.
    pub(crate) histories: Vec<History>,
    /// On which rows those metrics were measured, and by whom.
    pub(crate) measured_on: String,
    /// Rows of each class that the last model took for each class, on the same rows.
    pub(crate) confusion: Option<ConfusionMatrix>,
    /// Shares of the columns in what a forest's splits achieved, the largest first.
    pub(crate) impurity: Vec<Share>,
    /// The last model on rows that whoever wrote the report has.
    pub(crate) examination: Option<Examination>,
    /// Final rounds, oldest first.
    pub(crate) rounds: Vec<Round>,
    /// Runners and keepers.
    pub(crate) participants: Vec<Participant>,
    /// What it cost and where the budget went.
    pub(crate) costs: Vec<Fact>,
    /// When it happened, or how long it took.
    pub(crate) times: Vec<Fact>,
    /// Content ids and addresses.
    pub(crate) content: Vec<Fact>,
    /// How the report can be checked; none for a simulation.
    pub(crate) verification: Option<Verification>,
}

/// A name and a value.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) what: &'static str,
    pub(crate) value: String,
}

/// Metrics over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) name: String,
    pub(crate) points: Vec<(u16, Metrics)>,
}

/// A column and its part in something.
#[derive(Debug, Serialize)]
pub(crate) struct Share {
    pub(crate) column: String,
    pub(crate) value: f64,
    /// Standard deviation, where the value was measured more than once.
    pub(crate) deviation: Option<f64>,
}

/// A final round.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) round: u16,
    /// When it became final, in UTC.
    pub(crate) time: Option<String>,
    pub(crate) block: Option<u64>,
    pub(crate) evaluation: Option<Metrics>,
    pub(crate) contributions: Vec<Contribution>,
    /// Updates that were dropped, with the reason.
    pub(crate) rejected: Vec<String>,
    /// Who proposed it, for the keeper fee.
    pub(crate) proposer: Option<String>,
    /// CID of the aggregate manifest.
    pub(crate) aggregate: Option<String>,
    /// CID of the model.
    pub(crate) model: Option<String>,
}

/// An accepted update.
#[derive(Debug, Serialize)]
pub(crate) struct Contribution {
    /// Address of the runner, or the seat of a simulation.
    pub(crate) runner: String,
    pub(crate) seat: u16,
    pub(crate) samples: u64,
    /// 0 to [`MAX_SCORE`](parity_learning::contribution::MAX_SCORE).
    pub(crate) score: u32,
    /// Reward of the round, without the completion bonus.
    pub(crate) reward: TokenAmount,
}

/// A runner or a keeper.
#[derive(Debug, Serialize)]
pub(crate) struct Participant {
    /// Its address, or the seat of a simulation.
    pub(crate) name: String,
    pub(crate) role: &'static str,
    /// Rounds with an accepted update, or that the keeper proposed.
    pub(crate) rounds: usize,
    /// Mean share of [`MAX_SCORE`](parity_learning::contribution::MAX_SCORE) over those rounds, 0 to 1; none for keepers.
    pub(crate) mean_score: Option<f64>,
    /// What it is owed by the last final round, completion bonus included.
    pub(crate) earned: TokenAmount,
    /// What the contract says it was paid; none for a simulation.
    pub(crate) paid: Option<TokenAmount>,
}

/// How the report can be checked, and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    /// To be typed by the reader.
    pub(crate) command: String,
    /// None: not asked for.
    pub(crate) verdict: Option<Verdict>,
}

/// What recomputing every round came to.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) rounds: usize,
    /// Rounds that differ, in words; none: all are right.
    pub(crate) differences: Vec<String>,
}

/// A fact.
pub(crate) fn fact(what: &'static str, value: impl ToString) -> Fact {
    Fact { what, value: value.to_string() }
}
