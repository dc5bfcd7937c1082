//! Timeout and bounded, jittered retry of every request: the one place where requests are repeated.
//!
//! All our requests may be repeated: reads change nothing, and a signed transaction sent twice is one transaction.

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{TransportError, TransportErrorKind, TransportFut},
};
use rand::RngExt;
use tower::{Layer, Service};

/// How requests are repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// Attempts in all.
    pub(crate) attempts: u32,
    /// Wait before the second attempt; doubles each time, with a jitter of half of it.
    pub(crate) pause: Duration,
}

/// All attempts failed for want of an answer.
#[derive(Debug)]
pub(crate) struct Exhausted {
    pub(crate) url: String,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {} after {} attempts: {}", self.url, self.attempts, self.reason)
    }
}

impl std::error::Error for Exhausted {}

/// Adds the retries to a transport.
#[derive(Clone, Debug)]
pub(crate) struct RetryLayer {
    pub(crate) retry: Retry,
    pub(crate) url: String,
}

impl<S> Layer<S> for RetryLayer {
    type Service = RetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, retry: self.retry, url: self.url.clone() }
    }
}

/// A transport that repeats what got no answer.
#[derive(Clone, Debug)]
pub(crate) struct RetryService<S> {
    inner: S,
    retry: Retry,
    url: String,
}

/// What the attempt met, if the request should be repeated.
fn failure(outcome: &Result<ResponsePacket, TransportError>) -> Option<String> {
    match outcome {
        Ok(packet) => {
            let error = packet.as_error()?;
            let text = error.message.to_lowercase();
            let busy = error.code == 429 || text.contains("rate limit") || text.contains("too many requests");
            busy.then(|| error.message.to_string())
        }
        Err(TransportError::Transport(kind)) => match kind {
            TransportErrorKind::HttpError(http) if http.status != 429 && http.status < 500 => None,
            TransportErrorKind::HttpError(http) => Some(format!("HTTP {}", http.status)),
            TransportErrorKind::HttpErrorWithRetryAfter { error, .. } => Some(format!("HTTP {}", error.status)),
            TransportErrorKind::Custom(source) => Some(innermost(source.as_ref())),
            other => Some(other.to_string()),
        },
        // A gateway's HTML page, or an answer cut short.
        Err(TransportError::DeserError { .. }) => Some("the answer is no JSON-RPC".to_owned()),
        Err(_) => None,
    }
}

/// The cause at the end of the chain: "connection refused" says more than "error sending request".
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

impl<S> Service<RequestPacket> for RetryService<S>
where
    S: Service<RequestPacket, Response = ResponsePacket, Future = TransportFut<'static>, Error = TransportError>
        + Send
        + Clone
        + 'static,
{
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        let mut inner = self.inner.clone();
        let Retry { attempts, mut pause } = self.retry;
        let url = self.url.clone();
        Box::pin(async move {
            let mut attempt = 1;
            loop {
                let outcome = inner.call(request.clone()).await;
                let Some(reason) = failure(&outcome) else { return outcome };
                if attempt >= attempts {
                    return Err(TransportErrorKind::custom(Exhausted { url, attempts, reason }));
                }
                tracing::debug!(attempt, reason, "repeating a request");
                let jitter = rand::rng().random_range(0.5..1.5);
                tokio::time::sleep(pause.mul_f64(jitter)).await;
                pause = pause.saturating_mul(2);
                attempt += 1;
            }
        })
    }
}
