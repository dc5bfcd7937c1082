//! Commands about federated sessions.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use parity_protocol::TokenAmount;

use super::{
    export::ExportArgs,
    file::FileArgs,
    learn::LearnArgs,
    partition::{DealArgs, PartitionArgs},
    reward::RewardArgs,
    simulate::SimulateArgs,
};

/// `parity fl`
#[derive(Debug, Subcommand)]
pub(crate) enum FlCommand {
    /// Create a session whose runners bring their own private data
    CreateSession(CreateArgs),
    /// Create a session from a CSV file or a folder of images: partition, seal, pay, start
    CreateSessionWithData(CreateWithDataArgs),
    /// Show how a CSV file or a folder of images would be dealt to seats, or write the parts
    Partition(PartitionArgs),
    /// Sessions, newest first
    List {
        /// Most sessions to show
        #[arg(long, default_value_t = 20)]
        limit: u64,
    },
    /// One session in full
    Get(SessionArgs),
    /// Follow a session: rounds, accuracy, cost
    Watch(SessionArgs),
    /// Seal shards to seats that wait for them, until all seats are served
    Seal(SessionArgs),
    /// Cancel: at once while open, after the current round once active
    Cancel(SessionArgs),
    /// Download the model of the last final round
    Model(ModelArgs),
    /// Write a downloaded model in another format
    Convert(ConvertArgs),
    /// Write a session's report as one HTML page
    Report(ReportArgs),
    /// Run the same learning here, without chain or money
    Simulate(Box<SimulateArgs>),
    /// Apply a downloaded model to a CSV file or to PNG files
    Predict(PredictArgs),
    /// Recompute every aggregate, score and payout from chain and content
    Verify(VerifyArgs),
}

/// A session.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// Session id; the newest session of your wallet when absent
    pub(crate) session: Option<u64>,
}

/// `parity fl verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Session id; the newest session of your wallet when absent
    pub(crate) session: Option<u64>,
    /// Sealing key of a keeper (sealing.key in its state folder): opens updates and the holdout that were sealed to it
    #[arg(long, value_name = "FILE")]
    pub(crate) sealing_key: Option<PathBuf>,
}

/// `parity fl model`
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Session id; the newest session of your wallet when absent
    pub(crate) session: Option<u64>,
    #[command(flatten)]
    pub(crate) export: ExportArgs,
}

/// `parity fl convert`
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// Model file written by `parity fl model`, its card beside it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) export: ExportArgs,
}

/// `parity fl report`
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Session id; the newest session of your wallet when absent
    pub(crate) session: Option<u64>,
    /// Where to write the page
    #[arg(long, short, default_value = "report.html", value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Labelled rows to try the last model on: CSV with the session's columns, or an encoded .safetensors table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Recompute every aggregate and payout, and say on the page what came of it
    #[arg(long)]
    pub(crate) verify: bool,
}

/// `parity fl predict`
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Model file written by `parity fl model`, its card beside it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) model: PathBuf,
    /// CSV file with the model's columns, a PNG file, a folder of them (or an encoded .safetensors table); with labels, metrics are
    /// printed
    pub(crate) file: PathBuf,
    /// Where to write predictions; standard output when absent
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Who may see what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrivacyLevel {
    /// Updates are public
    None,
    /// Updates are sealed to the keepers
    Low,
    /// Secure aggregation (not yet available)
    Medium,
    /// Secure aggregation with differential privacy (not yet available)
    High,
}

/// What is learned, by how many, for how much.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArgs {
    /// Name of the session
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Rounds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) total_rounds: u16,
    /// Accuracy (R2 for numbers) on the held-out rows that ends the session early; the rest of the budget comes back
    #[arg(long)]
    pub(crate) target: Option<f64>,
    /// Who may see what
    #[arg(long, value_enum, default_value = "none")]
    pub(crate) privacy_level: PrivacyLevel,
    /// Seats, one runner each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) seats: u16,
    /// Least updates that close a round at its deadline; two thirds of those that take part when absent
    #[arg(long)]
    pub(crate) quorum: Option<u16>,
    /// Seed of initial weights, shuffles and partitions
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) learn: LearnArgs,
    #[command(flatten)]
    pub(crate) reward: RewardArgs,
    /// Stake a runner needs
    #[arg(long, default_value = "10", value_name = "USDFC")]
    pub(crate) min_stake: TokenAmount,
    /// Reputation a runner needs, 0 to 1000
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) min_reputation: u16,
    /// Epochs for training in a round
    #[arg(long)]
    pub(crate) round_period: Option<u32>,
    /// Epochs to fill all seats
    #[arg(long)]
    pub(crate) open_period: Option<u32>,
    /// Keepers that must agree on an aggregate
    #[arg(long)]
    pub(crate) attestations: Option<u16>,
}

/// `parity fl create-session`
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Schema of the runners' data: JSON written by --write-schema, or a sample: a CSV with the same
    /// columns, a folder of PNG files in one sub-folder per class
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: PathBuf,
    /// Only write the schema inferred from a sample CSV to this file, to hand it to runners
    #[arg(long, value_name = "FILE")]
    pub(crate) write_schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: FileArgs,
    /// Most samples that count for one update
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) max_samples: u64,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// `parity fl create-session-with-data`
#[derive(Debug, Args)]
pub(crate) struct CreateWithDataArgs {
    /// CSV file with a label column, or folder of PNG files in one sub-folder per class
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) columns: FileArgs,
    #[command(flatten)]
    pub(crate) deal: DealArgs,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}
