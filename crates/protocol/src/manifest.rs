//! What the digests on chain name: DAG-CBOR blocks that describe updates, aggregates, reports and sealed data.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{Link, TokenAmount, codec::Block, confusion::ConfusionMatrix, device::Determinism, metrics::Metrics};

/// Bytes in a content store, plain or sealed to recipients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// UnixFS link of the stored bytes (ciphertext when sealed).
    pub link: Link,
    /// Number of stored bytes.
    pub bytes: u64,
    /// One envelope per recipient; empty: the bytes are plain.
    pub envelopes: Vec<Envelope>,
}

/// The content key of sealed bytes, encapsulated to one recipient (HPKE, RFC 9180: DHKEM X25519, HKDF-SHA256,
/// ChaCha20-Poly1305).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// X25519 public key of the recipient.
    pub recipient: B256,
    /// Encapsulated key, 32 bytes.
    pub encapsulated: B256,
    /// The sealed content key: 32 bytes and a 16-byte tag.
    #[serde(with = "byte_string")]
    pub sealed_key: Vec<u8>,
}

/// A shard sealed to a seat, or the holdout sealed to keepers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedData {
    /// Digest of the session spec it belongs to.
    pub spec: B256,
    /// Rows inside.
    pub rows: u64,
    /// The sealed safetensors file with `x` and `y`.
    pub artifact: Artifact,
}

/// What a runner posts for a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateManifest {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Seat.
    pub seat: u16,
    /// Who trained.
    pub operator: Address,
    /// The new weights, compressed where the spec says so.
    pub weights: Artifact,
    /// Training rows.
    pub samples: u64,
    /// Metrics on the training rows.
    pub training: Metrics,
    /// On which machines the same work gives the same weights, as the runner says.
    pub determinism: Determinism,
    /// Private data: metrics of the starting model on the runner's own holdout.
    pub holdout: Option<Metrics>,
}

/// The next global model and what it was made of: a pure function of the spec, the previous model and the closed updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateManifest {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Aggregate digest of the last final round; none in the first.
    pub previous: Option<B256>,
    /// The new model, plain safetensors.
    pub model: Artifact,
    /// What the next round needs beside the model (moments, control variates), plain safetensors; none where the spec has neither.
    pub state: Option<Artifact>,
    /// Whether the holdout scored the updates, and judged them where the rule does. Where the session has a holdout and this says
    /// no, no keeper could open it in time (docs/adr/0014).
    pub holdout: bool,
    /// Accepted updates, sorted by operator.
    pub accepted: Vec<AcceptedUpdate>,
    /// Rejected updates, sorted by operator.
    pub rejected: Vec<RejectedUpdate>,
}

/// An update that entered the aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedUpdate {
    /// Who trained.
    pub operator: Address,
    /// Seat.
    pub seat: u16,
    /// Digest of the update manifest.
    pub digest: B256,
    /// Weight in the mean and in the reward.
    pub samples: u64,
    /// Contribution score, weight in the performance share.
    pub score: u32,
}

/// An update that was dropped, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectedUpdate {
    /// Who posted it.
    pub operator: Address,
    /// Seat.
    pub seat: u16,
    /// Digest as posted.
    pub digest: B256,
    /// Why.
    pub reason: Rejection,
}

/// Why an update was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rejection {
    /// No store has the bytes.
    #[error("the bytes named by the digest are not available")]
    Unavailable,
    /// Bytes do not hash to their name.
    #[error("the bytes do not match their content id")]
    WrongDigest,
    /// The manifest or the weights do not decode.
    #[error("the {part} cannot be read")]
    Malformed {
        /// `manifest` or `weights`.
        part: String,
    },
    /// The manifest speaks of another session, round, seat, operator or number of samples than the chain.
    #[error("{field} in the manifest differs from the chain")]
    Mismatch {
        /// The field.
        field: String,
    },
    /// The seat's shard has another number of rows.
    #[error("samples differ from the rows of the seat's shard")]
    WrongSamples,
    /// Tensors missing, unknown, of another type or shape.
    #[error("tensor {tensor} is missing, unknown or has the wrong shape")]
    WrongShape {
        /// Its name.
        tensor: String,
    },
    /// NaN or infinity.
    #[error("tensor {tensor} has a value that is not finite")]
    NotFinite {
        /// Its name.
        tensor: String,
    },
    /// The seat does not take part in this round.
    #[error("the seat was not drawn for this round")]
    NotSampled,
    /// Moved further than the spec allows.
    #[error("the update is further from the model than the spec allows")]
    NormTooLarge,
}

/// What a proposer adds to an aggregate: how good the model is, and who has earned what so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundReport {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Digest of the aggregate manifest.
    pub aggregate: B256,
    /// Metrics on the holdout; private data: sample-weighted mean of what runners reported for the previous model, of the figures
    /// that have one.
    pub evaluation: Option<Metrics>,
    /// Counts on the holdout; none of private data.
    pub confusion: Option<ConfusionMatrix>,
    /// Cumulative payouts, sorted by operator: the leaves of the payout tree.
    pub payouts: Vec<PayoutLeaf>,
}

/// What an operator has earned in a session so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutLeaf {
    /// Who.
    pub operator: Address,
    /// Everything earned so far.
    pub cumulative: TokenAmount,
}

impl Block for SealedData {
    const KIND: &'static str = "sealed data manifest";
}
impl Block for UpdateManifest {
    const KIND: &'static str = "update manifest";
}
impl Block for AggregateManifest {
    const KIND: &'static str = "aggregate manifest";
}
impl Block for RoundReport {
    const KIND: &'static str = "round report";
}

/// Bytes as a CBOR byte string (serde would write a list of numbers).
mod byte_string {
    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
