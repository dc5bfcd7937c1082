//! Local data for private sessions: registered once, read by sessions whose schema it fits, never sent anywhere.
//!
//! A registered file is copied into the state folder, readable by the user alone, so that a session does not depend on a
//! file that moves or changes; of a folder of images the pixels are kept, as a CSV file. What leaves the machine are weights, metrics and the number of rows.

mod fit;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use parity_learning::{
    csv::{self, InferOptions},
    images::{self, Folder, Target},
};
use parity_protocol::schema::Schema;
use serde::{Deserialize, Serialize};

pub(crate) use fit::encode;
pub use fit::{Fit, best_fit};

use crate::durable;

/// Longest name of a data set.
const MAX_NAME: usize = 64;
const CONTENT: &str = "data.csv";
const ENTRY: &str = "entry.json";

/// A registered file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSet {
    /// What the owner calls it.
    pub name: String,
    /// Where it was copied from.
    pub source: PathBuf,
    /// Usable rows.
    pub rows: u64,
    /// Columns and label, as given or inferred at registration.
    pub schema: Schema,
}

/// What registering a file came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The entry.
    pub data: DataSet,
    /// What was found, filled and ignored, one sentence each.
    pub report: Vec<String>,
}

/// Registers a CSV file, or a folder of PNG files in one sub-folder per class, under `name` (default: the file's name). Without a
/// schema it is inferred; with one, the file must fit it. Blocking.
///
/// # Errors
/// When the file is unusable, does not fit the schema, or the name is taken; nothing is registered then.
pub fn add(
    state: &Path,
    file: &Path,
    name: Option<&str>,
    schema: Option<Schema>,
    options: &InferOptions,
) -> Result<Added> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => default_name(file)?,
    };
    check_name(&name)?;
    let folder = root(state).join(&name);
    ensure!(
        !folder.exists(),
        "a data set named '{name}' is already registered; give another name (--name) or remove that one first"
    );
    durable::private_dir(&root(state))?;
    let beside = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(root(state))
        .context("creating a folder")?;
    if let Some(schema) = &schema {
        schema.validate().context("reading the schema")?;
    }
    let copy = beside.path().join(CONTENT);
    let (schema, rows, report) = if file.is_dir() {
        take_images(file, schema, options.image, &copy)?
    } else {
        take_csv(file, schema, options, &copy)?
    };
    let rows = u64::try_from(rows).context("counting rows")?;
    let source = file.canonicalize().with_context(|| format!("finding {}", file.display()))?;
    let data = DataSet { name, source, rows, schema };
    durable::write(&beside.path().join(ENTRY), &data)?;
    fs::rename(beside.path(), &folder).with_context(|| format!("registering '{}'", data.name))?;
    // The folder has another name now: there is nothing left to remove.
    let _ = beside.keep();
    durable::sync_dir(&root(state))?;
    Ok(Added { data, report })
}

/// Everything that is registered, by name. Blocking.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(state: &Path) -> Result<Vec<DataSet>> {
    let root = root(state);
    let entries = match fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("listing {}", root.display())),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("listing {}", root.display()))?;
        if !entry.file_name().to_string_lossy().starts_with('.')
            && let Some(data) = durable::read::<DataSet>(&entry.path().join(ENTRY))?
        {
            found.push(data);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Forgets a data set and removes the copy. Sessions that it serves fail their next round. Blocking.
///
/// # Errors
/// When there is none of that name or it cannot be removed.
pub fn remove(state: &Path, name: &str) -> Result<()> {
    check_name(name)?;
    let folder = root(state).join(name);
    if !folder.exists() {
        let known: Vec<String> = list(state)?.into_iter().map(|data| data.name).collect();
        bail!("no data set is named '{name}'; registered are: {}", known.join(", "));
    }
    fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
}

/// The copy of a data set.
pub(crate) fn content(state: &Path, name: &str) -> PathBuf {
    root(state).join(name).join(CONTENT)
}

fn root(state: &Path) -> PathBuf {
    state.join("data")
}

fn default_name(file: &Path) -> Result<String> {
    let stem = file.file_stem().with_context(|| format!("'{}' names no file", file.display()))?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c.to_ascii_lowercase() } else { '-' };
    Ok(stem.to_string_lossy().chars().map(plain).take(MAX_NAME).collect())
}

/// Names become folders, so that only harmless ones are allowed.
fn check_name(name: &str) -> Result<()> {
    let usable = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    ensure!(usable, "'{name}' cannot name a data set; use 1 to {MAX_NAME} of a-z, 0-9, - and _");
    Ok(())
}

/// Copies a CSV file that is usable; returns its schema, the number of its rows and what was found.
fn take_csv(
    file: &Path,
    schema: Option<Schema>,
    options: &InferOptions,
    copy: &Path,
) -> Result<(Schema, usize, Vec<String>)> {
    let (schema, mut report) = match schema {
        Some(schema) => (schema, Vec::new()),
        None => {
            let inferred = csv::infer(file, options)?;
            (inferred.schema, inferred.report)
        }
    };
    let encoded = csv::encode(file, &schema)?;
    report.extend(encoded.report.into_iter().filter(|line| !report.contains(line)).collect::<Vec<_>>());
    let doing = || format!("copying {} into the state folder", file.display());
    let mut source = fs::File::open(file).with_context(doing)?;
    let mut target = create_private(copy).with_context(doing)?;
    std::io::copy(&mut source, &mut target).with_context(doing)?;
    target.sync_all().with_context(doing)?;
    Ok((schema, encoded.table.rows(), report))
}

/// Writes the pixels of a folder as a CSV file; as [`take_csv`]. A schema of images says what they are scaled to.
fn take_images(
    path: &Path,
    schema: Option<Schema>,
    target: Target,
    copy: &Path,
) -> Result<(Schema, usize, Vec<String>)> {
    let doing = || format!("copying the pixels of {} into the state folder", path.display());
    let target = schema.as_ref().and_then(images::shape_of).map_or(target, Target::from);
    let prepared = images::prepare(&Folder::list(path)?, target, 0.0, 0, &|| ())?;
    let mut file = create_private(copy).with_context(doing)?;
    csv::write(&prepared.schema, &prepared.train, &mut file).with_context(doing)?;
    file.sync_all().with_context(doing)?;
    let schema = schema.unwrap_or(prepared.schema);
    let encoded = csv::encode(copy, &schema).with_context(|| format!("reading the pixels of {}", path.display()))?;
    Ok((schema, encoded.table.rows(), prepared.report))
}

fn create_private(file: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(test)]
mod tests;
