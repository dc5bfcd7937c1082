//! Which column is the label, and whether it is a class or a number.

use std::collections::{BTreeMap, HashMap, HashSet};

use parity_protocol::schema::MAX_CATEGORIES;

use super::{
    InferOptions, TaskKind,
    cell::{self, Cell},
    sheet::Sheet,
};
use crate::{Error, Result};

/// Names that say "this is the label" by themselves.
const PLAIN: [&str; 8] = ["label", "labels", "target", "y", "outcome", "response", "ground_truth", "groundtruth"];
/// Names that usually are the label.
const USUAL: [&str; 8] = ["class", "classes", "diagnosis", "species", "survived", "churn", "result", "output"];
/// Most distinct integers that may be classes.
const FEW: usize = 20;
/// Rows per distinct integer from which classes are plausible.
const ROWS_PER_CLASS: usize = 4;

/// The labels of the rows that have one.
#[derive(Debug)]
pub(crate) struct LabelColumn {
    /// Position in the sheet.
    pub position: usize,
    /// Rows of the sheet that have a label.
    pub rows: Vec<usize>,
    /// One value per such row.
    pub values: LabelValues,
}

/// Classes or numbers.
#[derive(Debug)]
pub(crate) enum LabelValues {
    /// Names, sorted, and an index per row.
    Classes { classes: Vec<String>, indices: Vec<i64> },
    /// A number per row.
    Numbers(Vec<f64>),
}

impl LabelColumn {
    /// Finds the label column and its task.
    pub(crate) fn infer(sheet: &Sheet, options: &InferOptions) -> Result<Self> {
        let position = position(sheet, options)?;
        let name = &sheet.names[position];
        let rows: Vec<usize> = (0..sheet.rows()).filter(|&row| !cell::is_missing(sheet.cell(row, position))).collect();
        if rows.is_empty() {
            return Err(Error::File {
                path: sheet.path.clone(),
                reason: format!("the label column '{name}' has no value; name another one with --label"),
            });
        }
        let values = match kind(sheet, position, &rows, options)? {
            TaskKind::Classification => classes(sheet, position, &rows)?,
            TaskKind::Regression => LabelValues::Numbers(numbers(sheet, position, &rows)?),
        };
        Ok(Self { position, rows, values })
    }
}

fn position(sheet: &Sheet, options: &InferOptions) -> Result<usize> {
    if let Some(wanted) = &options.label {
        let by_number = wanted.parse::<usize>().ok().filter(|n| (1..=sheet.width()).contains(n)).map(|n| n - 1);
        return sheet.column(wanted).or(by_number).ok_or_else(|| Error::File {
            path: sheet.path.clone(),
            reason: format!("there is no column '{wanted}' for --label; columns are {}", shortened(&sheet.names)),
        });
    }
    let last = sheet.width() - 1;
    for known in [PLAIN, USUAL] {
        let found: Vec<usize> =
            (0..sheet.width()).filter(|&column| known.contains(&sheet.names[column].to_lowercase().as_str())).collect();
        match found[..] {
            [] => {}
            [one] => return Ok(one),
            _ => {
                let names: Vec<String> = found.iter().map(|&column| sheet.names[column].clone()).collect();
                return Err(Error::Ambiguous {
                    path: sheet.path.clone(),
                    question: format!("several columns could be the label: {}", shortened(&names)),
                    flag: format!("--label {}", names.join("|")),
                });
            }
        }
    }
    if !sheet.headed {
        check_last(sheet, last)?;
    }
    Ok(last)
}

/// Without names the last column is the label, unless it holds measurements while a single other one holds classes.
fn check_last(sheet: &Sheet, last: usize) -> Result<()> {
    let is_measurement = |column: usize| {
        let mut kinds = (0..sheet.rows()).map(|row| cell::parse(sheet.cell(row, column), sheet.decimal_comma));
        kinds.any(|kind| matches!(kind, Cell::Number(value) if value.fract().abs() > 0.0))
    };
    let is_text = |column: usize| {
        let mut distinct = HashSet::new();
        (0..sheet.rows()).all(|row| {
            let text = sheet.cell(row, column);
            distinct.insert(text);
            distinct.len() <= FEW && !matches!(cell::parse(text, sheet.decimal_comma), Cell::Number(_))
        })
    };
    let texts: Vec<&String> = (0..last).filter(|&column| is_text(column)).map(|column| &sheet.names[column]).collect();
    let ([text], true) = (&texts[..], is_measurement(last)) else { return Ok(()) };
    Err(Error::Ambiguous {
        path: sheet.path.clone(),
        question: format!("without a header the label is not clear: '{text}' holds classes, the last column numbers"),
        flag: format!("--label {text}|{}", sheet.names[last]),
    })
}

