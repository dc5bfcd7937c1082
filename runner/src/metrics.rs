//! What an agent counts.

use parity_service::Registry;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// What an agent counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) claims: Counter,
    pub(crate) trainings: Counter,
    pub(crate) failures: Counter,
    pub(crate) posted: Counter,
    pub(crate) block: Gauge,
    pub(crate) sessions: Gauge,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("parity_runner_claims", "Seats claimed", self.claims.clone());
        registry.register("parity_runner_trainings", "Rounds trained and stored", self.trainings.clone());
        registry.register("parity_runner_failures", "Trainings that failed", self.failures.clone());
        registry.register("parity_runner_updates", "Updates posted", self.posted.clone());
        registry.register("parity_runner_block", "Block of the last look at the chain", self.block.clone());
        registry.register("parity_runner_sessions", "Sessions in which a seat is held", self.sessions.clone());
    }
}
