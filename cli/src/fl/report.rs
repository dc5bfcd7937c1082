//! `parity fl report`: a session on one HTML page, for people who have neither this program nor the data.
//!
//! Facts are collected first ([`session`], [`examine`]) and drawn afterwards ([`page`]); `parity fl simulate --report` draws its
//! own facts the same way. Names, classes and columns come from strangers: they only ever reach the page through its templates,
//! which escape them.

mod describe;
mod examine;
mod facts;
mod page;
mod session;

use std::{fs, path::Path};

use anyhow::{Context, bail};
use parity_learning::{table::Table, weights::Weights};
use parity_protocol::spec::SessionSpec;
use serde::Serialize;

pub(crate) use self::{
    describe::describe,
    examine::{examine, impurity, unseen},
    facts::{Contribution, Fact, Facts, History, Participant, Round, fact},
    session::{classes, mean_score},
};
use self::{examine::Examination, facts::Verdict};
use super::{predict, session_id, verify};
use crate::{app::App, args::ReportArgs, output::Output};

#[derive(Serialize)]
struct Written<'a> {
    file: String,
    #[serde(flatten)]
    facts: &'a Facts,
}

/// Runs the command; a session that does not verify is an error after the page is written.
pub(crate) async fn run(app: &App, args: ReportArgs) -> anyhow::Result<()> {
    let session = session_id(app, args.session).await?;
    let session::Session { mut facts, spec, model } = session::read(app, session).await?;
    if let Some(file) = &args.data {
        let Some(model) = &model else {
            bail!("session {session} has no final round yet, so there is no model to try on {}", file.display());
        };
        facts.examination = Some(on_file(&spec, model, file, app.output)?);
    }
    if args.verify {
        let rounds = verify::verdicts(app, session, None).await?;
        let differences =
            rounds.iter().filter_map(|round| Some(format!("round {}: {}", round.round, round.difference.as_ref()?)));
        let verdict = Verdict { rounds: rounds.len(), differences: differences.collect() };
        if let Some(verification) = &mut facts.verification {
            verification.verdict = Some(verdict);
        }
    }
    write(&args.output, &facts)?;
    let document = Written { file: args.output.display().to_string(), facts: &facts };
    app.output.result(&document, |d| format!("the report of session {session} is in {}", d.file))?;
    let verdict = facts.verification.as_ref().and_then(|verification| verification.verdict.as_ref());
    if verdict.is_some_and(|verdict| !verdict.differences.is_empty()) {
        bail!("session {session} differs from what chain and content give");
    }
    Ok(())
}

/// Writes the page.
pub(crate) fn write(file: &Path, facts: &Facts) -> anyhow::Result<()> {
    let page = page::page(facts)?.into_string();
    fs::write(file, page).with_context(|| format!("writing the report {}", file.display()))
}

fn on_file(spec: &SessionSpec, model: &Weights, file: &Path, output: Output) -> anyhow::Result<Examination> {
    let (rows, _) = predict::rows(file, &spec.model, &spec.schema, output)?;
    let Some(labels) = rows.labels else {
        bail!(
            "{} has no column '{}', and without labels nothing can be measured",
            file.display(),
            spec.schema.label.name
        );
    };
    let table = Table { features: rows.features, x: rows.x, labels };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    examine(spec, model, &table, format!("{} rows of {name}", table.rows()))
}
