//! Sending: once, in order, refused for nothing, replaced when stuck.

use alloy::primitives::{Address, U256};
use futures::future::join_all;
use parity_chain::{Error, Outbox, OutboxOptions};
use parity_protocol::TokenAmount;
use parity_testkit::{Network, Quirks};

use crate::{eventually, mint};

#[tokio::test]
async fn an_action_happens_once_and_keeps_its_receipt() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let to = Address::repeat_byte(1);
    let first = outbox.execute("mint", mint(network.client(), to, 5)).await.unwrap();
    let second = outbox.execute("mint", mint(network.client(), to, 5)).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(outbox.finished("mint"), Some(first.clone()));
    assert_eq!(network.client().usdfc_balance(to).await.unwrap(), TokenAmount::from_base_units(5));
    let names: Vec<_> = first.events().map(|event| event.name()).collect();
    assert_eq!(names, ["Transfer"]);
}

#[tokio::test]
async fn a_call_that_would_revert_is_refused_for_nothing() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let before = network.client().gas_balance(outbox.address()).await.unwrap();
    let error = outbox.send("close", &network.client().sessions().close(U256::from(7), 1)).await.unwrap_err();
    assert!(error.to_string().contains("there is no session 7"), "{error}");
    assert_eq!(network.client().gas_balance(outbox.address()).await.unwrap(), before);
    assert!(outbox.finished("close").is_none());
}

#[tokio::test]
async fn a_signer_without_gas_money_is_told_so() {
    let network = Network::start().await.unwrap();
    let poor = parity_chain::Wallet::random();
    let outbox = Outbox::open(network.folder(), network.client().clone(), poor.clone()).await.unwrap();
    let error = outbox.execute("mint", mint(network.client(), poor.address(), 1)).await.unwrap_err();
    assert!(matches!(error, Error::NoFunds { address, .. } if address == poor.address()), "{error:?}");
    assert!(outbox.unfinished().is_empty());
}

#[tokio::test]
async fn many_actions_at_once_use_consecutive_nonces() {
    let network = Network::start().await.unwrap();
    network.automine(false).await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let to = Address::repeat_byte(1);
    let work: Vec<_> = (0..8)
        .map(|n| {
            let (outbox, call) = (outbox.clone(), mint(network.client(), to, 1 << n));
            tokio::spawn(async move { outbox.execute(&format!("mint/{n}"), call).await })
        })
        .collect();
    eventually("all are on their way", || async { outbox.unfinished().len() == 8 }).await;
    // One block for all of them: none waited for another.
    eventually("the pool has them", || async {
        network.mine(1).await.unwrap();
        outbox.unfinished().is_empty()
    })
    .await;
    for result in join_all(work).await {
        result.unwrap().unwrap();
    }
    assert_eq!(network.client().usdfc_balance(to).await.unwrap(), TokenAmount::from_base_units(255));
}

#[tokio::test]
async fn the_same_name_twice_at_once_is_one_action() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let to = Address::repeat_byte(1);
    let call = || outbox.execute("mint", mint(network.client(), to, 5));
    let (first, second, third) = tokio::join!(call(), call(), call());
    assert_eq!(first.unwrap(), second.unwrap());
    third.unwrap();
    assert_eq!(network.client().usdfc_balance(to).await.unwrap(), TokenAmount::from_base_units(5));
}

#[tokio::test]
async fn a_transaction_that_no_block_takes_is_replaced_at_a_higher_premium() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::default()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    let options = OutboxOptions { patience: 2, ..OutboxOptions::default() };
    let outbox =
        Outbox::open_with(network.folder(), client.clone(), network.wallet(1).unwrap(), options).await.unwrap();
    network.automine(false).await.unwrap();
    let to = Address::repeat_byte(1);
    let work = {
        let (outbox, call) = (outbox.clone(), mint(&client, to, 5));
        tokio::spawn(async move { outbox.execute("mint", call).await })
    };
    eventually("it was sent", || async {
        proxy.calls("eth_sendRawTransaction") >= 1 && outbox.unfinished().len() == 1
    })
    .await;
    let first = pooled(&network).await;
    // Blocks pass without it: it is taken out of the pool before each one.
    eventually("it was replaced", || async {
        drop_pool(&network).await;
        network.mine(1).await.unwrap();
        proxy.calls("eth_sendRawTransaction") >= 2
    })
    .await;
    eventually("the replacement is in a block", || async {
        network.mine(1).await.unwrap();
        outbox.unfinished().is_empty()
    })
    .await;
    let receipt = work.await.unwrap().unwrap();
    assert_ne!(Some(receipt.tx_hash), first);
    assert_eq!(client.usdfc_balance(to).await.unwrap(), TokenAmount::from_base_units(5));
}

