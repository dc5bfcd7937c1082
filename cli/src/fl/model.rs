//! `parity fl model`: downloads the model of the last final round, with a card that says what it is.

use std::path::Path;

use anyhow::bail;
use parity_learning::card::{ModelCard, Origin};
use parity_protocol::{B256, Link, manifest::AggregateManifest, spec::SessionSpec};
use serde::Serialize;

use super::{export, rounds::Rounds, session_id};
use crate::{
    app::App,
    args::{ModelArgs, ModelFormat},
};

/// Largest model that is downloaded.
const MAX_MODEL_BYTES: u64 = 1 << 32;

#[derive(Serialize)]
struct Downloaded {
    session: u64,
    round: u16,
    model_cid: String,
    format: &'static str,
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
    let (file, format) = args.export.resolve(Path::new("model"));
    if format == ModelFormat::Safetensors {
        let bar = app.output.byte_progress(aggregate.model.bytes, "model");
        parity_content::get_file(&*store, &link, &file, MAX_MODEL_BYTES, &|bytes| bar.inc(bytes)).await?;
        bar.finish_and_clear();
        export::write_card(&file, &card)?;
    } else {
        let bytes = parity_content::get_bytes(&*store, &link, MAX_MODEL_BYTES).await?;
        export::write(&file, format, &card, &export::decode(&bytes, &card)?)?;
    }
    let document = Downloaded {
        session,
        round: aggregate.round,
        model_cid: link.to_string(),
        format: format.extension(),
        file: file.display().to_string(),
        card: export::card_path(&file).display().to_string(),
    };
    app.output.result(&document, |d| {
        format!(
            "model of round {} of session {} is in {}, its card in {}\n{}",
            d.round, d.session, d.file, d.card, d.model_cid
        )
    })
}
