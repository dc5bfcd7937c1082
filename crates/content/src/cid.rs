//! The name of a file, computed without storing anything.
//!
//! Leaves are hashed in parallel on the rayon pool, two at a time, read in slices that stay in the cache of their core; only
//! their digests meet. Memory is constant: one slice a thread, and the digests of one window of leaves.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use cid::{Cid, multihash::Multihash};
use parity_protocol::{Link, link};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    Error, Result, sha256_pair,
    tree::{LEAF_BYTES, Tree, leaf, leaf_count, leaf_range},
};

const SHA2_256: u64 = 0x12;
/// Two slices fit the second-level cache of a core. A power of two, so that a full leaf is a whole number of slices.
const SLICE_BYTES: usize = 128 << 10;
/// Leaves hashed between two visits to the tree: 1 GiB of file, 32 KiB of digests. Even, so that no pair is cut.
const WINDOW: u64 = 1024;

/// A file by its content: the link of its root and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileLink {
    /// The root: a raw block up to 1 MiB, else a DAG-PB node.
    pub link: Link,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Bytes that can be read at any place by many threads at once.
pub trait ReadAt: Sync {
    /// Fills `buffer` with the bytes from `offset`.
    ///
    /// # Errors
    /// When there are not as many bytes, or they cannot be read.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let source = usize::try_from(offset).ok().and_then(|start| self.get(start..)?.get(..buffer.len()));
        buffer.copy_from_slice(source.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The link of a file on disk; `progress` is called with the number of bytes done since its last call, from any thread.
///
/// Blocks the calling thread while all cores work: call it from a blocking task.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, or shrinks meanwhile.
pub fn cid_of_file(path: &Path, progress: impl Fn(u64) + Sync) -> Result<FileLink> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("measure", path))?;
    if !metadata.is_file() {
        return Err(Error::io("read as a file", path)(io::ErrorKind::InvalidInput.into()));
    }
    cid_of(&file, metadata.len(), progress).map_err(Error::io("read", path))
}

/// The link of bytes in memory, computed on the calling thread's rayon pool.
pub fn cid_of_bytes(bytes: &[u8]) -> FileLink {
    cid_of(bytes, bytes.len() as u64, |_| {}).expect("a slice can be read up to its length")
}

/// The link of the first `bytes` bytes of `source`; as [`cid_of_file`] otherwise.
///
/// # Errors
/// When `source` cannot be read.
pub fn cid_of(source: &(impl ReadAt + ?Sized), bytes: u64, progress: impl Fn(u64) + Sync) -> io::Result<FileLink> {
    let mut tree = Tree::default();
    let leaves = leaf_count(bytes);
    let mut first = 0;
    while first < leaves {
        let window = first..leaves.min(first + WINDOW);
        let pairs: Vec<[[u8; 32]; 2]> = (window.start / 2..window.end.div_ceil(2))
            .into_par_iter()
            .map_init(
                || vec![0; 2 * SLICE_BYTES],
                |slices, pair| {
                    let digests = hash_pair(source, 2 * pair, bytes, slices)?;
                    progress(pair_bytes(pair, bytes));
                    Ok(digests)
                },
            )
            .collect::<io::Result<_>>()?;
        for (index, digest) in window.clone().zip(pairs.as_flattened()) {
            tree.push(leaf(raw_link(digest), leaf_range(index, bytes).1));
        }
        first = window.end;
    }
    Ok(FileLink { link: tree.finish().0.link, bytes })
}

/// The digests of leaf `first` and the next; of the first alone, and zeros, when it is the last.
fn hash_pair(source: &(impl ReadAt + ?Sized), first: u64, bytes: u64, slices: &mut [u8]) -> io::Result<[[u8; 32]; 2]> {
    let (start, length) = leaf_range(first, bytes);
    if first + 1 == leaf_count(bytes) {
        return Ok([hash(source, start, length, slices)?, [0; 32]]);
    }
    let (next_start, next_length) = leaf_range(first + 1, bytes);
    let Some(mut hashes) = sha256_pair::Pair::new().filter(|_| length == next_length) else {
        return Ok([hash(source, start, length, slices)?, hash(source, next_start, next_length, slices)?]);
    };
    let (one, two) = slices.split_at_mut(slices.len() / 2);
    for done in (0..length).step_by(one.len()) {
        source.read_exact_at(one, start + done)?;
        source.read_exact_at(two, next_start + done)?;
        hashes.update([one, two]);
    }
    Ok(hashes.finish())
}

fn hash(source: &(impl ReadAt + ?Sized), start: u64, length: u64, slice: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut done = 0;
    while done < length {
        let take = usize::try_from(length - done).unwrap_or(usize::MAX).min(slice.len());
        source.read_exact_at(&mut slice[..take], start + done)?;
        hasher.update(&slice[..take]);
        done += take as u64;
    }
    Ok(hasher.finalize().into())
}

fn pair_bytes(pair: u64, bytes: u64) -> u64 {
    (2 * LEAF_BYTES).min(bytes - 2 * pair * LEAF_BYTES)
}

fn raw_link(digest: &[u8; 32]) -> Link {
    let hash = Multihash::wrap(SHA2_256, digest).expect("32 bytes fit a multihash of 64");
    Link::from_cid(Cid::new_v1(link::RAW, hash)).expect("CIDv1, raw and sha2-256 is what a link takes")
}
