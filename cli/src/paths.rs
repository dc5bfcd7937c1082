//! Where the CLI keeps things: `$PARITY_HOME`, or `parity` in the user's data folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use directories::BaseDirs;

/// The root folder.
pub(crate) fn home() -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("PARITY_HOME") {
        return Ok(PathBuf::from(home));
    }
    let dirs = BaseDirs::new().context("no home folder is known; set HOME or PARITY_HOME")?;
    Ok(dirs.data_dir().join("parity"))
}

/// Keystores of the user's own wallets.
pub(crate) fn wallets() -> anyhow::Result<PathBuf> {
    Ok(home()?.join("wallets"))
}

/// The descriptor of a running devnet.
pub(crate) fn devnet_descriptor() -> anyhow::Result<PathBuf> {
    Ok(home()?.join("devnet.json"))
}

/// The folder of the running devnet; emptied at every start.
pub(crate) fn devnet() -> anyhow::Result<PathBuf> {
    Ok(home()?.join("devnet"))
}

/// State of a daemon: journal, outbox, keys.
pub(crate) fn daemon_state(given: Option<&Path>, daemon: &str) -> anyhow::Result<PathBuf> {
    match given {
        Some(path) => Ok(path.to_owned()),
        None => Ok(home()?.join(daemon)),
    }
}
