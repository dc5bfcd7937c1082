//! The loop: at every new block, look at every session that has not ended, and let each kind of work go on by itself.
//!
//! No session waits for another: each has lanes of its own ([`Lane`]), a task that fails or hangs keeps one lane of one
//! session busy, and heavy work is bounded by a semaphore. Nothing is carried from block to block but memory that may be lost.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use anyhow::Context;
use futures::{StreamExt, stream};
use parity_chain::{Header, Wallet};
use parity_protocol::{B256, U256};
use parity_service::{Health, Liveness};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    act::chain,
    config::KeeperConfig,
    error::{Error, Result},
    events::REREAD,
    judge,
    keeper::{Keeper, Standing, load_wallet},
    payouts,
    plan::{self, Action},
    slot::{Busy, Lane, Slot},
    snapshot::contract_error,
    turns::{EPOCHS_PER_RANK, rank},
    view::{Phase, SessionView, State},
};

/// Sessions read at the same time.
const LOOKS: usize = 32;
/// Steps of one session that are under way at the same time.
const STEPS: usize = 16;
/// A keeper whose loop has not come round for so long counts as dead.
const STALLED: Duration = Duration::from_secs(300);

/// Runs a keeper with the configured keystore until `shutdown`.
///
/// # Errors
/// As [`run_as`], and when the keystore cannot be opened.
///
/// # Cancel safety
/// As [`run_as`].
pub async fn run(config: KeeperConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let wallet = load_wallet(&config).await?;
    run_as(wallet, config, shutdown).await
}

/// Runs a keeper with a key at hand until `shutdown`; the configured keystore is not read.
///
/// # Errors
/// When it cannot start: no node, wrong chain, no key. Later failures are logged and retried.
///
/// # Cancel safety
/// May be dropped or killed at any time; transactions under way are found again in the journal.
pub async fn run_as(wallet: Wallet, config: KeeperConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let keeper = Arc::new(Keeper::open(&config, wallet).await?);
    let liveness = Liveness::new(STALLED);
    let health = Health::new(liveness.clone(), keeper.meters.registry());
    let mut server = JoinSet::new();
    if let Some(listen) = config.listen {
        server.spawn(health.serve(listen, shutdown.clone()));
    }
    tracing::info!(keeper = %keeper.own, node = keeper.client.url(), "keeper started");
    let reconciler = Reconciler {
        live: BTreeMap::new(),
        seen: 0,
        head: None,
        tasks: JoinSet::new(),
        looks: Arc::new(Semaphore::new(LOOKS)),
        judges: Arc::new(Semaphore::new(config.concurrency.max(1))),
        keeper,
        liveness,
    };
    reconciler.run(shutdown).await;
    while let Some(served) = server.join_next().await {
        served.context("the health server")??;
    }
    tracing::info!("keeper stopped");
    Ok(())
}

struct Reconciler {
    keeper: Arc<Keeper>,
    live: BTreeMap<u64, Live>,
    /// Highest session id met.
    seen: u64,
    head: Option<Header>,
    tasks: JoinSet<Done>,
    looks: Arc<Semaphore>,
    judges: Arc<Semaphore>,
    liveness: Liveness,
}

/// A session that is looked at.
struct Live {
    slot: Arc<Slot>,
    /// Whether it was met before its end: then its end is watched until no short reorganisation can undo it.
    met_alive: bool,
    ended_at: Option<u64>,
}

/// A task that came to its end.
enum Done {
    Looked { id: u64, seen: Option<Box<Seen>> },
    Worked { id: u64 },
}

/// What a look found.
struct Seen {
    view: SessionView,
    standing: Standing,
    due: Vec<Action>,
    ready: Vec<Action>,
}

