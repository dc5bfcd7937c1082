//! Logs of daemons: standard error, text or JSON lines, filtered by `RUST_LOG` (default `info`).

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging. A second call in the same process changes nothing.
pub fn init_tracing(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_target(false);
    // Already set means that another part of this process was first, which is as good.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}
