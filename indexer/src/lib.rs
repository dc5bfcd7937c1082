//! The read side: events of Parity's contracts into Postgres, served as an API, an event stream and a page.
//!
//! ```text
//! chain --LogStream--> sync --one transaction per batch--> Postgres --one snapshot per request--> api
//!                       |  fold (pure): events -> rows
//!                       '- undo log: rows -> rows before a block that the chain left
//! ```
//! A cache, never an oracle: nothing here is needed to be paid, and everything here can be indexed again.
//!
//! Invariants, each tested: the tables equal a fold of the stored logs ([`refold`]); after a reorganisation they equal what
//! a fresh index holds; a process killed at any instant goes on without losing or repeating a log; every answer holds as of
//! the block it names.
//!
//! Assumptions. Correctness: the deployments are right, and nothing below the node's finality changes. Liveness: node and
//! database answer in the end; until then the indexer waits, says so, and serves what it has.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use parity_abi::Deployments;
use parity_chain::Client;
use parity_service::Liveness;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub mod api;
mod config;
mod db;
mod describe;
mod error;
mod fold;
mod metrics;
mod rows;
mod state_hash;
mod sync;

pub use config::IndexerConfig;
pub use error::{Error, Result};
pub use rows::{RoundPhase, TransferKind};
pub use sync::refold::Refold;

/// A node or database that is away for this long makes the indexer unhealthy.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between attempts to reach the node at the start.
const PAUSE: Duration = Duration::from_secs(1);

/// Indexes and serves until `shutdown`.
///
/// # Errors
/// When the configuration cannot be used: no deployments file, no database, the address is taken, the wrong chain; or when
/// going on would be wrong: a database of other contracts, a chain that changed below finality.
pub async fn run(config: IndexerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let deployments = Deployments::load(&config.deployments)?;
    let pool = db::connect(&config.database_url).await.context("opening the indexer's database")?;
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .map_err(|source| Error::Listen { address: config.listen, source })?;
    let metrics = metrics::Metrics::default();
    let liveness = Liveness::new(PATIENCE);
    let (moved, watched) = watch::channel(());
    // A failing half stops the other one, whoever else goes on.
    let stop = shutdown.child_token();
    let _stop_both = stop.clone().drop_guard();
    let router = api::router(Arc::new(api::Shared {
        pool: pool.clone(),
        deployments: deployments.clone(),
        registry: metrics.register(),
        metrics: metrics.clone(),
        liveness: liveness.clone(),
        moved: watched,
        shutdown: stop.clone(),
    }));
    tracing::info!(address = %listener.local_addr()?, chain_id = deployments.chain_id, "serving the read API");
    let serve = async {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).await;
        stop.cancel();
        served.context("serving the read API")
    };
    let follow = async {
        let followed = follow(&config.rpc, deployments, &pool, metrics, moved, liveness, &stop).await;
        stop.cancel();
        followed.context("following the chain")
    };
    let (served, followed) = tokio::join!(serve, follow);
    pool.close().await;
    followed.and(served)
}

async fn follow(
    rpc: &str,
    deployments: Deployments,
    pool: &sqlx::PgPool,
    metrics: metrics::Metrics,
    moved: watch::Sender<()>,
    liveness: Liveness,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let client = loop {
        match stop.run_until_cancelled(Client::connect(rpc, deployments.clone())).await {
            None => return Ok(()),
            Some(Ok(client)) => break client,
            Some(Err(error)) if error.is_retryable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the node is away");
                if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                    return Ok(());
                }
            }
            Some(Err(error)) => return Err(error.into()),
        }
    };
    let follower = sync::Follower::new(client, pool.clone(), metrics, moved, move || liveness.beat());
    Ok(follower.run(stop).await?)
}

/// Folds the stored logs again from nothing and compares the outcome with the tables. Changes nothing; may run beside an
/// indexer.
///
/// # Errors
/// When the deployments file or the database cannot be read, or a stored log does not decode.
pub async fn refold(database_url: &str, deployments: &Path) -> anyhow::Result<Refold> {
    let deployments = Deployments::load(deployments)?;
    let pool = db::connect(database_url).await.context("opening the indexer's database")?;
    let found = sync::refold::refold(&pool, &deployments).await?;
    pool.close().await;
    Ok(found)
}
