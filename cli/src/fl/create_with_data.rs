//! `parity fl create-session-with-data`: from a CSV file to a running session.

use std::path::Path;

use anyhow::{Context, bail};
use parity_learning::{
    csv::{self, InferOptions, Prepared},
    partition,
    table::Table,
};
use parity_protocol::{codec::Block, spec::Data};
use serde::Serialize;

use super::{files::SessionFiles, learn::DataPlan, plan, publish, seal};
use crate::{
    app::App,
    args::{
        CreateWithDataArgs,
        file::{FileArgs, YesNo},
    },
    output::Output,
};

#[derive(Serialize)]
struct Created {
    session: u64,
    spec: String,
    name: String,
    seats: u16,
    training_rows: usize,
    holdout_rows: usize,
    holdout: String,
}

/// Runs the command; returns once every seat has its shard and the session is active.
pub(crate) async fn run(app: &App, args: CreateWithDataArgs) -> anyhow::Result<()> {
    let prepared = prepare(app.output, &args)?;
    let shards = shards(&prepared, &args)?;
    let data = Data::Uploaded {
        partition: args.deal.partition,
        min_samples: args.deal.min_samples,
        overlap_ratio: args.deal.overlap_ratio,
        shard_rows: shards.iter().map(|shard| shard.rows() as u64).collect(),
        holdout_rows: prepared.holdout.rows() as u64,
    };
    let training_rows = prepared.train.rows();
    let plan = DataPlan { schema: prepared.schema, scaling: prepared.scaling, data, training_rows };
    let spec = plan::spec(&args.plan, &stem(&args.file), plan)?;
    let terms = plan::terms(&args.plan, &spec, app.network.periods())?;

    let files = SessionFiles::at(spec.digest()?)?;
    files.save(&spec, &shards, &prepared.holdout)?;

    let outbox = app.outbox().await?;
    let session = publish::publish(app, &outbox, &spec, &terms).await?;
    app.output.note(format!("session {session} is created; sealing shards as seats are claimed"));
    seal::until_served(app, &outbox, session, &files).await?;

    let created = Created {
        session,
        spec: spec.link()?.to_string(),
        name: spec.name.clone(),
        seats: terms.seats,
        training_rows,
        holdout_rows: prepared.holdout.rows(),
        holdout: files.holdout_path().display().to_string(),
    };
    app.output.result(&created, |created| {
        format!(
            "session {} is running: {} training rows on {} seats, {} rows held out\nfollow it with 'parity fl watch {}'",
            created.session, created.training_rows, created.seats, created.holdout_rows, created.session
        )
    })
}

fn prepare(output: Output, args: &CreateWithDataArgs) -> anyhow::Result<Prepared> {
    let holdout = args.deal.holdout;
    if !(holdout > 0.0 && holdout < 1.0) {
        bail!("--holdout {holdout} must lie between 0 and 1, for example 0.2");
    }
    let prepared = csv::prepare(&args.file, &options(&args.columns), holdout, args.plan.seed)
        .with_context(|| format!("reading {}", args.file.display()))?;
    say(output, &prepared.report);
    Ok(prepared)
}

fn shards(prepared: &Prepared, args: &CreateWithDataArgs) -> anyhow::Result<Vec<Table>> {
    let shards = partition::deal(&prepared.train.labels, &args.deal.dealing(args.plan.seats, args.plan.seed)?)?;
    Ok(shards.iter().map(|shard| prepared.train.select(&shard.rows())).collect())
}

/// What the flags say about a CSV file.
pub(crate) fn options(args: &FileArgs) -> InferOptions {
    InferOptions {
        label: args.label.clone(),
        task: args.task,
        header: args.header.map(|header| header == YesNo::Yes),
        delimiter: args.delimiter,
    }
}

/// Says what was found in a file.
pub(crate) fn say(output: Output, report: &[String]) {
    for line in report {
        output.note(format!("  {line}"));
    }
}

/// The name of a file without folder and ending.
pub(crate) fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "session".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
