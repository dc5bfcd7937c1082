//! Sorting networks: the same comparisons whatever the values, so that many columns are sorted at once in vector registers.
//!
//! Batcher's merge exchange (Knuth, TAOCP 5.2.2, algorithm M) for any number of rows. Comparisons that no wanted rank depends on
//! are left out, and of those of which only one output is needed half is.

/// Columns that are sorted together: four AVX2 registers, two of AVX-512.
pub(super) const LANES: usize = 32;

/// What a comparison leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Both,
    Smaller,
    Larger,
}

/// A sequence of comparisons that puts the wanted ranks into their rows.
#[derive(Clone, Debug)]
pub(super) struct Network {
    steps: Vec<(usize, usize, Keep)>,
}

impl Network {
    /// A network for `rows` rows after which row `r` holds the value of rank `r`, for every `r` that is wanted.
    pub(super) fn new(rows: usize, wanted: std::ops::Range<usize>) -> Self {
        let mut needed: Vec<bool> = (0..rows).map(|row| wanted.contains(&row)).collect();
        let mut steps = Vec::new();
        for (low, high) in merge_exchange(rows).into_iter().rev() {
            let keep = match (needed[low], needed[high]) {
                (false, false) => continue,
                (true, true) => Keep::Both,
                (true, false) => Keep::Smaller,
                (false, true) => Keep::Larger,
            };
            (needed[low], needed[high]) = (true, true);
            steps.push((low, high, keep));
        }
        steps.reverse();
        Self { steps }
    }

    /// Sorts every column of `tile`. Neither NaN nor negative zero may be among the values.
    #[inline(always)]
    pub(super) fn sort(&self, tile: &mut [[f32; LANES]]) {
        for &(low, high, keep) in &self.steps {
            let (a, b) = (tile[low], tile[high]);
            if keep != Keep::Larger {
                for ((out, a), b) in tile[low].iter_mut().zip(a).zip(b) {
                    *out = if a < b { a } else { b };
                }
            }
            if keep != Keep::Smaller {
                for ((out, a), b) in tile[high].iter_mut().zip(a).zip(b) {
                    *out = if a > b { a } else { b };
                }
            }
        }
    }
}

/// Pairs `(low, high)` to compare, in order.
fn merge_exchange(rows: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    if rows < 2 {
        return pairs;
    }
    let half = rows.next_power_of_two() / 2;
    let mut p = half;
    while p > 0 {
        let (mut q, mut r, mut d) = (half, 0, p);
        loop {
            pairs.extend((0..rows.saturating_sub(d)).filter(|i| i & p == r).map(|i| (i, i + d)));
            if q == p {
                break;
            }
            d = q - p;
            q /= 2;
            r = p;
        }
        p /= 2;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_input_of_zeros_and_ones_is_sorted() {
        // The zero-one principle (Knuth, TAOCP 5.3.4, theorem Z): a network that sorts these sorts everything.
        for rows in 1..=12_usize {
            let network = Network::new(rows, 0..rows);
            for bits in 0..1_u32 << rows {
                let mut tile: Vec<[f32; LANES]> =
                    (0..rows).map(|row| [if bits >> row & 1 == 1 { 1.0 } else { 0.0 }; LANES]).collect();
                network.sort(&mut tile);
                assert!(tile.is_sorted_by(|a, b| a[0] <= b[0]), "{rows} rows, {bits:b}");
            }
        }
    }

    #[test]
    fn a_median_needs_fewer_comparisons_than_a_sort() {
        let count = |wanted: std::ops::Range<usize>| Network::new(50, wanted).steps.len();
        assert!(count(24..26) < count(0..50), "{} {}", count(24..26), count(0..50));
    }

    proptest! {
        #[test]
        fn wanted_ranks_are_right(
            columns in (1_usize..80).prop_flat_map(|rows| prop::collection::vec(prop::collection::vec(-1e6_f32..1e6, rows), LANES)),
            start in 0.0_f64..1.0,
            share in 0.0_f64..1.0,
        ) {
            let rows = columns[0].len();
            let part = |share: f64, of: usize| (0..of).filter(|i| f64::from(u32::try_from(*i).unwrap()) < share * 80.0).count();
            let first = part(start, rows - 1);
            let wanted = first..(first + 1 + part(share, rows - first - 1));
            let mut tile: Vec<[f32; LANES]> = (0..rows).map(|row| std::array::from_fn(|lane| columns[lane][row])).collect();
            Network::new(rows, wanted.clone()).sort(&mut tile);
            for (lane, column) in columns.iter().enumerate() {
                let mut sorted = column.clone();
                sorted.sort_by(f32::total_cmp);
                for rank in wanted.clone() {
                    prop_assert_eq!(tile[rank][lane].to_bits(), sorted[rank].to_bits());
                }
            }
        }
    }
}
