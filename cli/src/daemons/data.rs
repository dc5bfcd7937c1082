//! `parity runner data`: local files for private sessions.

use std::path::Path;

use parity_learning::csv::InferOptions;
use parity_protocol::schema::Schema;
use parity_runner::data::{self, Added};
use serde::Serialize;

use crate::{
    args::{GlobalArgs, RunnerDataCommand},
    fl::{Shape, options, say},
    output::{Output, table},
    paths,
};

#[derive(Serialize)]
struct Entry {
    name: String,
    rows: u64,
    label: String,
    source: String,
}

/// Runs the command.
pub(crate) fn run(command: RunnerDataCommand, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    match command {
        RunnerDataCommand::Add(args) => {
            let state = paths::daemon_state(args.state.as_deref(), "runner")?;
            let schema = match &args.schema {
                Some(file) => Some(Shape::read(file, &args.columns, output)?.schema),
                None => None,
            };
            let added = data::add(&state, &args.file, args.name.as_deref(), schema, &options(&args.columns))?;
            say(output, &added.report);
            show(output, &[entry(&added.data)])
        }
        RunnerDataCommand::List { state } => {
            let state = paths::daemon_state(state.as_deref(), "runner")?;
            let entries: Vec<Entry> = data::list(&state)?.iter().map(entry).collect();
            show(output, &entries)
        }
    }
}

/// Registers a file as it is, its schema inferred.
pub(crate) fn add_file(state: &Path, file: &Path) -> anyhow::Result<Added> {
    data::add(state, file, None, None::<Schema>, &InferOptions::default())
}

fn entry(data: &data::DataSet) -> Entry {
    Entry {
        name: data.name.clone(),
        rows: data.rows,
        label: data.schema.label.name.clone(),
        source: data.source.display().to_string(),
    }
}

fn show(output: Output, entries: &[Entry]) -> anyhow::Result<()> {
    output.result(&entries, |entries| {
        if entries.is_empty() {
            return "no data is registered; add a file with 'parity runner data add FILE'".to_owned();
        }
        table(
            ["name", "rows", "label", "copied from"],
            entries.iter().map(|e| [e.name.clone(), e.rows.to_string(), e.label.clone(), e.source.clone()]),
        )
    })
}
