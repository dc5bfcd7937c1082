//! The encrypted bytes: ChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015, with a
//! 32-bit counter), cut so that every segment is exactly one leaf of the stored file.
//!
//! ```text
//! body    = commitment (32 bytes) || segment 0 || segment 1 || …
//! segment = ciphertext || tag (16 bytes); leaf 0 holds the commitment and segment 0, leaf i holds segment i
//! nonce   = 7 zero bytes || counter (big-endian) || 1 in the last segment, else 0
//! ```
//!
//! The nonce prefix may be constant because a content key encrypts one body only. The commitment is the SHA-256 of the
//! content key under a domain: ChaCha20-Poly1305 alone allows a sealer to craft a body that opens to different bytes under
//! different keys, so that two recipients would disagree about what they were sent.

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use bytes::Bytes;
use chacha20poly1305::ChaCha20Poly1305;
use sha2::{Digest, Sha256};

use super::ContentKey;
use crate::tree::{LEAF_BYTES, leaf_count, leaf_range};

const COMMITMENT_BYTES: u64 = 32;
const TAG_BYTES: u64 = 16;
const COMMITMENT_DOMAIN: &[u8] = b"parity/content-key/1";

/// Encrypts bytes, leaf by leaf, in any order.
#[derive(Clone)]
pub(crate) struct Encryption {
    plain: Bytes,
    key: ContentKey,
}

impl Encryption {
    pub(crate) fn new(plain: Bytes, key: ContentKey) -> Self {
        Self { plain, key }
    }

    /// Bytes of the whole body.
    pub(crate) fn body_bytes(&self) -> u64 {
        sealed_bytes(self.plain.len() as u64)
    }

    /// Leaf `index` of the body.
    pub(crate) fn leaf(&self, index: u64) -> Vec<u8> {
        let body = self.body_bytes();
        let (_, length) = leaf_range(index, body);
        let start = size(plain_before(index));
        let header = if index == 0 { COMMITMENT_BYTES } else { 0 };
        let end = start + size(length - header - TAG_BYTES);
        let last = index + 1 == leaf_count(body);
        let sealed = stream(&self.key).encrypt(counter(index), last, &self.plain[start..end]);
        let mut leaf = if index == 0 { commitment(&self.key).to_vec() } else { Vec::new() };
        leaf.extend(sealed.expect("a segment is far below what the cipher takes"));
        leaf
    }
}

/// Decrypts a body; the error says what is wrong with it.
pub(crate) fn decrypt(body: &[u8], key: &ContentKey) -> Result<Vec<u8>, &'static str> {
    let (committed, _) = body.split_first_chunk::<32>().ok_or("it is too short")?;
    if *committed != commitment(key) {
        return Err("it was encrypted under another key than its envelope holds");
    }
    let leaves = leaf_count(body.len() as u64);
    let mut plain = Vec::with_capacity(body.len());
    let stream = stream(key);
    for index in 0..leaves {
        let (start, length) = leaf_range(index, body.len() as u64);
        let mut segment = &body[size(start)..size(start + length)];
        if index == 0 {
            segment = &segment[committed.len()..];
        }
        let opened = stream.decrypt(counter(index), index + 1 == leaves, segment);
        plain.extend(opened.map_err(|_| "it was changed or cut")?);
    }
    Ok(plain)
}

/// Bytes of the body of `plain` bytes.
pub(crate) fn sealed_bytes(plain: u64) -> u64 {
    let first = LEAF_BYTES - COMMITMENT_BYTES - TAG_BYTES;
    let segments = 1 + plain.saturating_sub(first).div_ceil(LEAF_BYTES - TAG_BYTES);
    plain.saturating_add(COMMITMENT_BYTES).saturating_add(segments.saturating_mul(TAG_BYTES))
}

fn plain_before(index: u64) -> u64 {
    (index * (LEAF_BYTES - TAG_BYTES)).saturating_sub(COMMITMENT_BYTES)
}

fn commitment(key: &ContentKey) -> [u8; 32] {
    Sha256::new().chain_update(COMMITMENT_DOMAIN).chain_update(**key).finalize().into()
}

fn stream(key: &ContentKey) -> StreamBE32<ChaCha20Poly1305> {
    StreamBE32::new(&(**key).into(), &[0; 7].into())
}

fn counter(index: u64) -> u32 {
    u32::try_from(index).expect("2^32 leaves are 4 PiB, more than memory holds")
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("bytes in memory are counted by usize")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> ContentKey {
        ContentKey::new([byte; 32])
    }

    fn seal(plain: &[u8]) -> Vec<u8> {
        let encryption = Encryption::new(Bytes::copy_from_slice(plain), key(1));
        let body: Vec<u8> = (0..leaf_count(encryption.body_bytes())).flat_map(|index| encryption.leaf(index)).collect();
        assert_eq!(body.len() as u64, encryption.body_bytes());
        body
    }

    /// Around every edge: empty, one byte, the first segment full, one more, the second segment full, one more.
    fn edges() -> Vec<usize> {
        let (leaf, first) = (1 << 20, (1 << 20) - 48);
        vec![0, 1, 1000, first - 1, first, first + 1, first + leaf - 17, first + leaf - 16, first + leaf - 15, 3 * leaf]
    }

    #[test]
    fn decrypting_undoes_encrypting_at_every_edge() {
        for bytes in edges() {
            let plain: Vec<u8> = (0..bytes).map(|i| (i % 251).to_le_bytes()[0]).collect();
            assert_eq!(decrypt(&seal(&plain), &key(1)), Ok(plain), "{bytes} bytes");
        }
    }

    #[test]
    fn a_body_cut_at_a_segment_is_noticed() {
        let body = seal(&vec![0; 3 << 20]);
        for leaves in 1..3 {
            assert_eq!(decrypt(&body[..leaves << 20], &key(1)), Err("it was changed or cut"));
        }
    }

    #[test]
    fn segments_in_another_order_are_noticed() {
        let body = seal(&vec![0; 4 << 20]);
        let leaf = 1 << 20;
        let swapped = [&body[..leaf], &body[2 * leaf..3 * leaf], &body[leaf..2 * leaf], &body[3 * leaf..]].concat();
        assert_eq!(decrypt(&swapped, &key(1)), Err("it was changed or cut"));
    }

    #[test]
    fn another_key_is_noticed() {
        assert!(decrypt(&seal(b"secret"), &key(2)).is_err());
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(plain in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut body = seal(&plain);
            let at = at.index(body.len());
            body[at] ^= flip;
            prop_assert!(decrypt(&body, &key(1)).is_err());
        }

        #[test]
        fn a_body_of_any_bytes_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decrypt(&body, &key(1)).is_err());
        }
    }
}
