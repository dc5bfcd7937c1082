//! What goes into the outbox and what comes out of it.

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    rpc::types::{Log, TransactionInput, TransactionReceipt, TransactionRequest},
};
use parity_abi::Event;
use serde::{Deserialize, Serialize};

/// A call to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The contract or account.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
    /// attoFIL to send along.
    pub value: U256,
}

impl Call {
    /// A call without value.
    pub const fn new(to: Address, data: Bytes) -> Self {
        Self { to, data, value: U256::ZERO }
    }

    pub(crate) fn request(&self, from: Address) -> TransactionRequest {
        TransactionRequest {
            from: Some(from),
            to: Some(self.to.into()),
            value: (!self.value.is_zero()).then_some(self.value),
            input: TransactionInput::new(self.data.clone()),
            ..TransactionRequest::default()
        }
    }
}

/// What became of a call that was included in a block and succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Hash of the transaction.
    pub tx_hash: B256,
    /// Height of its block.
    pub block: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Gas used.
    pub gas_used: u64,
    /// attoFIL paid per unit of gas.
    pub gas_price: U256,
    /// All logs, those of foreign contracts included.
    pub logs: Vec<Log>,
}

impl Receipt {
    /// The events of our contracts among the logs, in order.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.logs.iter().filter_map(|log| Event::decode(log).ok())
    }

    /// `None` for a receipt that is not in a block yet.
    pub(super) fn of(receipt: &TransactionReceipt) -> Option<Self> {
        Some(Self {
            tx_hash: receipt.transaction_hash,
            block: receipt.block_number?,
            block_hash: receipt.block_hash?,
            gas_used: receipt.gas_used,
            gas_price: U256::from(receipt.effective_gas_price),
            logs: receipt.inner.logs().to_vec(),
        })
    }
}
