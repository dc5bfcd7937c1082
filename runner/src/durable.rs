//! Files on disk that survive a kill or a power cut at any instant: written beside, synced, renamed.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Creates a folder that only the user may enter, and its parents.
pub(crate) fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("creating the folder {}", path.display()))
}

/// Replaces the document at `path` in one step. Readable by the user alone.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).with_context(|| format!("writing {}", path.display()))?;
    text.push(b'\n');
    write_bytes(path, &text)
}

/// Replaces the file at `path` in one step. Readable by the user alone.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let folder = path.parent().with_context(doing)?;
    private_dir(folder)?;
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).with_context(doing)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(doing)?;
    fs::rename(&beside, path).with_context(doing)?;
    sync_dir(folder)
}

/// Reads the document at `path`, if there is one. One that does not decode is put aside as `….damaged` and counts as absent:
/// what it recorded is done again, and the chain refuses what must not be done twice.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let aside = path.with_extension("damaged");
            tracing::warn!(path = %path.display(), %error, "a damaged record was put aside");
            fs::rename(path, &aside).with_context(|| format!("putting {} aside", path.display()))?;
            Ok(None)
        }
    }
}

/// Makes renames in a folder durable.
pub(crate) fn sync_dir(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("syncing the folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        assert_eq!(read::<u32>(&path).unwrap(), None);
        write(&path, &1).unwrap();
        write(&path, &2).unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), Some(2));
    }

    #[test]
    fn a_write_that_was_interrupted_leaves_the_old_document() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        write(&path, &1).unwrap();
        fs::write(path.with_extension("new"), b"{\"half").unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), Some(1));
        write(&path, &3).unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), Some(3));
    }

    #[test]
    fn a_damaged_document_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        fs::write(&path, b"\0\0\0").unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), None);
        assert!(path.with_extension("damaged").exists());
        assert!(!path.exists());
    }
}
