//! The crate as its users see it: files in, tables and models out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aggregation;
mod contribution;
mod csv_encode;
mod csv_infer;
mod csv_refused;
mod exact;
mod export;
mod export_json;
mod foreign_bytes;
mod forest;
mod forest_bytes;
mod forest_session;
mod metrics;
mod onnxruntime;
mod partition;
mod round;
