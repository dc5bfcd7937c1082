//! The rows that a seat trains on.

use bytes::Bytes;
use parity_learning::table::Table;
use parity_protocol::B256;

/// Rows of one seat, ready for the trainer.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Digest of the sealed shard; none for local data.
    pub(crate) source: Option<B256>,
    /// Identifies the rows in the journal.
    pub(crate) digest: B256,
    /// Training rows as a safetensors file.
    pub(crate) file: Bytes,
    /// Number of training rows.
    pub(crate) count: u64,
    /// Local data: rows kept back to measure the model.
    pub(crate) holdout: Option<Table>,
}
