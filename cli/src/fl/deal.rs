//! How a session and its simulation begin alike: a CSV file is read, a part is held out, the rest is dealt to seats.

use std::path::Path;

use anyhow::{Context, bail};
use parity_learning::{
    csv::{self, Prepared},
    partition,
    table::Table,
};
use parity_protocol::spec::Data;

use super::create_with_data::options;
use crate::args::{file::FileArgs, partition::DealArgs};

/// Reads a file and holds out the share that the flags say.
pub(super) fn prepare(file: &Path, columns: &FileArgs, deal: &DealArgs, seed: u64) -> anyhow::Result<Prepared> {
    let share = deal.holdout;
    if !(share > 0.0 && share < 1.0) {
        bail!("--holdout {share} must lie between 0 and 1, for example 0.2");
    }
    csv::prepare(file, &options(columns), share, seed).with_context(|| format!("reading {}", file.display()))
}

/// The rows of every seat, and what the spec says of them.
pub(super) fn deal(prepared: &Prepared, deal: &DealArgs, seats: u16, seed: u64) -> anyhow::Result<(Vec<Table>, Data)> {
    let shards = partition::deal(&prepared.train.labels, &deal.dealing(seats, seed)?)?;
    let shards: Vec<Table> = shards.iter().map(|shard| prepared.train.select(&shard.rows())).collect();
    let data = Data::Uploaded {
        partition: deal.partition,
        min_samples: deal.min_samples,
        overlap_ratio: deal.overlap_ratio,
        shard_rows: shards.iter().map(|shard| shard.rows() as u64).collect(),
        holdout_rows: prepared.holdout.rows() as u64,
    };
    Ok((shards, data))
}
