//! What a deal looks like: how many rows of each group every seat has.

use super::{Shard, groups::groups};
use crate::table::Labels;

/// Rows with the same or a similar label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Group {
    /// A class, as the index into the classes of the schema.
    Class(i64),
    /// A tenth of the rows by value, where the label is a number.
    Range {
        /// Smallest label of the group.
        low: f32,
        /// Largest label of the group.
        high: f32,
    },
}

/// Rows by group and seat.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The groups, ascending.
    pub groups: Vec<Group>,
    /// Rows that belong to the seat, by group (outer) and seat (inner).
    pub own: Vec<Vec<usize>>,
    /// Rows that the seat is lent, by group (outer) and seat (inner).
    pub borrowed: Vec<Vec<usize>>,
}

impl Tally {
    /// Counts the rows of shards that were dealt from these labels.
    ///
    /// # Panics
    /// When a shard has a row that the labels do not have.
    pub fn new(labels: &Labels, shards: &[Shard]) -> Self {
        let groups = groups(labels);
        let mut group_of = vec![0; labels.len()];
        for (index, rows) in groups.iter().enumerate() {
            rows.iter().for_each(|row| group_of[*row] = index);
        }
        let count = |rows: fn(&Shard) -> &[usize]| {
            let mut counts = vec![vec![0; shards.len()]; groups.len()];
            for (seat, shard) in shards.iter().enumerate() {
                rows(shard).iter().for_each(|row| counts[group_of[*row]][seat] += 1);
            }
            counts
        };
        let (own, borrowed) = (count(|shard| &shard.own), count(|shard| &shard.borrowed));
        Self { groups: groups.iter().map(|rows| describe(labels, rows)).collect(), own, borrowed }
    }
}

fn describe(labels: &Labels, rows: &[usize]) -> Group {
    match labels {
        Labels::Classes(classes) => Group::Class(classes[rows[0]]),
        Labels::Numbers(numbers) => {
            let values = || rows.iter().map(|row| numbers[*row]);
            Group::Range {
                low: values().fold(f32::INFINITY, f32::min),
                high: values().fold(f32::NEG_INFINITY, f32::max),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_borrowed_rows_are_counted_by_class_and_seat() {
        let labels = Labels::Classes(vec![2, 0, 2, 0, 2]);
        let shards = [Shard { own: vec![0, 1, 2], borrowed: vec![4] }, Shard { own: vec![3, 4], borrowed: vec![] }];
        let tally = Tally::new(&labels, &shards);
        assert_eq!(tally.groups, [Group::Class(0), Group::Class(2)]);
        assert_eq!(tally.own, [[1, 1], [2, 1]]);
        assert_eq!(tally.borrowed, [[0, 0], [1, 0]]);
    }

    #[test]
    fn numbers_are_counted_by_tenths_of_the_rows() {
        let labels = Labels::Numbers((0..40_u8).map(|value| f32::from(39 - value)).collect());
        let shards = [Shard { own: (0..40).collect(), borrowed: vec![] }];
        let tally = Tally::new(&labels, &shards);
        assert_eq!(tally.groups.len(), 10);
        assert_eq!(tally.groups[1], Group::Range { low: 4.0, high: 7.0 });
        assert!(tally.own.iter().all(|seats| seats == &[4]));
    }
}
