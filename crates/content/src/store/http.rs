//! HTTP with limits: one client, one place for timeouts, retry and the size of answers.

use std::{net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::{Error, Result, retry::with_retry};

/// A listening node accepts within milliseconds; a dead address should not hold a round up.
const CONNECT: Duration = Duration::from_secs(5);
/// A block is at most 2 MiB: 60 s allow 35 KB/s.
const BLOCK: Duration = Duration::from_secs(60);
/// Error texts are read up to this size.
const ERROR_BYTES: usize = 16 << 10;

/// A service with a base address.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    base: Url,
    /// What error messages call the service.
    pub(super) place: String,
}

/// A whole answer, of any status that is not worth asking again.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Http {
    pub(super) fn new(kind: &str, address: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Location { text: format!("{kind}:{address}"), reason };
        let mut base = Url::parse(address).map_err(|e| refuse(format!("{e}; write {kind}:http://host:port")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(refuse(format!("not an HTTP address; write {kind}:http://host:port")));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut builder = Client::builder().connect_timeout(CONNECT).timeout(BLOCK);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|e| refuse(e.to_string()))?;
        Ok(Self { client, place: format!("{kind} {address}"), base })
    }

    /// The client and the address of `path` under the base.
    pub(super) fn at(&self, path: &str) -> Result<(&Client, Url)> {
        let url = self.base.join(path).map_err(|e| Error::Location { text: path.to_owned(), reason: e.to_string() })?;
        Ok((&self.client, url))
    }

    /// Sends what `build` builds, anew for each try, and reads an answer of at most `limit` bytes.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        limit: usize,
        build: impl Fn() -> Result<RequestBuilder>,
    ) -> Result<Answer> {
        with_retry(|| async {
            let response = build()?.send().await.map_err(|e| self.unavailable(operation, &e))?;
            let status = response.status();
            if status.is_success() {
                return Ok(Answer { status, body: self.read(operation, response, limit).await? });
            }
            let body = excerpt(response).await;
            if is_passing(status) {
                let reason = format!("{status} {}", words(&body));
                return Err(Error::Unavailable { place: self.place.clone(), operation, reason });
            }
            Ok(Answer { status, body })
        })
        .await
    }

    async fn read(&self, operation: &'static str, mut response: Response, limit: usize) -> Result<Bytes> {
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(|e| self.unavailable(operation, &e))? {
            let actual = body.len() + part.len();
            if actual > limit {
                let what = format!("the answer of {}", self.place);
                return Err(Error::TooLarge { what, limit: limit as u64, actual: actual as u64 });
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    }

    fn unavailable(&self, operation: &'static str, error: &reqwest::Error) -> Error {
        // The outermost text only says that sending failed; the cause is at the bottom.
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
        Error::Unavailable { place: self.place.clone(), operation, reason }
    }

    pub(super) fn refused(&self, operation: &'static str, answer: &Answer) -> Error {
        let reason = format!("{} {}", answer.status, words(&answer.body));
        Error::Refused { place: self.place.clone(), operation, reason }
    }
}

/// The beginning of an error text, as much of it as arrives.
async fn excerpt(mut response: Response) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > ERROR_BYTES {
            break;
        }
    }
    body.freeze()
}

/// Statuses that a busy or restarting service answers with.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback())
}

/// The first words of an error text.
fn words(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(300).collect()
}
