//! Who takes part in a round.

use parity_protocol::spec::{Data, SessionSpec};

use crate::random::{Purpose, Stream};

/// Which of the seats take part in a round: `ceil(participation * seats)` of them, drawn by the training seed.
pub fn sampled(spec: &SessionSpec, round: u16, seats: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..seats).collect();
    Stream::new(Purpose::Sampling, spec.training.seed, u64::from(round), 0).shuffle(&mut order);
    let mut taking_part = vec![false; seats];
    order.into_iter().take(share(spec.aggregation.participation, seats)).for_each(|seat| taking_part[seat] = true);
    taking_part
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of seats")]
#[expect(clippy::cast_precision_loss, reason = "seats are numbered by 16 bits")]
fn share(participation: f64, seats: usize) -> usize {
    // 0.3 of 10 seats are 3, though 0.3 is not a binary fraction.
    ((participation * seats as f64 - 1e-9).ceil().max(1.0) as usize).min(seats)
}

/// Number of seats, where the spec fixes it.
pub(super) fn seats(spec: &SessionSpec) -> Option<usize> {
    match &spec.data {
        Data::Private { .. } => None,
        Data::Uploaded { shard_rows, .. } => Some(shard_rows.len()),
    }
}
