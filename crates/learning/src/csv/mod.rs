//! From someone else's CSV file to rows of numbers.
//!
//! [`infer`] and [`prepare`] find out what a file holds: delimiter, header, decimal comma, label, task, types, missing cells.
//! What can be read in two ways is an error that names the one flag which decides. [`encode`] and [`encode_unlabelled`] read a
//! file by a schema that exists already. Whatever is dropped, filled or ignored is said in a report, line by line.

mod cell;
mod columns;
mod dialect;
mod encode;
mod frame;
mod label;
mod sheet;
mod write;

use std::path::Path;

use parity_protocol::{
    model::Volume,
    schema::{Scaling, Schema},
};

pub use encode::{Encoded, Unlabelled, encode, encode_unlabelled};
use frame::Frame;
pub(crate) use label::sort_classes;
use sheet::{ReadOptions, Sheet};
pub use write::write;

use crate::{Error, Result, images, partition, scaling, table::Table};

/// Classification or regression, where the user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// The label is one of a few classes.
    Classification,
    /// The label is a number.
    Regression,
}

impl std::str::FromStr for TaskKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "classification" => Ok(Self::Classification),
            "regression" => Ok(Self::Regression),
            _ => Err(Error::Unknown { what: "task", value: text.to_owned(), known: "classification, regression" }),
        }
    }
}

/// What the user says about a file; everything left out is found out.
#[derive(Clone, Debug, Default)]
pub struct InferOptions {
    /// Name or 1-based position of the label column (`--label`).
    pub label: Option<String>,
    /// Classification or regression (`--task`).
    pub task: Option<TaskKind>,
    /// Whether the first line is a header (`--header yes|no`).
    pub header: Option<bool>,
    /// Delimiter (`--delimiter`).
    pub delimiter: Option<char>,
    /// What the images of a folder are scaled to (`--image`).
    pub image: images::Target,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// Columns, label, fill values and label statistics of all rows.
    pub schema: Schema,
    /// What was found and decided, one sentence each.
    pub report: Vec<String>,
}

/// A file ready for a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Columns and label; fill values and label statistics come from the training rows alone.
    pub schema: Schema,
    /// Standardisation, from the training rows alone.
    pub scaling: Scaling,
    /// Rows to be dealt to seats, in file order.
    pub train: Table,
    /// Rows that no seat sees, in file order; none where the share is 0.
    pub holdout: Table,
    /// Shape of a row, where the columns say that it is an image.
    pub image: Option<Volume>,
    /// What was found and decided, one sentence each.
    pub report: Vec<String>,
}

/// Finds out what a file holds.
///
/// # Errors
/// When the file cannot be read, a line cannot be used, or a flag is needed: see [`Error`].
pub fn infer(path: &Path, options: &InferOptions) -> Result<Inferred> {
    let frame = read(path, options)?;
    let rows: Vec<usize> = (0..frame.rows()).collect();
    let (schema, report) = frame.schema(&rows)?;
    Ok(Inferred { schema, report })
}

/// Finds out what a file holds, splits off a stratified holdout and encodes both parts. No statistic sees a holdout row.
///
/// # Errors
/// As [`infer`], and [`Error::Split`] when the share leaves one part without rows.
pub fn prepare(path: &Path, options: &InferOptions, holdout_share: f64, seed: u64) -> Result<Prepared> {
    let frame = read(path, options)?;
    let (train, holdout) = partition::split_holdout(&frame.labels(), holdout_share, seed)?;
    let (schema, mut report) = frame.schema(&train)?;
    let table = frame.table(&schema);
    let (train, holdout) = (table.select(&train), table.select(&holdout));
    report.push(format!("{} training rows, {} holdout rows", train.rows(), holdout.rows()));
    let scaling = scaling::fit(&train)?;
    let image = images::shape_of(&schema);
    Ok(Prepared { schema, scaling, train, holdout, image, report })
}

fn read(path: &Path, options: &InferOptions) -> Result<Frame> {
    let sheet =
        Sheet::read(path, &ReadOptions { header: options.header, delimiter: options.delimiter, names: Vec::new() })?;
    Frame::infer(&sheet, options)
}
