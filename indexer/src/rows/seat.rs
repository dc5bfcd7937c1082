//! Seats of a session, and the holdouts its keepers were given.

use serde::{Deserialize, Serialize};

use super::{Bytes20, Bytes32, row};

/// A seat that was claimed at least once. How many rounds its holder finished follows from updates and final rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) session_id: u64,
    pub(crate) seat: u16,
    /// Present holder.
    pub(crate) operator: Option<Bytes20>,
    /// First round the holder is expected in; 0 while it does not serve.
    pub(crate) joined_round: u16,
    /// Last round the holder posted in; 0 before.
    pub(crate) last_round: u16,
    /// Whether the holder's rounds were recorded in Reputation after the end.
    pub(crate) settled: bool,
    /// X25519 key of the holder.
    pub(crate) sealing_key: Option<Bytes32>,
    /// Digest of the shard sealed to the holder.
    pub(crate) shard: Option<Bytes32>,
    /// How often the seat was taken from a holder.
    pub(crate) forfeits: u16,
}

row!(Seat in "seats" by SeatKey { session_id: u64, seat: u16 });

/// The holdout sealed to one keeper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Holdout {
    pub(crate) session_id: u64,
    pub(crate) keeper: Bytes20,
    pub(crate) holdout: Bytes32,
}

row!(Holdout in "holdouts" by HoldoutKey { session_id: u64, keeper: Bytes20 });
