//! A file with its types known: from here to a schema and encoded rows.

use std::path::PathBuf;

use parity_protocol::schema::{Column, ColumnKind, Label, Schema, Task};
use rayon::prelude::*;

use super::{
    InferOptions,
    columns::{self, Values, Verdict},
    label::{LabelColumn, LabelValues},
    sheet::Sheet,
};
use crate::{
    Error, Result, scaling,
    table::{Labels, Table},
};

/// Typed columns of the rows that have a label.
#[derive(Debug)]
pub(crate) struct Frame {
    path: PathBuf,
    columns: Vec<(String, Values)>,
    label: String,
    values: LabelValues,
    notes: Vec<String>,
}

impl Frame {
    /// Finds label and types.
    pub(crate) fn infer(sheet: &Sheet, options: &InferOptions) -> Result<Self> {
        let label = LabelColumn::infer(sheet, options)?;
        let mut notes = sheet.notes.clone();
        if label.rows.len() < sheet.rows() {
            notes.push(format!("{} rows left out: their label is missing", sheet.rows() - label.rows.len()));
        }
        let features: Vec<usize> = (0..sheet.width()).filter(|column| *column != label.position).collect();
        let verdicts: Vec<Result<Verdict>> =
            features.par_iter().map(|&column| columns::look(sheet, &label.rows, column)).collect();
        let mut columns = Vec::new();
        for (column, verdict) in features.into_iter().zip(verdicts) {
            match verdict? {
                Verdict::Used(values, remarks) => {
                    columns.push((sheet.names[column].clone(), values));
                    notes.extend(remarks);
                }
                Verdict::LeftOut(reason) => notes.push(reason),
            }
        }
        if columns.is_empty() {
            let reason = format!("there is no usable column beside the label '{}'", sheet.names[label.position]);
            return Err(Error::File { path: sheet.path.clone(), reason });
        }
        let name = sheet.names[label.position].clone();
        Ok(Self { path: sheet.path.clone(), columns, label: name, values: label.values, notes })
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        match &self.values {
            LabelValues::Classes { indices, .. } => indices.len(),
            LabelValues::Numbers(numbers) => numbers.len(),
        }
    }

    /// The labels of all rows.
    pub(crate) fn labels(&self) -> Labels {
        match &self.values {
            LabelValues::Classes { indices, .. } => Labels::Classes(indices.clone()),
            LabelValues::Numbers(numbers) => Labels::Numbers(numbers.iter().map(|value| narrow(*value)).collect()),
        }
    }

    /// The schema with statistics of these rows, and the report.
    ///
    /// # Errors
    /// [`Error::File`] when a numeric label is the same in all of them.
    pub(crate) fn schema(&self, rows: &[usize]) -> Result<(Schema, Vec<String>)> {
        let mut report = self.notes.clone();
        let task = match &self.values {
            LabelValues::Classes { classes, indices } => {
                let mut counts = vec![0_usize; classes.len()];
                for class in indices.iter().filter_map(|index| usize::try_from(*index).ok()) {
                    counts[class] += 1;
                }
                let shown: Vec<String> =
                    classes.iter().zip(counts).take(10).map(|(class, count)| format!("{class} {count}")).collect();
                let more = if classes.len() > 10 { ", …" } else { "" };
                let (name, count) = (&self.label, classes.len());
                report.push(format!("label '{name}': {count} classes ({}{more})", shown.join(", ")));
                Task::Classification { classes: classes.clone() }
            }
            LabelValues::Numbers(numbers) => {
                let (mean, deviation) = scaling::moments(|| rows.iter().map(|&row| numbers[row]));
                let varies = rows.iter().any(|&row| (numbers[row] - numbers[rows[0]]).abs() > 0.0);
                if !varies {
                    let reason =
                        format!("the label '{}' is {mean} in every row; name another with --label", self.label);
                    return Err(Error::File { path: self.path.clone(), reason });
                }
                report.push(format!("label '{}': a number, {mean:.4} ± {deviation:.4}", self.label));
                Task::Regression { mean, deviation }
            }
        };
        let kind = |values: &Values| match values {
            Values::Numbers(numbers) => ColumnKind::Numeric { fill: median(numbers, rows) },
            Values::Categories { values, .. } => ColumnKind::Categorical { values: values.clone() },
        };
        let columns = self.columns.par_iter().map(|(name, values)| Column { name: name.clone(), kind: kind(values) });
        let schema = Schema { columns: columns.collect(), label: Label { name: self.label.clone(), task } };
        let valid = schema.validate();
        valid.map_err(|e| Error::File { path: self.path.clone(), reason: e.to_string() })?;
        Ok((schema, report))
    }

    /// All rows, encoded by the frame's own schema.
    pub(crate) fn table(&self, schema: &Schema) -> Table {
        let columns: Vec<&Values> = self.columns.iter().map(|(_, values)| values).collect();
        Table { features: schema.features(), x: assemble(schema, &columns, self.rows()), labels: self.labels() }
    }
}

/// Encodes columns: numbers with their fill value, categories one-hot. Row-major.
pub(crate) fn assemble(schema: &Schema, columns: &[&Values], rows: usize) -> Vec<f32> {
    let width = schema.features();
    let mut x = vec![0.0_f32; rows * width];
    x.par_chunks_mut(width).enumerate().with_min_len(256).for_each(|(row, cells)| {
        let mut at = 0;
        for (column, values) in schema.columns.iter().zip(columns) {
            match (&column.kind, values) {
                (ColumnKind::Numeric { fill }, Values::Numbers(numbers)) => {
                    let value = numbers[row];
                    cells[at] = narrow(if value.is_nan() { *fill } else { value });
                    at += 1;
                }
                (ColumnKind::Categorical { values: known }, Values::Categories { indices, .. }) => {
                    if let Some(index) = indices[row].and_then(|index| usize::try_from(index).ok()) {
                        cells[at + index] = 1.0;
                    }
                    at += known.len();
                }
                // Columns are built from the schema's own kinds.
                _ => unreachable!("column '{}' has values of another kind", column.name),
            }
        }
    });
    x
}

/// Median of the present values of these rows, of all rows where these have none.
fn median(numbers: &[f64], rows: &[usize]) -> f64 {
    let mut present: Vec<f64> = rows.iter().map(|&row| numbers[row]).filter(|value| !value.is_nan()).collect();
    if present.is_empty() {
        present = numbers.iter().copied().filter(|value| !value.is_nan()).collect();
    }
    if present.is_empty() {
        return 0.0;
    }
    let middle = present.len() / 2;
    let even = present.len().is_multiple_of(2);
    let (below, upper, _) = present.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if even { below.iter().copied().fold(f64::NEG_INFINITY, f64::max).midpoint(upper) } else { upper }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted; cells are checked to fit")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
