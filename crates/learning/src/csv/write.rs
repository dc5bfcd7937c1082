//! From rows back to text.

use std::io;

use parity_protocol::schema::{ColumnKind, Schema, Task};

use crate::table::{Labels, Table};

/// Writes rows as a CSV file with a header that reads back as the same rows: features as the shortest decimal numbers, labels as the
/// schema names them.
///
/// # Errors
/// What the writer says; [`io::ErrorKind::InvalidInput`] where the rows do not fit the schema.
pub fn write(schema: &Schema, table: &Table, to: impl io::Write) -> io::Result<()> {
    let numeric = schema.columns.iter().all(|column| matches!(column.kind, ColumnKind::Numeric { .. }));
    let label = |row: usize| match (&table.labels, &schema.label.task) {
        (Labels::Classes(labels), Task::Classification { classes }) => {
            classes.get(usize::try_from(labels[row]).ok()?).cloned()
        }
        (Labels::Numbers(labels), Task::Regression { .. }) => Some(labels[row].to_string()),
        _ => None,
    };
    if !numeric || table.features != schema.columns.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "only numeric columns can be written"));
    }
    let mut writer = ::csv::Writer::from_writer(to);
    let names = schema.columns.iter().map(|column| column.name.as_str());
    writer.write_record(names.chain([schema.label.name.as_str()]))?;
    for row in 0..table.rows() {
        let label = label(row).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("row {row} has another kind of label"))
        })?;
        let cells = table.row(row).iter().map(f32::to_string);
        writer.write_record(cells.chain([label]))?;
    }
    writer.flush()
}
