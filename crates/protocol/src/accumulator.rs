//! The fold of a round's updates, as the contract keeps it: proves which updates were posted without reading logs.

use alloy_primitives::{Address, B256, keccak256};

/// `acc' = keccak256(acc ‖ operator ‖ digest ‖ samples)`, packed, samples as 8 bytes big-endian.
pub fn fold(accumulator: B256, operator: Address, digest: B256, samples: u64) -> B256 {
    let mut bytes = [0u8; 92];
    bytes[..32].copy_from_slice(accumulator.as_slice());
    bytes[32..52].copy_from_slice(operator.as_slice());
    bytes[52..84].copy_from_slice(digest.as_slice());
    bytes[84..].copy_from_slice(&samples.to_be_bytes());
    keccak256(bytes)
}
