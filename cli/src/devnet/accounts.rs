//! Wallets of a devnet: keystores, USDFC from the faucet, registrations and bonds.

use anyhow::Context;
use parity_chain::{Client, Outbox, Wallet};
use parity_protocol::{Address, TokenAmount, U256};
use parity_testkit::anvil;

use super::plan::{Plan, REQUESTER};
use crate::{
    args::DevnetArgs,
    daemons::{Signer, add_file, keeper_config, runner_config},
    network::Network,
};

/// What the requester gets.
const REQUESTER_FUNDS: TokenAmount = TokenAmount::from_whole(100_000);
/// What an operator gets, and how much of it is bonded.
const OPERATOR_FUNDS: TokenAmount = TokenAmount::from_whole(1_000);
const OPERATOR_STAKE: TokenAmount = TokenAmount::from_whole(100);

/// Creates all wallets, funds them, and registers and bonds the operators. Blocks are mined at once while this runs.
pub(crate) async fn prepare(plan: &Plan, args: &DevnetArgs) -> anyhow::Result<()> {
    let network = Network::of_devnet(plan.descriptor.clone())?;
    let client = Client::connect(&network.rpc, network.deployments.clone()).await?;
    let faucet = Wallet::from_key(&anvil::account(0)?.to_bytes())?;
    let faucet = Outbox::open(&plan.state("faucet"), client.clone(), faucet).await?;

    let (requester, _) = keystore(plan, REQUESTER, 1)?;
    fund(&faucet, &client, requester, REQUESTER_FUNDS).await?;
    let keepers = plan.keeper_names();
    for (index, name) in (2u32..).zip(&keepers) {
        let (address, signer) = keystore(plan, name, index)?;
        fund(&faucet, &client, address, OPERATOR_FUNDS).await?;
        let config = keeper_config(&network, &signer, Some(&plan.state(name)), None)?;
        parity_keeper::register(&config, OPERATOR_STAKE).await.with_context(|| format!("registering {name}"))?;
    }
    for (index, name) in (2 + u32::try_from(keepers.len())?..).zip(&plan.runner_names()) {
        let (address, signer) = keystore(plan, name, index)?;
        fund(&faucet, &client, address, OPERATOR_FUNDS).await?;
        let config = runner_config(&network, &signer, Some(&plan.state(name)), None)?;
        parity_runner::register(&config, OPERATOR_STAKE).await.with_context(|| format!("registering {name}"))?;
    }
    for (name, file) in plan.runner_names().iter().zip(&args.data) {
        add_file(&plan.state(name), file).with_context(|| format!("registering {} for {name}", file.display()))?;
    }
    Ok(())
}

fn keystore(plan: &Plan, name: &str, index: u32) -> anyhow::Result<(Address, Signer)> {
    let key = anvil::account(index)?.to_bytes();
    let d = &plan.descriptor;
    let password = std::fs::read_to_string(&d.password_file)?;
    let wallet = Wallet::import(&d.keystore_dir, name, &key.to_string(), &password)?;
    let signer = Signer { keystore: d.keystore_dir.join(name), password_file: d.password_file.clone() };
    Ok((wallet.address(), signer))
}

async fn fund(faucet: &Outbox, client: &Client, to: Address, amount: TokenAmount) -> anyhow::Result<()> {
    let usdfc = client.usdfc();
    let call = usdfc.transfer(to, U256::from(amount.base_units()));
    faucet.send(&format!("fund/{to}"), &call).await.with_context(|| format!("funding {to}"))?;
    Ok(())
}
