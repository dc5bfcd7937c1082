//! The mathematics of a session, without network, chain or libtorch.
//!
//! The way of the data: a CSV file or a folder of images becomes a [`schema`](parity_protocol::schema::Schema) and encoded rows
//! ([`csv`], [`images`], [`table`]), which are split into shards and a holdout ([`partition`]) and standardised ([`scaling`]). The way of a model:
//! initial weights from the spec ([`model`]), gradients of dense networks ([`perceptron`]), updates checked, averaged and scored
//! ([`round`], [`aggregate`], [`contribution`]), metrics and predictions ([`predict`]), forests grown together or alone ([`forest`]), linear
//! models solved from sums ([`exact`]), a file for its user ([`tensors`], [`card`], [`export`]).
//!
//! Invariant: everything that ends up in a digest is the same on every machine, whatever the number of threads. Randomness
//! comes from [`random`] alone, sums run in a fixed order, files have one canonical form. The only I/O is reading CSV and PNG files.

pub mod aggregate;
pub mod attack;
pub mod card;
pub mod compress;
pub mod contribution;
pub mod csv;
pub mod defaults;
pub mod error;
pub mod exact;
pub mod export;
pub mod forest;
pub mod holdout;
pub mod images;
pub mod importance;
pub mod metrics;
pub mod model;
pub mod partition;
pub mod perceptron;
pub mod predict;
mod product;
pub mod random;
pub mod round;
pub mod scaling;
pub mod simd;
pub mod table;
pub mod tensors;
pub mod weights;

pub use error::{Error, Result};
