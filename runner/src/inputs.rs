//! What a training starts from: rows and a model, fetched, opened and checked against chain and spec.

use std::sync::Arc;

use alloy::primitives::keccak256;
use bytes::Bytes;
use parity_content::{SealingKey, get_artifact, get_manifest};
use parity_learning::{
    model,
    partition::split_holdout,
    round::{correction, state_limit},
    table::{Labels, Table},
    tensors::Tensors,
    weights::{Weights, model_limit},
};
use parity_protocol::{
    manifest::{AggregateManifest, Artifact, SealedData},
    schema::Task,
    spec::{Data, SessionSpec},
};

use crate::{
    context::Context,
    data::{self, Fit},
    rows::Rows,
    trouble::{Result, Trouble, blocking},
    view::{SeatView, SessionView},
};

/// The rows of the agent's seat, from memory where they have not changed.
pub(crate) async fn rows(
    context: &Context,
    session: &SessionView,
    index: u16,
    seat: &SeatView,
    spec: &Arc<SessionSpec>,
) -> Result<Arc<Rows>> {
    let source = match &spec.data {
        Data::Private { .. } => None,
        Data::Uploaded { .. } => seat.shard,
    };
    if let Some(rows) = context.cache.rows(session.id, source) {
        return Ok(rows);
    }
    let rows = Arc::new(match &spec.data {
        Data::Private { .. } => local_rows(context, session.id, spec).await?,
        Data::Uploaded { shard_rows, .. } => {
            let expected = shard_rows.get(usize::from(index)).copied().unwrap_or(0);
            sealed_rows(context, session, seat, spec, expected).await?
        }
    });
    context.cache.keep_rows(session.id, &rows);
    Ok(rows)
}

async fn sealed_rows(
    context: &Context,
    session: &SessionView,
    seat: &SeatView,
    spec: &Arc<SessionSpec>,
    expected: u64,
) -> Result<Rows> {
    let shard = seat.shard.ok_or_else(|| Trouble::Hopeless("the seat serves without a shard".into()))?;
    let key = sealing_key(context, session.id).await?;
    if key.public() != seat.key {
        return Err(Trouble::Hopeless(
            "the seat's key is not in the state folder; was the seat claimed from another?".into(),
        ));
    }
    let manifest: SealedData = get_manifest(&*context.store, shard).await?;
    if manifest.spec != session.offer.spec {
        return Err(Trouble::Hopeless(format!("the shard belongs to another session spec ({})", manifest.spec)));
    }
    let aad = [b"parity/shard/".as_slice(), session.offer.spec.as_slice()].concat();
    let limit = context.config.policy.max_shard_bytes;
    let plain = get_artifact(&*context.store, &manifest.artifact, Some(&key), &aad, limit).await?;
    let (spec, digest) = (Arc::clone(spec), shard);
    blocking(move || {
        let table = Table::from_safetensors(&plain)?;
        check_rows(&table, &spec)?;
        let count = rows_of(&table);
        if count != expected || count != manifest.rows {
            return Err(Trouble::Hopeless(format!(
                "the shard has {count} rows, its manifest says {} and the session spec {expected}",
                manifest.rows
            )));
        }
        Ok(Rows { source: Some(digest), digest, file: plain, count, holdout: None })
    })
    .await
}

async fn local_rows(context: &Context, session: u64, spec: &Arc<SessionSpec>) -> Result<Rows> {
    let (state, journal, share) = (context.config.state.clone(), context.journal.clone(), context.config.holdout_share);
    let spec = Arc::clone(spec);
    blocking(move || {
        let chosen = journal.session(session)?.data;
        let fit = match &chosen {
            Some(name) => named_fit(&state, name, &spec)?,
            None => data::best_fit(&state, &spec.schema)?.map_err(Trouble::Hopeless)?,
        };
        check_rows(&fit.table, &spec)?;
        split_local(&fit.table, &spec, share)
    })
    .await
}

/// The data set with which the seat was claimed.
fn named_fit(state: &std::path::Path, name: &str, spec: &SessionSpec) -> Result<Fit> {
    let found = data::list(state)?.into_iter().find(|data| data.name == name);
    let entry = found.ok_or_else(|| Trouble::Hopeless(format!("the local data set '{name}' was removed")))?;
    let table = data::encode(state, &entry, &spec.schema).map_err(Trouble::Hopeless)?;
    Ok(Fit { name: entry.name, table })
}

