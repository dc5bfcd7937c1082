//! The command tree: what can be typed. Logic lives beside it, one module a noun.

pub(crate) mod export;
pub(crate) mod file;
pub(crate) mod fl;
pub(crate) mod forest;
pub(crate) mod learn;
pub(crate) mod local;
mod money;
pub(crate) mod partition;
pub(crate) mod reward;
pub(crate) mod simulate;

use clap::{Args, Parser, Subcommand};

pub(crate) use export::ModelFormat;
pub(crate) use fl::{
    ConvertArgs, CreateArgs, CreateWithDataArgs, FlCommand, ModelArgs, PredictArgs, ReportArgs, VerifyArgs,
};
pub(crate) use local::RunnerDataCommand;
pub(crate) use local::RunnerStartArgs;
pub(crate) use local::{ContentCommand, DevnetArgs, IndexerCommand, KeeperCommand, RunnerCommand};
pub(crate) use money::{ReputationCommand, StakeCommand, WalletCommand};
pub(crate) use partition::PartitionArgs;

/// Decentralised federated learning: pay for training, train for pay.
#[derive(Debug, Parser)]
#[command(name = "parity", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON document on standard output instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// JSON-RPC endpoint; without it a running devnet is used
    #[arg(long, global = true, env = "PARITY_RPC", value_name = "URL")]
    pub(crate) rpc: Option<String>,
    /// Contract addresses of the network (JSON), needed with --rpc
    #[arg(long, global = true, env = "PARITY_DEPLOYMENTS", value_name = "FILE")]
    pub(crate) deployments: Option<std::path::PathBuf>,
    /// Content store, repeatable: folder:PATH, kubo:URL or gateway:URL
    #[arg(long = "store", global = true, env = "PARITY_STORES", value_delimiter = ',', value_name = "STORE")]
    pub(crate) stores: Vec<String>,
    /// Read API of the indexer
    #[arg(long, global = true, env = "PARITY_INDEXER", value_name = "URL")]
    pub(crate) indexer: Option<String>,
    /// Folder of keystores
    #[arg(long, global = true, env = "PARITY_KEYSTORE_DIR", value_name = "DIR")]
    pub(crate) keystore_dir: Option<std::path::PathBuf>,
    /// Wallet that signs, by name
    #[arg(long, global = true, env = "PARITY_WALLET", value_name = "NAME")]
    pub(crate) wallet: Option<String>,
    /// File with the password of the wallet; without it you are asked
    #[arg(long, global = true, env = "PARITY_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) password_file: Option<std::path::PathBuf>,
    /// Do not ask before signing
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys, balances and transfers
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Federated-learning sessions
    #[command(subcommand)]
    Fl(Box<FlCommand>),
    /// Bonds of operators
    #[command(subcommand)]
    Stake(StakeCommand),
    /// Scores from finished and missed rounds
    #[command(subcommand)]
    Reputation(ReputationCommand),
    /// Content-addressed files
    #[command(subcommand)]
    Content(ContentCommand),
    /// Train for pay
    #[command(subcommand)]
    Runner(RunnerCommand),
    /// Aggregate, finalise and pay out
    #[command(subcommand)]
    Keeper(KeeperCommand),
    /// Mirror chain events into Postgres and serve them
    #[command(subcommand)]
    Indexer(IndexerCommand),
    /// Start a whole network on this machine
    Devnet(DevnetArgs),
    /// What this machine has and lacks
    Doctor,
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}
