//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

/// A port that was free a moment ago. Somebody else may take it before it is used, so a caller that binds it should be
/// ready to fail loudly.
///
/// # Errors
/// When the machine has none left.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}
