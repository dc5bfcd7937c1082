//! One session without chain and containers: the same spec, the same trainer, the same aggregation.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::bail;
use parity_learning::{
    compress,
    holdout::Holdout,
    round::{self, Judge, UpdateContent, UpdateInput},
    table::Table,
    tensors::Tensors,
    weights::{self, AnyPredictor, Weights},
};
use parity_protocol::{
    Address, B256, Link,
    confusion::ConfusionMatrix,
    device::Determinism,
    job::{Job, JobKind},
    manifest::{AcceptedUpdate, Artifact, Rejection, UpdateManifest},
    metrics::{Evaluation, Metrics},
    spec::SessionSpec,
};

use super::{
    attack::Faulty,
    pool::{Pool, Round, Seat, Trained},
};

/// What is simulated.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) spec: SessionSpec,
    /// Rows of every seat.
    pub(super) shards: Vec<Table>,
    /// What the last seats do, if not their work.
    pub(super) faulty: Option<Faulty>,
    /// Rows that no seat has.
    pub(super) holdout: Holdout,
    pub(super) rounds: u16,
    /// Whether updates are scored.
    pub(super) scored: bool,
}

impl Scenario {
    /// What the trainings of all seats and rounds have in common.
    pub(super) fn job(&self) -> Job {
        let kind = JobKind::Train { training: self.spec.training.clone(), round: 0, seat: 0 };
        Job::of_spec(&self.spec, kind, 1)
    }
}

/// What a simulated session came to.
#[derive(Debug)]
pub(super) struct Run {
    /// Metrics on the holdout after every round.
    pub(super) curve: Vec<Metrics>,
    /// Of the last model on the holdout.
    pub(super) confusion: Option<ConfusionMatrix>,
    /// The updates that every round was made of.
    pub(super) accepted: Vec<Vec<AcceptedUpdate>>,
    /// The last model.
    pub(super) model: Weights,
    pub(super) time: Time,
    /// Bytes of models to seats.
    pub(super) down: u64,
    /// Bytes of updates from seats.
    pub(super) up: u64,
    /// Share of rows that a backdoor turns, where an attack plants one.
    pub(super) backdoor: Option<f64>,
    /// Mean score of every seat over the rounds that it took part in, where updates are scored; 0 of a seat without any.
    pub(super) scores: Option<Vec<f64>>,
}

/// Where the time went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    pub(super) training: Duration,
    pub(super) aggregation: Duration,
    pub(super) evaluation: Duration,
}

