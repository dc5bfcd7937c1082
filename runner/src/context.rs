//! What every task of an agent shares.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use anyhow::{Context as _, Result};
use parity_chain::{Client, Outbox, Wallet, abi::Deployments};
use parity_content::DynStore;
use parity_protocol::{B256, Link, spec::SessionSpec};

use crate::{
    config::RunnerConfig,
    cuda, durable,
    journal::{Journal, RoundKey},
    metrics::Metrics,
    rows::Rows,
    sandbox::Sandbox,
    timings::{RoundTiming, Timings},
};

/// What every task of an agent shares.
pub(crate) struct Context {
    pub(crate) config: RunnerConfig,
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) store: DynStore,
    pub(crate) sandbox: Sandbox,
    pub(crate) journal: Journal,
    pub(crate) timings: Timings,
    pub(crate) metrics: Metrics,
    pub(crate) cache: Cache,
}

/// What is worth keeping in memory; all of it can be fetched again.
#[derive(Default)]
pub(crate) struct Cache {
    specs: Mutex<HashMap<B256, Arc<SessionSpec>>>,
    rows: Mutex<HashMap<u64, Arc<Rows>>>,
    running: Mutex<HashMap<RoundKey, (Instant, RoundTiming)>>,
}

impl Context {
    /// Opens everything; removes what an earlier life of the agent left in its work folder.
    pub(crate) async fn open(config: RunnerConfig, wallet: Wallet, metrics: Metrics) -> Result<Self> {
        let (client, store) = connect(&config).await?;
        client.check_contracts().await?;
        let outbox = Outbox::open(&config.state.join("outbox"), client.clone(), wallet).await?;
        let sandbox = config.sandbox.open(&config.state).await?;
        let work = config.state.join("work");
        clear(&work)?;
        if config.limits.cuda {
            cuda::check(&sandbox, &config.limits, &work).await?;
        }
        let journal = Journal::new(&config.state, &network(&client).await?);
        let timings = Timings::new(&config.state);
        Ok(Self { config, client, outbox, store, sandbox, journal, timings, metrics, cache: Cache::default() })
    }

    /// The spec with this digest, checked.
    pub(crate) async fn spec(&self, digest: B256) -> Result<Arc<SessionSpec>, parity_content::Error> {
        if let Some(spec) = lock(&self.cache.specs).get(&digest) {
            return Ok(Arc::clone(spec));
        }
        let block = self.store.get_block(&Link::from_digest(digest)).await?;
        let spec = Arc::new(SessionSpec::read(&block)?);
        lock(&self.cache.specs).insert(digest, Arc::clone(&spec));
        Ok(spec)
    }
}

impl Cache {
    /// The rows of a session, if they are still those of `source`.
    pub(crate) fn rows(&self, session: u64, source: Option<B256>) -> Option<Arc<Rows>> {
        lock(&self.rows).get(&session).filter(|rows| rows.source == source).cloned()
    }

    /// Keeps the rows of a session.
    pub(crate) fn keep_rows(&self, session: u64, rows: &Arc<Rows>) {
        lock(&self.rows).insert(session, Arc::clone(rows));
    }

    /// Forgets rows of sessions that are over.
    pub(crate) fn retain_sessions(&self, live: impl Fn(u64) -> bool) {
        lock(&self.rows).retain(|session, _| live(*session));
        lock(&self.running).retain(|key, _| live(key.session));
    }

    /// Starts the clock of a round, once.
    pub(crate) fn start_clock(&self, key: RoundKey, seen_unix_ms: f64) {
        let timing = RoundTiming {
            session: key.session,
            round: key.round,
            seat: key.seat,
            seen_unix_ms,
            ..RoundTiming::default()
        };
        lock(&self.running).entry(key).or_insert_with(|| (Instant::now(), timing));
    }

    /// Changes the measurements of a round whose clock runs.
    pub(crate) fn clock(&self, key: RoundKey, change: impl FnOnce(&mut RoundTiming)) {
        if let Some((_, timing)) = lock(&self.running).get_mut(&key) {
            change(timing);
        }
    }

    /// Stops the clock of a round; none where it was started in an earlier life.
    pub(crate) fn stop_clock(&self, key: RoundKey) -> Option<RoundTiming> {
        let (begun, mut timing) = lock(&self.running).remove(&key)?;
        timing.complete(begun.elapsed());
        Some(timing)
    }
}

/// The chain and the stores of a configuration.
pub(crate) async fn connect(config: &RunnerConfig) -> Result<(Client, DynStore)> {
    let deployments = Deployments::load(&config.deployments)?;
    let client = Client::connect(&config.rpc, deployments).await?;
    durable::private_dir(&config.state)?;
    Ok((client, parity_content::open(&config.stores)?))
}

/// Opens the operator's keystore.
pub(crate) async fn wallet(config: &RunnerConfig) -> Result<Wallet> {
    let (keystore, password_file) = (config.keystore.clone(), config.password_file.clone());
    tokio::task::spawn_blocking(move || {
        let password = std::fs::read_to_string(&password_file)
            .with_context(|| format!("reading the password file {}", password_file.display()))?;
        Ok(Wallet::load(&keystore, password.trim_end_matches(['\r', '\n']))?)
    })
    .await?
}

/// Tells networks apart, a local one that was started afresh from the one before included.
async fn network(client: &Client) -> Result<String> {
    let genesis = match client.is_local() {
        true => client.header_at(client.deployments().start_block).await?.map(|header| header.hash),
        false => None,
    };
    Ok(format!("{}/{}/{}", client.chain_id(), client.deployments().sessions, genesis.unwrap_or_default()))
}

/// Removes what killed jobs left behind.
fn clear(work: &Path) -> Result<()> {
    match std::fs::remove_dir_all(work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("clearing {}", work.display()))
        }
        _ => durable::private_dir(work),
    }
}

/// Caches stay whole when a task panics: they change by whole entries.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
