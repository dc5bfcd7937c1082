//! The name of a file, computed without storing anything.
//!
//! Leaves are hashed in parallel on the rayon pool, each read in slices that stay in the cache of its core; only their
//! digests meet. Memory is constant: one slice a thread, and the digests of one window of leaves.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use cid::{Cid, multihash::Multihash};
use parity_protocol::{Link, link};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    tree::{Tree, leaf, leaf_count, leaf_range},
};

const SHA2_256: u64 = 0x12;
/// A slice fits the second-level cache together with what is hashed next; 64 to 256 KiB measured alike, 1 MiB 10 % slower.
const SLICE_BYTES: usize = 128 << 10;
/// Leaves hashed between two visits to the tree: 1 GiB of file, 64 KiB of digests.
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
        let digests: Vec<[u8; 32]> = window
            .clone()
            .into_par_iter()
            .map_init(
                || vec![0; SLICE_BYTES],
                |slice, index| {
                    let (start, length) = leaf_range(index, bytes);
                    let digest = hash(source, start, length, slice)?;
                    progress(length);
                    Ok(digest)
                },
            )
            .collect::<io::Result<_>>()?;
        for (index, digest) in window.clone().zip(&digests) {
            tree.push(leaf(raw_link(digest), leaf_range(index, bytes).1));
        }
        first = window.end;
    }
    Ok(FileLink { link: tree.finish().0.link, bytes })
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

fn raw_link(digest: &[u8; 32]) -> Link {
    let hash = Multihash::wrap(SHA2_256, digest).expect("32 bytes fit a multihash of 64");
    Link::from_cid(Cid::new_v1(link::RAW, hash)).expect("CIDv1, raw and sha2-256 is what a link takes")
}