/// Simulates all rounds with trainers that have loaded the scenario; `progress` hears of each.
pub(super) fn run(pool: &mut Pool, scenario: &Scenario, progress: impl Fn(&Metrics)) -> anyhow::Result<Run> {
    let Scenario { spec, shards, faulty, holdout, rounds, scored } = scenario;
    let judge = if *scored { Judge::Holdout(holdout) } else { Judge::Unscored(holdout) };
    let mut tally = vec![(0_u64, 0_u32); shards.len()];
    let mut run = Run {
        curve: Vec::new(),
        confusion: None,
        accepted: Vec::new(),
        model: Weights::initial(spec)?,
        time: Time::default(),
        down: 0,
        up: 0,
        backdoor: None,
        scores: None,
    };
    let mut state: Option<Tensors> = None;
    let mut residuals = BTreeMap::new();
    for round in 1..=*rounds {
        let bytes = run.model.to_bytes();
        let seats = seats(spec, round, shards.len(), state.as_ref());
        let begun = Instant::now();
        let mut trained = pool.train(&Round { round, model: &bytes, seats: &seats })?;
        run.time.training += begun.elapsed();
        if let (Some(faulty), Some(previous)) = (faulty, run.model.tensors()) {
            faulty.craft(spec, round, previous, &mut trained)?;
        }
        if let Some(previous) = run.model.tensors() {
            shrink(spec, previous, &mut trained, &mut residuals)?;
        }
        run.down += seats.iter().map(|seat| (bytes.len() + seat.correction.len()) as u64).sum::<u64>();
        run.up += trained.iter().map(|trained| trained.update.len() as u64).sum::<u64>();

        let begun = Instant::now();
        let inputs = trained.into_iter().map(|trained| input(round, trained)).collect();
        let outcome = weights::aggregate(spec, 0, round, &run.model, state.as_ref(), inputs, judge)?;
        for update in &outcome.accepted {
            let (sum, rounds) = &mut tally[usize::from(update.seat)];
            (*sum, *rounds) = (*sum + u64::from(update.score), *rounds + 1);
        }
        // What is refused of a faulty seat is as it should be.
        if let (Some(rejected), None) = (outcome.rejected.first(), faulty) {
            let remedy = match rejected.reason {
                Rejection::NormTooLarge => "; use a smaller learning rate",
                _ => "",
            };
            bail!("round {round}: the update of seat {} is refused: {}{remedy}", rejected.seat, rejected.reason);
        }
        run.model = outcome.model;
        run.accepted.push(outcome.accepted);
        state = outcome.state;
        run.time.aggregation += begun.elapsed();

        let begun = Instant::now();
        let Evaluation { metrics, confusion } =
            AnyPredictor::of_spec(spec, &run.model)?.evaluate(holdout.measuring())?;
        run.time.evaluation += begun.elapsed();
        progress(&metrics);
        let reached = spec.is_reached(&metrics);
        run.curve.push(metrics);
        run.confusion = confusion;
        if reached {
            break;
        }
    }
    if let (Some(faulty), Some(model)) = (faulty, run.model.tensors()) {
        run.backdoor = faulty.success(spec, model, holdout.measuring())?;
    }
    run.scores = scored.then(|| tally.into_iter().map(mean).collect());
    Ok(run)
}

#[expect(clippy::cast_precision_loss, reason = "at most 10,000 points a round")]
fn mean((sum, rounds): (u64, u32)) -> f64 {
    sum as f64 / f64::from(rounds.max(1))
}

/// Who trains in a round, with what the state corrects their gradients by.
fn seats(spec: &SessionSpec, round: u16, count: usize, state: Option<&Tensors>) -> Vec<Seat> {
    let correction = |seat| state.and_then(|state| round::correction(state, seat)).map(|tensors| tensors.to_bytes());
    (0..)
        .zip(round::sampled(spec, round, count))
        .filter(|(_, takes_part)| *takes_part)
        .map(|(seat, _)| Seat { seat, correction: correction(seat).unwrap_or_default() })
        .collect()
}

/// Makes updates smaller where the spec says so; `residuals` holds what the last one of every seat left out.
fn shrink(
    spec: &SessionSpec,
    previous: &Tensors,
    trained: &mut [Trained],
    residuals: &mut BTreeMap<u16, Tensors>,
) -> anyhow::Result<()> {
    if spec.compression.is_none() {
        return Ok(());
    }
    for Trained { seat, update, .. } in trained {
        let new = Tensors::from_bytes(update, round::weights_limit(spec))?;
        let (bytes, left) = compress::encode(spec.compression, previous, &new, residuals.get(seat))?;
        *update = bytes;
        residuals.extend(left.map(|left| (*seat, left)));
    }
    Ok(())
}

/// An update as a keeper would see it. Nothing here is stored, so nothing has a link; nobody looks at metrics of training rows, so
/// there are none.
fn input(round: u16, trained: Trained) -> UpdateInput {
    let Trained { seat, samples, update } = trained;
    let operator = Address::left_padding_from(&seat.to_be_bytes());
    let weights = Artifact { link: Link::from_digest(B256::ZERO), bytes: update.len() as u64, envelopes: Vec::new() };
    let (training, determinism, holdout) = (Metrics::default(), Determinism::Processor, None);
    let manifest =
        UpdateManifest { session: 0, round, seat, operator, weights, samples, training, determinism, holdout };
    let content = Ok(UpdateContent { manifest, weights: update.into() });
    UpdateInput {
        operator,
        seat,
        digest: B256::left_padding_from(&seat.to_be_bytes()),
        samples,
        posted: seat.into(),
        content,
    }
}
