//! The cells of a file as trimmed text, rectangular, with names and line numbers. Knows nothing of types.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use ::csv::{ReaderBuilder, StringRecord};

use super::{cell, dialect};
use crate::{Error, Result};

/// Rows that decide whether there is a header.
const HEADER_SAMPLE: usize = 500;

/// What is known before reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    /// Whether there is a header.
    pub header: Option<bool>,
    /// The delimiter.
    pub delimiter: Option<char>,
    /// Column names that prove a header when the first record has one of them.
    pub names: Vec<String>,
}

/// All cells of a file.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub path: PathBuf,
    /// Column names: from the header, or `column_1`, `column_2`, …; unique.
    pub names: Vec<String>,
    /// Whether the names come from the file.
    pub headed: bool,
    /// Whether numbers have decimal commas.
    pub decimal_comma: bool,
    /// What was found, one sentence each.
    pub notes: Vec<String>,
    text: String,
    ends: Vec<usize>,
    lines: Vec<u64>,
}

impl Sheet {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::File`] when it is empty or has no delimiter, [`Error::Line`] for a ragged row.
    pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let mut notes = Vec::new();
        let text = dialect::decode(path, bytes, &mut notes)?;
        let refuse = |reason: String| Error::File { path: path.to_owned(), reason };
        if text.trim().is_empty() {
            return Err(refuse("the file is empty; it needs a line per row".into()));
        }
        let (body, skipped, declared) = separator_line(&text);
        let delimiter = match options.delimiter.or(declared) {
            Some(delimiter) => u8::try_from(delimiter)
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| refuse(format!("'{delimiter}' cannot be a delimiter; use one of , ; | or a tab")))?,
            None => dialect::delimiter(body).ok_or_else(|| {
                refuse("there is only one column; rows need features and a label, separated by , ; | or tabs".into())
            })?,
        };
        let mut sheet = Self {
            path: path.to_owned(),
            names: Vec::new(),
            headed: false,
            decimal_comma: false,
            notes,
            text: String::with_capacity(body.len()),
            ends: Vec::new(),
            lines: Vec::new(),
        };
        let width = sheet.read_cells(body, delimiter, skipped)?;
        if sheet.lines.is_empty() {
            return Err(refuse("every cell is empty".into()));
        }
        sheet.decimal_comma = delimiter != b',' && dialect::decimal_comma(sheet.all_cells());
        sheet.take_header(width, options);
        if sheet.lines.is_empty() {
            return Err(refuse("there is a header but no row below it".into()));
        }
        sheet.describe(delimiter);
        Ok(sheet)
    }

    /// Number of rows, without the header.
    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The trimmed text of a cell.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        self.at(row * self.width() + column)
    }

    /// The error of one row.
    pub(crate) fn line_error(&self, row: usize, reason: String) -> Error {
        Error::Line { path: self.path.clone(), line: self.lines[row], reason }
    }

    /// The column with this name, else with this name in another case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        let name = name.trim();
        let lower = name.to_lowercase();
        (self.names.iter().position(|n| n == name))
            .or_else(|| self.names.iter().position(|n| n.to_lowercase() == lower))
    }

    fn at(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    fn all_cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.at(index))
    }

    fn read_cells(&mut self, body: &str, delimiter: u8, skipped: u64) -> Result<usize> {
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(body.as_bytes());
        let mut record = StringRecord::new();
        let mut counter = LineCounter { body: body.as_bytes(), offset: 0, line: 1 };
        let (mut width, mut blank) = (0, 0_usize);
        loop {
            let more = reader
                .read_record(&mut record)
                .map_err(|e| Error::File { path: self.path.clone(), reason: e.to_string() })?;
            if !more {
                break;
            }
            let line = skipped + counter.line_at(record.position().map_or(0, ::csv::Position::byte));
            if self.lines.is_empty() {
                width = record.len();
            }
            if record.iter().all(|field| field.trim().is_empty()) {
                blank += 1;
                continue;
            }
            if record.len() != width {
                let reason = format!(
                    "{} cells, the first line has {width}; add or remove cells, or put text that contains '{}' in quotes",
                    record.len(),
                    char::from(delimiter).escape_default()
                );
                return Err(Error::Line { path: self.path.clone(), line, reason });
            }
            for field in &record {
                self.text.push_str(field.trim());
                self.ends.push(self.text.len());
            }
            self.lines.push(line);
        }
        if blank > 0 {
            self.notes.push(format!("{blank} empty lines skipped"));
        }
        Ok(width)
    }

    /// Turns the first record into names where it is a header.
    fn take_header(&mut self, width: usize, options: &ReadOptions) {
        let first: Vec<String> = (0..width).map(|column| self.at(column).to_owned()).collect();
        let known: HashSet<String> = options.names.iter().map(|name| name.to_lowercase()).collect();
        let below = |column: usize| {
            (1..self.lines.len().min(HEADER_SAMPLE)).map(|row| self.at(row * width + column).to_owned()).collect()
        };
        let headed = options.header.unwrap_or_else(|| {
            first.iter().any(|text| known.contains(&text.to_lowercase()))
                || dialect::has_header(&first, below, self.decimal_comma)
        });
        self.headed = headed;
        if headed {
            let from = self.ends[width - 1];
            self.text.drain(..from);
            self.ends.drain(..width);
            self.ends.iter_mut().for_each(|end| *end -= from);
            self.lines.remove(0);
            self.names = self.unique_names(&first);
        } else {
            self.names = (1..=width).map(|column| format!("column_{column}")).collect();
        }
    }

    /// Names empty cells of the header by position and numbers names that come twice.
    fn unique_names(&mut self, header: &[String]) -> Vec<String> {
        let mut taken = HashSet::new();
        let mut names = Vec::with_capacity(header.len());
        for (index, name) in header.iter().enumerate() {
            let base = if name.is_empty() { format!("column_{}", index + 1) } else { name.clone() };
            let mut unique = base.clone();
            let mut count = 2;
            while !taken.insert(unique.clone()) {
                unique = format!("{base}_{count}");
                count += 1;
            }
            if unique != base {
                self.notes.push(format!("column {} is called '{unique}', for there is another '{base}'", index + 1));
            }
            names.push(unique);
        }
        names
    }

    fn describe(&mut self, delimiter: u8) {
        let separated = match delimiter {
            b',' => "commas",
            b';' => "semicolons",
            b'\t' => "tabs",
            b'|' => "bars",
            _ => "the given delimiter",
        };
        let header = if self.headed { "a header" } else { "no header" };
        let decimal = if self.decimal_comma { ", decimal commas" } else { "" };
        let (rows, width) = (self.rows(), self.width());
        self.notes.insert(0, format!("{rows} rows and {width} columns, separated by {separated}, {header}{decimal}"));
    }
}

/// Lines up to a byte. The reader's own count stops before the empty lines that it skips.
struct LineCounter<'a> {
    body: &'a [u8],
    offset: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the first text at or after a byte; bytes must not decrease from call to call.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(&letter) = self.body.get(self.offset) {
            if self.offset >= byte && !matches!(letter, b'\n' | b'\r') {
                break;
            }
            let pair = letter == b'\r' && self.body.get(self.offset + 1) == Some(&b'\n');
            self.line += u64::from(letter == b'\n' || (letter == b'\r' && !pair));
            self.offset += 1;
        }
        self.line
    }
}

/// Excel's first line `sep=;`: the rest of the text, the number of lines skipped, the delimiter.
fn separator_line(text: &str) -> (&str, u64, Option<char>) {
    let Some((first, rest)) = text.split_once('\n') else { return (text, 0, None) };
    let declared = first.trim_end().strip_prefix("sep=").and_then(|value| {
        let mut letters = value.chars();
        letters.next().filter(|_| letters.next().is_none())
    });
    if declared.is_some() { (rest, 1, declared) } else { (text, 0, None) }
}

/// Texts of the rows of a column, missing ones as `None`.
pub(crate) fn texts<'a>(sheet: &'a Sheet, rows: &'a [usize], column: usize) -> impl Iterator<Item = Option<&'a str>> {
    rows.iter().map(move |&row| Some(sheet.cell(row, column)).filter(|text| !cell::is_missing(text)))
}
