//! The outbox: every transaction of one signer, in order, exactly once.
//!
//! An action is named by its caller (`close/7/3`) and executed once under that name:
//!
//! 1. simulate: a call that would revert is refused with the contract's reason and costs nothing;
//! 2. sign with the next nonce, write the signed bytes to the journal, sync, and only then send;
//! 3. watch: raise the premium when no block takes it, send the same bytes again when a reorganisation drops it, cancel it
//!    when it would revert by now;
//! 4. write the receipt to the journal and return it; executing the same name again returns the same receipt.
//!
//! A process killed between any two steps goes on where it was: opening the journal sends what is not in a block yet.
//! A receipt that is missing proves nothing (public Filecoin nodes forget them after 20 epochs): the account's nonce
//! decides, then the block that used it.
//!
//! One task per outbox does the watching. Several actions may be on their way; they reach the chain in the order in which
//! they were signed.

mod call;
mod journal;
mod ledger;
mod locate;
mod send;
mod watch;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy::{
    contract::{CallBuilder, CallDecoder},
    primitives::{Address, B256, Bytes, TxKind},
    providers::{Provider, ext::AnvilApi},
};
use parity_abi::ContractError;
use tokio::sync::{Notify, watch as channel};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::call::{Call, Receipt};
use self::{
    journal::Journal,
    ledger::{Entry, Ledger, Status},
};
use crate::{Client, Error, Result, Wallet, fees::Fees};

/// How an outbox sends.
#[derive(Clone, Debug)]
pub struct OutboxOptions {
    /// Blocks without inclusion after which the premium is raised.
    pub patience: u64,
    /// Most transactions for one action.
    pub attempts: usize,
    /// Most actions on their way at once; Lotus gateways accept few more.
    pub in_flight: usize,
    /// Depth in blocks down to which included transactions are checked for reorganisations.
    pub depth: u64,
    /// Most attoFIL that one transaction may cost.
    pub budget: u128,
    /// Gas limit in percent of the estimate; by default 130 on anvil and 110 elsewhere, where estimates carry a margin.
    pub gas_percent: Option<u64>,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            patience: 3,
            attempts: 10,
            in_flight: 16,
            depth: 40,
            budget: 1_000_000_000_000_000_000,
            gas_percent: None,
        }
    }
}

/// Sends the transactions of one signer. Cheap to clone; the last clone closes it.
#[derive(Clone, Debug)]
pub struct Outbox {
    inner: Arc<Inner>,
    _guard: Arc<DropGuard>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    wallet: Wallet,
    options: OutboxOptions,
    journal: Arc<Mutex<Journal>>,
    ledger: Arc<Mutex<Ledger>>,
    /// Held while a nonce is chosen, signed, written and sent.
    sending: tokio::sync::Mutex<Sending>,
    /// Ids that are being simulated or signed right now.
    claimed: Mutex<HashSet<String>>,
    /// Counts changes of the ledger.
    changed: channel::Sender<u64>,
    /// Wakes the watcher from its sleep.
    wake: Notify,
    closed: CancellationToken,
}

/// What the sender remembers between two transactions.
#[derive(Debug, Default)]
struct Sending {
    /// The nonce after the last one used by this process: a node behind a load balancer may lag behind it.
    after: u64,
    fees: Option<(Instant, Fees)>,
}

/// How an action ended.
enum Outcome {
    Done(Receipt),
    Reverted(Bytes),
    /// Failed in its block, although a simulation passes: most likely it ran out of gas.
    Starved,
    /// Its nonce went to something else; it has not happened.
    Displaced,
    Lost(B256),
}

impl Outbox {
    /// Opens the journal of `wallet` in `dir` and takes up what it left unfinished.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it, [`Error::Journal`] when it cannot be read or written.
    pub async fn open(dir: &Path, client: Client, wallet: Wallet) -> Result<Self> {
        Self::open_with(dir, client, wallet, OutboxOptions::default()).await
    }

