//! One training: inputs in, checked update in the store out, recorded so that it is done once.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use parity_content::{put_manifest, put_sealed};
use parity_learning::{tensors::Tensors, weights::AnyPredictor};
use parity_protocol::{
    job::{Job, JobKind, JobResult},
    manifest::{Artifact, UpdateManifest},
    metrics::Metrics,
    spec::{Privacy, SessionSpec},
};

use crate::{
    context::Context,
    inputs::{self, Start},
    journal::{Inputs, Progress, RoundKey, RoundRecord, Stored},
    recipients,
    residual::Residual,
    rows::Rows,
    sandbox::{Material, Output, Sandbox},
    timings::{millis, unix_millis},
    trouble::{Result, Trouble, blocking},
    update,
    view::SessionView,
};

/// Trains a round and stores the update. A failure of the job is written to the journal; after enough of them the round is given
/// up. Work from the same inputs that is already recorded is not repeated.
pub(crate) async fn train(context: &Context, session: &SessionView, key: RoundKey) -> Result<()> {
    context.cache.start_clock(key, unix_millis());
    let mut record = read(context, key).await?;
    match attempt(context, session, key, &mut record).await {
        Err(trouble @ (Trouble::Failed(_) | Trouble::Hopeless(_))) => {
            context.metrics.failures.inc();
            record.failures.push(trouble.to_string());
            record.hopeless = matches!(trouble, Trouble::Hopeless(_));
            let given_up = record.progress(context.config.attempts) == Progress::GivenUp;
            write(context, key, record).await?;
            if given_up {
                tracing::error!(reason = %trouble, "the round is given up, the seat stays silent");
            }
            Err(trouble)
        }
        outcome => outcome,
    }
}

/// Leaves in `record` what the training was made of, and on success the update.
async fn attempt(context: &Context, session: &SessionView, key: RoundKey, record: &mut RoundRecord) -> Result<()> {
    let begun = Instant::now();
    let seat = session.seats.get(usize::from(key.seat)).and_then(Option::as_ref);
    let seat = seat.ok_or_else(|| Trouble::Later(anyhow::anyhow!("seat {} has no holder any more", key.seat)))?;
    let spec = context.spec(session.offer.spec).await?;
    let rows = inputs::rows(context, session, key.seat, seat, &spec).await?;
    let start = Arc::new(inputs::start(context, session, &spec, key.seat).await?);
    let fetched = begun.elapsed();
    record.renew(&Inputs { spec: session.offer.spec, model: session.model, data: rows.digest });
    if record.stored.is_some() {
        return Ok(());
    }

    let holdout = measure(&spec, &start, &rows).await?;
    let output = run(context, &spec, &rows, &start, key).await?;
    context.cache.clock(key, |timing| {
        timing.fetch_ms += millis(fetched);
        timing.start_ms += millis(output.start);
        // Whatever it claims, it cannot have computed for longer than it ran.
        let mathematics = (output.result.seconds.max(0.0) * 1e3).min(millis(output.run));
        timing.train_ms += mathematics;
        timing.trainer_ms += (millis(output.run) - mathematics).max(0.0);
    });
    let Output { result, update, .. } = output;
    let weights = {
        let (spec, start, rows, result) = (Arc::clone(&spec), Arc::clone(&start), Arc::clone(&rows), result.clone());
        blocking(move || update::check(&spec, &start.model, key.seat, &rows, &result, &update.unwrap_or_default()))
            .await?
    };
    let residual = Residual { journal: context.journal.clone(), key, joined: seat.joined_round, last: seat.last_round };
    let (weights, rest) = {
        let (spec, start, residual) = (Arc::clone(&spec), Arc::clone(&start), residual.clone());
        blocking(move || residual.compress(&spec, &start, weights)).await?
    };

    let storing = Instant::now();
    let artifact = store(context, session, &spec, weights.into()).await?;
    let manifest = manifest(context, key, artifact, result, holdout);
    let digest = put_manifest(&*context.store, &manifest).await?;
    if let Some(rest) = rest {
        blocking(move || residual.keep(&rest)).await?;
    }
    context.cache.clock(key, |timing| timing.store_ms += millis(storing.elapsed()));
    record.stored = Some(Stored { digest, samples: manifest.samples });
    write(context, key, record.clone()).await?;
    context.metrics.trainings.inc();
    tracing::info!(%digest, samples = manifest.samples, "trained a round");
    Ok(())
}

/// Metrics of the starting model on the rows kept back; only local data has some.
async fn measure(spec: &Arc<SessionSpec>, start: &Arc<Start>, rows: &Arc<Rows>) -> Result<Option<Metrics>> {
    if rows.holdout.is_none() {
        return Ok(None);
    }
    let (spec, start, rows) = (Arc::clone(spec), Arc::clone(start), Arc::clone(rows));
    blocking(move || {
        let Some(holdout) = &rows.holdout else { return Ok(None) };
        Ok(Some(AnyPredictor::of_spec(&spec, &start.model)?.evaluate(holdout)?.metrics))
    })
    .await
}

async fn run(context: &Context, spec: &SessionSpec, rows: &Rows, start: &Arc<Start>, key: RoundKey) -> Result<Output> {
    let limits = &context.config.limits;
    let kind = JobKind::Train { training: spec.training.clone(), round: key.round, seat: key.seat };
    let job = Job { device: limits.device(), ..Job::of_spec(spec, kind, limits.cpus) };
    let sandbox = match (&context.sandbox, &spec.image) {
        (Sandbox::Docker(docker), Some(image)) if docker.image() != image => {
            Sandbox::Docker(docker.with_image(image).await?)
        }
        (sandbox, _) => sandbox.clone(),
    };
    let start = Arc::clone(start);
    let files = blocking(move || Ok((start.model.to_bytes(), start.correction.as_ref().map(Tensors::to_bytes))));
    let (model, correction) = files.await?;
    let material = Material { rows: &rows.file, model: Some(&model), correction: correction.as_deref() };
    let work = context.config.state.join("work");
    Ok(sandbox.run(&job, material, limits, &work).await?)
}

async fn store(context: &Context, session: &SessionView, spec: &SessionSpec, weights: Bytes) -> Result<Artifact> {
    let recipients = match spec.privacy {
        Privacy::None => Vec::new(),
        Privacy::Low => recipients::keepers(&context.client, session.offer.keeper_bond).await?,
    };
    let aad = [b"parity/update/".as_slice(), session.offer.spec.as_slice()].concat();
    Ok(put_sealed(&*context.store, weights, &recipients, &aad).await?)
}

fn manifest(
    context: &Context,
    key: RoundKey,
    weights: Artifact,
    result: JobResult,
    holdout: Option<Metrics>,
) -> UpdateManifest {
    UpdateManifest {
        session: key.session,
        round: key.round,
        seat: key.seat,
        operator: context.outbox.address(),
        weights,
        samples: result.samples,
        training: result.metrics,
        determinism: result.determinism,
        holdout,
    }
}

pub(crate) async fn read(context: &Context, key: RoundKey) -> Result<RoundRecord> {
    let journal = context.journal.clone();
    blocking(move || Ok(journal.round(key)?)).await
}

pub(crate) async fn write(context: &Context, key: RoundKey, record: RoundRecord) -> Result<()> {
    let journal = context.journal.clone();
    blocking(move || Ok(journal.record_round(key, &record)?)).await
}
