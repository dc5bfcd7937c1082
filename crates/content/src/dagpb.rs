//! DAG-PB nodes that hold UnixFS files: the encoder and the strict decoder.
//!
//! Only what the profile `unixfs-v1-2025` writes is read: a node of type File with links, no data of its own, no mode and
//! no modification time. [`decode`] accepts exactly the byte strings that [`encode`] writes, so a file has one name.
//!
//! Wire form (protocol buffers): `PBNode { Links = 2 (repeated, first), Data = 1 }`,
//! `PBLink { Hash = 1, Name = 2 (always present, empty), Tsize = 3 }`,
//! `UnixFS { Type = 1, filesize = 3, blocksizes = 4 (repeated, not packed) }`.

use cid::Cid;
use parity_protocol::{Link, link};

const LEN: u64 = 2;
const VARINT: u64 = 0;
const TYPE_FILE: u64 = 2;

/// A link from a node to a part of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    /// The block: raw (a leaf) or DAG-PB (a node).
    pub(crate) link: Link,
    /// Bytes of the file below it.
    pub(crate) bytes: u64,
    /// Encoded bytes of all blocks below it, itself included.
    pub(crate) stored: u64,
}

/// The canonical block of a node with these children, in the order of the file.
pub(crate) fn encode(children: &[Child]) -> Vec<u8> {
    let mut node = Vec::with_capacity(children.len() * 56 + 16);
    let mut entry = Vec::with_capacity(64);
    for child in children {
        entry.clear();
        put_bytes(&mut entry, 1, &child.link.cid().to_bytes());
        put_bytes(&mut entry, 2, b"");
        put_number(&mut entry, 3, child.stored);
        put_bytes(&mut node, 2, &entry);
    }
    let mut file = Vec::with_capacity(children.len() * 4 + 16);
    put_number(&mut file, 1, TYPE_FILE);
    put_number(&mut file, 3, children.iter().map(|child| child.bytes).sum());
    for child in children {
        put_number(&mut file, 4, child.bytes);
    }
    put_bytes(&mut node, 1, &file);
    node
}

/// Reads a node of a file.
///
/// # Errors
/// When the block is not, byte for byte, what [`encode`] writes; when a child is empty (a tree of empty parts would cost
/// work without bound); when sizes overflow.
pub(crate) fn decode(block: &[u8]) -> Result<Vec<Child>, &'static str> {
    let mut links = Vec::new();
    let mut data = None;
    let mut rest = block;
    while !rest.is_empty() {
        match (take_key(&mut rest)?, data) {
            ((2, LEN), None) => links.push(decode_link(take_bytes(&mut rest)?)?),
            ((1, LEN), None) => data = Some(take_bytes(&mut rest)?),
            _ => return Err("unexpected field in a DAG-PB node"),
        }
    }
    let sizes = decode_sizes(data.ok_or("the DAG-PB node has no UnixFS data")?)?;
    if sizes.len() != links.len() {
        return Err("the UnixFS node lists other sizes than links");
    }
    let children: Vec<_> =
        links.into_iter().zip(sizes).map(|((link, stored), bytes)| Child { link, bytes, stored }).collect();
    if children.is_empty() {
        return Err("the UnixFS node has no parts");
    }
    if children.iter().any(|child| child.bytes == 0) {
        return Err("the UnixFS node has an empty part");
    }
    children.iter().try_fold(0u64, |sum, child| sum.checked_add(child.bytes)).ok_or("the UnixFS sizes overflow")?;
    if encode(&children) != block {
        return Err("the UnixFS node is not in canonical form");
    }
    Ok(children)
}

fn decode_link(mut rest: &[u8]) -> Result<(Link, u64), &'static str> {
    let (mut link, mut stored) = (None, None);
    while !rest.is_empty() {
        match take_key(&mut rest)? {
            (1, LEN) => {
                let cid = Cid::try_from(take_bytes(&mut rest)?).map_err(|_| "a link of the node is not a CID")?;
                link = Some(Link::from_cid(cid).map_err(|_| "a link of the node is not CIDv1 with sha2-256")?);
            }
            (2, LEN) => {
                take_bytes(&mut rest)?;
            }
            (3, VARINT) => stored = Some(take_number(&mut rest)?),
            _ => return Err("unexpected field in a DAG-PB link"),
        }
    }
    match (link, stored) {
        (Some(link), Some(stored)) if link.codec() != link::DAG_CBOR => Ok((link, stored)),
        _ => Err("a link of the node is incomplete or names no part of a file"),
    }
}

