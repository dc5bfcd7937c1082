//! Fixed-size bytes in the notation Postgres has for `bytea` inside JSON: `"\x00ff"`.

use std::fmt;

use alloy::primitives::{Address, B256, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `N` bytes of a `bytea` column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bytea<const N: usize>([u8; N]);

/// An address.
pub(crate) type Bytes20 = Bytea<20>;
/// A digest, hash or key.
pub(crate) type Bytes32 = Bytea<32>;

impl<const N: usize> Bytea<N> {
    /// All zero.
    pub(crate) const ZERO: Self = Self([0; N]);

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Bytea<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_prefixed(self.0))
    }
}

impl<const N: usize> Serialize for Bytea<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("\\x{}", hex::encode(self.0)))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytea<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("\\x")
            .and_then(|digits| hex::decode(digits).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("'{text}' is not {N} bytes in bytea notation")))
    }
}

impl From<Address> for Bytes20 {
    fn from(address: Address) -> Self {
        Self(address.into_array())
    }
}

impl From<Bytes20> for Address {
    fn from(bytes: Bytes20) -> Self {
        Self(bytes.0.into())
    }
}

impl From<B256> for Bytes32 {
    fn from(hash: B256) -> Self {
        Self(hash.0)
    }
}

impl From<Bytes32> for B256 {
    fn from(bytes: Bytes32) -> Self {
        Self(bytes.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_postgres_writes_them() {
        let json = serde_json::to_string(&Bytea([0u8, 0xff])).unwrap();
        assert_eq!(json, r#""\\x00ff""#);
        assert_eq!(serde_json::from_str::<Bytea<2>>(&json).unwrap(), Bytea([0, 0xff]));
    }

    #[test]
    fn bytes_of_another_length_are_refused() {
        assert!(serde_json::from_str::<Bytes20>(r#""\\x00ff""#).is_err());
    }
}
