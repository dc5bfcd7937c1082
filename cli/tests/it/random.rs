//! Choices that can be repeated: a small generator, its seed printed.

use std::time::{SystemTime, UNIX_EPOCH};

/// Set it to repeat a run.
const SEED: &str = "PARITY_TEST_SEED";

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From `PARITY_TEST_SEED`, or else from the clock; says which.
    pub(crate) fn seeded() -> Self {
        let seed = std::env::var(SEED).ok().map_or_else(
            || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos())),
            |text| text.parse().unwrap(),
        );
        println!("repeat with {SEED}={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Takes one out of `choices`, which must not be empty.
    pub(crate) fn take<T>(&mut self, choices: &mut Vec<T>) -> T {
        let index = self.below(u64::try_from(choices.len()).unwrap());
        choices.swap_remove(usize::try_from(index).unwrap())
    }
}
