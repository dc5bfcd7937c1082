//! The log stream: whatever the chain does, what a reader keeps equals a fresh read.

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use parity_abi::{Contract, Event};
use parity_chain::{Client, Error, Header, LogStream, Step};
use parity_testkit::{Network, Quirks};

use crate::mint;

/// A reader that keeps what the steps tell it.
#[derive(Default)]
struct Reader {
    blocks: Vec<(Header, Vec<(B256, Event)>)>,
    rollbacks: usize,
}

impl Reader {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Block { header, logs } => {
                assert!(self.blocks.last().is_none_or(|(last, _)| last.number < header.number), "blocks come in order");
                let logs = logs.into_iter().map(|(log, event)| (log.transaction_hash.unwrap(), event)).collect();
                self.blocks.push((header, logs));
            }
            Step::Rollback { to } => {
                self.blocks.retain(|(header, _)| header.number <= to);
                self.rollbacks += 1;
            }
        }
    }

    /// Reads until the stream has nothing more.
    async fn catch_up(&mut self, stream: &mut LogStream) {
        while let Some(step) = stream.try_next().await.unwrap() {
            self.apply(step);
        }
        // A look that met a change halfway yields nothing; a second one sees the chain at rest.
        while let Some(step) = stream.try_next().await.unwrap() {
            self.apply(step);
        }
    }

    fn events(&self) -> Vec<(B256, Event)> {
        self.blocks.iter().flat_map(|(_, logs)| logs.clone()).collect()
    }
}

async fn fresh(client: &Client) -> Vec<(B256, Event)> {
    let head = client.block_number().await.unwrap();
    let logs = client.logs_of(Contract::ALL, 0, head).await.unwrap();
    logs.into_iter().map(|(log, event)| (log.transaction_hash.unwrap(), event)).collect()
}

/// One block with an event: the token's owner pays somebody.
async fn pay(network: &Network, units: u64) {
    network
        .mint(Address::repeat_byte(9), parity_protocol::TokenAmount::from_base_units(u128::from(units)))
        .await
        .unwrap();
}

async fn reorganisations(through: Quirks) {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(through).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    let mut stream = client.follow(0, Contract::ALL);
    let mut reader = Reader::default();
    for n in 0..24 {
        pay(&network, n).await;
        network.mine(n % 3).await.unwrap();
    }
    reader.catch_up(&mut stream).await;
    for depth in 1..=20 {
        match depth % 3 {
            0 => network.reorg(depth).await.unwrap(),
            1 => network.rollback(depth, depth + 2).await.unwrap(),
            _ => network.rollback(depth, 1).await.unwrap(),
        }
        if depth % 2 == 0 {
            reader.catch_up(&mut stream).await;
        }
        pay(&network, 100 + depth).await;
        reader.catch_up(&mut stream).await;
        assert_eq!(reader.events(), fresh(&client).await, "after a reorganisation {depth} deep");
        // Build up again, so that the next one finds blocks with events.
        for n in 0..depth {
            pay(&network, n).await;
        }
    }
    reader.catch_up(&mut stream).await;
    assert_eq!(reader.events(), fresh(&client).await);
    assert!(reader.rollbacks >= 20, "{} rollbacks", reader.rollbacks);
}

#[tokio::test]
async fn a_reader_equals_a_fresh_read_through_reorganisations() {
    reorganisations(Quirks::default()).await;
}

#[tokio::test]
async fn a_reader_equals_a_fresh_read_through_reorganisations_of_a_filecoin_node() {
    reorganisations(Quirks { log_range: Some(7), log_results: Some(3), ..Quirks::lotus() }).await;
}

#[tokio::test]
async fn a_retreat_without_new_blocks_is_a_step_back() {
    let network = Network::start().await.unwrap();
    network.mine(30).await.unwrap();
    let client = network.client();
    let mut stream = client.follow(0, Contract::OWN);
    let mut reader = Reader::default();
    reader.catch_up(&mut stream).await;
    let head = client.block_number().await.unwrap();
    network.rollback(4, 0).await.unwrap();
    assert_eq!(stream.try_next().await.unwrap(), Some(Step::Rollback { to: head - 4 }));
    assert_eq!(stream.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_reader_that_was_away_learns_what_went_meanwhile() {
    let network = Network::start().await.unwrap();
    for n in 0..5 {
        pay(&network, n).await;
    }
    let mut reader = Reader::default();
    reader.catch_up(&mut network.client().follow(0, Contract::ALL)).await;
    let known: Vec<Header> = reader.blocks.iter().map(|(header, _)| *header).collect();
    network.rollback(3, 4).await.unwrap();
    pay(&network, 77).await;
    let mut stream = network.client().resume(known, Contract::ALL);
    reader.catch_up(&mut stream).await;
    assert_eq!(reader.rollbacks, 1);
    assert_eq!(reader.events(), fresh(network.client()).await);
}

#[tokio::test]
async fn a_change_below_everything_remembered_is_an_error() {
    let network = Network::start().await.unwrap();
    network.mine(10).await.unwrap();
    let head = network.client().head().await.unwrap();
    network.rollback(5, 9).await.unwrap();
    let mut stream = network.client().resume(vec![head], Contract::OWN);
    assert!(matches!(stream.try_next().await, Err(Error::ReorgTooDeep { oldest }) if oldest == head.number));
}

#[tokio::test]
async fn a_stream_goes_on_after_the_node_was_away() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::default()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    let mut stream = client.follow(0, Contract::ALL);
    let mut reader = Reader::default();
    reader.catch_up(&mut stream).await;
    proxy.set_down(true);
    pay(&network, 1).await;
    assert!(stream.try_next().await.unwrap_err().is_retryable());
    proxy.set_down(false);
    reader.catch_up(&mut stream).await;
    assert_eq!(reader.events(), fresh(&client).await);
}

#[tokio::test]
async fn long_ranges_are_split_as_the_node_demands() {
    let network = Network::start().await.unwrap();
    let outbox = network.outbox(1).await.unwrap();
    network.automine(false).await.unwrap();
    let work: Vec<_> = (0..6)
        .map(|n| {
            let (outbox, call) = (outbox.clone(), mint(network.client(), Address::repeat_byte(1), n));
            tokio::spawn(async move { outbox.execute(&format!("mint/{n}"), call).await })
        })
        .collect();
    crate::eventually("the pool has all of them", || async {
        network.control().get_transaction_count(outbox.address()).pending().await.unwrap() == 6
    })
    .await;
    network.mine(1).await.unwrap();
    outbox.drain().await.unwrap();
    for result in futures::future::join_all(work).await {
        result.unwrap().unwrap();
    }
    network.mine(40).await.unwrap();
    // A block with more results than the limit allows for ranges, in a chain longer than the limit.
    let proxy = network.proxy(Quirks { log_range: Some(5), log_results: Some(2), ..Quirks::default() }).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    assert_eq!(fresh(&client).await, fresh(network.client()).await);
}
