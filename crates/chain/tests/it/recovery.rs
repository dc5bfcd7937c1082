//! An outbox that is dropped at each step of an action and opened again: the action happens exactly once.

use alloy::primitives::Address;
use parity_chain::{Client, Outbox, OutboxOptions};
use parity_protocol::TokenAmount;
use parity_testkit::{Network, Proxy, Quirks};
use tokio::task::JoinHandle;

use crate::{eventually, mint};

const TO: Address = Address::repeat_byte(1);

struct Scene {
    network: Network,
    proxy: Proxy,
    client: Client,
}

impl Scene {
    async fn new() -> Self {
        let network = Network::start().await.unwrap();
        let proxy = network.proxy(Quirks::default()).await.unwrap();
        let client = network.client_through(&proxy).await.unwrap();
        Self { network, proxy, client }
    }

    async fn open(&self) -> Outbox {
        let wallet = self.network.wallet(1).unwrap();
        let options = OutboxOptions { patience: 2, ..OutboxOptions::default() };
        Outbox::open_with(self.network.folder(), self.client.clone(), wallet, options).await.unwrap()
    }

    fn begin(&self, outbox: &Outbox) -> JoinHandle<parity_chain::Result<parity_chain::Receipt>> {
        let (outbox, call) = (outbox.clone(), mint(&self.client, TO, 5));
        tokio::spawn(async move { outbox.execute("mint", call).await })
    }

    /// Ends everything as a crash would: nothing gets the chance to finish.
    async fn crash(outbox: Outbox, work: JoinHandle<parity_chain::Result<parity_chain::Receipt>>) {
        work.abort();
        let _ = work.await;
        drop(outbox);
    }

    /// Opens the outbox again and asks for the same action: there must be one mint in all.
    async fn finish(self) {
        let outbox = self.open().await;
        let (again, call) = (outbox.clone(), mint(&self.client, TO, 5));
        let work = tokio::spawn(async move { again.execute("mint", call).await });
        eventually("the action has ended", || async {
            self.network.mine(1).await.unwrap();
            outbox.finished("mint").is_some()
        })
        .await;
        let receipt = work.await.unwrap().unwrap();
        assert_eq!(outbox.finished("mint"), Some(receipt));
        assert!(outbox.unfinished().is_empty());
        assert_eq!(self.client.usdfc_balance(TO).await.unwrap(), TokenAmount::from_base_units(5));
    }
}

#[tokio::test]
async fn dropped_before_it_was_signed() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.refuse("eth_feeHistory", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("it was simulated", || async { scene.proxy.calls("eth_feeHistory") > 0 }).await;
    Scene::crash(outbox, work).await;
    scene.proxy.refuse("eth_feeHistory", 0);
    scene.finish().await;
}

#[tokio::test]
async fn dropped_after_it_was_written_and_before_it_was_sent() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.refuse("eth_sendRawTransaction", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("it was written", || async { outbox.unfinished().len() == 1 }).await;
    Scene::crash(outbox, work).await;
    assert_eq!(scene.client.usdfc_balance(TO).await.unwrap(), TokenAmount::ZERO);
    scene.proxy.refuse("eth_sendRawTransaction", 0);
    scene.finish().await;
}

#[tokio::test]
async fn what_was_written_is_sent_by_opening_the_journal_alone() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.refuse("eth_sendRawTransaction", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("it was written", || async { outbox.unfinished().len() == 1 }).await;
    Scene::crash(outbox, work).await;
    scene.proxy.refuse("eth_sendRawTransaction", 0);
    let outbox = scene.open().await;
    eventually("it is done", || async { outbox.finished("mint").is_some() }).await;
    outbox.drain().await.unwrap();
    assert_eq!(scene.client.usdfc_balance(TO).await.unwrap(), TokenAmount::from_base_units(5));
}

#[tokio::test]
async fn dropped_when_the_answer_to_the_sending_was_lost() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.lose_answers("eth_sendRawTransaction", 1_000_000);
    scene.proxy.refuse("eth_getTransactionReceipt", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("it is in a block", || async {
        scene.network.client().usdfc_balance(TO).await.unwrap() == TokenAmount::from_base_units(5)
    })
    .await;
    Scene::crash(outbox, work).await;
    scene.proxy.lose_answers("eth_sendRawTransaction", 0);
    scene.proxy.refuse("eth_getTransactionReceipt", 0);
    scene.finish().await;
}