    /// [`Self::open`] with other than the default options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(dir: &Path, client: Client, wallet: Wallet, options: OutboxOptions) -> Result<Self> {
        // A local network that starts afresh has the chain id and the addresses of the last one; only its instance differs.
        let instance = if client.is_local() { client.provider().anvil_metadata().await.ok() } else { None };
        let network = format!(
            "{}/{:#x}/{}",
            client.chain_id(),
            client.deployments().sessions,
            instance.map(|metadata| metadata.instance_id).unwrap_or_default()
        );
        let (folder, address) = (dir.to_owned(), wallet.address());
        let (journal, ledger) = blocking(move || Journal::open(&folder, address, &network)).await?;
        let unfinished = ledger.flying().len();
        if unfinished > 0 {
            tracing::info!(%address, unfinished, "taking up unfinished transactions");
        }
        let closed = CancellationToken::new();
        let inner = Arc::new(Inner {
            client,
            wallet,
            options,
            journal: Arc::new(Mutex::new(journal)),
            ledger: Arc::new(Mutex::new(ledger)),
            sending: tokio::sync::Mutex::default(),
            claimed: Mutex::default(),
            changed: channel::Sender::new(0),
            wake: Notify::new(),
            closed: closed.clone(),
        });
        tokio::spawn(watch::run(inner.clone()));
        Ok(Self { inner, _guard: Arc::new(closed.drop_guard()) })
    }

    /// The signer.
    pub fn address(&self) -> Address {
        self.inner.wallet.address()
    }

    /// The network it sends to.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The signing key, for permits and messages.
    pub fn wallet(&self) -> &Wallet {
        &self.inner.wallet
    }

    /// Executes a call once under the name `action`, and returns its receipt when it is in a block. If an action of that name
    /// has succeeded before, nothing is sent and its receipt is returned; one that failed is tried again.
    ///
    /// # Errors
    /// [`Error::Reverted`] with the contract's reason, before anything is sent or, rarely, after; [`Error::NoFunds`] when the
    /// signer cannot pay; [`Error::OutcomeUnknown`] when its nonce is used and nothing tells by what.
    ///
    /// # Cancel safety
    /// Dropping the future before the transaction is signed forgets the action; afterwards it goes on.
    pub async fn execute(&self, action: &str, call: Call) -> Result<Receipt> {
        /// More than any reasonable number of other users of the same key at the same time.
        const TRIES: u32 = 8;
        let mut gas_percent = self.inner.gas_percent();
        for _ in 0..TRIES {
            self.inner.submit(action, &call, gas_percent).await?;
            match self.inner.outcome(action).await? {
                Outcome::Done(receipt) => return Ok(receipt),
                Outcome::Reverted(reason) => return Err(Error::Reverted(ContractError::decode(&reason))),
                Outcome::Starved => gas_percent = gas_percent.saturating_mul(2),
                Outcome::Displaced => tracing::warn!(action, "another transaction took the nonce; signing again"),
                Outcome::Lost(hash) => {
                    return Err(Error::OutcomeUnknown { action: action.to_owned(), address: self.address(), hash });
                }
            }
        }
        Err(Error::Reverted(ContractError::Silent))
    }

    /// [`Self::execute`] for a call that alloy has built.
    ///
    /// # Errors
    /// As [`Self::execute`].
    ///
    /// # Panics
    /// If the builder deploys a contract instead of calling one.
    pub async fn send<P: Provider, D: CallDecoder>(
        &self,
        action: &str,
        builder: &CallBuilder<P, D>,
    ) -> Result<Receipt> {
        let request: &alloy::rpc::types::TransactionRequest = builder.as_ref();
        let Some(TxKind::Call(to)) = request.to else {
            panic!("the outbox calls contracts, it does not deploy them: '{action}'")
        };
        let data = request.input.input().cloned().unwrap_or_default();
        self.execute(action, Call { to, data, value: request.value.unwrap_or_default() }).await
    }

    /// The receipt of an action that has succeeded earlier.
    pub fn finished(&self, action: &str) -> Option<Receipt> {
        match &self.inner.ledger().intents.get(action)?.status {
            Status::Mined { receipt, success: true, .. } => Some(receipt.clone()),
            _ => None,
        }
    }

    /// Names of the actions that are on their way, in the order of their nonces.
    pub fn unfinished(&self) -> Vec<String> {
        self.inner.ledger().flying().into_iter().map(|(_, id)| id).collect()
    }

    /// Waits until nothing is on its way.
    ///
    /// # Errors
    /// [`Error::Closed`] when the outbox is closed first.
    pub async fn drain(&self) -> Result<()> {
        let mut changes = self.inner.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let Some((_, id)) = self.inner.ledger().flying().into_iter().next() else { return Ok(()) };
            self.inner.wake.notify_one();
            tokio::select! {
                _ = changes.changed() => {}
                () = self.inner.closed.cancelled() => return Err(Error::Closed { action: id }),
            }
        }
    }
}

impl Inner {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic elsewhere leaves the ledger whole: it changes by whole entries.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gas_percent(&self) -> u64 {
        self.options.gas_percent.unwrap_or(if self.client.is_local() { 130 } else { 110 })
    }

    /// Writes an entry to the journal, then to the ledger, and tells everyone. Both or neither, even if this future is
    /// dropped.
    async fn record(&self, entry: Entry) -> Result<()> {
        let (journal, ledger, changed) = (self.journal.clone(), self.ledger.clone(), self.changed.clone());
        blocking(move || {
            journal.lock().unwrap_or_else(PoisonError::into_inner).append(&entry)?;
            ledger.lock().unwrap_or_else(PoisonError::into_inner).apply(entry);
            changed.send_modify(|count| *count = count.wrapping_add(1));
            Ok(())
        })
        .await
    }

    /// Waits until an action has ended.
    async fn outcome(&self, action: &str) -> Result<Outcome> {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let outcome = match self.ledger().intents.get(action) {
                None => Some(Outcome::Displaced),
                Some(intent) => match &intent.status {
                    Status::Flying => None,
                    Status::Mined { receipt, success: true, .. } => Some(Outcome::Done(receipt.clone())),
                    Status::Mined { reason: Some(reason), .. } => Some(Outcome::Reverted(reason.clone())),
                    Status::Mined { reason: None, .. } => Some(Outcome::Starved),
                    Status::Lost => {
                        Some(Outcome::Lost(intent.attempts.last().map(|attempt| attempt.hash).unwrap_or_default()))
                    }
                },
            };
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            self.wake.notify_one();
            tokio::select! {
                _ = changes.changed() => {}
                () = self.closed.cancelled() => return Err(Error::Closed { action: action.to_owned() }),
            }
        }
    }

    fn pause(&self) -> Duration {
        self.client.poll_interval()
    }
}

/// Runs file access where it does not hold up other tasks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(Error::Closed { action: "writing the journal".to_owned() }),
        },
    }
}
