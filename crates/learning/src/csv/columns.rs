//! What kind of values a feature column holds, and which columns are left out because they cannot help a model.

use std::collections::HashSet;

use parity_protocol::schema::MAX_CATEGORIES;

use super::{
    cell::{self, Cell},
    sheet::{Sheet, texts},
};
use crate::Result;

/// Distinct texts up to which a column is always taken as categories.
const FEW: usize = 20;
/// Rows from which a column of distinct whole numbers is worth a remark.
const MANY_ROWS: usize = 50;

/// The values of a feature column, one per row in use.
#[derive(Debug)]
pub(crate) enum Values {
    /// Numbers; NaN where missing.
    Numbers(Vec<f64>),
    /// Distinct texts, sorted, and an index per row; `None` where missing.
    Categories { values: Vec<String>, indices: Vec<Option<u32>> },
}

/// What became of a column.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// In use, with remarks for the report.
    Used(Values, Vec<String>),
    /// Left out, and why.
    LeftOut(String),
}

/// Looks at one column.
///
/// # Errors
/// [`crate::Error::Line`] for a cell that is not finite, or a text among numbers.
pub(crate) fn look(sheet: &Sheet, rows: &[usize], column: usize) -> Result<Verdict> {
    let name = &sheet.names[column];
    let mut numbers = Vec::with_capacity(rows.len());
    let (mut present, mut text_rows) = (0_usize, Vec::new());
    for &row in rows {
        match cell::parse(sheet.cell(row, column), sheet.decimal_comma) {
            Cell::Missing => numbers.push(f64::NAN),
            Cell::Number(value) => {
                present += 1;
                numbers.push(value);
            }
            Cell::NotFinite => {
                numbers.push(f64::INFINITY);
                present += 1;
            }
            Cell::Text => {
                text_rows.push(row);
                numbers.push(f64::NAN);
            }
        }
    }
    if present == 0 && text_rows.is_empty() {
        return Ok(Verdict::LeftOut(format!("column '{name}' left out: it has no value")));
    }
    if text_rows.is_empty() {
        if let Some(at) = numbers.iter().position(|value| value.is_infinite()) {
            let text = sheet.cell(rows[at], column);
            let reason = format!(
                "'{text}' in column '{name}' is not a number that a model can use; correct the cell or leave it empty"
            );
            return Err(sheet.line_error(rows[at], reason));
        }
        return Ok(numeric(sheet, column, numbers, present));
    }
    let distinct: HashSet<&str> = texts(sheet, rows, column).flatten().collect();
    let odd: HashSet<&str> = text_rows.iter().map(|&row| sheet.cell(row, column)).collect();
    // Many different numbers and next to no text: a mistake in the file, not categories.
    if text_rows.len() * 10 <= present && distinct.len() - odd.len() > FEW {
        let row = text_rows[0];
        let reason = format!(
            "'{}' in column '{name}' is not a number, while {present} other cells are; correct the cell or leave it empty",
            sheet.cell(row, column)
        );
        return Err(sheet.line_error(row, reason));
    }
    Ok(categorical(sheet, rows, column, distinct))
}

fn numeric(sheet: &Sheet, column: usize, numbers: Vec<f64>, present: usize) -> Verdict {
    let name = &sheet.names[column];
    let complete = present == numbers.len();
    let whole = complete && numbers.iter().all(|value| value.fract().abs() <= 0.0);
    if whole && numbers.len() > 1 {
        let counts_up = numbers.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 0.5) && numbers[0].abs() <= 1.0;
        let unnamed = !sheet.headed || *name == format!("column_{}", column + 1);
        let distinct = || numbers.iter().map(|value| value.to_bits()).collect::<HashSet<_>>().len() == numbers.len();
        if (is_id(name) && distinct()) || (unnamed && counts_up && column == 0 && numbers.len() > 2) {
            return Verdict::LeftOut(format!("column '{name}' left out: it numbers the rows"));
        }
        if numbers.len() >= MANY_ROWS && distinct() {
            let remark = format!("column '{name}' has another whole number in every row; remove it if it is an id");
            return Verdict::Used(Values::Numbers(numbers), vec![remark]);
        }
    }
    let mut remarks = Vec::new();
    let mut values = numbers.iter().filter(|value| !value.is_nan());
    let first = values.next().copied().unwrap_or_default();
    if values.all(|value| (value - first).abs() <= 0.0) {
        remarks.push(format!("column '{name}' is {first} in every row and tells a model nothing"));
    }
    if !complete {
        remarks.push(format!("column '{name}': {} missing cells get the median", numbers.len() - present));
    }
    Verdict::Used(Values::Numbers(numbers), remarks)
}

/// Whether a name says that the column numbers the rows: `id`, `index`, `PassengerId`, `patient_id`, `Unnamed: 0`.
fn is_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["id", "ids", "idx", "index", "row", "rowid", "rownames", "unnamed: 0", "no", "nr", "#"].contains(&lower.as_str())
        || ["_id", " id", "-id", "_no", "_number"].iter().any(|end| lower.ends_with(end))
        || ["Id", "ID"].iter().any(|end| name.ends_with(end))
}

fn categorical(sheet: &Sheet, rows: &[usize], column: usize, distinct: HashSet<&str>) -> Verdict {
    let name = &sheet.names[column];
    let present = texts(sheet, rows, column).flatten().count();
    if distinct.len() > MAX_CATEGORIES || (distinct.len() > FEW && distinct.len() * 2 > present) {
        let count = distinct.len();
        return Verdict::LeftOut(format!("column '{name}' left out: {count} different texts in {present} rows"));
    }
    let mut values: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
    values.sort_unstable();
    let index = |text: &str| values.binary_search_by(|value| value.as_str().cmp(text)).ok();
    let indices: Vec<Option<u32>> =
        texts(sheet, rows, column).map(|text| text.and_then(index).and_then(|at| u32::try_from(at).ok())).collect();
    let mut remarks = vec![if values.len() == 1 {
        format!("column '{name}' is '{}' in every row and tells a model nothing", values[0])
    } else {
        format!("column '{name}' becomes {} features, one per value", values.len())
    }];
    if present < rows.len() {
        remarks.push(format!("column '{name}': {} missing cells count as none of the values", rows.len() - present));
    }
    Verdict::Used(Values::Categories { values, indices }, remarks)
}
