//! `parity fl predict`: applies a downloaded model to rows. Needs neither chain nor libtorch.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use parity_learning::{
    csv::{self, Unlabelled},
    images::{self, Folder},
    predict::Predictions,
    table::Table,
};
use parity_protocol::{
    confusion::{ClassFigures, ConfusionMatrix},
    metrics::Metrics,
    model::Model,
    schema::{Schema, Task},
};
use serde::Serialize;

use super::{create_with_data::say, export, figures};
use crate::{
    args::{GlobalArgs, PredictArgs},
    output::Output,
};

#[derive(Serialize)]
struct Predicted {
    rows: usize,
    /// The images, where there are some, in the order of the predictions.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
    predictions: Option<Vec<String>>,
    output: Option<String>,
    /// With labels: how good the model is on these rows.
    metrics: Option<Metrics>,
    /// Rows of each class that were taken for each class.
    confusion: Option<ConfusionMatrix>,
    per_class: Option<Vec<OfClass>>,
}

#[derive(Serialize)]
struct OfClass {
    class: String,
    #[serde(flatten)]
    figures: ClassFigures,
}

/// Runs the command.
pub(crate) fn run(args: &PredictArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let (card, weights) = export::read(&args.model)?;
    let model = card.predictor(&weights)?;

    let (rows, folder) = rows(&args.file, &card.model, &card.schema, output)?;
    let predictions = model.predict(&rows.x)?;
    let (metrics, confusion) = match rows.labels {
        Some(labels) => {
            let evaluation = model.evaluate(&Table { features: rows.features, x: rows.x, labels })?;
            (Some(evaluation.metrics), evaluation.confusion)
        }
        None => (None, None),
    };
    let classes = match &card.schema.label.task {
        Task::Classification { classes } => classes.as_slice(),
        Task::Regression { .. } => &[],
    };
    let names = names(&predictions, &card.schema);
    let files: Option<Vec<String>> =
        folder.map(|folder| folder.files().iter().map(|file| file.display().to_string()).collect());
    if let Some(target) = &args.output {
        write(target, &card.schema.label.name, files.as_deref(), &names)?;
    }
    let document = Predicted {
        rows: names.len(),
        files: files.filter(|_| args.output.is_none()),
        predictions: args.output.is_none().then_some(names),
        output: args.output.as_ref().map(|path| path.display().to_string()),
        metrics,
        per_class: confusion.as_ref().map(|confusion| per_class(confusion, classes)),
        confusion,
    };
    if let Some(metrics) = &document.metrics {
        output.note(format!("{} on {} labelled rows", figures::all(Some(metrics)), document.rows));
    }
    if let Some(confusion) = &document.confusion {
        output.note(figures::per_class(confusion, classes));
    }
    output.result(&document, |d| match &d.output {
        Some(target) => format!("{} predictions are in {target}", d.rows),
        None => {
            let names = d.predictions.as_deref().unwrap_or_default();
            let line = |(at, name): (usize, &String)| match &d.files {
                Some(files) => format!("{}: {name}", files[at]),
                None => name.clone(),
            };
            names.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
        }
    })
}

/// Writes a CSV file: a column of predictions, before it one of files where rows are files.
fn write(target: &Path, label: &str, files: Option<&[String]>, names: &[String]) -> anyhow::Result<()> {
    let writing = || format!("writing {}", target.display());
    let mut writer = ::csv::Writer::from_path(target).with_context(writing)?;
    let mut line = |file: Option<&str>, name: &str| {
        let fields = file.into_iter().chain([name]);
        writer.write_record(fields)
    };
    line(files.map(|_| "file"), label).with_context(writing)?;
    for (at, name) in names.iter().enumerate() {
        line(files.map(|files| files[at].as_str()), name).with_context(writing)?;
    }
    writer.flush().with_context(writing)
}

/// Reads rows for a model: a CSV file, a safetensors table that is encoded already, a PNG image or a folder of them, which is told
/// of, too.
pub(super) fn rows(
    file: &Path,
    model: &Model,
    schema: &Schema,
    output: Output,
) -> anyhow::Result<(Unlabelled, Option<Folder>)> {
    let is_png = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    let folder = match (file.is_dir(), is_png) {
        (true, _) => Some(Folder::list(file).with_context(|| format!("reading {}", file.display()))?),
        (false, true) => Some(Folder::of_file(file)),
        (false, false) => None,
    };
    let rows = match &folder {
        Some(folder) => pixels(folder, model, schema, output)?,
        None => table(file, schema, output)?,
    };
    Ok((rows, folder))
}

/// Reads PNG files, scaled to what the model has learned from.
fn pixels(folder: &Folder, model: &Model, schema: &Schema, output: Output) -> anyhow::Result<Unlabelled> {
    let shape = match model {
        Model::ConvolutionalNetwork { image, .. } => Some(*image),
        _ => images::shape_of(schema),
    };
    let Some(shape) = shape else {
        bail!(
            "{} holds images, but the model has learned from other columns; give it a CSV file",
            folder.path().display()
        )
    };
    let bar = output.progress(u64::try_from(folder.files().len())?, "reading images");
    let rows = images::encode_unlabelled(folder, shape, &schema.label.task, &|| bar.inc(1))
        .with_context(|| format!("reading {}", folder.path().display()))?;
    bar.finish_and_clear();
    say(output, &rows.report);
    Ok(rows)
}

/// Reads a CSV file by the model's schema, or a safetensors table that is encoded already.
fn table(file: &Path, schema: &Schema, output: Output) -> anyhow::Result<Unlabelled> {
    let reading = || format!("reading {}", file.display());
    if file.extension().is_some_and(|extension| extension == "safetensors") {
        let table = Table::from_safetensors(&fs::read(file).with_context(reading)?).with_context(reading)?;
        return Ok(Unlabelled { features: table.features, x: table.x, labels: Some(table.labels), report: Vec::new() });
    }
    let rows = csv::encode_unlabelled(file, schema).with_context(reading)?;
    say(output, &rows.report);
    Ok(rows)
}

fn per_class(confusion: &ConfusionMatrix, classes: &[String]) -> Vec<OfClass> {
    let of_class = |(class, figures): (&String, ClassFigures)| OfClass { class: class.clone(), figures };
    classes.iter().zip(confusion.per_class()).map(of_class).collect()
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
