//! The state hash: one number that two indexers compare instead of their tables.
//!
//! `h' = keccak256(h ‖ block hash ‖ log index ‖ transaction hash ‖ address ‖ number of topics ‖ topics ‖ keccak256(data))`
//! over all canonical logs in order, from zero; integers are 8 bytes big-endian. Blocks without logs do not change it.

use alloy::primitives::{B256, Keccak256, keccak256};

use crate::db::logs::StoredLog;

/// The hash after one more log.
pub(crate) fn fold(hash: B256, log: &StoredLog) -> B256 {
    let mut next = Keccak256::new();
    next.update(hash);
    next.update(log.block_hash.as_slice());
    next.update(log.log_index.to_be_bytes());
    next.update(log.transaction_hash.as_slice());
    next.update(log.address.as_slice());
    next.update((log.topics.len() as u64).to_be_bytes());
    log.topics.iter().for_each(|topic| next.update(topic.as_slice()));
    next.update(keccak256(&log.data));
    next.finalize()
}