fn decode_sizes(mut rest: &[u8]) -> Result<Vec<u64>, &'static str> {
    let mut sizes = Vec::new();
    while !rest.is_empty() {
        match take_key(&mut rest)? {
            (1, VARINT) if take_number(&mut rest)? != TYPE_FILE => return Err("the UnixFS node is not a file"),
            (1, VARINT) => {}
            // Its value is checked by writing the node again.
            (3, VARINT) => {
                take_number(&mut rest)?;
            }
            (4, VARINT) => sizes.push(take_number(&mut rest)?),
            _ => return Err("the UnixFS node has data or metadata of its own; only raw leaves are read"),
        }
    }
    Ok(sizes)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3 | VARINT);
    put_varint(out, value);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | LEN);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_key(rest: &mut &[u8]) -> Result<(u64, u64), &'static str> {
    let key = take_number(rest)?;
    Ok((key >> 3, key & 7))
}

fn take_number(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or("a number of the node is cut off")?;
        *rest = tail;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err("a number of the node exceeds 64 bits");
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number of the node exceeds 64 bits")
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], &'static str> {
    let length = usize::try_from(take_number(rest)?).map_err(|_| "a length of the node exceeds memory")?;
    let (bytes, tail) = rest.split_at_checked(length).ok_or("the node is cut off")?;
    *rest = tail;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn child(seed: u8, codec: u64, bytes: u64, stored: u64) -> Child {
        Child { link: Link::of_block(codec, &[seed]), bytes, stored }
    }

    fn children() -> impl Strategy<Value = Vec<Child>> {
        let codec = prop_oneof![Just(link::RAW), Just(link::DAG_PB)];
        prop::collection::vec((any::<u8>(), codec, 1..u64::MAX / 64, any::<u64>()), 1..40)
            .prop_map(|parts| parts.into_iter().map(|(seed, codec, b, s)| child(seed, codec, b, s)).collect())
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(children in children()) {
            prop_assert_eq!(decode(&encode(&children)), Ok(children));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(children) = decode(&bytes) {
                prop_assert_eq!(encode(&children), bytes);
            }
        }

        #[test]
        fn a_changed_byte_is_refused_or_means_something_else(
            children in children(), at in any::<prop::sample::Index>(), flip in 1u8..,
        ) {
            let mut bytes = encode(&children);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_ne!(decode(&bytes), Ok(children));
        }

        #[test]
        fn a_truncated_node_is_refused(children in children(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&children);
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }
    }

    #[test]
    fn a_node_without_parts_is_refused() {
        assert_eq!(decode(&encode(&[])), Err("the UnixFS node has no parts"));
    }

    #[test]
    fn an_empty_part_is_refused() {
        assert_eq!(decode(&encode(&[child(1, link::RAW, 0, 0)])), Err("the UnixFS node has an empty part"));
    }

    #[test]
    fn sizes_that_overflow_are_refused() {
        let part = child(1, link::RAW, u64::MAX, 1);
        assert_eq!(decode(&encode(&[part])), Ok(vec![part]));
        let mut file = Vec::new();
        put_number(&mut file, 1, TYPE_FILE);
        put_number(&mut file, 3, u64::MAX - 1);
        put_number(&mut file, 4, u64::MAX);
        put_number(&mut file, 4, u64::MAX);
        let mut entry = Vec::new();
        put_bytes(&mut entry, 1, &part.link.cid().to_bytes());
        put_bytes(&mut entry, 2, b"");
        put_number(&mut entry, 3, 1);
        let mut forged = Vec::new();
        put_bytes(&mut forged, 2, &entry);
        put_bytes(&mut forged, 2, &entry);
        put_bytes(&mut forged, 1, &file);
        assert_eq!(decode(&forged), Err("the UnixFS sizes overflow"));
    }
}
