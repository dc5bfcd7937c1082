//! The facts of simulated sessions for a report: curves of every seed, everything else of the last one.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use parity_learning::table::{Labels, Table};
use parity_protocol::{
    Address, TokenAmount, U256,
    manifest::AcceptedUpdate,
    payout::{Ledger, RoundReward},
};

use super::{
    report,
    run::{Run, Scenario},
};
use crate::{
    args::simulate::SimulateArgs,
    fl::report::{self as page, Contribution, Fact, Facts, History, Participant, Round, fact},
};

/// What the runs came to; `last` is the scenario of the last one.
pub(super) fn facts(args: &SimulateArgs, runs: &[(u64, Run)], last: &Scenario) -> anyhow::Result<Facts> {
    let Scenario { spec, shards, holdout, .. } = last;
    let holdout = holdout.measuring();
    let (_, run) = runs.last().context("a simulation has a seed")?;
    let held_out = format!("{} rows that no seat has", holdout.rows());
    let seeds = match runs.len() {
        1 => String::new(),
        count => format!(", with {count} seeds; what is no curve is of the last one"),
    };
    let history = |(seed, run): &(u64, Run)| History {
        name: format!("seed {seed}"),
        points: (1..).zip(run.curve.iter().cloned()).collect(),
    };
    let mut examination = page::examine(spec, &run.model, holdout, held_out.clone())?;
    // Every tree has seen none of the held-out rows: what it has not seen of the seats' rows is the estimate that needs no holdout.
    examination.out_of_bag = page::unseen(spec, &run.model, &joined(shards))?;
    Ok(Facts {
        name: spec.name.clone(),
        origin: format!("A simulation of {} seats, without chain and money{seeds}", shards.len()),
        learned: page::describe(spec),
        classes: page::classes(spec),
        histories: runs.iter().map(history).collect(),
        measured_on: format!("Measured on {held_out}."),
        confusion: None,
        impurity: page::impurity(&spec.schema, &run.model),
        examination: Some(examination),
        rounds: rounds(run, args.reward.reward)?,
        participants: participants(run, args)?,
        costs: vec![fact("such a session locks", format!("{} USDFC", report::cost(&args.reward, args.rounds)?))],
        times: times(runs),
        content: Vec::new(),
        verification: None,
    })
}

/// The rows of all seats.
fn joined(shards: &[Table]) -> Table {
    let mut all = shards[0].select(&[]);
    for shard in shards {
        all.x.extend_from_slice(&shard.x);
        match (&mut all.labels, &shard.labels) {
            (Labels::Classes(all), Labels::Classes(more)) => all.extend_from_slice(more),
            (Labels::Numbers(all), Labels::Numbers(more)) => all.extend_from_slice(more),
            (Labels::Classes(_), Labels::Numbers(_)) | (Labels::Numbers(_), Labels::Classes(_)) => {}
        }
    }
    all
}

/// What a session would pay for a round: see the terms that `parity fl create-session-with-data` writes.
fn reward(of_round: TokenAmount) -> RoundReward {
    RoundReward { reward: of_round, performance_bps: 0 }
}

fn rounds(run: &Run, of_round: TokenAmount) -> anyhow::Result<Vec<Round>> {
    let round = |(number, (metrics, accepted)): (u16, (&_, &Vec<AcceptedUpdate>))| {
        let samples: U256 = accepted.iter().map(|update| U256::from(update.samples)).sum();
        let scores: U256 = accepted.iter().map(|update| U256::from(update.score)).sum();
        let contributions = accepted.iter().map(|update| {
            Ok(Contribution {
                runner: seat(update),
                seat: update.seat,
                samples: update.samples,
                score: update.score,
                reward: reward(of_round).of(update.samples, samples, update.score, scores)?,
            })
        });
        Ok(Round {
            round: number,
            time: None,
            block: None,
            evaluation: Some(Clone::clone(metrics)),
            contributions: contributions.collect::<anyhow::Result<_>>()?,
            rejected: Vec::new(),
            proposer: None,
            aggregate: None,
            model: None,
        })
    };
    (1..).zip(run.curve.iter().zip(&run.accepted)).map(round).collect()
}

/// What every seat would have earned, without the completion bonus.
fn participants(run: &Run, args: &SimulateArgs) -> anyhow::Result<Vec<Participant>> {
    let mut ledger = Ledger::default();
    let mut scores: BTreeMap<(Address, String), Vec<u32>> = BTreeMap::new();
    for accepted in &run.accepted {
        ledger.credit_round(reward(args.reward.reward), accepted)?;
        for update in accepted {
            scores.entry((update.operator, seat(update))).or_default().push(update.score);
        }
    }
    let leaves = ledger.leaves();
    let participant = |((operator, name), scores): ((Address, String), Vec<u32>)| Participant {
        name,
        role: "seat",
        rounds: scores.len(),
        mean_score: page::mean_score(&scores),
        earned: leaves.iter().find(|leaf| leaf.operator == operator).map_or(TokenAmount::ZERO, |leaf| leaf.cumulative),
        paid: None,
    };
    Ok(scores.into_iter().map(participant).collect())
}

fn seat(update: &AcceptedUpdate) -> String {
    format!("seat {}", update.seat)
}

fn times(runs: &[(u64, Run)]) -> Vec<Fact> {
    let seconds = |part: fn(&Run) -> Duration| {
        format!("{:.3} s", runs.iter().map(|(_, run)| part(run)).sum::<Duration>().as_secs_f64())
    };
    vec![
        fact("training", seconds(|run| run.time.training)),
        fact("aggregation", seconds(|run| run.time.aggregation)),
        fact("evaluation", seconds(|run| run.time.evaluation)),
    ]
}
