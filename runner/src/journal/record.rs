//! What the journal remembers.

use parity_protocol::B256;
use serde::{Deserialize, Serialize};

/// What a round's training started from. Training is a function of these, so work done from the same inputs counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Digest of the session spec.
    pub spec: B256,
    /// Digest of the aggregate whose model is the starting point; none: the initial weights.
    pub model: Option<B256>,
    /// Digest of the sealed shard, or of the encoded rows of local data.
    pub data: B256,
}

/// One round of one seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundRecord {
    /// Inputs of the training that is recorded here.
    pub inputs: Option<Inputs>,
    /// Why trainings from these inputs failed, oldest first.
    pub failures: Vec<String>,
    /// The last failure would only repeat itself.
    pub hopeless: bool,
    /// The update, once it lies in the store.
    pub stored: Option<Stored>,
    /// Transaction that posted it.
    pub posted: Option<B256>,
}

/// An update in the content store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Digest of the update manifest.
    pub digest: B256,
    /// Samples in it.
    pub samples: u64,
}

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRecord {
    /// Claims of a seat that came to an end, well or not; numbers the next one.
    pub claims: u32,
    /// Name of the local data set that serves the session (private mode).
    pub data: Option<String>,
}

/// Where a round of a seat stands, as the planner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing usable is recorded.
    Open,
    /// Trained and stored; to be posted.
    Stored(Stored),
    /// Failed too often.
    GivenUp,
}

impl RoundRecord {
    /// Where the round stands, for a training from `inputs` that may fail `attempts` times.
    pub fn progress(&self, attempts: u32) -> Progress {
        match &self.stored {
            Some(stored) => Progress::Stored(stored.clone()),
            None if self.hopeless || self.failures.len() >= usize::try_from(attempts).unwrap_or(usize::MAX) => {
                Progress::GivenUp
            }
            None => Progress::Open,
        }
    }

    /// Forgets work that was done from other inputs (the chain was reorganised, or the seat was sealed anew).
    pub fn renew(&mut self, inputs: &Inputs) {
        if self.inputs.as_ref() != Some(inputs) {
            *self = Self { inputs: Some(inputs.clone()), ..Self::default() };
        }
    }
}
