//! `parity fl create-session`: a session whose runners bring their own private data.
//!
//! The requester has no rows, only their shape: a schema with scaling statistics, as JSON, or inferred from a sample: a CSV file or a folder of images.

use std::{fs, path::Path};

use anyhow::Context;
use parity_learning::images;
use parity_protocol::{
    model::Volume,
    schema::{Scaling, Schema},
    spec::Data,
};
use serde::{Deserialize, Serialize};

use super::{
    create_with_data::{say, stem},
    deal,
    learn::DataPlan,
    plan, publish,
};
use crate::{
    app::App,
    args::{
        CreateArgs, GlobalArgs,
        file::{FileArgs, ImageShape},
    },
    output::Output,
};

/// Rows that a private runner is assumed to have when hyperparameters are chosen for it.
const ASSUMED_ROWS_PER_SEAT: usize = 200;

/// What requester and runners must agree on: columns, label, standardisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    /// Columns and label.
    pub(crate) schema: Schema,
    /// Standardisation of the features.
    pub(crate) scaling: Scaling,
}

impl Shape {
    /// Reads a shape from JSON, or infers it from a CSV file or a folder of images.
    pub(crate) fn read(file: &Path, args: &FileArgs, output: Output) -> anyhow::Result<Self> {
        if file.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            let shape: Self = serde_json::from_slice(&text).with_context(|| {
                format!("{} is no schema; --write-schema writes one from a sample CSV", file.display())
            })?;
            shape.schema.validate()?;
            shape.scaling.validate(shape.schema.features())?;
            return Ok(shape);
        }
        let prepared = deal::read(file, args, 0.0, 0, output)?;
        say(output, &prepared.report);
        Ok(Self { schema: prepared.schema, scaling: prepared.scaling })
    }

    /// The shape of a row, where the columns or the flags say that it is an image.
    fn image(&self, args: &FileArgs) -> Option<Volume> {
        images::shape_of(&self.schema).or_else(|| args.image.map(ImageShape::volume))
    }
}

#[derive(Serialize)]
struct Written {
    file: String,
    columns: usize,
}

/// Only writes the schema of a sample CSV.
pub(crate) fn write_schema(args: &CreateArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let target = args.write_schema.as_deref().context("--write-schema names no file")?;
    let shape = Shape::read(&args.schema, &args.columns, output)?;
    fs::write(target, serde_json::to_vec_pretty(&shape)?).with_context(|| format!("writing {}", target.display()))?;
    let document = Written { file: target.display().to_string(), columns: shape.schema.columns.len() };
    output.result(&document, |w| format!("schema of {} columns is in {}; hand it to the runners", w.columns, w.file))
}

#[derive(Serialize)]
struct Created {
    session: u64,
    spec: String,
    name: String,
    seats: u16,
}

/// Runs the command.
pub(crate) async fn run(app: &App, args: CreateArgs) -> anyhow::Result<()> {
    let shape = Shape::read(&args.schema, &args.columns, app.output)?;
    let image = shape.image(&args.columns);
    let plan = DataPlan {
        image,
        schema: shape.schema,
        scaling: shape.scaling,
        data: Data::Private { max_samples: args.max_samples },
        training_rows: usize::from(args.plan.seats) * ASSUMED_ROWS_PER_SEAT,
        seats: args.plan.seats,
        rounds: args.plan.total_rounds,
        target: args.plan.target,
    };
    let spec = plan::spec(&args.plan, &stem(&args.schema), plan)?;
    let terms = plan::terms(&args.plan, &spec, app.network.periods())?;
    let outbox = app.outbox().await?;
    let session = publish::publish(app, &outbox, &spec, &terms).await?;
    let created = Created { session, spec: spec.link()?.to_string(), name: spec.name.clone(), seats: terms.seats };
    app.output.result(&created, |created| {
        format!(
            "session {} is open for {} runners with matching private data\nfollow it with 'parity fl watch {}'",
            created.session, created.seats, created.session
        )
    })
}
