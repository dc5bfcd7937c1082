//! Watching what was sent: receipts, replacements, reorganisations, gaps.

use std::{collections::BTreeMap, sync::Arc};

use alloy::{
    eips::BlockId,
    primitives::{B256, Bytes, U256},
    providers::Provider,
};

use super::{
    Inner,
    call::{Call, Receipt},
    ledger::{Entry, Intent, Status},
    locate::Found,
    send::Answer,
};
use crate::{Error, Header, Result, fees::Fees};

/// Looks, and blocks between the first and the last of them, after which a missing receipt is not waited for any longer.
const MISSING_LOOKS: u32 = 3;
const MISSING_BLOCKS: u64 = 2;

/// Watches until the outbox is closed.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut last = None;
    loop {
        let idle = {
            let ledger = inner.ledger();
            ledger.flying().is_empty() && ledger.unsettled().is_empty()
        };
        tokio::select! {
            () = inner.closed.cancelled() => return,
            () = inner.wake.notified() => {}
            () = tokio::time::sleep(inner.pause()), if !idle => {}
        }
        tokio::select! {
            () = inner.closed.cancelled() => return,
            result = inner.look(&mut last) => {
                if let Err(error) = result {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot watch transactions; trying again");
                    // The transport has already tried for a while; do not spin on an error that comes at once.
                    tokio::time::sleep(inner.pause()).await;
                }
            }
        }
    }
}

impl Inner {
    /// One look at the chain and everything that follows from it.
    async fn look(&self, last: &mut Option<Header>) -> Result<()> {
        let head = self.client.head().await?;
        let moved = last.is_none_or(|last| last.hash != head.hash);
        if moved {
            if !self.follows(*last, &head).await? {
                self.reopen_gone().await?;
            }
            self.forget_deep(head.number);
            *last = Some(head);
        }
        let flying = self.ledger().flying();
        if flying.is_empty() {
            return Ok(());
        }
        let used = self.client.nonce_at(self.wallet.address(), BlockId::latest()).await?;
        for (nonce, id) in &flying {
            if *nonce < used {
                self.settle(id, head.number).await?;
            } else if self.intent(id).is_some_and(|intent| !intent.announced) {
                self.announce_again(id, head.number).await?;
            }
        }
        let first = self.ledger().flying().into_iter().next();
        let Some((nonce, first)) = first else { return Ok(()) };
        if moved && nonce == used {
            self.hurry(&first, head.number).await?;
        } else if moved && nonce > used {
            self.fill_gap(&first, used, head.number).await?;
        }
        if moved { self.remind(used, head.number).await } else { Ok(()) }
    }

    /// Whether the head seen last is still part of the chain.
    async fn follows(&self, last: Option<Header>, head: &Header) -> Result<bool> {
        let Some(last) = last else { return Ok(false) };
        if head.parent_hash == last.hash {
            return Ok(true);
        }
        Ok(self.client.header_at(last.number).await?.is_some_and(|now| now.hash == last.hash))
    }

    /// Reopens every action whose block is gone.
    async fn reopen_gone(&self) -> Result<()> {
        let mut blocks = BTreeMap::<(u64, B256), Vec<String>>::new();
        let unsettled = self.ledger().unsettled();
        for (id, block, hash) in unsettled {
            blocks.entry((block, hash)).or_default().push(id);
        }
        for ((block, hash), ids) in blocks {
            if self.client.header_at(block).await?.is_some_and(|now| now.hash == hash) {
                continue;
            }
            for id in ids {
                tracing::warn!(action = id, block, "the block of a transaction is gone; sending it again");
                self.record(Entry::Reopened { id }).await?;
            }
        }
        Ok(())
    }

    /// Forgets the signed bytes of actions that are deep enough.
    fn forget_deep(&self, head: u64) {
        for intent in self.ledger().intents.values_mut() {
            if let Status::Mined { receipt, .. } = &intent.status
                && receipt.block + self.options.depth < head
            {
                intent.attempts.clear();
            }
        }
    }

    fn intent(&self, id: &str) -> Option<Intent> {
        self.ledger().intents.get(id).filter(|intent| intent.is_flying()).cloned()
    }

    /// Finds out what used the nonce of an action.
    async fn settle(&self, id: &str, head: u64) -> Result<()> {
        let Some(intent) = self.intent(id) else { return Ok(()) };
        for attempt in intent.attempts.iter().rev() {
            let receipt = self
                .client
                .provider()
                .get_transaction_receipt(attempt.hash)
                .await
                .map_err(|error| Error::node("to show a receipt", error))?;
            if let Some(receipt) = receipt
                && let Some(own) = Receipt::of(&receipt)
            {
                return self.conclude(id, &intent, own, receipt.status()).await;
            }
        }
        let (looks, since) = intent.missing.map_or((1, head), |(looks, since)| (looks + 1, since));
        if let Some(intent) = self.ledger().intents.get_mut(id) {
            intent.missing = Some((looks, since));
        }
        if looks < MISSING_LOOKS || head < since + MISSING_BLOCKS {
            return Ok(());
        }
        match self.locate(&intent, head).await? {
            Found::Ours { receipt, success } => self.conclude(id, &intent, receipt, success).await,
            Found::Foreign => self.record(Entry::Dropped { id: id.to_owned(), lost: false }).await,
            Found::Nothing => {
                tracing::error!(action = id, nonce = intent.nonce, "a nonce is used and nothing tells by what");
                self.record(Entry::Dropped { id: id.to_owned(), lost: true }).await
            }
        }
    }

