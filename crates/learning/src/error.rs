//! What can be wrong with data, tensors and models. Every message names the value and the remedy.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why data, tensors or a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text of the file is not a usable table.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// One line of the file cannot be used.
    #[error("{path}, line {line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: u64,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The file can be read in two ways; one flag decides.
    #[error("{path}: {question}; add {flag}")]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// What is not clear.
        question: String,
        /// The flag that decides, with its possible values.
        flag: String,
    },
    /// The file does not fit an existing schema.
    #[error("{path} does not fit the schema: {reason}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The rows cannot be split as asked.
    #[error("cannot split the data: {0}")]
    Split(String),
    /// A value of the protocol is out of range.
    #[error(transparent)]
    Protocol(#[from] parity_protocol::Error),
    /// Bytes are not a usable tensor file.
    #[error("unreadable tensors: {0}")]
    Tensors(String),
    /// A tensor does not fit the model.
    #[error("tensor {tensor}: {reason}")]
    Shape {
        /// Its name.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// Rows do not fit the model.
    #[error("unusable rows: {0}")]
    Rows(String),
    /// Nothing to aggregate, or weights that do not add up.
    #[error("cannot aggregate: {0}")]
    Aggregate(String),
    /// A forest, its recipe or its histograms cannot be used.
    #[error("unusable forest: {0}")]
    Forest(String),
    /// Sums of an exact method, or the model they are made at, cannot be used.
    #[error("unusable sums: {0}")]
    Exact(String),
    /// A model card cannot be read.
    #[error("unreadable model card: {0}")]
    Card(String),
    /// A model cannot be written in another format.
    #[error("cannot export the model: {0}")]
    Export(String),
    /// A name is not one of the known ones.
    #[error("'{value}' is not a {what}; known are {known}")]
    Unknown {
        /// What kind of name.
        what: &'static str,
        /// As typed.
        value: String,
        /// All of them.
        known: &'static str,
    },
}
