//! A network for one test: chain, content, a requester, a keeper's key and as many agents as wanted.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parity_abi::{DataMode, ISessions, Sessions, State};
use parity_chain::{Client, Outbox, Wallet};
use parity_content::{DynStore, SealingKey, get_manifest, put_manifest, put_sealed};
use parity_learning::table::{Labels, Table};
use parity_protocol::{
    B256, TokenAmount, U256, capability,
    codec::Block,
    manifest::{SealedData, UpdateManifest},
    model::Model,
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::{Aggregation, Compression, Data, Partition, Privacy, SessionSpec, VERSION},
    training::{Optimizer, Schedule, Training},
};
use parity_runner::{Limits, Policy, RunnerConfig, SandboxConfig, SandboxKind, register_as};
use parity_testkit::{Mining, Network};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::hostile;

const REQUESTER: u32 = 1;
const KEEPER: u32 = 2;
/// Time that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows of each shard.
pub(crate) const ROWS: u64 = 10;

/// A network.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) store: DynStore,
    pub(crate) requester: Outbox,
    pub(crate) keeper: Outbox,
    pub(crate) keeper_key: SealingKey,
}

impl World {
    pub(crate) async fn start() -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            parity_service::init_tracing(false);
        }
        let network = Network::start_with(Mining::Interval(100)).await.unwrap();
        let store = parity_content::open(&[location(&network)]).unwrap();
        network.funded(REQUESTER, TokenAmount::from_whole(1000)).await.unwrap();
        let requester = network.outbox(REQUESTER).await.unwrap();
        let escrow = network.deployments().escrow;
        requester.send("approve", &network.client().usdfc().approve(escrow, U256::MAX)).await.unwrap();
        let keeper = network.outbox(KEEPER).await.unwrap();
        let keeper_key = SealingKey::generate();
        let operators = network.client().operators();
        let register = operators.register(B256::ZERO, keeper_key.public(), capability::KEEP);
        keeper.send("register", &register).await.unwrap();
        network.client().deployments().save(&network.folder().join("deployments.json")).unwrap();
        Self { network, store, requester, keeper, keeper_key }
    }

    pub(crate) fn client(&self) -> &Client {
        self.network.client()
    }

    /// Creates and funds a session.
    pub(crate) async fn create(&self, spec: &SessionSpec, terms: ISessions::Terms) -> u64 {
        put_manifest(&*self.store, spec).await.unwrap();
        self.create_without_spec(terms).await
    }

    pub(crate) async fn create_without_spec(&self, terms: ISessions::Terms) -> u64 {
        let sessions = self.client().sessions();
        let count = sessions.sessionCount().call().await.unwrap();
        let create = sessions.createSession(terms);
        self.requester.send(&format!("create/{count}"), &create).await.unwrap();
        count.to::<u64>() + 1
    }

    /// A registered agent that runs trainers made of `script` as processes.
    pub(crate) async fn agent(&self, index: u32, script: &str) -> Agent {
        let mut agent =
            Agent { config: self.config(index), wallet: self.network.wallet(index).unwrap(), running: None };
        std::fs::create_dir_all(&agent.config.state).unwrap();
        agent.config.sandbox.trainer = hostile::program(&agent.config.state, script);
        self.network.funded(index, TokenAmount::from_whole(10)).await.unwrap();
        let registration = register_as(&agent.config, agent.wallet.clone(), TokenAmount::from_whole(5)).await.unwrap();
        assert_eq!(registration.stake, TokenAmount::from_whole(5));
        agent
    }

    fn config(&self, index: u32) -> RunnerConfig {
        let state = self.network.folder().join(format!("agent-{index}"));
        RunnerConfig {
            rpc: self.network.rpc(),
            deployments: self.network.folder().join("deployments.json"),
            keystore: state.join("none"),
            password_file: state.join("none"),
            stores: vec![location(&self.network)],
            state,
            sandbox: SandboxConfig { kind: SandboxKind::Process, ..SandboxConfig::default() },
            limits: Limits { memory: 256 << 20, seconds: 20, output_bytes: 4 << 20, ..Limits::default() },
            policy: Policy { max_parameters: 1000, ..Policy::default() },
            auto_stake: None,
            attempts: 2,
            holdout_share: 0.2,
            listen: None,
        }
    }

    /// Seals a shard to every claimed seat that has none.
    pub(crate) async fn seal(&self, session: u64, spec: &SessionSpec) {
        let digest = spec.digest().unwrap();
        for (index, seat) in (0_u16..).zip(self.client().seats(U256::from(session)).await.unwrap()) {
            if seat.operator.is_zero() || seat.joinedRound != 0 {
                continue;
            }
            let rows = Bytes::from(shard(index).to_safetensors());
            let context = [&b"parity/shard/"[..], digest.as_slice()].concat();
            let artifact = put_sealed(&*self.store, rows, &[seat.key], &context).await.unwrap();
            let sealed = put_manifest(&*self.store, &SealedData { spec: digest, rows: ROWS, artifact }).await.unwrap();
            let sessions = self.client().sessions();
            let call = sessions.sealShards(U256::from(session), vec![index], vec![seat.operator], vec![sealed]);
            let block = self.client().block_number().await.unwrap();
            let name = format!("seal/{session}/{index}/{block}");
            if let Err(error) = self.requester.send(&name, &call).await {
                assert!(error.reverted().is_some(), "{error}");
            }
        }
    }

    /// A session. anvil may have no head for a moment while it reorganises.
    pub(crate) async fn session(&self, session: u64) -> ISessions::Session {
        let mut attempts = 20;
        loop {
            match self.client().session(U256::from(session)).await {
                Ok(found) => return found,
                Err(error) => assert!(attempts > 0 && error.reverted().is_none(), "{error}"),
            }
            attempts -= 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every update that was posted, in order.
    pub(crate) async fn posted(&self, session: u64) -> Vec<Sessions::UpdateSubmitted> {
        let filter = self.client().sessions();
        let filter = filter.UpdateSubmitted_filter().topic1(U256::from(session)).from_block(0);
        filter.query().await.unwrap().into_iter().map(|(event, _)| event).collect()
    }

    pub(crate) async fn manifest(&self, digest: B256) -> UpdateManifest {
        get_manifest(&*self.store, digest).await.unwrap()
    }

    /// The file of a block in the content store.
    pub(crate) fn block_path(&self, digest: B256) -> PathBuf {
        let name = alloy::hex::encode(digest);
        self.network.folder().join("store/blocks").join(&name[..2]).join(&name)
    }

    /// Number of transactions of an account.
    pub(crate) async fn transactions(&self, wallet: &Wallet) -> u64 {
        use alloy::providers::Provider;
        self.client().provider().get_transaction_count(wallet.address()).await.unwrap()
    }

    pub(crate) async fn until_claimed(&self, session: u64, seats: u16) {
        self.eventually("claims", async || self.session(session).await.claimed == seats).await;
    }

    /// Waits for anything.
    pub(crate) async fn eventually(&self, what: &str, check: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !check().await {
            assert!(Instant::now() < deadline, "{what} did not come true");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn is_over(&self, session: u64) -> bool {
        self.session(session).await.state > State::Active.number()
    }
}

fn location(network: &Network) -> String {
    format!("folder:{}", network.folder().join("store").display())
}

/// An agent; stopped on drop.
pub(crate) struct Agent {
    pub(crate) config: RunnerConfig,
    pub(crate) wallet: Wallet,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
}

impl Agent {
    pub(crate) fn start(&mut self) {
        let shutdown = CancellationToken::new();
        let work = parity_runner::run_as(self.config.clone(), self.wallet.clone(), shutdown.clone());
        self.running = Some((shutdown, tokio::spawn(work)));
    }

    /// Stops it as a signal would.
    pub(crate) async fn stop(&mut self) {
        if let Some((shutdown, work)) = self.running.take() {
            shutdown.cancel();
            work.await.unwrap().unwrap();
        }
    }

    pub(crate) fn state(&self) -> &Path {
        &self.config.state
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some((shutdown, _)) = &self.running {
            shutdown.cancel();
        }
    }
}

/// Rows of a seat.
pub(crate) fn shard(seat: u16) -> Table {
    let labels: Vec<i64> = (0..10).map(|row| row % 2).collect();
    let x = labels.iter().flat_map(|label| [f32::from(seat) + 1.5, if *label == 0 { -1.0 } else { 1.0 }]).collect();
    Table { features: 2, x, labels: Labels::Classes(labels) }
}

/// Two numbers decide between two classes.
pub(crate) fn spec(data: Data, privacy: Privacy) -> SessionSpec {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Numeric { fill: 0.0 } };
    SessionSpec {
        version: VERSION,
        name: "Sick or well".to_owned(),
        schema: Schema {
            columns: vec![column("height"), column("weight")],
            label: Label {
                name: "state".to_owned(),
                task: Task::Classification { classes: vec!["sick".to_owned(), "well".to_owned()] },
            },
        },
        scaling: Scaling { mean: vec![0.0, 0.0], deviation: vec![1.0, 1.0], limit: None },
        data,
        model: Model::LogisticRegression {},
        training: Training {
            schedule: Schedule::Constant {},
            proximal: 0.0,
            optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
            epochs: 1,
            batch_size: 8,
            seed: 7,
        },
        aggregation: Aggregation::fed_avg(),
        compression: Compression::None {},
        privacy,
        image: None,
        max_update_norm: 100.0,
        target: None,
    }
}

pub(crate) fn uploaded(seats: usize) -> SessionSpec {
    let data = Data::Uploaded {
        partition: Partition::Iid,
        min_samples: 1,
        overlap_ratio: 0.0,
        shard_rows: vec![ROWS; seats],
        holdout_rows: 4,
        holdout_digest: B256::ZERO,
    };
    spec(data, Privacy::None)
}

/// Terms for blocks of a tenth of a second.
pub(crate) fn terms(spec: &SessionSpec, seats: u16, rounds: u16) -> ISessions::Terms {
    let epochs = |number: u64| number.try_into().unwrap();
    ISessions::Terms {
        spec: spec.digest().unwrap(),
        seats,
        quorum: spec.aggregation.cohort(seats),
        rounds,
        attestations: 1,
        maxRollovers: 2,
        performanceBps: 0,
        minReputation: 0,
        dataMode: match spec.data {
            Data::Private { .. } => DataMode::Private.number(),
            Data::Uploaded { .. } => DataMode::Uploaded.number(),
        },
        unmasking: false,
        targeted: spec.target.is_some(),
        openPeriod: epochs(100_000),
        roundPeriod: epochs(100_000),
        unmaskPeriod: epochs(0),
        proposePeriod: epochs(100_000),
        challengeWindow: epochs(0),
        capabilities: capability::TRAIN,
        cohort: spec.aggregation.cohort(seats),
        drawSeed: spec.training.seed,
        roundReward: 1000,
        keeperFee: 0,
        completionBonus: 0,
        minStake: TokenAmount::from_whole(1).base_units(),
        keeperBond: 0,
    }
}
