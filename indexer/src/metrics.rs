//! Numbers for Prometheus.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Which part failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Part {
    /// `node` or `database`.
    pub(crate) part: &'static str,
}

/// What the indexer counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) head: Gauge<u64, AtomicU64>,
    pub(crate) cursor: Gauge<u64, AtomicU64>,
    pub(crate) lag: Gauge<u64, AtomicU64>,
    pub(crate) finalized: Gauge<u64, AtomicU64>,
    pub(crate) blocks: Counter,
    pub(crate) logs: Counter,
    pub(crate) rows: Counter,
    pub(crate) reorgs: Counter,
    /// Deepest since the start.
    pub(crate) reorg_depth: Gauge<u64, AtomicU64>,
    pub(crate) errors: Family<Part, Counter>,
    pub(crate) streams: Gauge,
}

impl Metrics {
    /// Puts everything under `parity_indexer_`.
    pub(crate) fn register(&self) -> Arc<Registry> {
        let mut registry = Registry::with_prefix("parity_indexer");
        registry.register("head", "Height of the chain", self.head.clone());
        registry.register("cursor", "Height up to which blocks are folded in", self.cursor.clone());
        registry.register("lag_epochs", "Blocks between the chain and the cursor", self.lag.clone());
        registry.register("finalized", "Height up to which nothing is taken back", self.finalized.clone());
        registry.register("blocks", "Blocks folded in", self.blocks.clone());
        registry.register("logs", "Logs folded in", self.logs.clone());
        registry.register("rows", "Rows written", self.rows.clone());
        registry.register("reorgs", "Reorganisations followed", self.reorgs.clone());
        registry.register("reorg_depth", "Deepest reorganisation, in heights", self.reorg_depth.clone());
        registry.register("errors", "Failures that were retried, by part", self.errors.clone());
        registry.register("event_streams", "Open event streams", self.streams.clone());
        Arc::new(registry)
    }
}
