//! Files out of a store. The way in is in `put`.
//!
//! Reading trusts nothing: every block is hashed by the store adapter, every node decoded strictly, every size compared
//! with what its parent announced, and the whole compared with the caller's limit before its parts are fetched.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use parity_protocol::{Link, link};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::{
    Error, Result, Store,
    dagpb::{self, Child},
    put::PARALLEL,
    task::blocking,
};

/// Levels of nodes over the leaves; three hold 1 PiB.
const MAX_DEPTH: u8 = 4;

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// [`Error::TooLarge`] before anything is fetched that the limit does not allow, [`Error::Malformed`] when the blocks are
/// no file, else what the store answers.
pub async fn get_bytes(store: &dyn Store, link: &Link, limit: u64) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let mut output = Output { writer: &mut bytes, path: Path::new("memory"), progress: &|_| {} };
    read_file(store, link, limit, &mut output).await?;
    Ok(bytes.into())
}

/// Writes a file of at most `limit` bytes to `destination` and returns its size; `progress` as in [`crate::put_file`].
///
/// The file appears under its name complete and verified, or not at all; a file that was there is replaced.
///
/// # Errors
/// As [`get_bytes`], and [`Error::Io`] when the destination cannot be written.
pub async fn get_file(
    store: &dyn Store,
    link: &Link,
    destination: &Path,
    limit: u64,
    progress: impl Fn(u64) + Send + Sync,
) -> Result<u64> {
    let destination: Arc<Path> = destination.into();
    let (temporary, file) = blocking({
        let destination = Arc::clone(&destination);
        move || {
            let temporary = temporary_beside(&destination)?;
            let file = temporary.reopen().map_err(Error::io("open a temporary file for", &*destination))?;
            Ok((temporary, file))
        }
    })
    .await?;
    let mut file = tokio::fs::File::from_std(file);
    let mut output = Output { writer: &mut file, path: &destination, progress: &progress };
    let bytes = read_file(store, link, limit, &mut output).await?;
    file.sync_all().await.map_err(Error::io("write", &*destination))?;
    blocking(move || {
        temporary.persist(&destination).map_err(|e| Error::io("put in place", &*destination)(e.error))?;
        Ok(bytes)
    })
    .await
}

/// Where the bytes of a file go.
struct Output<'a> {
    writer: &'a mut (dyn AsyncWrite + Send + Unpin),
    path: &'a Path,
    progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl Output<'_> {
    async fn write(&mut self, leaf: &[u8]) -> Result<()> {
        self.writer.write_all(leaf).await.map_err(Error::io("write", self.path))?;
        (self.progress)(leaf.len() as u64);
        Ok(())
    }
}

async fn read_file(store: &dyn Store, link: &Link, limit: u64, output: &mut Output<'_>) -> Result<u64> {
    let within_limit = |bytes: u64| {
        let too_large = || Error::TooLarge { what: format!("the file {link}"), limit, actual: bytes };
        if bytes > limit { Err(too_large()) } else { Ok(bytes) }
    };
    let total = match link.codec() {
        link::RAW => {
            let leaf = store.get_block(link).await?;
            let total = within_limit(leaf.len() as u64)?;
            output.write(&leaf).await?;
            total
        }
        link::DAG_PB => {
            let children = decode(link, &store.get_block(link).await?)?;
            let total = within_limit(bytes_below(&children))?;
            read_parts(store, children, MAX_DEPTH, output).await?;
            total
        }
        _ => return Err(Error::Malformed { link: *link, reason: "a DAG-CBOR block is not a file" }),
    };
    output.writer.flush().await.map_err(Error::io("write", output.path))?;
    Ok(total)
}

/// Writes the parts of a node in order. Blocks of one node are fetched ahead; a part that is a node is read before the next.
fn read_parts<'a>(
    store: &'a dyn Store,
    children: Vec<Child>,
    depth: u8,
    output: &'a mut Output<'_>,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let fetches = children.into_iter().map(|child| -> BoxFuture<'a, Result<(Child, Bytes)>> {
            Box::pin(async move { Ok((child, store.get_block(&child.link).await?)) })
        });
        let mut blocks = stream::iter(fetches).buffered(PARALLEL);
        while let Some((child, block)) = blocks.try_next().await? {
            let malformed = |reason| Error::Malformed { link: child.link, reason };
            if child.link.codec() == link::RAW {
                if block.len() as u64 != child.bytes {
                    return Err(malformed("the leaf has another size than its node announced"));
                }
                output.write(&block).await?;
                continue;
            }
            let parts = decode(&child.link, &block)?;
            if bytes_below(&parts) != child.bytes {
                return Err(malformed("the node has another size than its parent announced"));
            }
            let depth =
                depth.checked_sub(1).ok_or_else(|| malformed("the tree is deeper than any file of the profile"))?;
            read_parts(store, parts, depth, output).await?;
        }
        Ok(())
    })
}

fn decode(link: &Link, block: &[u8]) -> Result<Vec<Child>> {
    dagpb::decode(block).map_err(|reason| Error::Malformed { link: *link, reason })
}

/// Bytes of the file below these children; the decoder has checked that they do not overflow.
fn bytes_below(children: &[Child]) -> u64 {
    children.iter().map(|child| child.bytes).sum()
}

/// A temporary file in the folder of `destination`, with the permissions of an ordinary new file.
fn temporary_beside(destination: &Path) -> Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;

    let folder = destination.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".parity-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(Error::io("create a file in", folder))
}
