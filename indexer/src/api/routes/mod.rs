//! One handler per route.

pub(super) mod accounts;
pub(super) mod operators;
pub(super) mod sessions;
pub(super) mod status;
