//! What a CSV file holds.

use clap::{Args, ValueEnum};
use parity_learning::csv::TaskKind;

/// What a CSV file holds, where it can be read in two ways.
#[derive(Clone, Debug, Args)]
pub(crate) struct FileArgs {
    /// Label column, by name or 1-based position; a well-known name or the last column when absent
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// classification or regression; decided from the label column when absent
    #[arg(long)]
    pub(crate) task: Option<TaskKind>,
    /// Whether the first line is a header
    #[arg(long, value_enum)]
    pub(crate) header: Option<YesNo>,
    /// Delimiter
    #[arg(long)]
    pub(crate) delimiter: Option<char>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// It is
    Yes,
    /// It is not
    No,
}
