//! `parity fl simulate`: sessions without chain and containers, to see what a model, a partition or a rule is worth before
//! anyone pays. Same spec, same trainer program, same aggregation as on the network; the CLI itself does not link libtorch.

mod attack;
mod page;
mod pool;
mod report;
mod run;

use std::{fs, num::NonZero, thread, time::Instant};

use anyhow::{Context, bail};
use parity_learning::{csv::Prepared, holdout::Holdout};
use parity_protocol::{metrics::Metrics, spec::Privacy};

use self::{
    attack::Faulty,
    pool::Pool,
    report::Report,
    run::{Run, Scenario},
};
use super::{
    create_with_data::{say, stem},
    deal,
    learn::{self, DataPlan},
};
use crate::{
    args::{
        GlobalArgs,
        learn::{LearnArgs, OptimizerKind},
        simulate::SimulateArgs,
    },
    output::Output,
    plot::{self, Size},
};

/// Runs the command.
pub(crate) fn run(args: &SimulateArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let begun = Instant::now();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args.threads.map_or(cores, usize::from).min(usize::from(args.clients));
    let mut pool = Pool::start(&args.trainer, args.libraries.as_deref(), threads)?;
    let mut runs: Vec<(u64, Run)> = Vec::new();
    let mut last = None;
    let mut start_up = None;
    for &seed in &args.seeds.0 {
        let scenario = scenario(args, seed, output, runs.is_empty())?;
        // Blocks until the trainers have loaded libtorch and read most of their rows, so it belongs to the start.
        pool.load(&scenario.job(), &scenario.shards)?;
        start_up.get_or_insert_with(|| begun.elapsed());
        let bar = output.progress(u64::from(args.rounds), &format!("seed {seed}"));
        let progress = |metrics: &Metrics| {
            if let Some((name, value)) = metrics.headline() {
                bar.set_message(format!("seed {seed}: {name} {value:.4}"));
            }
            bar.inc(1);
        };
        // On a thread of rayon's, so that the many small steps of a round are not handed over to one each time.
        let run = rayon::scope(|_| run::run(&mut pool, &scenario, progress))?;
        bar.finish_and_clear();
        runs.push((seed, run));
        last = Some(scenario);
    }
    if let (Some(file), Some((_, run))) = (&args.output, runs.last()) {
        fs::write(file, run.model.to_bytes()).with_context(|| format!("writing the model {}", file.display()))?;
    }
    if let Some(file) = &args.plot {
        plot::write(file, &report::chart(&stem(&args.data), &runs).draw(Size::Page)?)?;
    }
    if let (Some(file), Some(scenario)) = (&args.report, &last) {
        super::report::write(file, &page::facts(args, &runs, scenario)?)?;
    }
    let report = Report::new(args, threads, start_up.unwrap_or_default(), &runs)?;
    output.result(&report, Report::text)
}

fn scenario(args: &SimulateArgs, seed: u64, output: Output, first: bool) -> anyhow::Result<Scenario> {
    let prepared = deal::prepare(&args.data, &args.columns, &args.deal, seed, output)?;
    if first {
        say(output, &prepared.report);
    }
    let (mut shards, data) = deal::deal(&prepared, &args.deal, args.clients, seed)?;
    let Prepared { schema, scaling, train, holdout, image, .. } = prepared;
    let (seats, rounds) = (args.clients, args.rounds);
    let target = args.target;
    let plan = DataPlan { schema, scaling, data, image, training_rows: train.rows(), seats, rounds, target };
    let spec = learn::spec(&learn_args(args)?, stem(&args.data), seed, Privacy::None, plan)?;
    let faulty = match (args.attack, args.faulty) {
        (Some(attack), Some(count)) => Some(Faulty::new(attack, count, spec.schema.outputs(), &mut shards)?),
        _ => None,
    };
    let holdout = Holdout::new(&spec, holdout)?;
    let (rounds, scored) = (args.rounds, args.scores);
    Ok(Scenario { spec, shards, faulty, holdout, rounds, scored })
}

/// Attacks are made of weights, which exact methods do not send.
fn learn_args(args: &SimulateArgs) -> anyhow::Result<LearnArgs> {
    let mut learn = args.learn.clone();
    if args.attack.is_some() {
        match learn.optimizer.get_or_insert(OptimizerKind::Adam) {
            OptimizerKind::LeastSquares | OptimizerKind::Newton => {
                bail!("--attack changes the weights that seats send; use --optimizer sgd, adam or adamw with it")
            }
            OptimizerKind::Sgd | OptimizerKind::Adam | OptimizerKind::Adamw => {}
        }
    }
    Ok(learn)
}
