//! Reading a file by a schema that exists: a runner's private data, rows to predict.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use parity_protocol::schema::{ColumnKind, Schema, Task};
use rayon::prelude::*;

use super::{
    cell::{self, Cell},
    columns::Values,
    frame,
    label::{self, Ordered, shortened},
    sheet::{ReadOptions, Sheet},
};
use crate::{
    Error, Result,
    table::{Labels, Table},
};

/// Rows with labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// The rows that have a label, in file order.
    pub table: Table,
    /// What was found, filled, ignored and left out.
    pub report: Vec<String>,
}

/// Rows whose labels are not needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlabelled {
    /// Features per row.
    pub features: usize,
    /// `[rows, features]`, not standardised; every row of the file in order.
    pub x: Vec<f32>,
    /// The labels, where the file has the column and every row a known value.
    pub labels: Option<Labels>,
    /// What was found, filled and ignored.
    pub report: Vec<String>,
}

impl Unlabelled {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.x.len() / self.features.max(1)
    }
}

/// Reads a file with labels.
///
/// Columns are matched by name (in any case) where the file has a header, else by position. Rows without label are left out.
///
/// # Errors
/// [`Error::Schema`] when columns or the label are missing, [`Error::Line`] for a cell that is not of its column's type or a
/// label that is not one of the classes, and whatever makes the file unreadable.
pub fn encode(path: &Path, schema: &Schema) -> Result<Encoded> {
    let sheet = read(path, schema)?;
    let columns = Columns::find(&sheet, schema)?;
    let Some(position) = columns.label else {
        return Err(Error::Schema {
            path: path.to_owned(),
            reason: format!("the label column '{}' is missing; add it", schema.label.name),
        });
    };
    let mut report = columns.notes(&sheet);
    let rows: Vec<usize> = (0..sheet.rows()).filter(|&row| !cell::is_missing(sheet.cell(row, position))).collect();
    if rows.is_empty() {
        let reason = format!("no row has a value in the label column '{}'", schema.label.name);
        return Err(Error::Schema { path: path.to_owned(), reason });
    }
    if rows.len() < sheet.rows() {
        report.push(format!("{} rows left out: their label is missing", sheet.rows() - rows.len()));
    }
    let labels = labels(&sheet, &schema.label.task, position, &rows)?;
    let x = features(&sheet, schema, &columns.positions, &rows, &mut report)?;
    Ok(Encoded { table: Table { features: schema.features(), x, labels }, report })
}

/// Reads a file whose label column may be missing, or be empty in some rows: every row is kept.
///
/// # Errors
/// As [`encode`], except for the label.
pub fn encode_unlabelled(path: &Path, schema: &Schema) -> Result<Unlabelled> {
    let sheet = read(path, schema)?;
    let columns = Columns::find(&sheet, schema)?;
    let mut report = columns.notes(&sheet);
    let rows: Vec<usize> = (0..sheet.rows()).collect();
    let labels = columns.label.and_then(|position| labels(&sheet, &schema.label.task, position, &rows).ok());
    let x = features(&sheet, schema, &columns.positions, &rows, &mut report)?;
    Ok(Unlabelled { features: schema.features(), x, labels, report })
}

fn read(path: &Path, schema: &Schema) -> Result<Sheet> {
    let names = schema.columns.iter().map(|column| column.name.clone()).collect();
    Sheet::read(path, &ReadOptions { names, ..ReadOptions::default() })
}

/// Where the schema's columns stand in a file.
struct Columns {
    positions: Vec<usize>,
    label: Option<usize>,
}

impl Columns {
    fn find(sheet: &Sheet, schema: &Schema) -> Result<Self> {
        let numbered: Option<Vec<usize>> = schema.columns.iter().map(|column| position_in_name(&column.name)).collect();
        match numbered {
            Some(positions) => Self::by_number(sheet, schema, positions),
            None if sheet.headed => Self::by_name(sheet, schema),
            None => Self::in_order(sheet, schema),
        }
    }

    fn by_name(sheet: &Sheet, schema: &Schema) -> Result<Self> {
        let found: Vec<Option<usize>> = schema.columns.iter().map(|column| sheet.column(&column.name)).collect();
        let missing: Vec<String> = schema
            .columns
            .iter()
            .zip(&found)
            .filter(|(_, position)| position.is_none())
            .map(|(column, _)| column.name.clone())
            .collect();
        if !missing.is_empty() {
            let (missing, present) = (shortened(&missing), shortened(&sheet.names));
            let reason = format!("missing columns {missing}; the file has {present}; add or rename them");
            return Err(Error::Schema { path: sheet.path.clone(), reason });
        }
        Ok(Self { positions: found.into_iter().flatten().collect(), label: sheet.column(&schema.label.name) })
    }

    /// The schema comes from a file without header: its names are positions.
    fn by_number(sheet: &Sheet, schema: &Schema, positions: Vec<usize>) -> Result<Self> {
        let label = position_in_name(&schema.label.name);
        let last = positions.iter().copied().chain(label).max().unwrap_or_default();
        if last < sheet.width() {
            return Ok(Self { positions, label });
        }
        if positions.len() == sheet.width() {
            return Ok(Self { positions: (0..sheet.width()).collect(), label: None });
        }
        Err(wrong_width(sheet, schema))
    }

    /// The file has no header: columns in the order of the schema, the label after or before them, or not there.
    fn in_order(sheet: &Sheet, schema: &Schema) -> Result<Self> {
        let (width, count) = (sheet.width(), schema.columns.len());
        if width == count {
            return Ok(Self { positions: (0..count).collect(), label: None });
        }
        let fits = |position: usize| (0..sheet.rows()).all(|row| is_label(&schema.label.task, sheet, row, position));
        if width == count + 1 && fits(count) {
            return Ok(Self { positions: (0..count).collect(), label: Some(count) });
        }
        if width == count + 1 && fits(0) {
            return Ok(Self { positions: (1..width).collect(), label: Some(0) });
        }
        Err(wrong_width(sheet, schema))
    }

