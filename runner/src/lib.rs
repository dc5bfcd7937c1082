//! The runner: a host agent that claims seats of sessions, trains in a sandbox and posts updates.
//!
//! A reconciler: at every block it reads what the chain says ([`view`]), compares it with what its journal remembers
//! ([`journal`]), plans what is due ([`plan`], pure) and does it. The plan does not depend on what woke the agent or
//! what it did before, so a kill at any instant costs at most the training that was under way.
//!
//! ```text
//! inspect (policy) -> claim a seat -> [per round] fetch inputs -> train in the sandbox -> check -> store -> post
//! ```
//!
//! - [`policy`]: which sessions are taken. - [`data`]: local data for private sessions, which never leaves.
//! - [`sandbox`]: where the trainer runs; keepers use it too. - [`status`]: what was done, what failed and why.
//!
//! Not here: the mathematics (`runner/trainer`, inside the sandbox), keys and transactions (`parity-chain`).
//!
//! Invariants. An update is stored before the journal names it, and named there before a transaction does. Nothing derived
//! from local data leaves but weights, metrics and a count. Nothing the sandbox leaves behind is used unchecked.
//! Assumptions: one agent per state folder (the outbox locks it); the node tells the truth.

pub mod config;
pub mod data;
pub mod journal;
pub mod plan;
pub mod policy;
pub mod sandbox;
pub mod view;

mod act;
mod context;
mod cuda;
mod durable;
mod inputs;
mod metrics;
mod recipients;
mod reconcile;
mod register;
mod residual;
mod rows;
mod snapshot;
mod status;
mod tasks;
#[cfg(test)]
mod testing;
mod timings;
mod train;
mod trouble;
mod update;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use parity_chain::Wallet;
use parity_service::{Health, Liveness, Registry};
use tokio_util::sync::CancellationToken;

pub use config::{RunnerConfig, SandboxConfig, SandboxKind};
pub use policy::Policy;
pub use register::{Registration, RunnerManifest, register, register_as};
pub use sandbox::{Limits, Sandbox};
pub use status::{RoundStatus, status};
pub use timings::RoundTiming;

/// An agent that has not looked at the chain for so long counts as stalled: some requests in a row that time out.
const STALLED_AFTER: Duration = Duration::from_secs(300);

/// Runs an agent until `shutdown`.
///
/// # Errors
/// When it cannot start: configuration, keystore, node, stores or sandbox unusable. What fails later is logged and tried again.
pub async fn run(config: RunnerConfig, shutdown: CancellationToken) -> Result<()> {
    let wallet = context::wallet(&config).await?;
    run_as(config, wallet, shutdown).await
}

/// [`run`] with an open wallet.
///
/// # Errors
/// As [`run`].
pub async fn run_as(config: RunnerConfig, wallet: Wallet, shutdown: CancellationToken) -> Result<()> {
    ensure!(
        (0.0..1.0).contains(&config.holdout_share),
        "holdout_share is {}, expected 0 (none) to below 1",
        config.holdout_share
    );
    ensure!(config.attempts > 0, "attempts is 0, expected at least 1");
    ensure!(config.limits.cpus > 0, "limits.cpus is 0, expected at least 1");
    if let Some(stake) = config.auto_stake {
        let registration = register_as(&config, wallet.clone(), stake).await?;
        tracing::info!(operator = %registration.operator, stake = %registration.stake, "the operator is registered");
    }
    let metrics = metrics::Metrics::default();
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let liveness = Liveness::new(STALLED_AFTER);

    let listen = config.listen;
    let context = Arc::new(context::Context::open(config, wallet, metrics).await.context("starting the runner")?);
    tracing::info!(
        operator = %context.outbox.address(),
        node = context.client.url(),
        sandbox = context.sandbox.describe(),
        "the runner is at work"
    );
    let health = async {
        match listen {
            Some(address) => Health::new(liveness.clone(), registry).serve(address, shutdown.clone()).await,
            None => Ok(()),
        }
    };
    let work = async {
        reconcile::Reconciler::new(context, liveness.clone()).run(shutdown.clone()).await;
        Ok(())
    };
    tokio::try_join!(health, work)?;
    Ok(())
}