impl Reconciler {
    async fn run(mut self, shutdown: CancellationToken) {
        let mut poll = tokio::time::interval(self.keeper.client.poll_interval());
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(done) = self.tasks.join_next() => match done {
                    Ok(done) => self.follow_up(done),
                    Err(error) => tracing::error!(%error, "a task ended unexpectedly"),
                },
                _ = poll.tick() => {
                    if let Err(error) = self.new_block().await {
                        tracing::warn!(error = chain(&error), "the chain cannot be read");
                    }
                }
            }
        }
        self.tasks.shutdown().await;
    }

    /// Looks at all sessions if there is a new block.
    async fn new_block(&mut self) -> Result<()> {
        let client = &self.keeper.client;
        let head = client.head().await.map_err(Error::chain("the head"))?;
        self.liveness.beat();
        if self.head.is_some_and(|known| known.hash == head.hash) {
            return Ok(());
        }
        if let Some(known) = self.head
            && head.parent_hash != known.hash
            && !self.is_ancestor(known, head).await?
        {
            self.keeper.meters.reorganisations.inc();
            tracing::warn!(from = known.number, to = head.number, "the chain was reorganised");
            self.keeper.snapshots.forget_all();
            self.keeper.recompute.forget_events().await;
        }
        let count = client.sessions().sessionCount().call().await.map_err(contract_error("the number of sessions"))?;
        let count = count.saturating_to::<u64>();
        for id in self.seen + 1..=count {
            self.live.insert(id, Live { slot: Slot::new(id), met_alive: false, ended_at: None });
        }
        self.seen = self.seen.max(count);
        self.head = Some(head);
        self.keeper.meters.head.set(head.number);
        self.keeper.meters.sessions.set(i64::try_from(self.live.len()).unwrap_or(i64::MAX));
        let slots: Vec<_> = self.live.values().map(|live| Arc::clone(&live.slot)).collect();
        for slot in slots {
            self.look(&slot, head.number);
        }
        Ok(())
    }

    async fn is_ancestor(&self, known: Header, head: Header) -> Result<bool> {
        if head.number <= known.number {
            return Ok(false);
        }
        let at = self.keeper.client.header_at(known.number).await.map_err(Error::chain("a block"))?;
        Ok(at.is_some_and(|header| header.hash == known.hash))
    }

    fn follow_up(&mut self, done: Done) {
        let head = self.head.map_or(0, |head| head.number);
        match done {
            Done::Looked { id, seen } => {
                let Some(seen) = seen else { return };
                if self.is_over(id, &seen, head) {
                    self.live.remove(&id);
                    self.keeper.snapshots.forget(id);
                    self.keeper.recompute.forget(id);
                    return;
                }
                self.work(id, *seen);
            }
            // What was done has changed the session: look again at once instead of at the next block.
            Done::Worked { id } => {
                if let Some(slot) = self.live.get(&id).map(|live| Arc::clone(&live.slot)) {
                    self.look(&slot, 0);
                }
            }
        }
    }

    /// Whether a session needs no more looks.
    fn is_over(&mut self, id: u64, seen: &Seen, head: u64) -> bool {
        let Some(live) = self.live.get_mut(&id) else { return false };
        if seen.view.progress.state != State::Ended {
            live.met_alive = true;
            live.ended_at = None;
            return false;
        }
        if !live.slot.turns().all_finished(&seen.due) {
            return false;
        }
        let ended_at = *live.ended_at.get_or_insert(head);
        !live.met_alive || head >= ended_at.saturating_add(REREAD)
    }

    fn look(&mut self, slot: &Arc<Slot>, block: u64) {
        let Some(busy) = slot.enter(Lane::Look) else { return };
        let (keeper, looks) = (Arc::clone(&self.keeper), Arc::clone(&self.looks));
        self.tasks.spawn(async move {
            let id = busy.slot().id;
            let Ok(_permit) = looks.acquire().await else { return Done::Looked { id, seen: None } };
            let seen = match look(&keeper, busy.slot(), block).await {
                Ok(seen) => Some(Box::new(seen)),
                Err(error) => {
                    tracing::debug!(session = id, error = chain(&error), "the session cannot be read");
                    None
                }
            };
            Done::Looked { id, seen }
        });
    }

    fn work(&mut self, id: u64, seen: Seen) {
        let Some(slot) = self.live.get(&id).map(|live| Arc::clone(&live.slot)) else { return };
        let Seen { view, standing, ready, .. } = seen;
        let ended = view.progress.state == State::Ended;
        let view = Arc::new(view);
        let (mut steps, mut judge, mut pay) = (Vec::new(), None, None);
        for todo in ready {
            match todo {
                Action::Propose { .. } | Action::Attest { .. } => judge = Some(todo),
                Action::PushPayouts { .. } => pay = Some(todo),
                _ => steps.push(todo),
            }
        }
        if !steps.is_empty()
            && let Some(busy) = slot.enter(Lane::Steps)
        {
            let (keeper, view) = (Arc::clone(&self.keeper), Arc::clone(&view));
            self.spawn(busy, async move |busy| take_steps(&keeper, busy.slot(), &view, ended, steps).await);
        }
        if let Some(todo) = pay
            && let Some(busy) = slot.enter(Lane::Pay)
        {
            let (keeper, view) = (Arc::clone(&self.keeper), Arc::clone(&view));
            self.spawn(busy, async move |busy| {
                let pushed = keeper.pay(busy.slot(), &view, ended, &todo);
                late(timeout(payouts::LONGEST, pushed).await, id, "payouts");
            });
        }
        let known = standing.known_since;
        let prepares = judge.is_none()
            && known.is_some()
            && view.progress.phase == Phase::Training
            && view.everyone_posted()
            && slot.prepares(view.progress.round, view.progress.accumulator);
        if (judge.is_some() || prepares)
            && let Some(busy) = slot.enter(Lane::Judge)
        {
            let (keeper, judges) = (Arc::clone(&self.keeper), Arc::clone(&self.judges));
            self.spawn(busy, async move |busy| {
                let Ok(_permit) = judges.acquire().await else { return };
                let judged = async {
                    match &judge {
                        Some(todo) => keeper.judge(busy.slot(), &view, known, todo).await,
                        None => keeper.prepare(busy.slot(), &view, known).await,
                    }
                };
                late(timeout(judge::LONGEST, judged).await, id, "judging a round");
            });
        }
    }

    fn spawn<F>(&mut self, busy: Busy, work: impl FnOnce(Busy) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let id = busy.slot().id;
        let work = work(busy);
        self.tasks.spawn(async move {
            work.await;
            Done::Worked { id }
        });
    }
}

