//! What a requester keeps of a session on its own machine: the spec, the shards and the holdout, until they are sealed.
//!
//! Written before anything is signed, so that an interrupted creation or sealing can go on; readable by the user alone.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use parity_learning::table::Table;
use parity_protocol::{B256, codec::Block, spec::SessionSpec};

use crate::paths;

/// The folder of one session's files.
#[derive(Clone, Debug)]
pub(crate) struct SessionFiles {
    folder: PathBuf,
}

impl SessionFiles {
    /// The folder for sessions with this spec digest; nothing is created yet.
    pub(crate) fn at(spec: B256) -> anyhow::Result<Self> {
        Ok(Self { folder: paths::home()?.join("sessions").join(spec.to_string()) })
    }

    /// Whether this machine has the files.
    pub(crate) fn exist(&self) -> bool {
        self.folder.join("spec.cbor").exists()
    }

    /// Keeps everything needed to seal the session's data later.
    pub(crate) fn save(&self, spec: &SessionSpec, shards: &[Table], holdout: &Table) -> anyhow::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        for (seat, shard) in shards.iter().enumerate() {
            write(&self.shard_path(seat), &shard.to_safetensors())?;
        }
        write(&self.holdout_path(), &holdout.to_safetensors())?;
        // The spec goes last: its presence says that the rest is complete.
        write(&self.folder.join("spec.cbor"), &spec.to_block()?)
    }

    /// Where the held-out rows lie, as an encoded table.
    pub(crate) fn holdout_path(&self) -> PathBuf {
        self.folder.join("holdout.safetensors")
    }

    /// The rows of a seat.
    pub(crate) fn shard(&self, seat: u16) -> anyhow::Result<Vec<u8>> {
        read(&self.shard_path(usize::from(seat)))
    }

    /// The held-out rows.
    pub(crate) fn holdout(&self) -> anyhow::Result<Vec<u8>> {
        read(&self.holdout_path())
    }

    fn shard_path(&self, seat: usize) -> PathBuf {
        self.folder.join(format!("shard-{seat:03}.safetensors"))
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)
        .with_context(|| format!("creating {}", partial.display()))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| format!("writing {}", partial.display()))?;
    fs::rename(&partial, path).with_context(|| format!("renaming to {}", path.display()))
}
