//! Which registered data set fits a session's schema.

use std::path::Path;

use anyhow::Result;
use parity_learning::{csv, table::Table};
use parity_protocol::schema::{ColumnKind, Schema, Task};

use super::{DataSet, content, list};

/// A data set that fits, encoded by the session's schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Its name.
    pub name: String,
    /// The rows.
    pub table: Table,
}

/// The data set with most rows among those that fit. Otherwise why each does not, in one line. Blocking.
///
/// # Errors
/// When the registry cannot be read.
pub fn best_fit(state: &Path, schema: &Schema) -> Result<Result<Fit, String>> {
    let mut best: Option<Fit> = None;
    let mut reasons = Vec::new();
    for data in list(state)? {
        match encode(state, &data, schema) {
            Ok(table) if best.as_ref().is_none_or(|best| best.table.rows() < table.rows()) => {
                best = Some(Fit { name: data.name, table });
            }
            Ok(_) => {}
            Err(reason) => reasons.push(format!("{}: {reason}", data.name)),
        }
    }
    Ok(best.ok_or_else(|| {
        if reasons.is_empty() {
            "nothing is registered; see `parity runner data add`".into()
        } else {
            reasons.join("; ")
        }
    }))
}

/// The rows of a registered data set under a session's schema.
///
/// # Errors
/// Why it does not fit.
pub(crate) fn encode(state: &Path, data: &DataSet, schema: &Schema) -> Result<Table, String> {
    agree(&data.schema, schema)?;
    let encoded = csv::encode(&content(state, &data.name), schema).map_err(|error| error.to_string())?;
    if encoded.table.rows() == 0 {
        return Err("no row is usable".into());
    }
    Ok(encoded.table)
}

/// Whether two schemas speak of the same columns, kinds and label. Fill values, categories and statistics may differ: they come
/// from different rows.
fn agree(own: &Schema, session: &Schema) -> Result<(), String> {
    if !own.label.name.eq_ignore_ascii_case(&session.label.name) {
        return Err(format!("its label is '{}', the session's '{}'", own.label.name, session.label.name));
    }
    match (&own.label.task, &session.label.task) {
        (Task::Regression { .. }, Task::Regression { .. }) => {}
        (Task::Classification { classes: own }, Task::Classification { classes: session }) => {
            if let Some(class) = own.iter().find(|class| !session.contains(class)) {
                return Err(format!("the session has no class '{class}'"));
            }
        }
        _ => return Err("one label is a number and the other a class".into()),
    }
    for column in &session.columns {
        let Some(found) = own.columns.iter().find(|own| own.name.eq_ignore_ascii_case(&column.name)) else {
            return Err(format!("the column '{}' is missing", column.name));
        };
        if is_numeric(&found.kind) != is_numeric(&column.kind) {
            return Err(format!("the column '{}' is of another kind", column.name));
        }
    }
    Ok(())
}

fn is_numeric(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Numeric { .. })
}
