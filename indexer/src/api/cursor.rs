//! Cursors of pages: the key of the last row in a notation that invites nobody to build one.

use alloy::primitives::hex;
use serde::{Serialize, de::DeserializeOwned};

use super::problem::Problem;
use crate::fold::state::json;

/// Writes a key.
pub(super) fn encode<K: Serialize>(key: &K) -> String {
    hex::encode(json(key))
}

/// Reads a key.
pub(super) fn decode<K: DeserializeOwned>(text: &str) -> Result<K, Problem> {
    hex::decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        Problem::invalid(format!(
            "cursor '{text}' is none of this list: pass on the value of next as it was, or nothing"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_nonsense_is_named() {
        let text = encode(&(3u16, "x"));
        assert_eq!(decode::<(u16, String)>(&text).unwrap(), (3, "x".to_owned()));
        for bad in ["zz", "", "7b7d"] {
            assert!(decode::<(u16, String)>(bad).unwrap_err().detail.contains(bad));
        }
    }
}
