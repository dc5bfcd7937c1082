//! What is left to chance in a forest: which rows a tree sees, which features a node chooses from, where extra trees cut.
//!
//! Every draw has a key of its own - the row's content, or tree and node - so that it depends neither on the order of the
//! rows nor on who holds them. Equal rows are drawn equally often.

use parity_protocol::forest::Bootstrap;

use crate::{
    forest::bins::canonical,
    random::{Purpose, Stream},
    table::{Labels, Table},
};

/// Trees whose draws of a row come from one stream.
pub(crate) const BLOCK: usize = 64;
/// Most times that a tree draws a row. A Poisson number with mean 1 exceeds it once in 10^14 draws.
pub(crate) const MOST_DRAWS: u8 = 15;

/// How often a tree draws a row: the distribution.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    /// Probability of at most 0, 1, … draws; the rest is one more.
    cumulative: Vec<f64>,
}

impl Draws {
    /// Poisson: `p(0) = 1 / exp(share)`, `p(k) = p(k-1) share / k`. The exponential comes from its series, because that of a
    /// mathematics library may differ in the last bit between machines.
    pub(crate) fn new(bootstrap: Bootstrap) -> Self {
        let cumulative = match bootstrap {
            Bootstrap::None {} => vec![0.0],
            Bootstrap::WithoutReplacement { share } => vec![1.0 - share],
            Bootstrap::WithReplacement { share } => {
                let (mut term, mut exponential) = (1.0, 1.0);
                for k in 1..30_u8 {
                    term *= share / f64::from(k);
                    exponential += term;
                }
                let mut probability = 1.0 / exponential;
                let mut sum = probability;
                let mut cumulative = vec![sum];
                for k in 1..MOST_DRAWS {
                    probability *= share / f64::from(k);
                    sum += probability;
                    cumulative.push(sum);
                }
                cumulative
            }
        };
        Self { cumulative }
    }

    /// Draws of every row by the trees of a block: `[BLOCK, rows]`.
    pub(crate) fn block(&self, seed: u64, block: u64, keys: &[u64]) -> Vec<u8> {
        let rows = keys.len();
        let mut draws = vec![1; BLOCK * rows];
        if self.cumulative == [0.0] {
            return draws;
        }
        for (row, key) in keys.iter().enumerate() {
            let mut stream = Stream::new(Purpose::Bootstrap, seed, block, *key);
            for tree in 0..BLOCK {
                draws[tree * rows + row] = self.draw(stream.unit());
            }
        }
        draws
    }

    fn draw(&self, unit: f32) -> u8 {
        let unit = f64::from(unit);
        let mut draws = 0;
        for bound in &self.cumulative {
            draws += u8::from(unit >= *bound);
        }
        draws
    }
}

/// The key of every row: a hash of its features and its label. Each step is a bijection of 64 bits (the finaliser of
/// SplitMix64, Steele, Lea and Flood 2014), so that different rows share a key only by chance.
pub(crate) fn row_keys(table: &Table) -> Vec<u64> {
    let features = table.x.chunks(table.features.max(1));
    let hash = |row: &[f32]| row.iter().fold(0, |state, value| mix(state ^ u64::from(canonical(*value).to_bits())));
    match &table.labels {
        Labels::Classes(classes) => features.zip(classes).map(|(x, y)| mix(hash(x) ^ y.cast_unsigned())).collect(),
        Labels::Numbers(numbers) => {
            features.zip(numbers).map(|(x, y)| mix(hash(x) ^ u64::from(canonical(*y).to_bits()))).collect()
        }
    }
}

fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// The place of a node in its tree: 1 is the root, `2n` and `2n + 1` are the children of `n`.
pub(crate) type Path = u64;

/// The root.
pub(crate) const ROOT: Path = 1;

/// The children of a node. Those of the last level have no path of their own, and need none.
pub(crate) fn children(path: Path) -> (Path, Path) {
    let left = path.wrapping_mul(2);
    (left, left.wrapping_add(1))
}

/// Draws features for nodes.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    seed: u64,
    size: usize,
    features: Vec<u32>,
    swaps: Vec<usize>,
}

impl Candidates {
    /// Draws of `size` among the usable features.
    pub(crate) fn new(seed: u64, size: usize, usable: Vec<u32>) -> Self {
        Self { seed, size: size.max(1), features: usable, swaps: Vec::new() }
    }

