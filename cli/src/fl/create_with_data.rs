//! `parity fl create-session-with-data`: from a CSV file or a folder of images to a running session.

use std::path::Path;

use parity_learning::csv::{InferOptions, Prepared};
use parity_protocol::codec::Block;
use serde::Serialize;

use super::{deal, files::SessionFiles, learn::DataPlan, plan, publish, seal};
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
    let prepared = deal::prepare(&args.file, &args.columns, &args.deal, args.plan.seed, app.output)?;
    say(app.output, &prepared.report);
    let (shards, data) = deal::deal(&prepared, &args.deal, args.plan.seats, args.plan.seed)?;
    let training_rows = prepared.train.rows();
    let Prepared { schema, scaling, holdout, image, .. } = prepared;
    let (seats, rounds, target) = (args.plan.seats, args.plan.total_rounds, args.plan.target);
    let plan = DataPlan { schema, scaling, data, image, training_rows, seats, rounds, target };
    let spec = plan::spec(&args.plan, &stem(&args.file), plan)?;
    let terms = plan::terms(&args.plan, &spec, app.network.periods())?;

    let files = SessionFiles::at(spec.digest()?)?;
    files.save(&spec, &shards, &holdout)?;

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
        holdout_rows: holdout.rows(),
        holdout: files.holdout_path().display().to_string(),
    };
    app.output.result(&created, |created| {
        format!(
            "session {} is running: {} training rows on {} seats, {} rows held out\nfollow it with 'parity fl watch {}'",
            created.session, created.training_rows, created.seats, created.holdout_rows, created.session
        )
    })
}

/// What the flags say about a CSV file.
pub(crate) fn options(args: &FileArgs) -> InferOptions {
    InferOptions {
        label: args.label.clone(),
        task: args.task,
        header: args.header.map(|header| header == YesNo::Yes),
        delimiter: args.delimiter,
        image: args.target(),
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
