//! Blocks in a folder of the local file system: the embedded default.
//!
//! Block `abcd…` (its sha2-256 digest in hexadecimal) is the file `blocks/ab/abcd…`. A block is written to a temporary
//! file, forced to disk and then renamed, so that neither a kill nor a power cut leaves half a block under a final name;
//! several processes may share the folder. Every read hashes the bytes.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use parity_protocol::Link;

use super::{MAX_BLOCK_BYTES, Store, check_size};
use crate::{Error, Result, task::blocking};

/// A temporary file older than this belongs to a process that was killed: writing a block takes milliseconds.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A store in a local folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: Arc<Path>,
}

impl Folder {
    /// Opens the store in `root`, which is created if it is missing.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be created or listed.
    pub fn open(root: &Path) -> Result<Self> {
        let folder = Self { root: root.into() };
        for path in [folder.root.join("blocks"), folder.incoming()] {
            fs::create_dir_all(&path).map_err(Error::io("create the folder", &path))?;
        }
        folder.sweep()?;
        Ok(folder)
    }

    /// Removes what killed processes left behind.
    fn sweep(&self) -> Result<()> {
        let incoming = self.incoming();
        for entry in fs::read_dir(&incoming).map_err(Error::io("list", &incoming))?.flatten() {
            let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
            // Another process may sweep at the same time: a file that is gone is as good as removed.
            if age.is_some_and(|age| age > ABANDONED) && fs::remove_file(entry.path()).is_ok() {
                tracing::debug!(path = %entry.path().display(), "removed an abandoned temporary file");
            }
        }
        Ok(())
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    fn path_of(&self, link: &Link) -> PathBuf {
        let name = hex::encode(link.digest());
        self.root.join("blocks").join(&name[..2]).join(name)
    }

    fn write(&self, link: &Link, block: &[u8]) -> Result<()> {
        let path = self.path_of(link);
        if holds(&path, block) {
            return Ok(());
        }
        let shard = path.parent().unwrap_or(&self.root);
        let incoming = self.incoming();
        let mut file = tempfile::Builder::new()
            // The umask decides, as for any new file: runner and keeper may be different users.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&incoming)
            .map_err(Error::io("create a file in", &incoming))?;
        file.write_all(block).map_err(Error::io("write", file.path()))?;
        file.as_file().sync_data().map_err(Error::io("force to disk", file.path()))?;
        if let Err(e) = fs::create_dir(shard).or_else(|e| if_kind(e, ErrorKind::AlreadyExists)) {
            return Err(Error::io("create the folder", shard)(e));
        }
        file.persist(&path).map_err(|e| Error::io("put in place", &path)(e.error))?;
        File::open(shard).and_then(|folder| folder.sync_all()).map_err(Error::io("force to disk", shard))
    }

    fn read(&self, link: &Link) -> Result<Bytes> {
        let path = self.path_of(link);
        let mut file = File::open(&path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::NotFound { link: *link, place: format!("folder {}", self.root.display()) },
            _ => Error::io("open", &path)(e),
        })?;
        let mut block = Vec::with_capacity(1 << 16);
        let most = MAX_BLOCK_BYTES as u64 + 1;
        Read::by_ref(&mut file).take(most).read_to_end(&mut block).map_err(Error::io("read", &path))?;
        if check_size(block.len()).is_err() || !link.matches(&block) {
            return Err(Error::Corrupt { link: *link, place: path.display().to_string() });
        }
        Ok(block.into())
    }
}

#[async_trait]
impl Store for Folder {
    async fn put_block(&self, codec: u64, block: Bytes) -> Result<Link> {
        let folder = self.clone();
        blocking(move || {
            check_size(block.len())?;
            let link = Link::of_block(codec, &block);
            folder.write(&link, &block)?;
            Ok(link)
        })
        .await
    }

    async fn get_block(&self, link: &Link) -> Result<Bytes> {
        let (folder, link) = (self.clone(), *link);
        blocking(move || folder.read(&link)).await
    }

    async fn has_block(&self, link: &Link) -> Result<bool> {
        let path = self.path_of(link);
        blocking(move || path.try_exists().map_err(Error::io("look for", &path))).await
    }
}

/// Whether the file holds exactly these bytes; one that is damaged is to be written again.
fn holds(path: &Path, block: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|data| data.len() == block.len() as u64)
        && fs::read(path).is_ok_and(|bytes| bytes == block)
}

fn if_kind(error: io::Error, kind: ErrorKind) -> io::Result<()> {
    if error.kind() == kind { Ok(()) } else { Err(error) }
}
