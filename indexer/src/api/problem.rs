//! Errors as a reader sees them: RFC 9457 documents that name the value and the remedy.

use axum::{
    Json,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;

/// A problem document (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was wrong, with which value, and what to do.
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { kind: "about:blank".to_owned(), title, status: status.as_u16(), detail }
    }

    /// A value in the request cannot be used.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail.into())
    }

    /// There is no such thing.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail.into())
    }

    /// The route knows other methods.
    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this API is read-only: use GET".to_owned())
    }

    /// No block was folded in yet.
    pub(super) fn starting() -> Self {
        let detail = "no block has been indexed yet; try again in a moment, and see /metrics if that lasts";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail.to_owned())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
        let (status, detail) = if error.is_retryable() {
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again in a moment")
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, "the request failed inside the indexer; its log says why")
        };
        Self::new(status, detail.to_owned())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}
