//! Which transaction used a nonce, when no receipt tells.
//!
//! The account's nonce at past heights is monotone; the block in which it passed ours holds the transaction in question.
//! Lotus executes the messages of a tipset one epoch later, so that the neighbours of that block are read too.

use alloy::{eips::BlockId, providers::Provider};

use super::{Inner, call::Receipt, ledger::Intent};
use crate::{Error, Fault, Result};

/// What used the nonce.
pub(super) enum Found {
    /// One of the action's own transactions.
    Ours {
        /// Its receipt, from the receipts of its block.
        receipt: Receipt,
        /// Whether it succeeded.
        success: bool,
    },
    /// A transaction that is not ours.
    Foreign,
    /// The node no longer shows what is needed.
    Nothing,
}

impl Inner {
    pub(super) async fn locate(&self, intent: &Intent, head: u64) -> Result<Found> {
        // A null round has no state of its own; the node may answer for the block below it or refuse.
        let (mut low, mut high) = (intent.signed_at.saturating_sub(1), head);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.nonce_known(middle, low).await? {
                None => return Ok(Found::Nothing),
                Some(used) if used > intent.nonce => high = middle,
                Some(_) => low = middle,
            }
        }
        let mut complete = true;
        for number in high.saturating_sub(1)..=high + 1 {
            match self.look_into(intent, number).await? {
                Some(Found::Nothing) => complete = false,
                Some(found) => return Ok(found),
                None => {}
            }
        }
        tracing::debug!(nonce = intent.nonce, block = high, complete, "no block tells what used a nonce");
        Ok(Found::Nothing)
    }

    /// The account's nonce at a height or at the nearest block above `low`; `None` when the node has forgotten it.
    async fn nonce_known(&self, mut number: u64, low: u64) -> Result<Option<u64>> {
        loop {
            match self.client.nonce_at(self.wallet.address(), BlockId::number(number)).await {
                Ok(used) => return Ok(Some(used)),
                Err(Error::Node { fault: Fault::NullRound, .. }) if number > low + 1 => number -= 1,
                Err(Error::Node { fault: Fault::NullRound, .. }) => return Ok(Some(0)),
                Err(Error::Node { fault: Fault::Forgotten | Fault::Other, .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks for the action's transactions, and for its nonce, in a block. `None`: neither is there.
    async fn look_into(&self, intent: &Intent, number: u64) -> Result<Option<Found>> {
        let provider = self.client.provider();
        match provider.get_block_receipts(BlockId::number(number)).await {
            Ok(receipts) => {
                for receipt in receipts.unwrap_or_default() {
                    let ours = intent.attempts.iter().any(|attempt| attempt.hash == receipt.transaction_hash);
                    if ours && let Some(own) = Receipt::of(&receipt) {
                        return Ok(Some(Found::Ours { receipt: own, success: receipt.status() }));
                    }
                }
            }
            Err(error) => match Error::node("to show the receipts of a block", error) {
                Error::Node { fault: Fault::NullRound | Fault::NotYetAvailable, .. } => return Ok(None),
                Error::Node { .. } => return Ok(Some(Found::Nothing)),
                error => return Err(error),
            },
        }
        let block = provider
            .get_block_by_number(number.into())
            .full()
            .await
            .map_err(|error| Error::node("to show a block", error))?;
        let Some(block) = block else { return Ok(None) };
        let address = self.wallet.address();
        let foreign = block.transactions.as_transactions().is_some_and(|transactions| {
            transactions.iter().any(|transaction| {
                transaction.inner.signer() == address
                    && alloy::consensus::Transaction::nonce(transaction) == intent.nonce
                    && !intent.attempts.iter().any(|attempt| attempt.hash == *transaction.inner.tx_hash())
            })
        });
        Ok(foreign.then_some(Found::Foreign))
    }
}
