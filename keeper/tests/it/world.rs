//! A network for one test: chain, content, people.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::{
    contract::{CallBuilder, CallDecoder},
    providers::{DynProvider, Provider, ProviderBuilder},
    sol_types::SolEvent,
};
use bytes::Bytes;
use parity_abi::{ISessions, MockUsdfc, Operators, Phase, Sessions, State};
use parity_chain::{Client, Wallet};
use parity_content::{DynStore, SealingKey, get_manifest, put_manifest, put_sealed};
use parity_keeper::{
    Evaluation, KeeperConfig, events::ChainEvents, recompute::Recompute, register_as, snapshot::Snapshots,
    verify::Verdict,
};
use parity_learning::{holdout::Holdout, table::Table};
use parity_protocol::{
    Address, B256, TokenAmount, U256, capability,
    manifest::{AggregateManifest, RoundReport, SealedData},
    spec::SessionSpec,
};
use parity_testkit::{
    Anvil, Mining,
    anvil::{account, address, deployments},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::spec::{self, USDFC};

/// Time that anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Milliseconds per block.
const BLOCK: u64 = 100;
/// Who pays for sessions.
pub(crate) const REQUESTER: u32 = 1;
/// What the requester owns at first.
pub(crate) const WEALTH: u128 = 10_000 * USDFC;

/// A network.
pub(crate) struct World {
    pub(crate) anvil: Anvil,
    pub(crate) client: Client,
    pub(crate) store: DynStore,
    folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            parity_service::init_tracing(false);
        }
        let anvil = Anvil::start(Mining::Interval(BLOCK)).await.unwrap();
        let client = Client::connect(&anvil.rpc(), deployments().unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = parity_content::open(&[Self::location(&folder)]).unwrap();
        let world = Self { anvil, client, store, folder };
        world.mint(address(REQUESTER).unwrap(), WEALTH).await;
        world
    }

    fn location(folder: &TempDir) -> String {
        format!("folder:{}", folder.path().join("store").display())
    }

    /// A provider that signs for an account.
    pub(crate) fn signer(&self, index: u32) -> DynProvider {
        let url = self.anvil.rpc().parse().unwrap();
        let provider = ProviderBuilder::new().wallet(account(index).unwrap()).connect_http(url);
        provider.client().set_poll_interval(Duration::from_millis(30));
        provider.erased()
    }

    pub(crate) fn sessions(&self, index: u32) -> Sessions::SessionsInstance<DynProvider> {
        Sessions::new(self.client.deployments().sessions, self.signer(index))
    }

    pub(crate) fn usdfc(&self, index: u32) -> MockUsdfc::MockUsdfcInstance<DynProvider> {
        MockUsdfc::new(self.client.deployments().usdfc, self.signer(index))
    }

    async fn mint(&self, to: Address, units: u128) {
        send(self.usdfc(0).mint(to, U256::from(units))).await.unwrap();
    }

    pub(crate) async fn balance(&self, owner: Address) -> u128 {
        self.client.usdfc_balance(owner).await.unwrap().base_units()
    }

    /// A registered keeper with a bond, not yet running.
    pub(crate) async fn keeper(&self, index: u32) -> Keeper {
        let signer = account(index).unwrap();
        let wallet = Wallet::from_key(&signer.to_bytes()).unwrap();
        self.mint(signer.address(), 10 * USDFC).await;
        let state = self.folder.path().join(format!("keeper-{index}"));
        let deployments = self.folder.path().join("deployments.json");
        self.client.deployments().save(&deployments).unwrap();
        let config = KeeperConfig {
            rpc: self.anvil.rpc(),
            deployments,
            keystore: state.join("none"),
            password_file: state.join("none"),
            stores: vec![Self::location(&self.folder)],
            state,
            evaluation: Evaluation::BuiltIn,
            limits: parity_runner::sandbox::Limits::default(),
            concurrency: 4,
            push_every: 1,
            round_bytes: parity_keeper::recompute::ROUND_BYTES,
            listen: None,
        };
        let registration =
            register_as(wallet.clone(), &config, TokenAmount::from_base_units(10 * USDFC)).await.unwrap();
        Keeper { wallet, config, key: registration.key, running: None }
    }

    /// Registers a runner.
    pub(crate) async fn runner(&self, index: u32) {
        let operators = Operators::new(self.client.deployments().operators, self.signer(index));
        send(operators.register(B256::ZERO, B256::repeat_byte(1), capability::TRAIN)).await.unwrap();
    }

    /// Creates and funds a session.
    pub(crate) async fn create(&self, spec: &SessionSpec, terms: ISessions::Terms) -> u64 {
        put_manifest(&*self.store, spec).await.unwrap();
        self.create_without_spec(terms).await
    }

    pub(crate) async fn create_without_spec(&self, terms: ISessions::Terms) -> u64 {
        let sessions = self.sessions(REQUESTER);
        let budget = sessions.budgetOf(terms.clone()).call().await.unwrap();
        send(self.usdfc(REQUESTER).approve(self.client.deployments().escrow, U256::from(budget))).await.unwrap();
        let receipt = send(sessions.createSession(terms)).await.unwrap();
        let created = receipt.logs().iter().find_map(|log| Sessions::SessionCreated::decode_log(&log.inner).ok());
        created.unwrap().session.to()
    }

    /// Runners `first..` take all seats; an uploaded session's shards are named.
    pub(crate) async fn fill(&self, session: u64, first: u32, seats: u16) {
        let id = U256::from(session);
        for seat in 0..seats {
            let index = first + u32::from(seat);
            self.runner(index).await;
            send(self.sessions(index).claimSeat(id, seat, B256::repeat_byte(1))).await.unwrap();
        }
        let uploaded = self.client.terms(id).await.unwrap().dataMode == parity_abi::DataMode::Uploaded.number();
        if uploaded {
            let operators = (0..seats).map(|seat| address(first + u32::from(seat)).unwrap()).collect();
            let shards = vec![B256::repeat_byte(2); usize::from(seats)];
            let sessions = self.sessions(REQUESTER);
            send(sessions.sealShards(id, (0..seats).collect(), operators, shards)).await.unwrap();
        }
    }

    /// Seals the holdout to a keeper.
    pub(crate) async fn seal_holdout(&self, session: u64, spec_digest: B256, keeper: &Keeper) {
        self.seal_rows(session, spec_digest, keeper, &spec::holdout()).await;
    }

    /// Seals some rows as the holdout to a keeper.
    pub(crate) async fn seal_rows(&self, session: u64, spec_digest: B256, keeper: &Keeper, rows: &Table) {
        let rows = Bytes::from(rows.to_safetensors());
        let context = [&b"parity/holdout/"[..], spec_digest.as_slice()].concat();
        let artifact = put_sealed(&*self.store, rows, &[keeper.key], &context).await.unwrap();
        let sealed = SealedData { spec: spec_digest, rows: 4, artifact };
        let digest = put_manifest(&*self.store, &sealed).await.unwrap();
        let (sessions, keepers) = (self.sessions(REQUESTER), vec![keeper.wallet.address()]);
        send(sessions.sealHoldout(U256::from(session), keepers, vec![digest])).await.unwrap();
    }

    /// A session as it is now. In the middle of a reorganisation the node may not have the block that it named as its head, so it
    /// is asked again.
    pub(crate) async fn session(&self, session: u64) -> ISessions::Session {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.client.session(U256::from(session)).await {
                Ok(state) => return state,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Waits until a session is as wanted.
    pub(crate) async fn until(&self, session: u64, wanted: impl Fn(&ISessions::Session) -> bool) -> ISessions::Session {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.session(session).await;
            if wanted(&state) {
                return state;
            }
            assert!(Instant::now() < deadline, "session {session} stays as it is: {state:?}");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Waits until a round trains.
    pub(crate) async fn until_training(&self, session: u64, round: u16) {
        self.until(session, |s| s.round == round && s.phase == Phase::Training.number()).await;
    }

    /// Waits until a session has ended.
    pub(crate) async fn until_ended(&self, session: u64) -> ISessions::Session {
        self.until(session, |s| s.state > State::Active.number()).await
    }

    /// Waits for anything.
    pub(crate) async fn eventually(&self, what: &str, check: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !check().await {
            assert!(Instant::now() < deadline, "{what} did not come true");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Waits until all that was earned is paid and all that was left is back.
    pub(crate) async fn until_settled(&self, session: u64) {
        let (escrow, sessions) = (self.client.escrow(), self.client.deployments().sessions);
        let requester = address(REQUESTER).unwrap();
        self.eventually("settlement", async || {
            let budget = escrow.budget(sessions, U256::from(session)).call().await.unwrap();
            budget.closed && budget.claimed == budget.committed && escrow.credit(requester).call().await.unwrap() == 0
        })
        .await;
    }

    /// The aggregate manifest of a final round.
    pub(crate) async fn manifest(&self, session: u64, round: u16) -> AggregateManifest {
        let digest = self.client.sessions().aggregateOf(U256::from(session), round).call().await.unwrap();
        get_manifest(&*self.store, digest).await.unwrap()
    }

    /// The report of a proposed round.
    pub(crate) async fn report(&self, session: u64, round: u16) -> RoundReport {
        let history = parity_keeper::events::Events::history(&ChainEvents::new(self.client.clone()), session).await;
        let proposal = history.unwrap().round(round).proposal.unwrap();
        get_manifest(&*self.store, proposal.report).await.unwrap()
    }

    /// Takes a block out of the content store.
    pub(crate) fn hide(&self, digest: B256) {
        let name = alloy::primitives::hex::encode(digest);
        let path = self.folder.path().join("store/blocks").join(&name[..2]).join(&name);
        std::fs::rename(&path, path.with_extension("hidden")).unwrap();
    }

    /// Overwrites a block of the content store.
    pub(crate) fn forge(&self, digest: B256) {
        let name = alloy::primitives::hex::encode(digest);
        let path = self.folder.path().join("store/blocks").join(&name[..2]).join(&name);
        std::fs::write(path, b"forged").unwrap();
    }

    /// Recomputes a session as a stranger would.
    pub(crate) async fn verify(&self, session: u64) -> parity_keeper::Result<Vec<Verdict>> {
        self.verify_with(session, None, None).await
    }

    /// Recomputes a session with held-out rows or a sealing key at hand.
    pub(crate) async fn verify_with(
        &self,
        session: u64,
        holdout: Option<Holdout>,
        key: Option<SealingKey>,
    ) -> parity_keeper::Result<Vec<Verdict>> {
        let events = Arc::new(ChainEvents::new(self.client.clone()));
        let recompute = Recompute::new(Arc::clone(&self.store), key, events);
        let block = self.client.block_number().await.unwrap();
        let view = Snapshots::new(self.client.clone(), Address::ZERO).read(session, block).await?;
        let holdout = match holdout {
            Some(holdout) => Some(Arc::new(holdout)),
            None => recompute.any_holdout(&view).await?,
        };
        recompute.verify(&view, holdout).await
    }
}

/// Sends a transaction and waits until it is in a block and succeeded.
pub(crate) async fn send<P: Provider, D: CallDecoder>(
    call: CallBuilder<P, D>,
) -> Result<alloy::rpc::types::TransactionReceipt, String> {
    let receipt = call.send().await.map_err(|e| e.to_string())?.get_receipt().await.map_err(|e| e.to_string())?;
    if receipt.status() { Ok(receipt) } else { Err(format!("reverted: {receipt:?}")) }
}

/// A keeper that may be started, killed and started again.
pub(crate) struct Keeper {
    pub(crate) wallet: Wallet,
    pub(crate) config: KeeperConfig,
    pub(crate) key: B256,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
}

impl Keeper {
    pub(crate) fn start(&mut self) {
        let shutdown = CancellationToken::new();
        let run = parity_keeper::run_as(self.wallet.clone(), self.config.clone(), shutdown.clone());
        self.running = Some((shutdown, tokio::spawn(run)));
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Stops it as a signal does.
    pub(crate) async fn stop(&mut self) {
        let (shutdown, task) = self.running.take().unwrap();
        shutdown.cancel();
        task.await.unwrap().unwrap();
    }

    pub(crate) fn address(&self) -> Address {
        self.wallet.address()
    }

    /// Fails when the keeper has ended by itself.
    pub(crate) fn assert_running(&self) {
        assert!(self.running.as_ref().is_some_and(|(_, task)| !task.is_finished()), "the keeper ended");
    }
}