/// Reads a session and plans. A block of 0 stands for the head.
async fn look(keeper: &Keeper, slot: &Slot, block: u64) -> Result<Seen> {
    let block = match block {
        0 => keeper.client.block_number().await.map_err(Error::chain("the head"))?,
        block => block,
    };
    let view = keeper.snapshots.read(slot.id, block).await?;
    let standing = keeper.standing(block, view.terms.keeper_bond).await?;
    let mut due = plan::due(&view, keeper.push_every);
    if standing.known_since.is_none() {
        due.retain(|action| !action.needs_bond());
    }
    if due.is_empty() {
        slot.turns().take(&[], block, |_| 0);
        return Ok(Seen { view, standing, due, ready: Vec::new() });
    }
    let seed = seed(keeper, slot, &view).await?;
    let position = rank(seed, keeper.own, &standing.keepers);
    let blind = view.terms.uploaded
        && view.progress.phase == Phase::Closed
        && standing.keepers.len() > 1
        && keeper.holdout(view.id, keeper.own).await?.is_none();
    let ready = slot.turns().take(&due, block, |action| wait(action, &view, position, blind, &standing.keepers));
    Ok(Seen { view, standing, due, ready })
}

/// Epochs that this keeper leaves to others before it takes a step.
fn wait(action: &Action, view: &SessionView, position: u64, blind: bool, keepers: &[parity_protocol::Address]) -> u64 {
    let others = u64::try_from(keepers.len()).unwrap_or(u64::MAX);
    let ahead = match action {
        // As many attest at once as are needed; the others stand by.
        Action::Attest { .. } => position.saturating_sub(u64::from(view.terms.attestations)),
        // A proposal of who cannot evaluate the model comes after those of all who can.
        Action::Propose { .. } if blind => position.saturating_add(others),
        _ => position,
    };
    ahead.saturating_mul(EPOCHS_PER_RANK)
}

/// What orders the keepers: the beacon of the epoch in which the round was closed, else a hash that everyone can compute.
async fn seed(keeper: &Keeper, slot: &Slot, view: &SessionView) -> Result<B256> {
    let (round, deadline) = (view.progress.round, view.progress.deadline);
    let drawn = matches!(view.progress.phase, Phase::Closed | Phase::Unmasking | Phase::Proposed);
    if !drawn {
        return Ok(alloy::primitives::keccak256([view.id.to_be_bytes(), u64::from(round).to_be_bytes()].concat()));
    }
    if let Some(seed) = slot.seed((round, deadline)) {
        return Ok(seed);
    }
    let seed = keeper.client.sessions().roundSeed(U256::from(view.id)).call().await;
    let seed = seed.map_err(contract_error("the round's randomness"))?;
    slot.keep_seed((round, deadline), seed);
    Ok(seed)
}

/// Takes steps that anybody may take: seats first and side by side, then what moves the session, in order.
async fn take_steps(keeper: &Keeper, slot: &Slot, view: &SessionView, ended: bool, steps: Vec<Action>) {
    let (seats, rest): (Vec<_>, Vec<_>) =
        steps.into_iter().partition(|action| matches!(action, Action::Forfeit { .. } | Action::Settle { .. }));
    let take = async |action: Action| {
        let result = keeper.step(view.id, &action, view.block).await;
        keeper.book(slot, &action, view.block, ended, result);
    };
    let take = &take;
    stream::iter(seats).for_each_concurrent(STEPS, take).await;
    for todo in rest {
        take(todo).await;
    }
}

fn late<T>(result: std::result::Result<T, tokio::time::error::Elapsed>, session: u64, what: &str) {
    if result.is_err() {
        tracing::error!(session, what, "took too long and is started anew");
    }
}
