//! How many rows of each group every seat gets, before it is said which.

use std::{cmp::Reverse, collections::VecDeque};

use crate::random::{Purpose, Stream};

/// Draws that are made before a minimum is reached by moving rows instead. Dirichlet draws that fail as often are so uneven
/// that more draws would rather select an untypical one than find a typical one.
pub const ATTEMPTS: u64 = 50;

/// Whether rows may be moved to a seat that has none of their group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holders {
    /// Every seat may hold every group.
    All,
    /// Every seat keeps the groups it has, with at least one row each, and gets no others.
    Fixed,
}

/// Rows by group (outer) and seat (inner). The sum over the seats is the size of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts(pub(super) Vec<Vec<usize>>);

impl Counts {
    /// The first of [`ATTEMPTS`] draws in which every seat has `least` rows; otherwise, of those that moving rows can repair,
    /// the one in which the fewest rows are missing (the earliest of several), repaired. `None` when there is none.
    pub(super) fn draw(least: usize, holders: Holders, draw: impl Fn(u64) -> Self) -> Option<Self> {
        let mut best: Option<(usize, Self)> = None;
        for attempt in 0..ATTEMPTS {
            let mut counts = draw(attempt);
            let missing = counts.missing(least);
            if missing == 0 {
                return Some(counts);
            }
            let is_better = best.as_ref().is_none_or(|(fewest, _)| missing < *fewest);
            if is_better && counts.top_up(least, holders) {
                best = Some((missing, counts));
            }
        }
        best.map(|(_, counts)| counts)
    }

    /// Rows per seat.
    pub(super) fn sizes(&self) -> Vec<usize> {
        let seats = self.0.first().map_or(0, Vec::len);
        (0..seats).map(|seat| self.0.iter().map(|group| group[seat]).sum()).collect()
    }

    /// Rows that seats lack to have `least` each.
    fn missing(&self, least: usize) -> usize {
        self.sizes().iter().map(|size| least.saturating_sub(*size)).sum()
    }

    /// Moves rows from seats with more than `least` rows to those with fewer, from the largest seat first and there from its
    /// largest group. Where seats keep their groups, a row may have to be replaced on the way: seat 1 passes a row of class a
    /// to seat 2, which passes one of class b to seat 3. The shortest such chain is used (Edmonds and Karp 1972), so `false`
    /// means that no way of moving rows gives every seat its least.
    fn top_up(&mut self, least: usize, holders: Holders) -> bool {
        let mut sizes = self.sizes();
        while let Some(needy) = sizes.iter().position(|size| *size < least) {
            let Some(chain) = self.chain(needy, &sizes, least, holders) else { return false };
            let donor = chain.first().expect("a chain has a link").from;
            let spare = chain.iter().map(|link| self.spare(link.group, link.from, holders)).min().unwrap_or(0);
            let rows = spare.min(least - sizes[needy]).min(sizes[donor] - least);
            for link in chain {
                self.0[link.group][link.from] -= rows;
                self.0[link.group][link.to] += rows;
            }
            sizes[donor] -= rows;
            sizes[needy] += rows;
        }
        true
    }

    /// The links from a seat with rows to spare to `needy`.
    fn chain(&self, needy: usize, sizes: &[usize], least: usize, holders: Holders) -> Option<Vec<Link>> {
        let mut reached: Vec<Option<Link>> = vec![None; sizes.len()];
        let mut layer = VecDeque::from([needy]);
        while !layer.is_empty() {
            let mut next = VecDeque::new();
            for to in layer {
                for (from, reached) in reached.iter_mut().enumerate() {
                    if from == needy || reached.is_some() {
                        continue;
                    }
                    let groups = (0..self.0.len()).filter(|group| {
                        (holders == Holders::All || self.0[*group][to] > 0) && self.spare(*group, from, holders) > 0
                    });
                    if let Some(group) = groups.max_by_key(|group| (self.0[*group][from], Reverse(*group))) {
                        *reached = Some(Link { group, from, to });
                        next.push_back(from);
                    }
                }
            }
            let donors = next.iter().copied().filter(|seat| sizes[*seat] > least);
            if let Some(donor) = donors.max_by_key(|seat| (sizes[*seat], Reverse(*seat))) {
                let mut chain = Vec::new();
                let mut at = donor;
                while let Some(link) = reached[at] {
                    chain.push(link);
                    at = link.to;
                }
                return Some(chain);
            }
            layer = next;
        }
        None
    }

