//! A small HTTP server beside a daemon: `/health` for supervisors, `/metrics` for Prometheus.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{
    Router, extract::State, http::StatusCode, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// When a daemon last did something; shared between its loop and the health server.
#[derive(Clone, Debug)]
pub struct Liveness {
    started: Instant,
    beat_millis: Arc<AtomicU64>,
    limit: Duration,
}

impl Liveness {
    /// A daemon that counts as dead when it has not beaten for `limit`.
    pub fn new(limit: Duration) -> Self {
        Self { started: Instant::now(), beat_millis: Arc::default(), limit }
    }

    /// Says that the daemon's loop came round.
    pub fn beat(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat_millis.store(millis, Ordering::Relaxed);
    }

    /// Whether the last beat is recent.
    pub fn is_alive(&self) -> bool {
        let last = Duration::from_millis(self.beat_millis.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last) <= self.limit
    }
}

/// The server.
#[derive(Clone, Debug)]
pub struct Health {
    liveness: Liveness,
    registry: Arc<Registry>,
}

impl Health {
    /// Serves this liveness and these metrics.
    pub fn new(liveness: Liveness, registry: Registry) -> Self {
        Self { liveness, registry: Arc::new(registry) }
    }

    /// The routes, to merge into a daemon's own server.
    pub fn router(self) -> Router {
        Router::new().route("/health", get(health)).route("/metrics", get(metrics)).with_state(self)
    }

    /// Listens until `shutdown`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(self, listen: SocketAddr, shutdown: CancellationToken) -> anyhow::Result<()> {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen} for health"))?;
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown.cancelled_owned()).await?;
        Ok(())
    }
}

async fn health(State(health): State<Health>) -> impl IntoResponse {
    if health.liveness.is_alive() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "stalled\n") }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &health.registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    /// The whole answer to a GET, head and body.
    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn health_and_metrics_are_served_until_shutdown() {
        let (mut registry, counter) = (Registry::default(), Counter::<u64>::default());
        registry.register("rounds", "Rounds closed", counter.clone());
        counter.inc();
        let liveness = Liveness::new(Duration::from_millis(200));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(Health::new(liveness.clone(), registry).serve(address, shutdown.clone()));
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        liveness.beat();
        assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/metrics").await.contains("rounds_total 1"));
        while liveness.is_alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(get(address, "/health").await.starts_with("HTTP/1.1 503"));
        shutdown.cancel();
        server.await.unwrap().unwrap();
    }

    #[test]
    fn a_daemon_without_beats_counts_as_dead() {
        let liveness = Liveness::new(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(5));
        assert!(!liveness.is_alive());
        liveness.beat();
        assert!(liveness.is_alive());
    }
}
