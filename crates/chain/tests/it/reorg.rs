//! Transactions whose block goes away are sent again, as the same bytes.

use alloy::primitives::Address;
use parity_chain::{Outbox, OutboxOptions};
use parity_protocol::TokenAmount;
use parity_testkit::{Network, Quirks};

use crate::{eventually, mint};

const TO: Address = Address::repeat_byte(1);

async fn balance(network: &Network) -> TokenAmount {
    network.client().usdfc_balance(TO).await.unwrap()
}

async fn three_mints(network: &Network, outbox: &Outbox) -> Vec<parity_chain::Receipt> {
    let mut receipts = Vec::new();
    for n in 0..3_u64 {
        let call = mint(network.client(), TO, 1 << n);
        receipts.push(outbox.execute(&format!("mint/{n}"), call).await.unwrap());
    }
    receipts
}

#[tokio::test]
async fn a_reorganisation_in_one_step_is_undone_by_the_same_transactions() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let before = three_mints(&network, &outbox).await;
    network.reorg(3).await.unwrap();
    assert_eq!(balance(&network).await, TokenAmount::ZERO);
    eventually("all are back", || async { balance(&network).await == TokenAmount::from_base_units(7) }).await;
    eventually("the outbox knows", || async {
        let after: Vec<_> = (0..3).filter_map(|n| outbox.finished(&format!("mint/{n}"))).collect();
        after.len() == 3 && after.iter().zip(&before).all(|(new, old)| new.block_hash != old.block_hash)
    })
    .await;
    let hashes: Vec<_> = (0..3).map(|n| outbox.finished(&format!("mint/{n}")).unwrap().tx_hash).collect();
    assert_eq!(hashes, before.iter().map(|receipt| receipt.tx_hash).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_head_that_retreats_and_advances_past_its_height_is_noticed() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    three_mints(&network, &outbox).await;
    network.rollback(3, 6).await.unwrap();
    eventually("all are back", || async { balance(&network).await == TokenAmount::from_base_units(7) }).await;
}

#[tokio::test]
async fn a_reorganisation_while_the_process_is_away_is_noticed_at_the_next_opening() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    three_mints(&network, &outbox).await;
    drop(outbox);
    network.rollback(3, 5).await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    let again = outbox.execute("mint/1", mint(network.client(), TO, 2)).await.unwrap();
    assert_eq!(outbox.finished("mint/1"), Some(again));
    eventually("all are back", || async { balance(&network).await == TokenAmount::from_base_units(7) }).await;
}

#[tokio::test]
async fn an_action_on_its_way_survives_reorganisations_through_a_filecoin_node() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::lotus()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    let options = OutboxOptions { patience: 2, ..OutboxOptions::default() };
    let outbox =
        Outbox::open_with(network.folder(), client.clone(), network.wallet(1).unwrap(), options).await.unwrap();
    for n in 0..6_u64 {
        outbox.execute(&format!("mint/{n}"), mint(&client, TO, 1 << n)).await.unwrap();
        if n % 2 == 1 {
            network.rollback(n, n + 2).await.unwrap();
        }
    }
    eventually("all are back", || async {
        network.mine(1).await.unwrap();
        balance(&network).await == TokenAmount::from_base_units(63)
    })
    .await;
}
