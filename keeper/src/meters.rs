//! What a keeper counts for Prometheus.

use std::sync::atomic::AtomicU64;

use parity_service::Registry;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// Counters of a running keeper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meters {
    /// Sessions that are looked at.
    pub(crate) sessions: Gauge,
    /// Height of the head.
    pub(crate) head: Gauge<u64, AtomicU64>,
    /// Steps that came into a block.
    pub(crate) steps: Counter,
    /// Steps that somebody else had taken.
    pub(crate) superseded: Counter,
    /// Steps that failed.
    pub(crate) failures: Counter,
    /// Reorganisations noticed.
    pub(crate) reorganisations: Counter,
}

impl Meters {
    /// Registers every counter.
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("parity_keeper");
        registry.register("sessions", "Sessions that are looked at", self.sessions.clone());
        registry.register("head", "Height of the head", self.head.clone());
        registry.register("steps", "Steps that came into a block", self.steps.clone());
        registry.register("superseded", "Steps that somebody else had taken", self.superseded.clone());
        registry.register("failures", "Steps that failed", self.failures.clone());
        registry.register("reorganisations", "Reorganisations noticed", self.reorganisations.clone());
        registry
    }
}
