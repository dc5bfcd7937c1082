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
    /// Shares of seats, and which seats have which classes; `first` is the class, `second` the attempt.
    Shares,
    /// Rows of other seats that a seat is lent; `first` is the seat.
    Overlap,
    /// Order of rows in training; `first` is the round, `second` the seat.
    Shuffle,
    /// How often trees draw a row; `first` is the block of trees, `second` the key of the row.
    Bootstrap,
    /// Which features a node of a tree chooses from; `first` is the tree, `second` the node.
    Features,
    /// Random thresholds of a node; `first` is the tree and how often the node waited, `second` the node.
    Thresholds,
    /// Noise of simulated attackers; `first` is the round, `second` the attacker.
    Noise,
    /// Order of a feature's values when its importance is measured; `first` is the feature, `second` the repetition.
    Permutation,
    /// Units left out in training; `first` is the round, `second` the seat.
    Dropout,
}

impl Purpose {
    const fn tag(self) -> [u8; 8] {
        *match self {
            Self::Weights => b"weights\0",
            Self::Holdout => b"holdout\0",
            Self::Partition => b"deal\0\0\0\0",
            Self::Shares => b"shares\0\0",
            Self::Overlap => b"overlap\0",
            Self::Shuffle => b"shuffle\0",
            Self::Bootstrap => b"bootstrp",
            Self::Features => b"features",
            Self::Thresholds => b"cutoffs\0",
            Self::Noise => b"noise\0\0\0",
            Self::Permutation => b"permute\0",
            Self::Dropout => b"dropout\0",
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

    /// Uniform in (0, 1), both ends excluded: the middle of one of 2^52 equal parts, by the upper 52 bits of the next 64-bit
    /// word.
    pub fn open_unit(&mut self) -> f64 {
        /// 2^-52.
        const PART: f64 = f64::EPSILON;
        let bits = self.0.next_u64() >> 12;
        // Two exact halves, because there is no lossless conversion from 64 bits.
        let (high, low) = (u32::try_from(bits >> 32), u32::try_from(bits & 0xffff_ffff));
        let (high, low) = (high.expect("20 bits"), low.expect("32 bits"));
        (f64::from(high) * 4_294_967_296.0 + f64::from(low) + 0.5) * PART
    }

    /// Standard normal: the polar method (Marsaglia and Bray 1964), of each pair the first. Identical on every machine: the
    /// logarithm is that of the `libm` crate, the rest is fixed by IEEE 754.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.open_unit() - 1.0, 2.0 * self.open_unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
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
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut stream = Stream::new(Purpose::Shares, 1, 0, 0);
        let values: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        // Moments 0, 1, 0, 3 with standard errors sqrt(1, 2, 15, 96) / sqrt(n).
        for (power, moment, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0_f64)] {
            let mean = values.iter().map(|v| v.powi(power)).sum::<f64>() / 100_000.0;
            assert!((mean - moment).abs() < 4.0 * (variance / 100_000.0).sqrt(), "moment {power} is {mean}");
        }
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
