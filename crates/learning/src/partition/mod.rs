//! How rows become a training part, a holdout and one shard per seat. Deterministic from the seed.
//!
//! First [`split_holdout`] takes rows away that no seat sees. Then [`deal`] gives every other row to exactly one seat; what a
//! seat is lent of other seats' rows (an overlap that was asked for) is kept apart as [`Shard::borrowed`].
//!
//! The partitions that follow a distribution work in two steps: how many rows of each group (class, or tenth of the rows by
//! value where the label is a number) each seat gets, and then which. Seats that would stay below the least number of rows
//! make the first step be drawn anew; after [`ATTEMPTS`] draws the best one is repaired by moving rows from the largest
//! seats. What cannot be done is refused with what would work.

mod counts;
mod dirichlet;
mod even;
mod groups;
mod holdout;
mod label_skew;
mod overlap;
mod parts;
mod shares;
mod tally;

use parity_protocol::spec::Partition;

pub use counts::ATTEMPTS;
pub use holdout::split_holdout;
pub use tally::{Group, Tally};

use crate::{Error, Result, table::Labels};

/// How rows are to be dealt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dealing {
    /// The rule.
    pub partition: Partition,
    /// Seats, at least 1.
    pub seats: usize,
    /// Least rows of its own that a seat gets, at least 1.
    pub min_samples: usize,
    /// Rows of other seats that a seat is lent, per row of its own: 0 (none) to 1.
    pub overlap_ratio: f64,
    /// What all draws follow from.
    pub seed: u64,
}

impl Dealing {
    /// At least one row for every seat, no overlap.
    pub const fn disjoint(partition: Partition, seats: usize, seed: u64) -> Self {
        Self { partition, seats, min_samples: 1, overlap_ratio: 0.0, seed }
    }
}

/// The rows of one seat, as indices into the table that was dealt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// Rows that no other seat owns.
    pub own: Vec<usize>,
    /// Rows that another seat owns, ascending, none twice.
    pub borrowed: Vec<usize>,
}

impl Shard {
    /// All rows: its own, then the borrowed ones.
    pub fn rows(&self) -> Vec<usize> {
        [self.own.as_slice(), &self.borrowed].concat()
    }
}

/// Deals rows to seats: one shard per seat, in seat order.
///
/// # Errors
/// [`Error::Split`] saying what would work, where the rows, classes or seats do not allow what is asked;
/// [`Error::Protocol`] where a parameter of the partition is out of range.
pub fn deal(labels: &Labels, dealing: &Dealing) -> Result<Vec<Shard>> {
    check(labels.len(), dealing)?;
    let Dealing { partition, seats, min_samples, seed, .. } = *dealing;
    let own = match partition {
        Partition::Sequential => even::sequential(labels, seats),
        Partition::Iid => even::iid(labels, seats, seed),
        Partition::Stratified => even::stratified(labels, seats, seed),
        Partition::Dirichlet { alpha } => dirichlet::by_class(labels, alpha, seats, min_samples, seed),
        Partition::QuantitySkew { beta } => dirichlet::by_size(labels, beta, seats, min_samples, seed),
        Partition::LabelSkew { classes } => label_skew::deal(labels, classes, seats, min_samples, seed)?,
    };
    overlap::lend(own, dealing.overlap_ratio, seed)
}

/// As [`deal`] with at least one row for every seat and no overlap; the row indices of every seat.
///
/// # Errors
/// As [`deal`].
pub fn partition(labels: &Labels, partition: Partition, seats: usize, seed: u64) -> Result<Vec<Vec<usize>>> {
    let shards = deal(labels, &Dealing::disjoint(partition, seats, seed))?;
    Ok(shards.into_iter().map(|shard| shard.own).collect())
}

/// Checks what does not depend on the labels.
fn check(total: usize, dealing: &Dealing) -> Result<()> {
    let Dealing { partition, seats, min_samples, overlap_ratio, .. } = *dealing;
    partition.validate()?;
    if seats == 0 {
        return Err(Error::Split("0 seats; at least 1 is needed".into()));
    }
    if min_samples == 0 {
        return Err(Error::Split("a minimum of 0 rows per seat; at least 1 is needed".into()));
    }
    if !(0.0..=1.0).contains(&overlap_ratio) {
        return Err(Error::Split(format!("an overlap of {overlap_ratio} is not in 0 (none) to 1")));
    }
    if seats > total {
        return Err(Error::Split(format!("{seats} seats, but only {total} training rows; use at most {total} seats")));
    }
    if min_samples > total / seats {
        return Err(Error::Split(format!(
            "{seats} seats with a minimum of {min_samples} rows each, but only {total} training rows; use a minimum of at \
             most {}{}",
            total / seats,
            if min_samples <= total { format!(", or at most {} seats", total / min_samples) } else { String::new() }
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
