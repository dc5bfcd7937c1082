//! From a folder of PNG files to rows of numbers: one sub-folder per class, one file per row.
//!
//! A row holds the pixels as numbers from 0 to 255: channels outermost (one for grey; red, green, blue), then rows, then
//! columns. Its column names say so ([`names`]), which makes a folder and a CSV file of the same pixels interchangeable:
//! [`shape_of`] finds the shape again. Transparency is dropped, 16 bits become 8, and files of several sizes are refused
//! unless a size is given that all are scaled to. Integer arithmetic only: the same files give the same rows everywhere.

mod decode;
mod folder;
mod names;
mod read;
mod resize;

use parity_protocol::{
    model::Volume,
    schema::{Column, ColumnKind, Label, Schema, Task},
};

pub use folder::Folder;
pub use names::{names, shape_of};
pub use read::MAX_VALUES;

use crate::{
    Error, Result,
    csv::{Prepared, Unlabelled},
    partition, scaling,
    table::{Labels, Table},
};

/// Name of the label column of a folder.
pub const LABEL: &str = "class";

/// What images should become; everything left out follows from the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Channels: 1 or 3. Grey files also make three equal channels.
    pub channels: Option<u32>,
    /// Rows and columns of pixels that every file is scaled to.
    pub size: Option<(u32, u32)>,
}

impl From<Volume> for Target {
    fn from(shape: Volume) -> Self {
        Self { channels: Some(shape.channels), size: Some((shape.height, shape.width)) }
    }
}

/// Reads a folder with a sub-folder per class, splits off a stratified holdout and computes what the training rows say of their
/// scale. `progress` hears of every file that was read.
///
/// # Errors
/// [`Error::File`] naming the file and what to do when one cannot be used, [`Error::Split`] when the share leaves one part
/// without rows.
pub fn prepare(
    folder: &Folder,
    target: Target,
    holdout_share: f64,
    seed: u64,
    progress: &(dyn Fn() + Sync),
) -> Result<Prepared> {
    let classes = folder.classes()?;
    let images = read::read(folder, target, progress)?;
    let table =
        Table { features: images.shape.values(), x: images.x, labels: Labels::Classes(folder.labels().to_vec()) };
    let mut report = [folder.notes(), &images.notes[..]].concat();
    let (train, holdout) = partition::split_holdout(&table.labels, holdout_share, seed)?;
    let (train, holdout) = (table.select(&train), table.select(&holdout));
    report.push(format!("{} training rows, {} holdout rows", train.rows(), holdout.rows()));
    let scaling = scaling::fit(&train)?;
    let schema = schema(images.shape, classes.to_vec());
    schema.validate().map_err(|error| Error::File { path: folder.path().to_owned(), reason: error.to_string() })?;
    Ok(Prepared { schema, scaling, train, holdout, image: Some(images.shape), report })
}

/// Reads files to predict, scaled to `shape`, with labels where the files lie in folders named like the classes.
///
/// # Errors
/// [`Error::File`] naming the file and what to do when one cannot be used.
pub fn encode_unlabelled(
    folder: &Folder,
    shape: Volume,
    task: &Task,
    progress: &(dyn Fn() + Sync),
) -> Result<Unlabelled> {
    let images = read::read(folder, Target::from(shape), progress)?;
    let known = match task {
        Task::Classification { classes } => folder.labels_among(classes),
        Task::Regression { .. } => None,
    };
    let report = [folder.notes(), &images.notes[..]].concat();
    Ok(Unlabelled { features: shape.values(), x: images.x, labels: known.map(Labels::Classes), report })
}

fn schema(shape: Volume, classes: Vec<String>) -> Schema {
    let column = |name| Column { name, kind: ColumnKind::Numeric { fill: 0.0 } };
    Schema {
        columns: names(shape).into_iter().map(column).collect(),
        label: Label { name: LABEL.to_owned(), task: Task::Classification { classes } },
    }
}

#[cfg(test)]
mod tests;
