//! What every daemon needs and none should write again: tracing, shutdown, configuration, health.
//!
//! A daemon is a library with `run(config, shutdown)`; the process around it calls [`init_tracing`] once, makes the token
//! with [`shutdown_signal`], reads its configuration with [`load_config`] and lends its [`Registry`] to a [`Health`] server.

mod config;
mod health;
mod shutdown;
mod tracing_setup;

pub use config::{ConfigError, load_config};
pub use health::{Health, Liveness};
pub use prometheus_client::registry::Registry;
pub use shutdown::shutdown_signal;
pub use tracing_setup::init_tracing;
