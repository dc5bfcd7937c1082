//! Signing and sending: from a call to a transaction that the journal knows and the node has.

use std::time::Instant;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::{BlockId, eip2718::Encodable2718},
    primitives::{B256, Bytes},
    providers::Provider,
    signers::SignerSync,
};

use super::{
    Inner, Sending,
    call::Call,
    ledger::{Attempt, Entry, Status},
};
use crate::{Error, Fault, Result, fees::Fees};

/// What the node said to a transaction.
pub(super) enum Answer {
    /// It has it.
    Accepted,
    /// It may have it, or will take it later: unreachable, busy, an earlier nonce missing, too low a fee, or the nonce is
    /// used (perhaps by this very transaction). The watcher finds out.
    Open,
    /// It will never take it as it is.
    Refused(Error),
}

/// Releases an id when the submission ends, however it ends.
struct Claim<'a> {
    inner: &'a Inner,
    id: &'a str,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.inner.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(self.id);
        self.inner.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Inner {
    /// Brings an action on its way, unless it is or has succeeded already.
    pub(super) async fn submit(&self, id: &str, call: &Call, gas_percent: u64) -> Result<()> {
        let _claim = loop {
            let mut changes = self.changed.subscribe();
            if self.is_settled(id).await? {
                return Ok(());
            }
            let claimed = self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.to_owned());
            if claimed {
                break Claim { inner: self, id };
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = self.closed.cancelled() => return Err(Error::Closed { action: id.to_owned() }),
            }
        };
        // Between the check and the claim another submission may have ended.
        if self.is_settled(id).await? {
            return Ok(());
        }
        let gas = self.estimate(call, gas_percent).await?;
        self.wait_for_room(id).await?;
        let mut sending = self.sending.lock().await;
        let fees = self.fees(&mut sending).await?.within(gas, self.options.budget);
        let block = self.client.block_number().await?;
        let nonce = self.next_nonce(&sending).await?;
        let attempt = self.sign(call, nonce, gas, fees, None)?;
        let raw = attempt.raw.clone();
        tracing::debug!(action = id, nonce, hash = %attempt.hash, "sending a transaction");
        self.record(Entry::Signed { id: id.to_owned(), call: call.clone(), nonce, gas, attempt, block }).await?;
        match self.announce(&raw).await {
            Answer::Accepted => {
                sending.after = nonce + 1;
                self.mark_announced(id, block);
            }
            Answer::Open => {}
            Answer::Refused(error) => {
                // Nothing was signed after it, so that its nonce is free again.
                self.record(Entry::Dropped { id: id.to_owned(), lost: false }).await?;
                return Err(error);
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Whether an action needs no new transaction: it is on its way, or in a block that still stands.
    async fn is_settled(&self, id: &str) -> Result<bool> {
        let receipt = match self.ledger().intents.get(id).map(|intent| &intent.status) {
            Some(Status::Flying) => return Ok(true),
            Some(Status::Mined { receipt, success: true, .. }) => receipt.clone(),
            _ => return Ok(false),
        };
        let stands = match self.client.header_at(receipt.block).await {
            Ok(header) => header.is_some_and(|header| header.hash == receipt.block_hash),
            // A block that the node no longer shows is old enough to stand.
            Err(error) if error.is_retryable() => return Err(error),
            Err(_) => true,
        };
        if stands {
            return Ok(true);
        }
        let has_raw = self.ledger().intents.get(id).is_some_and(|intent| !intent.attempts.is_empty());
        let entry = if has_raw {
            Entry::Reopened { id: id.to_owned() }
        } else {
            Entry::Dropped { id: id.to_owned(), lost: false }
        };
        self.record(entry).await?;
        Ok(has_raw)
    }

    /// Simulates a call and returns the gas limit for it.
    pub(super) async fn estimate(&self, call: &Call, percent: u64) -> Result<u64> {
        let from = self.wallet.address();
        match self.client.provider().estimate_gas(call.request(from)).await {
            Ok(gas) => Ok(gas.saturating_mul(percent) / 100),
            Err(error) => match Error::node("to estimate gas", error) {
                Error::Node { fault: Fault::InsufficientFunds, source, .. } => {
                    Err(Error::NoFunds { address: from, reason: source.to_string() })
                }
                // Some nodes leave the reason out of estimates.
                error @ Error::Node { fault: Fault::Other, .. } => {
                    self.client.simulate(from, call).await?;
                    Err(error)
                }
                error => Err(error),
            },
        }
    }

    async fn wait_for_room(&self, id: &str) -> Result<()> {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if self.ledger().flying().len() < self.options.in_flight.max(1) {
                return Ok(());
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = self.closed.cancelled() => return Err(Error::Closed { action: id.to_owned() }),
            }
        }
    }

    /// Fees of the moment; asked for once per few looks at the head.
    async fn fees(&self, sending: &mut Sending) -> Result<Fees> {
        if let Some((read, fees)) = sending.fees
            && read.elapsed() < self.pause() * 10
        {
            return Ok(fees);
        }
        let fees = Fees::current(&self.client).await?;
        sending.fees = Some((Instant::now(), fees));
        Ok(fees)
    }

    /// The nonce after everything that the chain, its pool or we know of. What is in a block that may still change counts, so
    /// that a reorganisation which the watcher has not seen yet does not make us use a nonce twice.
    async fn next_nonce(&self, sending: &Sending) -> Result<u64> {
        let pending = self.client.nonce_at(self.wallet.address(), BlockId::pending()).await?;
        let (own, flies) = {
            let ledger = self.ledger();
            (ledger.highest_nonce().map_or(0, |nonce| nonce + 1), !ledger.flying().is_empty())
        };
        // `after` counts only while the chain may not have caught up with it: once nothing flies, the chain is right.
        let after = if flies { sending.after } else { 0 };
        Ok(pending.max(own).max(after))
    }

    pub(super) fn sign(
        &self,
        call: &Call,
        nonce: u64,
        gas: u64,
        fees: Fees,
        cancels: Option<Bytes>,
    ) -> Result<Attempt> {
        let transaction = TxEip1559 {
            chain_id: self.client.chain_id(),
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.cap,
            max_priority_fee_per_gas: fees.premium,
            to: call.to.into(),
            value: call.value,
            access_list: Default::default(),
            input: call.data.clone(),
        };
        let signature = self.wallet.signer().sign_hash_sync(&transaction.signature_hash())?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        let hash: B256 = *envelope.tx_hash();
        Ok(Attempt::new(hash, envelope.encoded_2718().into(), fees, cancels))
    }

    /// Hands signed bytes to the node.
    pub(super) async fn announce(&self, raw: &Bytes) -> Answer {
        let Err(error) = self.client.provider().send_raw_transaction(raw).await else { return Answer::Accepted };
        match Error::node("a transaction", error) {
            Error::Unreachable { reason, .. } => {
                tracing::warn!(reason, "the node is silent; the transaction is kept and sent again");
                Answer::Open
            }
            Error::Node { fault, source, what } => match fault {
                Fault::AlreadyKnown => Answer::Accepted,
                Fault::NonceTooLow
                | Fault::Underpriced
                | Fault::NonceGap
                | Fault::FeeTooLow
                | Fault::Busy
                | Fault::QueueFull => {
                    tracing::debug!(answer = %source, "the transaction is kept");
                    Answer::Open
                }
                Fault::InsufficientFunds => {
                    Answer::Refused(Error::NoFunds { address: self.wallet.address(), reason: source.to_string() })
                }
                fault => Answer::Refused(Error::Node { what, fault, source }),
            },
            error => Answer::Refused(error),
        }
    }

    pub(super) fn mark_announced(&self, id: &str, block: u64) {
        if let Some(intent) = self.ledger().intents.get_mut(id) {
            intent.announced = true;
            intent.sent_at = block;
        }
    }
}
