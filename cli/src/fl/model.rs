//! `parity fl model`: downloads the model of the last final round, with a card that says what it is.

use std::fs;

use anyhow::{Context, bail};
use parity_learning::card::{ModelCard, Origin};
use parity_protocol::{B256, Link, manifest::AggregateManifest, spec::SessionSpec};
use serde::Serialize;

use super::{rounds::Rounds, session_id};
use crate::{app::App, args::ModelArgs};

/// Largest model that is downloaded.
const MAX_MODEL_BYTES: u64 = 1 << 32;

#[derive(Serialize)]
struct Downloaded {
    session: u64,
    round: u16,
    model_cid: String,
    file: String,
    card: String,
}

/// Runs the command.
pub(crate) async fn run(app: &App, args: ModelArgs) -> anyhow::Result<()> {
    let session = session_id(app, args.session).await?;
    let state = app.session(session).await?;
    if state.model == B256::ZERO {
        bail!("session {session} has no final round yet; follow it with 'parity fl watch {session}'");
    }
    let terms = app.terms(session).await?;
    let store = app.store()?;
    let spec: SessionSpec = parity_content::get_manifest(&*store, terms.spec).await?;
    let aggregate: AggregateManifest = parity_content::get_manifest(&*store, state.model).await?;
    let link = aggregate.model.link;
    let bar = app.output.byte_progress(aggregate.model.bytes, "model");
    parity_content::get_file(&*store, &link, &args.output, MAX_MODEL_BYTES, &|bytes| bar.inc(bytes)).await?;
    bar.finish_and_clear();

    let metrics = Rounds::new(app, session)?
        .poll()
        .await?
        .into_iter()
        .find(|round| round.aggregate == state.model)
        .and_then(|round| round.evaluation);
    let origin = Origin {
        chain_id: app.client.chain_id(),
        contract: app.client.deployments().sessions.to_string(),
        session,
        round: aggregate.round,
        spec: Link::from_digest(terms.spec).to_string(),
        aggregate: Link::from_digest(state.model).to_string(),
        model: link.to_string(),
    };
    let card = ModelCard::new(&spec, metrics, origin);
    let card_file = args.output.with_extension("json");
    fs::write(&card_file, card.to_json()).with_context(|| format!("writing the model card {}", card_file.display()))?;
    let document = Downloaded {
        session,
        round: aggregate.round,
        model_cid: link.to_string(),
        file: args.output.display().to_string(),
        card: card_file.display().to_string(),
    };
    app.output.result(&document, |d| {
        format!(
            "model of round {} of session {} is in {}, its card in {}\n{}",
            d.round, d.session, d.file, d.card, d.model_cid
        )
    })
}
