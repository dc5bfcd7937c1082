//! What public Filecoin nodes do and anvil does not.
//!
//! Pure changes of requests and answers; [`crate::Proxy`] applies them. Sources: Lotus' gateway and message pool.

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::Decodable2718,
    primitives::{Address, Bytes},
    signers::{k256::ecdsa::VerifyingKey, utils::public_key_to_address},
};
use serde_json::{Value, json};

/// Which quirks a proxy shows. The default shows none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// Every empty block whose height leaves 1 when divided by 3 is a null round: asking for it is error 12, and its child
    /// names the block below it as its parent.
    pub null_rounds: bool,
    /// `toBlock - fromBlock` of `eth_getLogs` above this is an error.
    pub log_range: Option<u64>,
    /// More results of `eth_getLogs` over several blocks than this is an error.
    pub log_results: Option<usize>,
    /// Receipts more than this many blocks below the head are `null`.
    pub receipt_memory: Option<u64>,
    /// A transaction whose nonce is not the account's next one is refused.
    pub strict_nonces: bool,
    /// More requests in one batch than this are refused.
    pub batch: Option<usize>,
}

impl Quirks {
    /// Those of a public Lotus gateway.
    pub fn lotus() -> Self {
        Self {
            null_rounds: true,
            log_range: Some(2_880),
            log_results: Some(10_000),
            receipt_memory: Some(20),
            strict_nonces: true,
            batch: Some(10),
        }
    }

    /// Whether a block (as the node shows it) counts as a null round.
    pub(crate) fn is_null(self, block: &Value) -> bool {
        let empty = block["transactions"].as_array().is_some_and(Vec::is_empty);
        self.null_rounds && empty && quantity(&block["number"]).is_some_and(|number| number > 0 && number % 3 == 1)
    }

    /// The error for a filter over too many blocks, if this is one.
    pub(crate) fn range_error(self, filter: &Value, head: u64) -> Option<Value> {
        let bound = |key: &str| quantity(&filter[key]).unwrap_or(head);
        if filter.get("blockHash").is_some() {
            return None;
        }
        let width = bound("toBlock").saturating_sub(bound("fromBlock"));
        if bound("toBlock") > head {
            return Some(error(1, "requested a future epoch (beyond 'latest')"));
        }
        let most = self.log_range?;
        (width > most).then(|| error(-32005, &format!("block range exceeds maximum of {most} (got {width})")))
    }

    /// The error for too many results, if these are.
    pub(crate) fn result_error(self, filter: &Value, results: &Value) -> Option<Value> {
        let most = self.log_results?;
        let found = results.as_array()?.len();
        let several = filter.get("blockHash").is_none();
        (several && found > most)
            .then(|| error(1, &format!("filter matches too many results: maximum {most}, try narrowing it")))
    }
}

/// A JSON-RPC error.
pub(crate) fn error(code: i64, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

/// The error of a null round.
pub(crate) fn null_round(number: u64) -> Value {
    json!({ "code": 12, "message": format!("requested epoch was a null round ({number})"), "data": number })
}

/// A number as JSON-RPC writes it.
pub(crate) fn quantity(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// Sender and nonce of a raw transaction.
pub(crate) fn sender_and_nonce(raw: &Value) -> Option<(Address, u64)> {
    let bytes: Bytes = raw.as_str()?.parse().ok()?;
    let envelope = TxEnvelope::decode_2718(&mut bytes.as_ref()).ok()?;
    let signature = envelope.signature();
    let hash = envelope.signature_hash();
    let key =
        VerifyingKey::recover_from_prehash(hash.as_slice(), &signature.to_k256().ok()?, signature.recid()).ok()?;
    Some((public_key_to_address(&key), envelope.nonce()))
}
