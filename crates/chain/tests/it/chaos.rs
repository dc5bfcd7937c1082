//! Everything at once: lost answers, a node that is away, reorganisations, crashes. Each action happens exactly once.

use alloy::primitives::Address;
use parity_chain::{Client, Outbox, OutboxOptions};
use parity_protocol::TokenAmount;
use parity_testkit::{Network, Proxy, Quirks};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use crate::{eventually, mint};

/// Actions in one run. Each mints one unit to an address of its own, so that a forgotten or a repeated one shows.
const ACTIONS: u8 = 12;
const STEPS: u32 = 40;

struct Run {
    network: Network,
    proxy: Proxy,
    client: Client,
    outbox: Option<Outbox>,
    begun: u8,
    work: JoinSet<()>,
}

impl Run {
    async fn new(quirks: Quirks) -> Self {
        let network = Network::start().await.unwrap();
        let proxy = network.proxy(quirks).await.unwrap();
        let client = network.client_through(&proxy).await.unwrap();
        let mut run = Self { network, proxy, client, outbox: None, begun: 0, work: JoinSet::new() };
        run.open().await;
        run
    }

    async fn open(&mut self) {
        let wallet = self.network.wallet(1).unwrap();
        let options = OutboxOptions { patience: 2, ..OutboxOptions::default() };
        let opened = Outbox::open_with(self.network.folder(), self.client.clone(), wallet, options).await.unwrap();
        self.outbox = Some(opened);
        for n in 0..self.begun {
            self.begin(n);
        }
    }

    /// Asks for an action, as a reconciler does: what fails is asked for again later.
    fn begin(&mut self, n: u8) {
        let outbox = self.outbox.clone().unwrap();
        let call = mint(&self.client, Address::repeat_byte(n + 1), 1);
        self.work.spawn(async move {
            while let Err(error) = outbox.execute(&format!("mint/{n}"), call.clone()).await {
                assert!(error.is_retryable(), "{error:?}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
    }

    async fn crash(&mut self) {
        self.work.shutdown().await;
        self.outbox = None;
    }

    async fn step(&mut self, random: &mut StdRng) {
        match random.random_range(0..10) {
            0..=3 if self.begun < ACTIONS => {
                self.begin(self.begun);
                self.begun += 1;
            }
            4 => self.proxy.lose_answers("eth_sendRawTransaction", 4),
            5 => self.proxy.refuse("eth_getTransactionReceipt", 4),
            6 => self.network.reorg(random.random_range(1..5)).await.unwrap(),
            7 => {
                let depth = random.random_range(1..5);
                self.network.rollback(depth, random.random_range(0..depth + 2)).await.unwrap();
            }
            8 => {
                self.crash().await;
                self.open().await;
            }
            _ => self.network.mine(1).await.unwrap(),
        }
        tokio::time::sleep(std::time::Duration::from_millis(random.random_range(0..60))).await;
    }

    async fn balances(&self) -> Vec<TokenAmount> {
        let mut found = Vec::new();
        for n in 0..ACTIONS {
            found.push(self.network.client().usdfc_balance(Address::repeat_byte(n + 1)).await.unwrap());
        }
        found
    }

    /// Lets everything come to rest and counts.
    async fn finish(mut self, seed: u64) {
        self.crash().await;
        for method in ["eth_sendRawTransaction", "eth_getTransactionReceipt"] {
            self.proxy.refuse(method, 0);
            self.proxy.lose_answers(method, 0);
        }
        self.begun = ACTIONS;
        self.open().await;
        let outbox = self.outbox.clone().unwrap();
        eventually("every action has ended", || async {
            self.network.mine(1).await.unwrap();
            (0..ACTIONS).all(|n| outbox.finished(&format!("mint/{n}")).is_some()) && outbox.unfinished().is_empty()
        })
        .await;
        while let Some(ended) = self.work.join_next().await {
            ended.unwrap();
        }
        let once = vec![TokenAmount::from_base_units(1); usize::from(ACTIONS)];
        assert_eq!(self.balances().await, once, "seed {seed}");
    }
}

async fn each_action_happens_once(quirks: Quirks, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let mut run = Run::new(quirks).await;
        // Something to take away, so that reorganisations never reach the contracts' own blocks.
        run.network.mine(30).await.unwrap();
        for _ in 0..STEPS {
            run.step(&mut random).await;
        }
        run.finish(seed).await;
    }
}

#[tokio::test]
async fn each_action_happens_exactly_once_on_a_plain_node() {
    each_action_happens_once(Quirks::default(), 0..6).await;
}

#[tokio::test]
async fn each_action_happens_exactly_once_on_a_filecoin_node() {
    each_action_happens_once(Quirks::lotus(), 100..106).await;
}
