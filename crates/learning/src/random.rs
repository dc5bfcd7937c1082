//! The only source of randomness: ChaCha12 (Bernstein 2008), keyed by what it is for. The same key gives the same numbers on
//! every machine and in every version, so whoever knows the seed can repeat a split, a shuffle or initial weights.
//!
//! The 32-byte key is `purpose (8 bytes, ASCII, zero padded) || seed || first || second`, the numbers as 64-bit little
//! endian. Conversions to floats and ranges are written here, because those of the `rand` crate may change between versions.

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

/// What a stream is for. Streams of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights; `first` is the layer.
    Weights,
    /// Which rows become the holdout; `first` is the class.
    Holdout,
    /// How rows are dealt to seats; `first` is the class.
    Partition,
    /// Which seats take part; `first` is the round.
    Sampling,
    /// Order of rows in training; `first` is the round, `second` the seat.
    Shuffle,
    /// How often trees draw a row; `first` is the block of trees, `second` the key of the row.
    Bootstrap,
    /// Which features a node of a tree chooses from; `first` is the tree, `second` the node.
    Features,
    /// Random thresholds of a node; `first` is the tree and how often the node waited, `second` the node.
    Thresholds,
    /// Order of a feature's values when its importance is measured; `first` is the feature, `second` the repetition.
    Permutation,
}

impl Purpose {
    const fn tag(self) -> [u8; 8] {
        *match self {
            Self::Weights => b"weights\0",
            Self::Holdout => b"holdout\0",
            Self::Partition => b"deal\0\0\0\0",
            Self::Sampling => b"sampling",
            Self::Shuffle => b"shuffle\0",
            Self::Bootstrap => b"bootstrp",
            Self::Features => b"features",
            Self::Thresholds => b"cutoffs\0",
            Self::Permutation => b"permute\0",
        }
    }
}

/// A reproducible stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha12Rng);

impl Stream {
    /// The stream of this purpose, seed and position.
    pub fn new(purpose: Purpose, seed: u64, first: u64, second: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&purpose.tag());
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        key[16..24].copy_from_slice(&first.to_le_bytes());
        key[24..].copy_from_slice(&second.to_le_bytes());
        Self(ChaCha12Rng::from_seed(key))
    }

    /// Uniform in [0, 1), a multiple of 2^-24: the upper 24 bits of the next 32-bit word.
    pub fn unit(&mut self) -> f32 {
        let bits = self.0.next_u32() >> 8;
        // Two exact halves, because there is no lossless conversion from 32 bits.
        let [low_byte, middle, high, _] = bits.to_le_bytes();
        (f32::from(u16::from_le_bytes([middle, high])) * 256.0 + f32::from(low_byte)) / 16_777_216.0
    }

    /// Uniform in `0..bound`, without bias: 64-bit words above the largest multiple of `bound` are skipped.
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no numbers");
        let rest = (u64::MAX % bound + 1) % bound;
        loop {
            let word = self.0.next_u64();
            if word <= u64::MAX - rest {
                return word % bound;
            }
        }
    }

    /// Shuffles in place: Fisher and Yates, from the end (Knuth, TAOCP 3.4.2 P).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let bound = u64::try_from(end + 1).expect("a length fits 64 bits");
            let other = usize::try_from(self.below(bound)).expect("below a length");
            items.swap(end, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_forever() {
        let mut stream = Stream::new(Purpose::Weights, 7, 1, 2);
        let words: Vec<u64> = (0..3).map(|_| stream.below(1_000_000)).collect();
        assert_eq!(words, GOLDEN);
        let mut order: Vec<u32> = (0..8).collect();
        Stream::new(Purpose::Shuffle, 7, 1, 2).shuffle(&mut order);
        assert_eq!(order, GOLDEN_ORDER);
    }

    // From an independent implementation of ChaCha12 in Python.
    const GOLDEN: [u64; 3] = [409_444, 594_834, 562_473];
    const GOLDEN_ORDER: [u32; 8] = [4, 5, 0, 3, 1, 6, 7, 2];

    #[test]
    fn units_are_uniform_and_below_one() {
        let mut stream = Stream::new(Purpose::Weights, 1, 0, 0);
        let values: Vec<f32> = (0..100_000).map(|_| stream.unit()).collect();
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
        let mean: f64 = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 100_000.0;
        // Standard error 0.0009.
        assert!((mean - 0.5).abs() < 0.004, "{mean}");
    }

    #[test]
    fn every_number_below_a_bound_is_equally_likely() {
        let mut stream = Stream::new(Purpose::Holdout, 1, 0, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(stream.below(7)).unwrap()] += 1;
        }
        // Standard deviation 93.
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 500), "{counts:?}");
    }

    #[test]
    fn another_position_gives_another_stream() {
        let first = |mut s: Stream| s.below(u64::MAX);
        let base = first(Stream::new(Purpose::Shuffle, 1, 2, 3));
        assert_ne!(base, first(Stream::new(Purpose::Shuffle, 1, 2, 4)));
        assert_ne!(base, first(Stream::new(Purpose::Shuffle, 1, 3, 3)));
        assert_ne!(base, first(Stream::new(Purpose::Shuffle, 2, 2, 3)));
        assert_ne!(base, first(Stream::new(Purpose::Partition, 1, 2, 3)));
    }
}