    /// Writes down how an action ended.
    async fn conclude(&self, id: &str, intent: &Intent, receipt: Receipt, executed: bool) -> Result<()> {
        let cancelled = intent
            .attempts
            .iter()
            .find(|attempt| attempt.hash == receipt.tx_hash)
            .and_then(|attempt| attempt.cancels.clone());
        let success = executed && cancelled.is_none();
        let reason = match (cancelled, success) {
            (Some(reason), _) => Some(reason),
            (None, true) => None,
            (None, false) => self.reason_now(&intent.call).await?,
        };
        tracing::debug!(action = id, hash = %receipt.tx_hash, block = receipt.block, success, "a transaction is in a block");
        self.record(Entry::Mined { id: id.to_owned(), nonce: intent.nonce, receipt, success, reason }).await
    }

    /// Why a call would revert now; `None` when it would not.
    async fn reason_now(&self, call: &Call) -> Result<Option<Bytes>> {
        match self.client.provider().call(call.request(self.wallet.address())).await {
            Ok(_) => Ok(None),
            Err(error) => match crate::Fault::of(&error) {
                crate::Fault::Reverted(data) => Ok(Some(data)),
                _ => Err(Error::node("to simulate a call", error)),
            },
        }
    }

    /// Sends the newest transaction of an action again.
    async fn announce_again(&self, id: &str, head: u64) -> Result<()> {
        let Some(intent) = self.intent(id) else { return Ok(()) };
        let Some(attempt) = intent.attempts.last() else { return Ok(()) };
        match self.announce(&attempt.raw).await {
            Answer::Accepted => self.mark_announced(id, head),
            Answer::Open => {}
            // It may have been accepted before; only its nonce can tell.
            Answer::Refused(error) => {
                tracing::warn!(
                    action = id,
                    error = &error as &dyn std::error::Error,
                    "a transaction is refused for now"
                );
            }
        }
        Ok(())
    }

    /// Raises the premium of the action at the head of the line when no block takes it, or cancels it when it would revert.
    async fn hurry(&self, id: &str, head: u64) -> Result<()> {
        let Some(intent) = self.intent(id) else { return Ok(()) };
        if head < intent.sent_at + self.options.patience {
            return Ok(());
        }
        let Some(newest) = intent.attempts.last() else { return Ok(()) };
        if intent.attempts.len() >= self.options.attempts {
            tracing::warn!(action = id, nonce = intent.nonce, "no block takes a transaction at the highest fee");
            self.mark_announced(id, head);
            return self.announce_again(id, head).await;
        }
        let cancels = match &newest.cancels {
            Some(reason) => Some(reason.clone()),
            None => self.reason_now(&intent.call).await?,
        };
        let nothing = Call { to: self.wallet.address(), data: Bytes::new(), value: U256::ZERO };
        let (call, gas) = match &cancels {
            None => (&intent.call, intent.gas),
            Some(_) => (&nothing, self.estimate(&nothing, self.gas_percent()).await?),
        };
        let fees = Fees::current(&self.client).await?.replacing(newest.fees()).within(gas, self.options.budget);
        if fees.premium <= newest.fees().premium {
            // The budget allows no more.
            self.mark_announced(id, head);
            return self.announce_again(id, head).await;
        }
        tracing::info!(action = id, nonce = intent.nonce, premium = %fees.premium, cancels = cancels.is_some(), "replacing a transaction");
        let attempt = self.sign(call, intent.nonce, gas, fees, cancels)?;
        let (call, nonce, gas) = (intent.call.clone(), intent.nonce, intent.gas);
        self.record(Entry::Signed { id: id.to_owned(), call, nonce, gas, attempt, block: head }).await?;
        self.announce_again(id, head).await
    }

    /// Uses up nonces below the head of the line that nothing of ours has: a reorganisation has dropped a transaction that
    /// somebody else sent with this key.
    async fn fill_gap(&self, first: &str, used: u64, head: u64) -> Result<()> {
        let Some(intent) = self.intent(first) else { return Ok(()) };
        if head < intent.sent_at + self.options.patience {
            return Ok(());
        }
        // Whoever else uses the key may have it in the pool: then it is theirs to bring home.
        let pending = self.client.nonce_at(self.wallet.address(), BlockId::pending()).await?;
        if pending > used {
            return Ok(());
        }
        let call = Call { to: self.wallet.address(), data: Bytes::new(), value: U256::ZERO };
        let gas = self.estimate(&call, self.gas_percent()).await?;
        let fees = Fees::current(&self.client).await?.within(gas, self.options.budget);
        tracing::warn!(nonce = used, "filling a gap in the nonces");
        let attempt = self.sign(&call, used, gas, fees, None)?;
        let id = format!("gap/{used}/{head}");
        self.record(Entry::Signed { id: id.clone(), call, nonce: used, gas, attempt, block: head }).await?;
        self.announce_again(&id, head).await
    }

    /// Sends again what waits behind the head of the line for long: pools forget.
    async fn remind(&self, used: u64, head: u64) -> Result<()> {
        let flying = self.ledger().flying();
        for (nonce, id) in flying {
            let stale = self.intent(&id).is_some_and(|intent| head >= intent.sent_at + self.options.patience);
            if nonce > used && stale {
                self.announce_again(&id, head).await?;
            }
        }
        Ok(())
    }
}
