//! `parity fl predict`: applies a downloaded model to rows. Needs neither chain nor libtorch.

use std::fs;

use anyhow::Context;
use parity_learning::{
    card::ModelCard,
    csv::{self, Unlabelled},
    predict::Predictions,
    table::Table,
    weights::Weights,
};
use parity_protocol::{
    metrics::Metrics,
    schema::{Schema, Task},
};
use serde::Serialize;

use super::{create_with_data::say, rounds::headline};
use crate::{
    args::{GlobalArgs, PredictArgs},
    output::Output,
};

/// Largest model file that is read.
const MAX_MODEL_BYTES: usize = 1 << 32;

#[derive(Serialize)]
struct Predicted {
    rows: usize,
    predictions: Option<Vec<String>>,
    output: Option<String>,
    metrics: Option<Metrics>,
}

/// Runs the command.
pub(crate) fn run(args: &PredictArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let card_file = args.model.with_extension("json");
    let card = fs::read_to_string(&card_file)
        .with_context(|| format!("reading the model card {} (it lies beside the model)", card_file.display()))?;
    let card = ModelCard::from_json(&card).with_context(|| format!("reading {}", card_file.display()))?;
    let bytes = fs::read(&args.model).with_context(|| format!("reading the model {}", args.model.display()))?;
    let model = card.predictor(&Weights::from_bytes(&bytes, &card.model, MAX_MODEL_BYTES)?)?;

    let rows = rows(args, &card.schema, output)?;
    let predictions = model.predict(&rows.x)?;
    let metrics = match rows.labels {
        Some(labels) => Some(model.evaluate(&Table { features: rows.features, x: rows.x, labels })?),
        None => None,
    };
    let names = names(&predictions, &card.schema);
    if let Some(target) = &args.output {
        let lines = std::iter::once(card.schema.label.name.as_str()).chain(names.iter().map(String::as_str));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        fs::write(target, text).with_context(|| format!("writing {}", target.display()))?;
    }
    let document = Predicted {
        rows: names.len(),
        predictions: args.output.is_none().then_some(names),
        output: args.output.as_ref().map(|path| path.display().to_string()),
        metrics,
    };
    if let Some(metrics) = &document.metrics {
        output.note(format!("{} on {} labelled rows", headline(Some(metrics)), document.rows));
    }
    output.result(&document, |d| match &d.output {
        Some(target) => format!("{} predictions are in {target}", d.rows),
        None => d.predictions.clone().unwrap_or_default().join("\n"),
    })
}

/// Reads a CSV file by the model's schema, or a safetensors table that is encoded already.
fn rows(args: &PredictArgs, schema: &Schema, output: Output) -> anyhow::Result<Unlabelled> {
    let reading = || format!("reading {}", args.file.display());
    if args.file.extension().is_some_and(|extension| extension == "safetensors") {
        let table = Table::from_safetensors(&fs::read(&args.file).with_context(reading)?).with_context(reading)?;
        return Ok(Unlabelled { features: table.features, x: table.x, labels: Some(table.labels), report: Vec::new() });
    }
    let rows = csv::encode_unlabelled(&args.file, schema).with_context(reading)?;
    say(output, &rows.report);
    Ok(rows)
}

/// Predictions as they would stand in the label column.
fn names(predictions: &Predictions, schema: &Schema) -> Vec<String> {
    match (predictions, &schema.label.task) {
        (Predictions::Classes { classes: indices, .. }, Task::Classification { classes }) => {
            indices.iter().map(|index| classes.get(*index).cloned().unwrap_or_default()).collect()
        }
        (Predictions::Classes { classes: indices, .. }, Task::Regression { .. }) => {
            indices.iter().map(ToString::to_string).collect()
        }
        (Predictions::Numbers(numbers), _) => numbers.iter().map(ToString::to_string).collect(),
    }
}
