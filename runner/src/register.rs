//! Makes an operator eligible: registered with the capability to train, and bonded.

use anyhow::{Context as _, Result, ensure};
use parity_chain::{Client, Outbox, Permit, Wallet};
use parity_content::{SealingKey, put_manifest};
use parity_protocol::{Address, B256, TokenAmount, U256, capability, codec::Block};
use serde::{Deserialize, Serialize};

use crate::{config::RunnerConfig, context};

/// Lifetime of the permit for the deposit: long enough for a slow chain.
const PERMIT_SECONDS: u64 = 3600;

/// What a runner says about itself in the register. Nothing proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunnerManifest {
    /// Name and version of the agent.
    pub software: String,
    /// CPUs that a trainer gets.
    pub cpus: u32,
    /// Bytes of memory that a trainer gets.
    pub memory: u64,
}

impl Block for RunnerManifest {
    const KIND: &'static str = "runner manifest";
}

/// What registering changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The operator.
    pub operator: Address,
    /// Transaction that registered it or changed what it says it can do; none: there was nothing to change.
    pub registered: Option<B256>,
    /// What was bonded on top, and the transaction; none: there was enough.
    pub deposited: Option<(TokenAmount, B256)>,
    /// Active stake now.
    pub stake: TokenAmount,
}

/// Registers the operator of a configuration and bonds up to `stake`. Does only what is missing, so it may be repeated.
///
/// # Errors
/// When node, store or keystore cannot be used, the balance is too small, or a contract refuses.
pub async fn register(config: &RunnerConfig, stake: TokenAmount) -> Result<Registration> {
    let wallet = context::wallet(config).await?;
    register_as(config, wallet, stake).await
}

/// [`register`] with an open wallet.
///
/// # Errors
/// As [`register`].
pub async fn register_as(config: &RunnerConfig, wallet: Wallet, stake: TokenAmount) -> Result<Registration> {
    let (client, store) = context::connect(config).await?;
    let outbox = Outbox::open(&config.state.join("outbox"), client.clone(), wallet.clone()).await?;
    outbox.drain().await?;
    let operator = wallet.address();
    let registered = enter(config, &client, &outbox, &store).await.context("registering the operator")?;
    let deposited = bond(&client, &outbox, &wallet, stake).await.context("bonding stake")?;
    let stake = client.stakes().active(operator).call().await.map_err(parity_chain::Error::from)?;
    Ok(Registration { operator, registered, deposited, stake: TokenAmount::from_base_units(stake) })
}

async fn enter(
    config: &RunnerConfig,
    client: &Client,
    outbox: &Outbox,
    store: &parity_content::DynStore,
) -> Result<Option<B256>> {
    let me = outbox.address();
    let known = client.operators().operator(me).call().await.map_err(parity_chain::Error::from)?;
    let lent = if config.limits.cuda { capability::CUDA } else { 0 };
    let capabilities = known.capabilities & !capability::CUDA | capability::TRAIN | lent;
    if known.active && known.capabilities == capabilities {
        return Ok(None);
    }
    let nonce = nonce(client, me).await?;
    let operators = client.operators();
    let receipt = if known.active {
        // Registered for something else, with a key that something else uses: only what it can do changes.
        let call = operators.update(known.metadata, known.key, capabilities);
        outbox.send(&format!("operator/update/{nonce}"), &call).await?
    } else {
        let manifest = RunnerManifest {
            software: concat!("parity-runner/", env!("CARGO_PKG_VERSION")).to_owned(),
            cpus: config.limits.cpus,
            memory: config.limits.memory,
        };
        let metadata = put_manifest(&**store, &manifest).await?;
        let path = config.state.join("operator.key");
        let key = tokio::task::spawn_blocking(move || SealingKey::load_or_create(&path).map_err(anyhow::Error::from))
            .await??;
        let call = operators.register(metadata, key.public(), capability::TRAIN | lent);
        outbox.send(&format!("operator/register/{nonce}"), &call).await?
    };
    Ok(Some(receipt.tx_hash))
}

async fn bond(
    client: &Client,
    outbox: &Outbox,
    wallet: &Wallet,
    wanted: TokenAmount,
) -> Result<Option<(TokenAmount, B256)>> {
    let me = wallet.address();
    let active = client.stakes().active(me).call().await.map_err(parity_chain::Error::from)?;
    let active = TokenAmount::from_base_units(active);
    if active >= wanted {
        return Ok(None);
    }
    let missing = wanted.sub(active)?;
    let balance = client.usdfc_balance(me).await?;
    ensure!(
        balance >= missing,
        "{me} has {balance} USDFC, {missing} more must be bonded to reach a stake of {wanted}; send it USDFC or ask for less"
    );
    let nonce = nonce(client, me).await?;
    let stakes = client.stakes();
    let permit = Permit::sign(client, wallet, *stakes.address(), missing, PERMIT_SECONDS).await?;
    let amount = U256::from(missing.base_units());
    let call = stakes.depositWithPermit(amount, permit.deadline, permit.v, permit.r, permit.s);
    let receipt = outbox.send(&format!("stake/deposit/{nonce}"), &call).await?;
    Ok(Some((missing, receipt.tx_hash)))
}

/// Names an action that depends on the account's state: a repetition before it is in a block has the same name, a later one
/// another.
async fn nonce(client: &Client, account: Address) -> Result<u64> {
    use alloy::providers::Provider;
    client.provider().get_transaction_count(account).await.context("reading the account's nonce")
}
