//! Writing the answer. The result comes last and by renaming: where it stands, everything is complete.

use std::path::Path;

use anyhow::{Context, Result};
use parity_learning::tensors::Tensors;
use parity_protocol::job::{JobResult, files};

/// Writes the new weights, if there are any, and the result.
pub(crate) fn write(folder: &Path, weights: Option<&Tensors>, result: &JobResult) -> Result<()> {
    write_bytes(folder, weights.map(Tensors::to_bytes).as_deref(), result)
}

/// Writes the file of an update, if there is one, and the result.
pub(crate) fn write_bytes(folder: &Path, update: Option<&[u8]>, result: &JobResult) -> Result<()> {
    if let Some(update) = update {
        put(folder, files::UPDATE, update)?;
    }
    put(folder, files::RESULT, &serde_json::to_vec(result).context("encoding the result")?)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let partial = folder.join(format!("{name}.part"));
    std::fs::write(&partial, bytes).with_context(|| format!("writing {}", partial.display()))?;
    let path = folder.join(name);
    std::fs::rename(&partial, &path).with_context(|| format!("writing {}", path.display()))
}
