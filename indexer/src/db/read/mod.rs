//! What the API reads. Pages are ordered by key and continue after the key of the last row, so that rows that appear in
//! between never shift a page.

pub(crate) mod accounts;
pub(crate) mod operators;
pub(crate) mod sessions;
