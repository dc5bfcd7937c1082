//! Commands about this machine: content, daemons, devnet.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use parity_protocol::TokenAmount;

use super::file::FileArgs;

/// `parity content`
#[derive(Debug, Subcommand)]
pub(crate) enum ContentCommand {
    /// Compute the CID of a file without storing it
    Cid {
        /// The file
        file: PathBuf,
    },
    /// Store a file and print its CID
    Add {
        /// The file
        file: PathBuf,
    },
    /// Fetch a file by CID and verify it
    Get {
        /// The CID
        cid: String,
        /// Where to write it
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// How trainers are isolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SandboxKind {
    /// A container without network (needs a Docker daemon)
    Docker,
    /// A plain process with resource limits: does NOT isolate files or network fully
    Process,
}

/// Where the trainer runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct SandboxArgs {
    /// How trainers are isolated; docker when absent
    #[arg(long, value_enum, env = "PARITY_SANDBOX")]
    pub(crate) sandbox: Option<SandboxKind>,
    /// Image of the trainer (Docker sandbox)
    #[arg(long, env = "PARITY_TRAINER_IMAGE", value_name = "IMAGE")]
    pub(crate) trainer_image: Option<String>,
    /// Binary of the trainer (process sandbox)
    #[arg(long, env = "PARITY_TRAINER", value_name = "FILE")]
    pub(crate) trainer: Option<PathBuf>,
    /// Folder of the trainer's shared libraries (process sandbox)
    #[arg(long, env = "PARITY_TRAINER_LIBRARIES", value_name = "DIR")]
    pub(crate) libraries: Option<PathBuf>,
    /// CPUs a trainer may use; 1 when absent
    #[arg(long)]
    pub(crate) cpus: Option<u32>,
}

impl SandboxKind {
    /// As typed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Process => "process",
        }
    }
}

impl SandboxArgs {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self.sandbox.unwrap_or(SandboxKind::Docker) {
            SandboxKind::Docker => "Docker containers without network".to_owned(),
            SandboxKind::Process => "plain processes (little isolation)".to_owned(),
        }
    }

    /// The same choice as arguments of another `parity` process; paths become absolute.
    pub(crate) fn to_arguments(&self) -> std::io::Result<Vec<String>> {
        let mut arguments = Vec::new();
        if let Some(kind) = self.sandbox {
            arguments.extend(["--sandbox".to_owned(), kind.name().to_owned()]);
        }
        if let Some(cpus) = self.cpus {
            arguments.extend(["--cpus".to_owned(), cpus.to_string()]);
        }
        if let Some(image) = &self.trainer_image {
            arguments.extend(["--trainer-image".to_owned(), image.clone()]);
        }
        if let Some(trainer) = &self.trainer {
            arguments.extend(["--trainer".to_owned(), std::path::absolute(trainer)?.display().to_string()]);
        }
        if let Some(libraries) = &self.libraries {
            arguments.extend(["--libraries".to_owned(), std::path::absolute(libraries)?.display().to_string()]);
        }
        Ok(arguments)
    }
}

/// `parity runner`
#[derive(Debug, Subcommand)]
pub(crate) enum RunnerCommand {
    /// Claim seats and train until stopped
    Start(RunnerStartArgs),
    /// Register as an operator and bond stake
    Register(RunnerRegisterArgs),
    /// Local data for private sessions; it never leaves this machine
    #[command(subcommand)]
    Data(RunnerDataCommand),
}

/// `parity runner start`
#[derive(Debug, Args)]
pub(crate) struct RunnerStartArgs {
    /// Folder of the runner's journal, keys and data
    #[arg(long, env = "PARITY_RUNNER_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Least reward per round that is worth a seat
    #[arg(long, value_name = "USDFC")]
    pub(crate) min_reward: Option<TokenAmount>,
    /// Sessions served at the same time
    #[arg(long)]
    pub(crate) max_sessions: Option<usize>,
    /// Lend the CUDA device of this machine to trainers; refused where none of them can use it
    #[arg(long)]
    pub(crate) cuda: bool,
    /// TOML file with any field of the runner's configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// `parity runner register`
#[derive(Debug, Args)]
pub(crate) struct RunnerRegisterArgs {
    /// Folder of the runner's journal, keys and data
    #[arg(long, env = "PARITY_RUNNER_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// USDFC that are bonded afterwards
    #[arg(long, default_value = "100", value_name = "USDFC")]
    pub(crate) stake: TokenAmount,
}

/// `parity runner data`
#[derive(Debug, Subcommand)]
pub(crate) enum RunnerDataCommand {
    /// Register a CSV file or a folder of images for private sessions
    Add(RunnerDataAddArgs),
    /// Registered data
    List {
        /// Folder of the runner's journal, keys and data
        #[arg(long, env = "PARITY_RUNNER_STATE", value_name = "DIR")]
        state: Option<PathBuf>,
    },
}

/// `parity runner data add`
#[derive(Debug, Args)]
pub(crate) struct RunnerDataAddArgs {
    /// The CSV file, or folder of PNG files in one sub-folder per class
    pub(crate) file: PathBuf,
    /// Name to register it under; the file's name when absent
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Schema the file must match: JSON as `parity fl create-session --write-schema` writes it; inferred when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: FileArgs,
    /// Folder of the runner's journal, keys and data
    #[arg(long, env = "PARITY_RUNNER_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}

/// `parity keeper`
#[derive(Debug, Subcommand)]
pub(crate) enum KeeperCommand {
    /// Advance sessions until stopped
    Start(KeeperStartArgs),
    /// Register as a keeper and bond stake
    Register(KeeperRegisterArgs),
}

/// `parity keeper register`
#[derive(Debug, Args)]
pub(crate) struct KeeperRegisterArgs {
    /// Folder of the keeper's outbox and keys
    #[arg(long, env = "PARITY_KEEPER_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// USDFC that are bonded afterwards
    #[arg(long, default_value = "100", value_name = "USDFC")]
    pub(crate) stake: TokenAmount,
}

/// `parity keeper start`
#[derive(Debug, Args)]
pub(crate) struct KeeperStartArgs {
    /// Folder of the keeper's outbox and keys
    #[arg(long, env = "PARITY_KEEPER_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// TOML file with any field of the keeper's configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// `parity indexer`
#[derive(Debug, Subcommand)]
pub(crate) enum IndexerCommand {
    /// Follow the chain and serve the API until stopped
    Start(IndexerStartArgs),
}

/// `parity indexer start`
#[derive(Debug, Args)]
pub(crate) struct IndexerStartArgs {
    /// Postgres to write to
    #[arg(long, env = "DATABASE_URL", value_name = "URL")]
    pub(crate) database_url: String,
    /// Address of the API
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
}

/// `parity devnet`
#[derive(Debug, Args)]
pub(crate) struct DevnetArgs {
    /// Number of runners
    #[arg(long, default_value_t = 3)]
    pub(crate) runners: usize,
    /// Number of keepers
    #[arg(long, default_value_t = 1)]
    pub(crate) keepers: usize,
    /// Seconds between blocks
    #[arg(long, default_value_t = 1)]
    pub(crate) block_time: u64,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Use this store instead of a folder of the devnet
    #[arg(long, value_name = "STORE")]
    pub(crate) devnet_store: Option<String>,
    /// CSV files of private runners, one each, in order
    #[arg(long = "data", value_name = "FILE")]
    pub(crate) data: Vec<PathBuf>,
}