fn kind(sheet: &Sheet, position: usize, rows: &[usize], options: &InferOptions) -> Result<TaskKind> {
    if let Some(task) = options.task {
        return Ok(task);
    }
    let (mut texts, mut whole) = (0_usize, true);
    let mut distinct = HashMap::<u64, f64>::new();
    for &row in rows {
        match cell::parse(sheet.cell(row, position), sheet.decimal_comma) {
            Cell::Number(value) => {
                whole &= value.fract().abs() <= 0.0;
                distinct.insert((value + 0.0).to_bits(), value);
            }
            _ => texts += 1,
        }
    }
    if texts > 0 {
        // A few stray texts among many numbers are mistakes, which reading numbers then points at.
        let mostly_numbers = texts * 10 <= rows.len() && distinct.len() > FEW;
        return Ok(if mostly_numbers { TaskKind::Regression } else { TaskKind::Classification });
    }
    let count = distinct.len();
    if count == 2 || (count < 2 && whole) {
        return Ok(TaskKind::Classification);
    }
    let plausible = whole && rows.len() >= count * ROWS_PER_CLASS;
    let smallest = distinct.values().copied().fold(f64::INFINITY, f64::min);
    let largest = distinct.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let consecutive = (0.0..=1.0).contains(&smallest)
        && u32::try_from(count).is_ok_and(|count| (largest - smallest + 1.0 - f64::from(count)).abs() < 0.5);
    match (plausible, consecutive) {
        (true, true) if count <= FEW => Ok(TaskKind::Classification),
        (true, consecutive) if count <= FEW || (consecutive && count <= 5 * FEW) => Err(Error::Ambiguous {
            path: sheet.path.clone(),
            question: format!(
                "the label '{}' has {count} distinct whole numbers from {smallest} to {largest}, classes or a quantity?",
                sheet.names[position]
            ),
            flag: "--task classification|regression".into(),
        }),
        _ => Ok(TaskKind::Regression),
    }
}

fn classes(sheet: &Sheet, position: usize, rows: &[usize]) -> Result<LabelValues> {
    let refuse = |reason: String| Error::File { path: sheet.path.clone(), reason };
    let name = &sheet.names[position];
    let text = |row: usize| sheet.cell(row, position);
    let parsed = |row: usize| match cell::parse(text(row), sheet.decimal_comma) {
        Cell::Number(value) => Some(value),
        _ => None,
    };
    // Numbers are the same class however they are written (1 and 1.0), and are sorted by value.
    let numeric: Option<Vec<f64>> = rows.iter().map(|&row| parsed(row)).collect();
    let (names, indices): (Vec<String>, Vec<usize>) = if let Some(values) = numeric {
        let mut found: BTreeMap<Ordered, String> = BTreeMap::new();
        for (value, &row) in values.iter().zip(rows) {
            found.entry(Ordered(*value)).or_insert_with(|| text(row).to_owned());
        }
        let rank: BTreeMap<Ordered, usize> = found.keys().copied().zip(0..).collect();
        (found.into_values().collect(), values.iter().map(|value| rank[&Ordered(*value)]).collect())
    } else {
        let mut found: Vec<&str> = rows.iter().map(|&row| text(row)).collect::<HashSet<_>>().into_iter().collect();
        found.sort_unstable();
        let rank: HashMap<&str, usize> = found.iter().copied().zip(0..).collect();
        (found.iter().map(|name| (*name).to_owned()).collect(), rows.iter().map(|&row| rank[text(row)]).collect())
    };
    if names.len() < 2 {
        return Err(refuse(format!(
            "the label '{name}' has one class only ('{}'); a classifier needs at least 2, name another label with --label",
            names[0]
        )));
    }
    if names.len() > MAX_CATEGORIES || (names.len() * 2 > rows.len() && rows.len() > FEW) {
        return Err(refuse(format!(
            "the label '{name}' has {} distinct values in {} rows, too many for classes; name another column with --label, or use --task regression for numbers",
            names.len(),
            rows.len()
        )));
    }
    let indices = indices.into_iter().map(|index| i64::try_from(index).expect("few classes")).collect();
    Ok(LabelValues::Classes { classes: names, indices })
}

/// Sorts classes by value where all their names are numbers, else by name.
pub(crate) fn sort_classes<T>(classes: &mut [T], name: impl Fn(&T) -> &str) {
    let value = |class: &T| match cell::parse(name(class), false) {
        Cell::Number(value) => Some(Ordered(value)),
        _ => None,
    };
    if classes.iter().all(|class| value(class).is_some()) {
        classes.sort_by(|a, b| value(a).cmp(&value(b)).then_with(|| name(a).cmp(name(b))));
    } else {
        classes.sort_by(|a, b| name(a).cmp(name(b)));
    }
}

fn numbers(sheet: &Sheet, position: usize, rows: &[usize]) -> Result<Vec<f64>> {
    rows.iter().map(|&row| number(sheet, position, row)).collect()
}

/// The label of a row as a number.
pub(crate) fn number(sheet: &Sheet, position: usize, row: usize) -> Result<f64> {
    let text = sheet.cell(row, position);
    match cell::parse(text, sheet.decimal_comma) {
        Cell::Number(value) => Ok(value),
        Cell::NotFinite => Err(sheet.line_error(
            row,
            format!("the label is {text}, expected a finite number; correct the cell or leave it empty"),
        )),
        Cell::Missing | Cell::Text => Err(sheet.line_error(
            row,
            format!("the label is '{text}', expected a number; correct the cell or leave it empty, or use --task classification"),
        )),
    }
}

/// A finite number with an order; -0 equals 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ordered(pub f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// At most ten names for a message.
pub(crate) fn shortened(names: &[String]) -> String {
    let shown = names.iter().take(10).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.len() > 10 { format!("{shown} and {} more", names.len() - 10) } else { shown }
}