    fn notes(&self, sheet: &Sheet) -> Vec<String> {
        let ignored: Vec<String> = (0..sheet.width())
            .filter(|column| !self.positions.contains(column) && self.label != Some(*column))
            .map(|column| sheet.names[column].clone())
            .collect();
        let mut notes = sheet.notes.clone();
        if !ignored.is_empty() {
            notes.push(format!("columns that the schema does not have were ignored: {}", shortened(&ignored)));
        }
        notes
    }
}

fn wrong_width(sheet: &Sheet, schema: &Schema) -> Error {
    let names: Vec<String> = schema.columns.iter().map(|column| column.name.clone()).collect();
    let header = if sheet.headed { "" } else { "; add a header line, then columns are found by name" };
    let reason = format!(
        "{} columns, expected {} features ({}) and the label '{}'{header}",
        sheet.width(),
        names.len(),
        shortened(&names),
        schema.label.name
    );
    Error::Schema { path: sheet.path.clone(), reason }
}

/// 0-based position in a name like `column_3`.
fn position_in_name(name: &str) -> Option<usize> {
    name.strip_prefix("column_")?.parse::<usize>().ok()?.checked_sub(1)
}

fn is_label(task: &Task, sheet: &Sheet, row: usize, position: usize) -> bool {
    let text = sheet.cell(row, position);
    cell::is_missing(text)
        || match task {
            Task::Classification { classes } => classes.iter().any(|class| class == text),
            Task::Regression { .. } => matches!(cell::parse(text, sheet.decimal_comma), Cell::Number(_)),
        }
}

fn labels(sheet: &Sheet, task: &Task, position: usize, rows: &[usize]) -> Result<Labels> {
    match task {
        Task::Regression { .. } => {
            let numbers = rows.iter().map(|&row| label::number(sheet, position, row).map(frame::narrow));
            Ok(Labels::Numbers(numbers.collect::<Result<_>>()?))
        }
        Task::Classification { classes } => {
            let index = |at: usize| i64::try_from(at).expect("few classes");
            let by_text: HashMap<&str, i64> =
                classes.iter().enumerate().map(|(at, class)| (class.as_str(), index(at))).collect();
            let number = |text: &str, decimal_comma| match cell::parse(text, decimal_comma) {
                Cell::Number(value) => Some(Ordered(value)),
                _ => None,
            };
            let by_number: BTreeMap<Ordered, i64> = (classes.iter().enumerate())
                .filter_map(|(at, class)| Some((number(class, class.contains(','))?, index(at))))
                .collect();
            let class = |&row: &usize| {
                let text = sheet.cell(row, position);
                let known = by_text.get(text).copied();
                known.or_else(|| by_number.get(&number(text, sheet.decimal_comma)?).copied()).ok_or_else(|| {
                    let reason = format!("the label is '{text}', expected one of {}", shortened(classes));
                    sheet.line_error(row, reason)
                })
            };
            Ok(Labels::Classes(rows.iter().map(class).collect::<Result<_>>()?))
        }
    }
}

fn features(
    sheet: &Sheet,
    schema: &Schema,
    positions: &[usize],
    rows: &[usize],
    report: &mut Vec<String>,
) -> Result<Vec<f32>> {
    let read = |(column, &position): (&parity_protocol::schema::Column, &usize)| match &column.kind {
        ColumnKind::Numeric { .. } => numbers(sheet, &column.name, position, rows),
        ColumnKind::Categorical { values } => Ok(categories(sheet, &column.name, values, position, rows)),
    };
    let columns: Vec<Result<(Values, Option<String>)>> =
        schema.columns.par_iter().zip(positions.par_iter()).map(read).collect();
    let mut all = Vec::with_capacity(columns.len());
    for column in columns {
        let (values, note) = column?;
        report.extend(note);
        all.push(values);
    }
    Ok(frame::assemble(schema, &all.iter().collect::<Vec<_>>(), rows.len()))
}

fn numbers(sheet: &Sheet, name: &str, position: usize, rows: &[usize]) -> Result<(Values, Option<String>)> {
    let mut missing = 0_usize;
    let number = |&row: &usize| {
        let text = sheet.cell(row, position);
        match cell::parse(text, sheet.decimal_comma) {
            Cell::Number(value) => Ok(value),
            Cell::Missing => {
                missing += 1;
                Ok(f64::NAN)
            }
            Cell::NotFinite | Cell::Text => {
                let reason =
                    format!("'{text}' in column '{name}' is not a finite number; correct the cell or leave it empty");
                Err(sheet.line_error(row, reason))
            }
        }
    };
    let values = Values::Numbers(rows.iter().map(number).collect::<Result<_>>()?);
    Ok((values, (missing > 0).then(|| format!("column '{name}': {missing} missing cells get the median"))))
}

fn categories(
    sheet: &Sheet,
    name: &str,
    known: &[String],
    position: usize,
    rows: &[usize],
) -> (Values, Option<String>) {
    let index: HashMap<&str, u32> = known.iter().map(String::as_str).zip(0..).collect();
    let mut unknown = 0_usize;
    let indices = rows
        .iter()
        .map(|&row| {
            let text = sheet.cell(row, position);
            let found = index.get(text).copied();
            unknown += usize::from(found.is_none() && !cell::is_missing(text));
            found
        })
        .collect();
    let note = format!("column '{name}': {unknown} cells with a value that the schema does not know count as none");
    (Values::Categories { values: known.to_vec(), indices }, (unknown > 0).then_some(note))
}
