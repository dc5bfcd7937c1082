//! Values of a request, refused in words when they cannot be used.

use alloy::primitives::Address;
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::problem::Problem;

/// Rows of a page when nobody says how many.
const DEFAULT_LIMIT: u16 = 50;
/// Most rows of a page.
const MAX_LIMIT: u16 = 500;

/// Query parameters.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, state).await.map(|Query(params)| Self(params)).map_err(|rejection| {
            Problem::invalid(format!("{}; /openapi.json lists the parameters", rejection.body_text()))
        })
    }
}

/// The number of a session in the path.
pub(super) struct SessionId(pub(super) u64);

impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = segment(parts, state).await?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::invalid(format!("'{text}' is not the number of a session, such as 7")))
    }
}

/// An address in the path.
pub(super) struct AddressOf(pub(super) Address);

impl<S: Send + Sync> FromRequestParts<S> for AddressOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        address(&segment(parts, state).await?).map(Self)
    }
}

async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let Path(text) = Path::<String>::from_request_parts(parts, state)
        .await
        .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    Ok(text)
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<Address, Problem> {
    text.parse()
        .map_err(|_| Problem::invalid(format!("'{text}' is not an address: 0x and 40 hexadecimal digits are expected")))
}

/// Which page is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
    /// Rows wanted, 1 to 500; 50 by default.
    pub(super) limit: Option<u16>,
}

impl Paging {
    /// Rows wanted.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(usize::from(limit)),
            limit => Err(Problem::invalid(format!("limit {limit} is not between 1 and {MAX_LIMIT}"))),
        }
    }

    /// The key after which the page begins.
    pub(super) fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_deref().map(super::cursor::decode).transpose()
    }
}
