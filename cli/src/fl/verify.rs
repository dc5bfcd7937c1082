//! `parity fl verify`: recomputes every aggregate, score and payout from chain and content.
//!
//! Scores need the holdout: the requester has it where the session was created, a keeper was sealed it. Others take scores as they were
//! published, and are told so.

use std::{path::Path, sync::Arc};

use anyhow::{Context, bail};
use parity_content::SealingKey;
use parity_keeper::{
    events::ChainEvents,
    recompute::Recompute,
    snapshot::Snapshots,
    verify::{Taken, Verdict},
    view::SessionView,
};
use parity_learning::holdout::Holdout;
use parity_protocol::Address;
use serde::Serialize;

use super::{files::SessionFiles, session_id};
use crate::{app::App, args::VerifyArgs, output::table};

#[derive(Serialize)]
struct Verified {
    session: u64,
    verified: bool,
    /// Whether some scores were not recomputed, for want of the holdout.
    scores_as_published: bool,
    /// Whether some models were not, because the holdout judged which updates enter them.
    models_as_published: bool,
    rounds: Vec<RoundVerdict>,
}

/// What recomputing a final round came to.
#[derive(Debug, Serialize)]
pub(super) struct RoundVerdict {
    pub(super) round: u16,
    model: String,
    accepted: usize,
    rejected: usize,
    /// Where the chain differs; none: the round is right, given what was taken as published.
    pub(super) difference: Option<String>,
    /// What was not recomputed: nothing, scores, or scores and model.
    as_published: &'static [&'static str],
}

/// Runs the command; a difference is an error after the result is printed.
pub(crate) async fn run(app: &App, args: VerifyArgs) -> anyhow::Result<()> {
    let session = session_id(app, args.session).await?;
    let key = args.sealing_key.as_deref().map(open_key).transpose()?;
    let rounds = verdicts(app, session, key).await?;
    let took = |what| rounds.iter().any(|round| round.as_published.contains(&what));
    let (scores_as_published, models_as_published) = (took("scores"), took("model"));
    let verified = !rounds.is_empty() && rounds.iter().all(|round| round.difference.is_none());
    let document = Verified { session, verified, scores_as_published, models_as_published, rounds };
    app.output.result(&document, |d| {
        table(
            ["round", "model", "accepted", "rejected", "verdict"],
            d.rounds.iter().map(|r| {
                [r.round.to_string(), r.model.clone(), r.accepted.to_string(), r.rejected.to_string(), r.words()]
            }),
        ) + note(d)
    })?;
    if document.rounds.is_empty() {
        bail!("session {session} has no final round yet, so there is nothing to verify");
    }
    if !verified {
        bail!("session {session} differs from what chain and content give");
    }
    Ok(())
}

/// Recomputes the final rounds of a session; `key` is one that the holdout may have been sealed to.
pub(super) async fn verdicts(app: &App, session: u64, key: Option<SealingKey>) -> anyhow::Result<Vec<RoundVerdict>> {
    let block = app.client.block_number().await?;
    let view = Snapshots::new(app.client.clone(), Address::ZERO).read(session, block).await?;
    let recompute = Recompute::new(app.store()?, key, Arc::new(ChainEvents::new(app.client.clone())));
    let holdout = holdout(&recompute, &view).await?;
    Ok(recompute.verify(&view, holdout).await?.into_iter().map(RoundVerdict::from).collect())
}

impl From<Verdict> for RoundVerdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            round: verdict.round,
            model: verdict.model.to_string(),
            accepted: verdict.accepted,
            rejected: verdict.rejected,
            difference: verdict.difference.map(|difference| difference.to_string()),
            as_published: match verdict.taken {
                Taken::Nothing => &[],
                Taken::Scores => &["scores"],
                Taken::Model => &["scores", "model"],
            },
        }
    }
}

impl RoundVerdict {
    /// The verdict in words.
    pub(super) fn words(&self) -> String {
        match (&self.difference, self.as_published) {
            (Some(difference), _) => difference.clone(),
            (None, []) => "equal to the chain".to_owned(),
            (None, ["scores"]) => "equal to the chain, scores as published".to_owned(),
            (None, _) => "equal to the chain, scores and model as published".to_owned(),
        }
    }
}

/// What a stranger should know.
fn note(verified: &Verified) -> &'static str {
    match (verified.scores_as_published, verified.models_as_published) {
        (false, _) => "",
        (true, false) => {
            "\nthe scores were made on held-out rows that are not here, so they were taken as published: verify where the session was \
             created, or with a keeper's --sealing-key"
        }
        (true, true) => {
            "\nheld-out rows that are not here decided which updates enter the model, so neither model nor scores can be recomputed \
             and both were taken as published: verify where the session was created, or with a keeper's --sealing-key"
        }
    }
}

fn open_key(file: &Path) -> anyhow::Result<SealingKey> {
    SealingKey::open(file).with_context(|| format!("opening the sealing key {}", file.display()))
}

/// The held-out rows: as kept at creation, or as sealed to the key at hand.
async fn holdout(recompute: &Recompute, view: &SessionView) -> anyhow::Result<Option<Arc<Holdout>>> {
    let files = SessionFiles::at(view.terms.spec)?;
    let spec = recompute.spec(view.id, view.terms.spec).await?;
    if files.exist() && spec.data.holdout().is_some() {
        return Ok(Some(Arc::new(Holdout::of_spec(&spec, &files.holdout()?)?)));
    }
    Ok(recompute.any_holdout(view).await?)
}
