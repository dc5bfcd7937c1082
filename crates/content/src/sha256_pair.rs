//! SHA-256 of two messages of the same length at once, on the SHA instructions of x86-64.
//!
//! One message leaves the unit that does the rounds idle much of the time, because every round waits for the one before;
//! a second, independent message fills the gaps: 2.5 GB per second of one core instead of 1.7 (Xeon, model 167). Only leaves
//! of a file are hashed this way; where the instructions are missing, and for everything else, the crate `sha2` does it.
//!
//! This is the one place of the crate with unsafe code: a single call, of a function compiled for these instructions.

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::Pair;

/// Never made: this processor has no such instructions.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) enum Pair {}

#[cfg(not(target_arch = "x86_64"))]
impl Pair {
    pub(crate) fn new() -> Option<Self> {
        None
    }

    pub(crate) fn update(&mut self, _: [&[u8]; 2]) {
        match *self {}
    }

    pub(crate) fn finish(self) -> [[u8; 32]; 2] {
        match self {}
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
    };

    /// Bytes of a message block.
    const BLOCK: usize = 64;

    /// FIPS 180-4, section 5.3.3.
    const INITIAL: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

    /// FIPS 180-4, section 4.2.2.
    #[rustfmt::skip]
    const K: [u32; 64] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ];

    /// Two hashes under way.
    pub(crate) struct Pair {
        states: [[u32; 8]; 2],
        /// Bytes of each message so far.
        bytes: u64,
    }

    impl Pair {
        /// Begins two hashes, where the processor has the instructions.
        pub(crate) fn new() -> Option<Self> {
            let able = is_x86_feature_detected!("sha")
                && is_x86_feature_detected!("sse4.1")
                && is_x86_feature_detected!("ssse3");
            able.then_some(Self { states: [INITIAL; 2], bytes: 0 })
        }

        /// Takes the next bytes of both messages.
        ///
        /// # Panics
        /// When the parts differ in length or are not whole blocks of 64 bytes.
        #[allow(unsafe_code, reason = "calls code for instructions whose presence `new` has checked")]
        pub(crate) fn update(&mut self, parts: [&[u8]; 2]) {
            assert!(parts[0].len() == parts[1].len() && parts[0].len().is_multiple_of(BLOCK));
            // SAFETY: a `Pair` is only made by `new`, which has found every feature that `compress` enables.
            unsafe { compress(&mut self.states, parts) };
            self.bytes += parts[0].len() as u64;
        }

        /// The two digests.
        pub(crate) fn finish(mut self) -> [[u8; 32]; 2] {
            let mut padding = [0; BLOCK];
            padding[0] = 0x80;
            padding[BLOCK - 8..].copy_from_slice(&(self.bytes * 8).to_be_bytes());
            self.update([&padding, &padding]);
            self.states.map(|state| {
                let mut digest = [0; 32];
                for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
                    bytes.copy_from_slice(&word.to_be_bytes());
                }
                digest
            })
        }
    }

    /// Hashes the blocks of both messages into their states.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn compress(states: &mut [[u32; 8]; 2], parts: [&[u8]; 2]) {
        // The instructions want the words of a state as (a, b, e, f) and (c, d, g, h), the first in the highest place.
        let mut lanes = states.map(|[a, b, c, d, e, f, g, h]| [words(a, b, e, f), words(c, d, g, h)]);
        for (one, two) in parts[0].chunks_exact(BLOCK).zip(parts[1].chunks_exact(BLOCK)) {
            let before = lanes;
            let mut message = [load(one), load(two)];
            macro_rules! rounds {
                ($($group:literal)*) => {$(
                    let k = constants($group);
                    for lane in 0..2 {
                        let m = &mut message[lane];
                        let wk = _mm_add_epi32(m[$group % 4], k);
                        let [abef, cdgh] = lanes[lane];
                        let next = _mm_sha256rnds2_epu32(cdgh, abef, wk);
                        lanes[lane] = [_mm_sha256rnds2_epu32(abef, next, _mm_shuffle_epi32::<0x0e>(wk)), next];
                        if $group < 12 {
                            let (a, b, c, d) = (m[$group % 4], m[($group + 1) % 4], m[($group + 2) % 4], m[($group + 3) % 4]);
                            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8::<4>(d, c));
                            m[$group % 4] = _mm_sha256msg2_epu32(sum, d);
                        }
                    }
                )*};
            }
            rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for lane in 0..2 {
                for half in 0..2 {
                    lanes[lane][half] = _mm_add_epi32(lanes[lane][half], before[lane][half]);
                }
            }
        }
        for (state, [abef, cdgh]) in states.iter_mut().zip(lanes) {
            let ([a, b, e, f], [c, d, g, h]) = (split(abef), split(cdgh));
            *state = [a, b, c, d, e, f, g, h];
        }
    }

    /// The sixteen words of a block.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn load(block: &[u8]) -> [__m128i; 4] {
        let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let mut words = [big_endian; 4];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            let (low, high) = (&bytes[..8], &bytes[8..]);
            let half = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
            *word = _mm_shuffle_epi8(_mm_set_epi64x(half(high), half(low)), big_endian);
        }
        words
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn constants(group: usize) -> __m128i {
        words(K[4 * group + 3], K[4 * group + 2], K[4 * group + 1], K[4 * group])
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn words(highest: u32, high: u32, low: u32, lowest: u32) -> __m128i {
        _mm_set_epi32(highest.cast_signed(), high.cast_signed(), low.cast_signed(), lowest.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn split(words: __m128i) -> [u32; 4] {
        [
            _mm_extract_epi32::<3>(words).cast_unsigned(),
            _mm_extract_epi32::<2>(words).cast_unsigned(),
            _mm_extract_epi32::<1>(words).cast_unsigned(),
            _mm_extract_epi32::<0>(words).cast_unsigned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    proptest! {
        #[test]
        fn both_digests_equal_those_of_sha2(blocks in 0usize..40, cut in any::<prop::sample::Index>(), seed in any::<u64>()) {
            let message = |salt: u64| -> Vec<u8> {
                let bytes = (0..64 * blocks as u64).map(|i| (i ^ salt).wrapping_mul(seed | 1).rotate_left(23));
                bytes.map(|word| word.to_le_bytes()[3]).collect()
            };
            let messages = [message(0), message(seed)];
            let cut = 64 * cut.index(blocks + 1);
            // Where the processor lacks the instructions there is nothing to compare.
            if let Some(mut pair) = Pair::new() {
                pair.update([&messages[0][..cut], &messages[1][..cut]]);
                pair.update([&messages[0][cut..], &messages[1][cut..]]);
                prop_assert_eq!(pair.finish(), messages.map(|message| <[u8; 32]>::from(Sha256::digest(message))));
            }
        }
    }
}
