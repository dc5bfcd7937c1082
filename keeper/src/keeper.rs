//! What all work of a keeper shares: connections, keys, and what it knows about itself.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use parity_abi::Deployments;
use parity_chain::{Client, Outbox, Wallet};
use parity_content::SealingKey;
use parity_protocol::{Address, B256, TokenAmount, U256};

use crate::{
    config::{Evaluation, KeeperConfig},
    error::Result,
    events::ChainEvents,
    meters::Meters,
    recompute::Recompute,
    roster::Roster,
    snapshot::{Snapshots, contract_error},
    timings::Timings,
    trial::{Sandboxed, Trial},
};

/// File of the sealing key in the state folder.
const SEALING_KEY: &str = "sealing.key";
/// Folder of the transaction journal in the state folder.
const JOURNAL: &str = "outbox";

/// A keeper at work.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) own: Address,
    pub(crate) snapshots: Snapshots,
    pub(crate) roster: Roster,
    pub(crate) recompute: Recompute,
    pub(crate) trial: Option<Box<dyn Trial>>,
    pub(crate) timings: Timings,
    pub(crate) meters: Meters,
    pub(crate) push_every: u16,
}

/// Where this keeper stands among the bonded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The bonded keepers.
    pub(crate) keepers: Vec<Address>,
    /// Since when this one is registered; none: it is not one of them.
    pub(crate) known_since: Option<u64>,
}

impl Keeper {
    /// Opens stores, connections and journal.
    pub(crate) async fn open(config: &KeeperConfig, wallet: Wallet) -> anyhow::Result<Self> {
        create_state(&config.state).await?;
        let deployments = Deployments::load(&config.deployments)?;
        let client = Client::connect(&config.rpc, deployments).await?;
        client.check_contracts().await?;
        let store = parity_content::open(&config.stores).context("opening the content stores")?;
        let key = sealing_key(&config.state)?;
        let trial: Option<Box<dyn Trial>> = match Sandboxed::open(config).await {
            Ok(trial) => trial.map(|trial| Box::new(trial) as Box<dyn Trial>),
            Err(error) => {
                let sandbox = match &config.evaluation {
                    Evaluation::Docker { image } => image.clone(),
                    Evaluation::Process { program, .. } => program.display().to_string(),
                    Evaluation::BuiltIn => String::new(),
                };
                tracing::warn!(
                    error = format!("{error:#}"),
                    sandbox,
                    "no sandbox; models are evaluated in this process"
                );
                None
            }
        };
        let own = wallet.address();
        let outbox = Outbox::open(&config.state.join(JOURNAL), client.clone(), wallet)
            .await
            .context("opening the transaction journal")?;
        let events = Arc::new(ChainEvents::new(client.clone()));
        Ok(Self {
            outbox,
            own,
            snapshots: Snapshots::new(client.clone(), own),
            roster: Roster::new(client.clone()),
            recompute: Recompute::new(store, Some(key), events).with_round_bytes(config.round_bytes),
            meters: Meters::default(),
            trial,
            timings: Timings::new(&config.state),
            push_every: config.push_every,
            client,
        })
    }

    /// Where this keeper stands among those with enough stake for a session.
    pub(crate) async fn standing(&self, block: u64, bond: TokenAmount) -> Result<Standing> {
        let keepers = self.roster.bonded(block, bond).await?;
        let known_since = keepers.iter().find(|keeper| keeper.address == self.own).map(|own| own.registered_at);
        Ok(Standing { keepers: keepers.iter().map(|keeper| keeper.address).collect(), known_since })
    }

    /// Digest of the holdout that the requester sealed to a keeper.
    pub(crate) async fn holdout(&self, session: u64, keeper: Address) -> Result<Option<B256>> {
        let holdout = self.client.sessions().holdoutOf(U256::from(session), keeper).call().await;
        let holdout = holdout.map_err(contract_error("the holdout"))?;
        Ok((!holdout.is_zero()).then_some(holdout))
    }
}

/// Makes the state folder.
pub(crate) async fn create_state(state: &Path) -> anyhow::Result<()> {
    let made = tokio::fs::create_dir_all(state).await;
    made.with_context(|| format!("creating the state folder {}", state.display()))
}

/// The keeper's key for sealed content; made at first use.
pub(crate) fn sealing_key(state: &Path) -> anyhow::Result<SealingKey> {
    SealingKey::load_or_create(&state.join(SEALING_KEY)).context("opening the sealing key")
}

/// Opens the configured keystore off the async threads: stretching the password takes a while on purpose.
pub(crate) async fn load_wallet(config: &KeeperConfig) -> anyhow::Result<Wallet> {
    let password_file = &config.password_file;
    let password = tokio::fs::read_to_string(password_file)
        .await
        .with_context(|| format!("reading the password file {}", password_file.display()))?;
    let keystore = config.keystore.clone();
    let wallet = tokio::task::spawn_blocking(move || Wallet::load(&keystore, password.trim_end_matches(['\r', '\n'])));
    Ok(wallet.await.context("opening the keystore")??)
}
