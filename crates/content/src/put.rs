//! Files into a store: cut into leaves, a few of them under way at once, and the nodes over them. The way back is in
//! `get`.

use std::{fs::File, path::Path, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use parity_protocol::{Link, link};

use crate::{
    Error, FileLink, ReadAt, Result, Store,
    task::blocking,
    tree::{Tree, leaf, leaf_count, leaf_range},
};

/// Blocks under way at once: hides the delay of a store without holding more than a few MiB.
pub(crate) const PARALLEL: usize = 8;

/// Stores a file; `progress` is called with the number of bytes stored since its last call.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, else what the store answers.
///
/// # Cancel safety
/// Blocks already stored stay; putting the file again stores the rest.
pub async fn put_file(store: &dyn Store, path: &Path, progress: impl Fn(u64) + Send + Sync) -> Result<FileLink> {
    let path: Arc<Path> = path.into();
    let (file, bytes) = blocking({
        let path = Arc::clone(&path);
        move || {
            let file = File::open(&path).map_err(Error::io("open", &*path))?;
            let bytes = file.metadata().map_err(Error::io("measure", &*path))?.len();
            Ok((Arc::new(file), bytes))
        }
    })
    .await?;
    let read = move |index| {
        let (start, length) = leaf_range(index, bytes);
        let mut block = vec![0; usize::try_from(length).expect("a leaf fits memory")];
        ReadAt::read_exact_at(&*file, &mut block, start).map_err(Error::io("read", &*path))?;
        Ok(Bytes::from(block))
    };
    put_leaves(store, bytes, read, progress).await
}

/// Stores bytes as a file.
///
/// # Errors
/// What the store answers.
pub async fn put_bytes(store: &dyn Store, bytes: Bytes) -> Result<FileLink> {
    let total = bytes.len() as u64;
    let cut = move |index| {
        let (start, length) = leaf_range(index, total);
        let start = usize::try_from(start).expect("an offset in memory fits");
        let length = usize::try_from(length).expect("a leaf fits memory");
        Ok(bytes.slice(start..start + length))
    };
    put_leaves(store, total, cut, |_| {}).await
}

/// Stores a file of `total` bytes whose leaf `index` is what `make` returns; `make` runs on the blocking pool.
pub(crate) async fn put_leaves(
    store: &dyn Store,
    total: u64,
    make: impl Fn(u64) -> Result<Bytes> + Clone + Send + Sync + 'static,
    progress: impl Fn(u64) + Send + Sync,
) -> Result<FileLink> {
    let mut tree = Tree::default();
    let puts = (0..leaf_count(total)).map(|index| -> BoxFuture<'_, Result<(Link, u64)>> {
        let make = make.clone();
        Box::pin(async move {
            let block = blocking(move || make(index)).await?;
            let bytes = block.len() as u64;
            Ok((store.put_block(link::RAW, block).await?, bytes))
        })
    });
    let mut leaves = stream::iter(puts).buffered(PARALLEL);
    while let Some((link, bytes)) = leaves.try_next().await? {
        for node in tree.push(leaf(link, bytes)) {
            store.put_block(link::DAG_PB, node).await?;
        }
        progress(bytes);
    }
    let (root, nodes) = tree.finish();
    for node in nodes {
        store.put_block(link::DAG_PB, node).await?;
    }
    store.keep(&root.link).await?;
    Ok(FileLink { link: root.link, bytes: root.bytes })
}
