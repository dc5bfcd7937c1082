//! Partitions that give every seat the same number of rows, to within one: iid, sequential, stratified.

use super::{groups::groups, parts::parts};
use crate::{
    random::{Purpose, Stream},
    table::Labels,
};

/// Shuffled, then dealt in consecutive parts.
pub(super) fn iid(labels: &Labels, seats: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..labels.len()).collect();
    Stream::new(Purpose::Partition, seed, 0, 0).shuffle(&mut rows);
    parts(&rows, seats)
}

/// Consecutive parts of the file.
pub(super) fn sequential(labels: &Labels, seats: usize) -> Vec<Vec<usize>> {
    parts(&(0..labels.len()).collect::<Vec<_>>(), seats)
}

/// Round robin through the groups one after the other, never starting anew: keeps both the shares of every group and the
/// sizes within one row.
pub(super) fn stratified(labels: &Labels, seats: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut shards = vec![Vec::with_capacity(labels.len() / seats + 1); seats];
    let mut seat = 0;
    for (group, mut rows) in (0..).zip(groups(labels)) {
        Stream::new(Purpose::Partition, seed, group, 0).shuffle(&mut rows);
        for row in rows {
            shards[seat].push(row);
            seat = (seat + 1) % seats;
        }
    }
    shards
}
