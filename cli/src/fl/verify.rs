//! `parity fl verify`: recomputes every aggregate and payout from chain and content.

use std::sync::Arc;

use anyhow::bail;
use parity_keeper::{events::ChainEvents, recompute::Recompute, snapshot::Snapshots};
use parity_protocol::Address;
use serde::Serialize;

use super::session_id;
use crate::{app::App, output::table};

#[derive(Serialize)]
struct Verified {
    session: u64,
    verified: bool,
    rounds: Vec<RoundVerdict>,
}

#[derive(Serialize)]
struct RoundVerdict {
    round: u16,
    model: String,
    accepted: usize,
    rejected: usize,
    difference: Option<String>,
}

/// Runs the command; a difference is an error after the result is printed.
pub(crate) async fn run(app: &App, session: Option<u64>) -> anyhow::Result<()> {
    let session = session_id(app, session).await?;
    let block = app.client.block_number().await?;
    let view = Snapshots::new(app.client.clone(), Address::ZERO).read(session, block).await?;
    let recompute = Recompute::new(app.store()?, None, Arc::new(ChainEvents::new(app.client.clone())));
    let rounds: Vec<RoundVerdict> = recompute
        .verify(&view)
        .await?
        .into_iter()
        .map(|verdict| RoundVerdict {
            round: verdict.round,
            model: verdict.model.to_string(),
            accepted: verdict.accepted,
            rejected: verdict.rejected,
            difference: verdict.difference.map(|difference| difference.to_string()),
        })
        .collect();
    let verified = !rounds.is_empty() && rounds.iter().all(|round| round.difference.is_none());
    let document = Verified { session, verified, rounds };
    app.output.result(&document, |d| {
        table(
            ["round", "model", "accepted", "rejected", "verdict"],
            d.rounds.iter().map(|r| {
                let verdict = r.difference.clone().unwrap_or_else(|| "equal to the chain".to_owned());
                [r.round.to_string(), r.model.clone(), r.accepted.to_string(), r.rejected.to_string(), verdict]
            }),
        )
    })?;
    if document.rounds.is_empty() {
        bail!("session {session} has no final round yet, so there is nothing to verify");
    }
    if !verified {
        bail!("session {session} differs from what chain and content give");
    }
    Ok(())
}