#[tokio::test]
async fn a_stuck_action_that_would_revert_by_now_is_cancelled() {
    let network = Network::start().await.unwrap();
    let wallet = network.funded(1, TokenAmount::from_base_units(5)).await.unwrap();
    let options = OutboxOptions { patience: 2, ..OutboxOptions::default() };
    let outbox = Outbox::open_with(network.folder(), network.client().clone(), wallet.clone(), options).await.unwrap();
    network.automine(false).await.unwrap();
    let token = network.client().usdfc();
    let work = {
        let outbox = outbox.clone();
        tokio::spawn(async move { outbox.send("pay", &token.transfer(Address::repeat_byte(1), U256::from(5))).await })
    };
    eventually("it was sent", || async { pooled(&network).await.is_some() }).await;
    drop_pool(&network).await;
    // The money goes elsewhere meanwhile.
    burn_balance(&network, wallet.address()).await;
    eventually("it has ended", || async {
        drop_pool_of_calls(&network).await;
        network.mine(1).await.unwrap();
        outbox.unfinished().is_empty()
    })
    .await;
    let error = work.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("fund the wallet first"), "{error}");
}

#[tokio::test]
async fn another_program_with_the_same_key_does_no_harm() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::default()).await.unwrap();
    let slow = network.client_through(&proxy).await.unwrap();
    let wallet = network.wallet(1).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let one = Outbox::open(network.folder(), slow.clone(), wallet.clone()).await.unwrap();
    let two = Outbox::open(elsewhere.path(), network.client().clone(), wallet).await.unwrap();
    let to = Address::repeat_byte(1);
    // The first signs but cannot send; the second takes its nonce.
    proxy.refuse("eth_sendRawTransaction", 1_000_000);
    let work = {
        let (one, call) = (one.clone(), mint(&slow, to, 1));
        tokio::spawn(async move { one.execute("one", call).await })
    };
    eventually("the first is signed", || async { one.unfinished().len() == 1 }).await;
    two.execute("two", mint(network.client(), to, 2)).await.unwrap();
    proxy.refuse("eth_sendRawTransaction", 0);
    eventually("both are done", || async {
        network.mine(1).await.unwrap();
        one.finished("one").is_some()
    })
    .await;
    work.await.unwrap().unwrap();
    assert_eq!(network.client().usdfc_balance(to).await.unwrap(), TokenAmount::from_base_units(3));
}

/// Hash of the only transaction in the pool.
async fn pooled(network: &Network) -> Option<alloy::primitives::B256> {
    let block =
        alloy::providers::Provider::get_block_by_number(network.control(), alloy::eips::BlockNumberOrTag::Pending)
            .await
            .unwrap()?;
    block.transactions.hashes().next()
}

async fn drop_pool(network: &Network) {
    use alloy::providers::ext::AnvilApi;
    network.control().anvil_drop_all_transactions().await.unwrap();
}

/// Drops pooled contract calls and leaves plain transfers (a cancellation) alone.
async fn drop_pool_of_calls(network: &Network) {
    use alloy::{
        consensus::Transaction,
        providers::{Provider, ext::AnvilApi},
    };
    let block =
        network.control().get_block_by_number(alloy::eips::BlockNumberOrTag::Pending).full().await.unwrap().unwrap();
    for transaction in block.transactions.into_transactions() {
        if !transaction.input().is_empty() {
            network.control().anvil_drop_transaction(*transaction.inner.tx_hash()).await.unwrap();
        }
    }
}

/// Sets the USDFC of an account to zero.
async fn burn_balance(network: &Network, owner: Address) {
    use alloy::providers::ext::AnvilApi;
    network.control().anvil_deal_erc20(owner, network.deployments().usdfc, U256::ZERO).await.unwrap();
}
