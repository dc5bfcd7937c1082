//! The bindings, events and errors against the exported JSON, and against a second, independent reader of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod errors;
mod events;
mod second_reader;

use alloy::json_abi::JsonAbi;
use parity_abi::Contract;

/// The exported ABI of a contract.
pub(crate) fn json(contract: Contract) -> (&'static str, JsonAbi) {
    let (name, text) = match contract {
        Contract::Authority => ("Authority", include_str!("../../json/Authority.json")),
        Contract::Stakes => ("Stakes", include_str!("../../json/Stakes.json")),
        Contract::Escrow => ("Escrow", include_str!("../../json/Escrow.json")),
        Contract::Operators => ("Operators", include_str!("../../json/Operators.json")),
        Contract::Sessions => ("Sessions", include_str!("../../json/Sessions.json")),
        Contract::Reputation => ("Reputation", include_str!("../../json/Reputation.json")),
        Contract::Usdfc => ("MockUsdfc", include_str!("../../json/MockUsdfc.json")),
    };
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    (name, serde_json::from_value(document["abi"].clone()).unwrap())
}
