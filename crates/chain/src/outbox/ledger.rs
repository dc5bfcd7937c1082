//! What the outbox knows of its actions: a pure fold of journal entries.

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::call::{Call, Receipt};
use crate::fees::Fees;

/// One signed transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
    premium: U256,
    cap: U256,
    /// Set when this one only takes the nonce away from an action that would revert by now; holds the revert data.
    pub(super) cancels: Option<Bytes>,
}

impl Attempt {
    pub(super) fn new(hash: B256, raw: Bytes, fees: Fees, cancels: Option<Bytes>) -> Self {
        Self { hash, raw, premium: U256::from(fees.premium), cap: U256::from(fees.cap), cancels }
    }

    pub(super) fn fees(&self) -> Fees {
        Fees { premium: self.premium.saturating_to(), cap: self.cap.saturating_to() }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// The journal belongs to this network.
    Opened { network: String },
    /// A transaction was signed and is about to be sent. The first of an action, or a replacement.
    Signed { id: String, call: Call, nonce: u64, gas: u64, attempt: Attempt, block: u64 },
    /// The action is in a block.
    Mined { id: String, nonce: u64, receipt: Receipt, success: bool, reason: Option<Bytes> },
    /// Its block is gone.
    Reopened { id: String },
    /// It was never sent, or something else used its nonce. `lost`: nobody can tell what.
    Dropped { id: String, lost: bool },
}

/// Where an action stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Status {
    /// Signed; may or may not have reached the chain.
    Flying,
    /// In a block. `reason` is the revert data of one that failed, where a simulation tells it.
    Mined { receipt: Receipt, success: bool, reason: Option<Bytes> },
    /// Its nonce is used, by what nobody can tell.
    Lost,
}

/// An action and its transactions, all with the same nonce.
#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) call: Call,
    pub(super) nonce: u64,
    pub(super) gas: u64,
    /// Oldest first; empty once the block of the action cannot change any more.
    pub(super) attempts: Vec<Attempt>,
    pub(super) status: Status,
    /// Height at which it was first signed: its block is not below.
    pub(super) signed_at: u64,
    /// Whether the node has accepted the newest attempt since this process started.
    pub(super) announced: bool,
    /// Height at which the newest attempt was last handed to the node.
    pub(super) sent_at: u64,
    /// How often its nonce was found used without a receipt, and at which height first.
    pub(super) missing: Option<(u32, u64)>,
}

impl Intent {
    pub(super) fn is_flying(&self) -> bool {
        self.status == Status::Flying
    }
}

/// All actions by id.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) intents: BTreeMap<String, Intent>,
    pub(super) network: Option<String>,
}

impl Ledger {
    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Opened { network } => self.network = Some(network),
            Entry::Signed { id, call, nonce, gas, attempt, block } => match self.intents.get_mut(&id) {
                Some(intent) if intent.is_flying() && intent.nonce == nonce => {
                    intent.attempts.push(attempt);
                    intent.announced = false;
                    intent.sent_at = block;
                }
                _ => {
                    let intent = Intent {
                        call,
                        nonce,
                        gas,
                        attempts: vec![attempt],
                        status: Status::Flying,
                        signed_at: block,
                        announced: false,
                        sent_at: block,
                        missing: None,
                    };
                    self.intents.insert(id, intent);
                }
            },
            Entry::Mined { id, nonce, receipt, success, reason } => {
                let block = receipt.block;
                let status = Status::Mined { receipt, success, reason };
                let intent = self.intents.entry(id).or_insert_with(|| Intent {
                    call: Call { to: Default::default(), data: Bytes::new(), value: U256::ZERO },
                    nonce,
                    gas: 0,
                    attempts: Vec::new(),
                    status: Status::Lost,
                    signed_at: block,
                    announced: true,
                    sent_at: block,
                    missing: None,
                });
                intent.status = status;
                intent.missing = None;
            }
            Entry::Reopened { id } => {
                if let Some(intent) = self.intents.get_mut(&id) {
                    intent.status = Status::Flying;
                    intent.announced = false;
                }
            }
            Entry::Dropped { id, lost: false } => {
                self.intents.remove(&id);
            }
            Entry::Dropped { id, lost: true } => {
                if let Some(intent) = self.intents.get_mut(&id) {
                    intent.status = Status::Lost;
                }
            }
        }
    }

    /// Ids of the actions on their way, by nonce.
    pub(super) fn flying(&self) -> Vec<(u64, String)> {
        let mut found: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| intent.is_flying())
            .map(|(id, intent)| (intent.nonce, id.clone()))
            .collect();
        found.sort_unstable();
        found
    }

    /// The highest nonce among the actions on their way or in a block that may still change.
    pub(super) fn highest_nonce(&self) -> Option<u64> {
        let open = |intent: &&Intent| intent.status != Status::Lost && !intent.attempts.is_empty();
        self.intents.values().filter(open).map(|intent| intent.nonce).max()
    }

    /// Id, height and block hash of the actions whose block may still change.
    pub(super) fn unsettled(&self) -> Vec<(String, u64, B256)> {
        self.intents
            .iter()
            .filter(|(_, intent)| !intent.attempts.is_empty())
            .filter_map(|(id, intent)| match &intent.status {
                Status::Mined { receipt, .. } => Some((id.clone(), receipt.block, receipt.block_hash)),
                _ => None,
            })
            .collect()
    }

    /// Forgets the transactions of actions whose block is far below the newest one and will not change any more.
    pub(super) fn forget_settled(&mut self) {
        /// More than the depth at which the static fallback of Lotus calls a block final (900).
        const DEPTH: u64 = 1_000;
        let mined = |intent: &Intent| match &intent.status {
            Status::Mined { receipt, .. } => Some(receipt.block),
            _ => None,
        };
        let newest = self.intents.values().filter_map(mined).max().unwrap_or(0);
        for intent in self.intents.values_mut() {
            if mined(intent).is_some_and(|block| block + DEPTH < newest) {
                intent.attempts.clear();
            }
        }
    }

    /// The shortest list of entries that leads to this ledger.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.network.iter().map(|network| Entry::Opened { network: network.clone() }).collect();
        for (id, intent) in &self.intents {
            for attempt in &intent.attempts {
                entries.push(Entry::Signed {
                    id: id.clone(),
                    call: intent.call.clone(),
                    nonce: intent.nonce,
                    gas: intent.gas,
                    attempt: attempt.clone(),
                    block: intent.signed_at,
                });
            }
            match &intent.status {
                Status::Flying => {}
                Status::Mined { receipt, success, reason } => entries.push(Entry::Mined {
                    id: id.clone(),
                    nonce: intent.nonce,
                    receipt: receipt.clone(),
                    success: *success,
                    reason: reason.clone(),
                }),
                Status::Lost => entries.push(Entry::Dropped { id: id.clone(), lost: true }),
            }
        }
        entries
    }
}