    /// The features that a node chooses from at its `attempt`: the first ones of a random order, then the next ones. Empty
    /// when all had their turn.
    pub(crate) fn of(&mut self, tree: u64, path: Path, attempt: u8) -> &[u32] {
        // Undoing the last draw is cheaper than a fresh list for every node.
        while let Some(other) = self.swaps.pop() {
            self.features.swap(self.swaps.len(), other);
        }
        let total = self.features.len();
        let start = (self.size * usize::from(attempt)).min(total);
        let end = (start + self.size).min(total);
        if end == start {
            return &[];
        }
        if self.size < total {
            let mut stream = Stream::new(Purpose::Features, self.seed, tree, path);
            for place in 0..end {
                let rest = u64::try_from(total - place).expect("a length fits 64 bits");
                let other = place + usize::try_from(stream.below(rest)).expect("below a length");
                self.features.swap(place, other);
                self.swaps.push(other);
            }
        }
        &self.features[start..end]
    }
}

/// Where extra trees cut, as a share of the way between the smallest and the largest value: one per candidate.
pub(crate) fn cutoffs(seed: u64, tree: u64, path: Path, attempt: u8) -> impl Iterator<Item = f64> {
    let mut stream = Stream::new(Purpose::Thresholds, seed, tree | u64::from(attempt) << 32, path);
    std::iter::repeat_with(move || f64::from(stream.unit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_as_often_as_asked() {
        let keys: Vec<u64> = (0..20_000).collect();
        let mean = |bootstrap| {
            let draws = Draws::new(bootstrap).block(1, 0, &keys);
            let count = |n: u8| f64::from(u32::try_from(draws.iter().filter(|d| **d == n).count()).unwrap());
            let sum: u32 = draws.iter().map(|d| u32::from(*d)).sum();
            let all = f64::from(u32::try_from(draws.len()).unwrap());
            (f64::from(sum) / all, count(0) / all)
        };
        let near = |(mean, none): (f64, f64), wanted: (f64, f64)| {
            // 1.28 million draws: standard errors below 0.001.
            assert!((mean - wanted.0).abs() < 0.004 && (none - wanted.1).abs() < 0.003, "{mean} {none}");
        };
        near(mean(Bootstrap::WithReplacement { share: 1.0 }), (1.0, (-1.0_f64).exp()));
        near(mean(Bootstrap::WithReplacement { share: 0.3 }), (0.3, (-0.3_f64).exp()));
        near(mean(Bootstrap::WithoutReplacement { share: 0.3 }), (0.3, 0.7));
        near(mean(Bootstrap::WithoutReplacement { share: 1.0 }), (1.0, 0.0));
        near(mean(Bootstrap::None {}), (1.0, 0.0));
    }

    #[test]
    fn a_draw_depends_on_the_row_alone() {
        let draws = Draws::new(Bootstrap::WithReplacement { share: 1.0 });
        let (both, second) = (draws.block(7, 3, &[11, 12]), draws.block(7, 3, &[12]));
        assert_eq!(both.chunks(2).map(|pair| pair[1]).collect::<Vec<_>>(), second);
        assert_ne!(draws.block(7, 4, &[12]), second);
    }

    #[test]
    fn keys_tell_rows_apart_and_zeros_not() {
        let keys = |x: [f32; 2], y| row_keys(&Table { features: 2, x: x.into(), labels: Labels::Classes(vec![y]) })[0];
        assert_ne!(keys([1.0, 2.0], 0), keys([2.0, 1.0], 0));
        assert_ne!(keys([1.0, 2.0], 0), keys([1.0, 2.0], 1));
        assert_eq!(keys([0.0, 2.0], 0), keys([-0.0, 2.0], 0));
    }

    #[test]
    fn every_feature_has_its_turn_once() {
        let mut candidates = Candidates::new(5, 4, (0..10).collect());
        for path in 1..50 {
            let mut seen = Vec::new();
            for attempt in 0..3 {
                seen.extend_from_slice(candidates.of(2, path, attempt));
            }
            assert!(candidates.of(2, path, 3).is_empty());
            seen.sort_unstable();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
        let again = Candidates::new(5, 4, (0..10).collect()).of(2, 49, 1).to_vec();
        assert_eq!(candidates.of(2, 49, 1), again);
    }
}