    /// Rows of a group that a seat can give away.
    fn spare(&self, group: usize, seat: usize, holders: Holders) -> usize {
        self.0[group][seat].saturating_sub(usize::from(holders == Holders::Fixed))
    }

    /// Says which rows: each group is shuffled and handed out in consecutive parts. The rows of a seat are ascending.
    pub(super) fn deal(&self, groups: Vec<Vec<usize>>, seed: u64) -> Vec<Vec<usize>> {
        let mut shards: Vec<Vec<usize>> = self.sizes().into_iter().map(Vec::with_capacity).collect();
        for ((index, mut rows), counts) in (0..).zip(groups).zip(&self.0) {
            Stream::new(Purpose::Partition, seed, index, 0).shuffle(&mut rows);
            let mut rest = rows.as_slice();
            for (shard, count) in shards.iter_mut().zip(counts) {
                let (head, tail) = rest.split_at(*count);
                shard.extend_from_slice(head);
                rest = tail;
            }
        }
        shards.iter_mut().for_each(|shard| shard.sort_unstable());
        shards
    }
}

/// One step of a chain: rows of a group go from one seat to another.
#[derive(Clone, Copy, Debug)]
struct Link {
    group: usize,
    from: usize,
    to: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_seat_gives_from_its_largest_group() {
        let mut counts = Counts(vec![vec![5, 0, 9], vec![6, 1, 4]]);
        assert!(counts.top_up(4, Holders::All));
        assert_eq!(counts, Counts(vec![vec![5, 3, 6], vec![6, 1, 4]]));
    }

    #[test]
    fn rows_reach_a_seat_through_another_one_where_groups_are_fixed() {
        // Seat 0 has the rows of group 0, seat 2 needs rows of group 1; only seat 1 has both groups.
        let mut counts = Counts(vec![vec![9, 1, 0], vec![0, 4, 1]]);
        assert!(counts.top_up(4, Holders::Fixed));
        assert_eq!(counts, Counts(vec![vec![7, 3, 0], vec![0, 1, 4]]));
    }

    #[test]
    fn groups_that_are_fixed_can_stand_in_the_way() {
        let mut counts = Counts(vec![vec![9, 0], vec![0, 1]]);
        assert!(!counts.clone().top_up(2, Holders::Fixed));
        assert!(counts.top_up(5, Holders::All));
        assert_eq!(counts.sizes(), [5, 5]);
    }

    #[test]
    fn the_first_draw_that_suffices_is_taken_and_else_the_best() {
        let draws = |attempt: u64| Counts(vec![vec![usize::try_from(attempt).unwrap() % 10, 30]]);
        assert_eq!(Counts::draw(3, Holders::All, draws).unwrap().sizes(), [3, 30]);
        assert_eq!(Counts::draw(15, Holders::All, draws).unwrap().sizes(), [15, 24]);
        assert_eq!(Counts::draw(20, Holders::All, draws), None);
    }

    #[test]
    fn a_draw_that_cannot_be_repaired_is_passed_over() {
        // The first lacks fewer rows than the others, but seat 1 has no group in common with seat 0.
        let draws = |attempt: u64| match attempt {
            0 => Counts(vec![vec![9, 0], vec![0, 3]]),
            _ => Counts(vec![vec![8, 1], vec![2, 1]]),
        };
        assert_eq!(Counts::draw(4, Holders::Fixed, draws).unwrap().sizes(), [8, 4]);
    }
}
