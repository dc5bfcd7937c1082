//! Becoming a keeper: the capability and the key in `Operators`, the bond in `Stakes`.

use anyhow::Context;
use parity_abi::Deployments;
use parity_chain::{Call, Client, Outbox, Wallet};
use parity_protocol::{Address, B256, TokenAmount, U256, capability};

use crate::{
    config::KeeperConfig,
    keeper::{create_state, load_wallet, sealing_key},
};

/// A keeper as it stands on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its address.
    pub operator: Address,
    /// The key that holdouts and updates are sealed to.
    pub key: B256,
    /// Its active stake.
    pub stake: TokenAmount,
}

/// Registers the operator of the configured keystore as a keeper and raises its active stake to `stake`. What is as it should be is left alone,
/// so it may be called before every start.
///
/// # Errors
/// When the chain cannot be reached or refuses, for want of funds above all.
pub async fn register(config: &KeeperConfig, stake: TokenAmount) -> anyhow::Result<Registration> {
    register_as(load_wallet(config).await?, config, stake).await
}

/// [`register`] with a key at hand; the configured keystore is not read.
///
/// # Errors
/// As [`register`].
pub async fn register_as(wallet: Wallet, config: &KeeperConfig, stake: TokenAmount) -> anyhow::Result<Registration> {
    create_state(&config.state).await?;
    let operator = wallet.address();
    let key = sealing_key(&config.state)?.public();
    let client = Client::connect(&config.rpc, Deployments::load(&config.deployments)?).await?;
    client.check_contracts().await?;
    let outbox = Outbox::open(&config.state.join("outbox"), client.clone(), wallet).await?;
    announce(&client, &outbox, operator, key).await.context("registering the keeper")?;
    let stake = bond(&client, &outbox, operator, stake).await.context("bonding the keeper's stake")?;
    Ok(Registration { operator, key, stake })
}

async fn announce(client: &Client, outbox: &Outbox, operator: Address, key: B256) -> anyhow::Result<()> {
    let operators = client.operators();
    let known = operators.operator(operator).call().await?;
    let capabilities = known.capabilities | capability::KEEP;
    if known.active && known.key == key && known.capabilities == capabilities {
        return Ok(());
    }
    let (verb, data) = if known.active {
        ("update", operators.update(known.metadata, key, capabilities).calldata().clone())
    } else {
        ("register", operators.register(B256::ZERO, key, capabilities).calldata().clone())
    };
    // The height makes the name new whenever the step is needed anew.
    let name = format!("keeper/{verb}/{key}/{capabilities}/{}", client.block_number().await?);
    outbox.execute(&name, Call::new(*operators.address(), data)).await?;
    Ok(())
}

async fn bond(client: &Client, outbox: &Outbox, operator: Address, stake: TokenAmount) -> anyhow::Result<TokenAmount> {
    let stakes = client.stakes();
    let active = stakes.active(operator).call().await?;
    let missing = stake.base_units().saturating_sub(active);
    if missing == 0 {
        return Ok(TokenAmount::from_base_units(active));
    }
    let block = client.block_number().await?;
    let (usdfc, missing) = (client.usdfc(), U256::from(missing));
    let allowance = usdfc.allowance(operator, *stakes.address()).call().await?;
    if allowance < missing {
        let data = usdfc.approve(*stakes.address(), missing).calldata().clone();
        let name = format!("keeper/approve/{missing}/{block}");
        outbox.execute(&name, Call::new(*usdfc.address(), data)).await?;
    }
    let data = stakes.deposit(missing).calldata().clone();
    let name = format!("keeper/deposit/{missing}/{block}");
    outbox.execute(&name, Call::new(*stakes.address(), data)).await?;
    Ok(TokenAmount::from_base_units(stakes.active(operator).call().await?))
}