/// Splits local rows by the seed of the spec, so that every round measures on the same holdout. Too few rows for one: all train.
pub(crate) fn split_local(table: &Table, spec: &SessionSpec, share: f64) -> Result<Rows> {
    let whole = || ((0..table.rows()).collect(), Vec::new());
    let (train, holdout) = split_holdout(&table.labels, share, spec.training.seed).unwrap_or_else(|_| whole());
    let train = table.select(&train);
    let file = Bytes::from(train.to_safetensors());
    let holdout = (!holdout.is_empty()).then(|| table.select(&holdout));
    Ok(Rows { source: None, digest: keccak256(&file), file, count: rows_of(&train), holdout })
}

/// What a seat's training of a round starts from.
#[derive(Debug)]
pub(crate) struct Start {
    /// The last final round; 0 before one is.
    pub(crate) round: u16,
    /// Its model, or the initial one.
    pub(crate) model: Weights,
    /// What the seat adds to every gradient, where the aggregation asks for it (SCAFFOLD) and a round was final before.
    pub(crate) correction: Option<Tensors>,
}

/// What the last final round leaves to a seat's training. All of it is named by that round's aggregate.
pub(crate) async fn start(
    context: &Context,
    session: &SessionView,
    spec: &Arc<SessionSpec>,
    seat: u16,
) -> Result<Start> {
    let Some(digest) = session.model else {
        let spec = Arc::clone(spec);
        return blocking(move || Ok(Start { round: 0, model: Weights::initial(&spec)?, correction: None })).await;
    };
    let manifest: AggregateManifest = get_manifest(&*context.store, digest).await?;
    let model = plain(context, &manifest.model, model_limit(spec)).await?;
    let state = match manifest.state.as_ref().filter(|_| spec.aggregation.control.is_some()) {
        Some(artifact) => Some(plain(context, artifact, state_limit(spec)).await?),
        None => None,
    };
    let spec = Arc::clone(spec);
    blocking(move || {
        let state = state.map(|bytes| Tensors::from_bytes(&bytes, state_limit(&spec))).transpose()?;
        let correction = state.and_then(|state| correction(&state, seat));
        correction.iter().try_for_each(|tensors| model::check_shapes(&model::shapes(&spec), tensors))?;
        Ok(Start { round: manifest.round, model: Weights::of_spec(&model, &spec)?, correction })
    })
    .await
}

async fn plain(context: &Context, artifact: &Artifact, limit: usize) -> Result<Bytes> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    Ok(get_artifact(&*context.store, artifact, None, &[], most).await?)
}

/// The key that the shard of this agent's seat is sealed to: one per session, made before the seat is claimed.
pub(crate) async fn sealing_key(context: &Context, session: u64) -> Result<SealingKey> {
    let path = context.journal.session_dir(session).join("seal.key");
    blocking(move || {
        crate::durable::private_dir(path.parent().unwrap_or(&path))?;
        Ok(SealingKey::load_or_create(&path)?)
    })
    .await
}

/// Whether rows can be trained on under a spec.
pub(crate) fn check_rows(table: &Table, spec: &SessionSpec) -> Result<()> {
    let refuse = |reason: String| Err(Trouble::Hopeless(reason));
    let features = spec.schema.features();
    if table.rows() == 0 {
        return refuse("there are no rows".into());
    }
    if table.features != features {
        return refuse(format!("the rows have {} features, the session's schema has {features}", table.features));
    }
    match (&table.labels, &spec.schema.label.task) {
        (Labels::Numbers(_), Task::Regression { .. }) => Ok(()),
        (Labels::Classes(labels), Task::Classification { classes }) => {
            let most = i64::try_from(classes.len()).unwrap_or(i64::MAX);
            match labels.iter().find(|label| !(0..most).contains(*label)) {
                None => Ok(()),
                Some(label) => refuse(format!("a row has class {label}, the session has classes 0 to {}", most - 1)),
            }
        }
        _ => refuse("the labels of the rows are of another kind than the session's".into()),
    }
}

fn rows_of(table: &Table) -> u64 {
    u64::try_from(table.rows()).unwrap_or(u64::MAX)
}
