//! How a session and its simulation begin alike: a CSV file or a folder of images is read, a part is held out, the rest is dealt to seats.

use std::path::Path;

use anyhow::{Context, bail};
use parity_learning::{
    csv::{self, Prepared},
    holdout,
    images::{self, Folder},
    partition,
    table::Table,
};
use parity_protocol::spec::Data;

use super::create_with_data::options;
use crate::{
    args::{
        file::{FileArgs, ImageShape},
        partition::DealArgs,
    },
    output::Output,
};

/// Reads a file or folder and holds out the share that the flags say.
pub(super) fn prepare(
    file: &Path,
    columns: &FileArgs,
    deal: &DealArgs,
    seed: u64,
    output: Output,
) -> anyhow::Result<Prepared> {
    let share = deal.holdout;
    if !(share > 0.0 && share < 1.0) {
        bail!("--holdout {share} must lie between 0 and 1, for example 0.2");
    }
    read(file, columns, share, seed, output)
}

/// Reads a CSV file, or a folder with PNG files in one sub-folder per class, and holds out a share.
pub(super) fn read(file: &Path, columns: &FileArgs, share: f64, seed: u64, output: Output) -> anyhow::Result<Prepared> {
    let reading = || format!("reading {}", file.display());
    if file.is_dir() {
        if columns.label.is_some() || columns.task.is_some() || columns.header.is_some() || columns.delimiter.is_some()
        {
            bail!(
                "--label, --task, --header and --delimiter speak of CSV files; {} is a folder, whose sub-folders are the classes",
                file.display()
            );
        }
        let folder = Folder::list(file).with_context(reading)?;
        let bar = output.progress(u64::try_from(folder.files().len())?, "reading images");
        let prepared = images::prepare(&folder, columns.target(), share, seed, &|| bar.inc(1)).with_context(reading)?;
        bar.finish_and_clear();
        return Ok(prepared);
    }
    let prepared = csv::prepare(file, &options(columns), share, seed).with_context(reading)?;
    let stated = columns.image.map(ImageShape::volume);
    Ok(Prepared { image: stated.or(prepared.image), ..prepared })
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
        holdout_digest: holdout::digest(&prepared.holdout.to_safetensors()),
    };
    Ok((shards, data))
}
