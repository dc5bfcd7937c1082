//! How a file is dealt to seats, and the command that shows it.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use parity_learning::{defaults, partition::Dealing};
use parity_protocol::spec::Partition;

use super::file::FileArgs;

/// How a file is dealt to seats.
#[derive(Clone, Debug, Args)]
pub(crate) struct DealArgs {
    /// How rows are dealt to seats: iid, sequential, stratified, dirichlet:ALPHA, label-skew:CLASSES (per seat) or
    /// quantity-skew:BETA
    #[arg(long, value_name = "HOW", default_value = "stratified")]
    pub(crate) partition: Partition,
    /// Least rows of its own that every seat gets
    #[arg(long, value_name = "ROWS", default_value_t = 1)]
    pub(crate) min_samples: u64,
    /// Rows of other seats that a seat gets besides, per row of its own: 0 (none) to 1
    #[arg(long, value_name = "RATIO", default_value_t = 0.0)]
    pub(crate) overlap_ratio: f64,
    /// Share of rows that no seat gets, kept for evaluation
    #[arg(long, value_name = "SHARE", default_value_t = defaults::HOLDOUT_SHARE)]
    pub(crate) holdout: f64,
}

impl DealArgs {
    /// What is asked of the partition.
    pub(crate) fn dealing(&self, seats: u16, seed: u64) -> anyhow::Result<Dealing> {
        let min_samples = usize::try_from(self.min_samples)
            .with_context(|| format!("--min-samples {} is more than a machine can hold", self.min_samples))?;
        Ok(Dealing {
            partition: self.partition,
            seats: usize::from(seats),
            min_samples,
            overlap_ratio: self.overlap_ratio,
            seed,
        })
    }
}

/// `parity fl partition`
#[derive(Debug, Args)]
pub(crate) struct PartitionArgs {
    /// CSV file with a label column, or folder of PNG files in one sub-folder per class
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) columns: FileArgs,
    #[command(flatten)]
    pub(crate) deal: DealArgs,
    /// Seats
    #[arg(long, visible_alias = "seats", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) clients: u16,
    /// Seed of all draws; a session with the same seed deals the same rows
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Only show the parts, write none
    #[arg(long, required_unless_present = "output", conflicts_with = "output")]
    pub(crate) dry_run: bool,
    /// New folder for one encoded .safetensors table per seat, and one of the holdout
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Draw rows per class and seat as an SVG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}