#[tokio::test]
async fn dropped_while_it_waits_in_the_pool() {
    let scene = Scene::new().await;
    scene.network.automine(false).await.unwrap();
    let outbox = scene.open().await;
    let work = scene.begin(&outbox);
    eventually("it was sent", || async { scene.proxy.calls("eth_sendRawTransaction") > 0 }).await;
    Scene::crash(outbox, work).await;
    scene.finish().await;
}

#[tokio::test]
async fn dropped_while_it_waits_in_a_pool_that_forgets() {
    use alloy::providers::ext::AnvilApi;
    let scene = Scene::new().await;
    scene.network.automine(false).await.unwrap();
    let outbox = scene.open().await;
    let work = scene.begin(&outbox);
    eventually("it was sent", || async { scene.proxy.calls("eth_sendRawTransaction") > 0 }).await;
    Scene::crash(outbox, work).await;
    scene.network.control().anvil_drop_all_transactions().await.unwrap();
    scene.finish().await;
}

#[tokio::test]
async fn dropped_after_the_block_and_before_the_receipt_was_seen() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.refuse("eth_getTransactionReceipt", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("the receipt was asked for", || async { scene.proxy.calls("eth_getTransactionReceipt") > 0 }).await;
    Scene::crash(outbox, work).await;
    scene.proxy.refuse("eth_getTransactionReceipt", 0);
    scene.finish().await;
}

#[tokio::test]
async fn receipts_that_the_node_has_forgotten_are_found_by_nonce_and_block() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.proxy.refuse("eth_getTransactionReceipt", 1_000_000);
    let work = scene.begin(&outbox);
    eventually("the receipt was asked for", || async { scene.proxy.calls("eth_getTransactionReceipt") > 0 }).await;
    Scene::crash(outbox, work).await;
    scene.proxy.refuse("eth_getTransactionReceipt", 0);
    scene.proxy.hide("eth_getTransactionReceipt", true);
    scene.network.mine(25).await.unwrap();
    scene.finish().await;
}

#[tokio::test]
async fn dropped_after_the_receipt_was_written() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    let receipt = scene.begin(&outbox).await.unwrap().unwrap();
    drop(outbox);
    let outbox = scene.open().await;
    let sent = scene.proxy.calls("eth_sendRawTransaction");
    assert_eq!(outbox.execute("mint", mint(&scene.client, TO, 5)).await.unwrap(), receipt);
    assert_eq!(scene.proxy.calls("eth_sendRawTransaction"), sent);
    assert_eq!(scene.client.usdfc_balance(TO).await.unwrap(), TokenAmount::from_base_units(5));
}

#[tokio::test]
async fn a_line_cut_short_by_a_crash_is_cut_off_and_a_damaged_one_is_named() {
    let scene = Scene::new().await;
    let outbox = scene.open().await;
    scene.begin(&outbox).await.unwrap().unwrap();
    let journal = scene.network.folder().join(format!("{:#x}.jsonl", outbox.address()));
    drop(outbox);
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, [whole.as_slice(), br#"{"signed":{"id":"x","#].concat()).unwrap();
    let outbox = scene.open().await;
    assert!(outbox.finished("mint").is_some());
    drop(outbox);
    assert_eq!(std::fs::read(&journal).unwrap(), whole);
    std::fs::write(&journal, [b"garbage\n", whole.as_slice()].concat()).unwrap();
    let wallet = scene.network.wallet(1).unwrap();
    let error = Outbox::open(scene.network.folder(), scene.client.clone(), wallet).await.unwrap_err();
    assert!(error.to_string().starts_with("line 1 of the transaction journal"), "{error}");
}

#[tokio::test]
async fn a_second_process_is_kept_out_of_the_journal() {
    let scene = Scene::new().await;
    let _outbox = scene.open().await;
    let wallet = scene.network.wallet(1).unwrap();
    let error = Outbox::open(scene.network.folder(), scene.client.clone(), wallet).await.unwrap_err();
    assert!(matches!(error, parity_chain::Error::Locked { .. }), "{error:?}");
}

#[tokio::test]
async fn the_journal_of_another_network_is_set_aside() {
    let (first, second) = (Network::start().await.unwrap(), Network::start().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let wallet = first.wallet(1).unwrap();
    let outbox = Outbox::open(folder.path(), first.client().clone(), wallet.clone()).await.unwrap();
    outbox.execute("mint", mint(first.client(), TO, 5)).await.unwrap();
    drop(outbox);
    let outbox = Outbox::open(folder.path(), second.client().clone(), wallet).await.unwrap();
    assert!(outbox.finished("mint").is_none());
    outbox.execute("mint", mint(second.client(), TO, 7)).await.unwrap();
    assert_eq!(second.client().usdfc_balance(TO).await.unwrap(), TokenAmount::from_base_units(7));
}
