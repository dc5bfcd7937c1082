//! Who takes part in a round.

use parity_protocol::{
    draw,
    spec::{Data, SessionSpec},
};

/// Which of the seats take part in a round: `ceil(participation * seats)` of them, drawn by the training seed. In sessions the
/// contract draws the same.
pub fn sampled(spec: &SessionSpec, round: u16, seats: usize) -> Vec<bool> {
    let cohort = u16::try_from(seats).map_or(usize::MAX, |seats| usize::from(spec.aggregation.cohort(seats)));
    draw::drawn(spec.training.seed, round, seats, cohort)
}

/// Number of seats, where the spec fixes it.
pub(super) fn seats(spec: &SessionSpec) -> Option<usize> {
    match &spec.data {
        Data::Private { .. } => None,
        Data::Uploaded { shard_rows, .. } => Some(shard_rows.len()),
    }
}
