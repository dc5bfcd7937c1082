//! How a file is written: encoding, delimiter, decimal comma, header.

use std::path::Path;

use ::csv::{ReaderBuilder, StringRecord};

use super::cell::{self, Cell};
use crate::{Error, Result};

/// In order of preference where two fit equally well.
pub(crate) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that decide.
const SAMPLE: usize = 500;

/// The text of a file without byte order mark; what had to be assumed is noted.
pub(crate) fn decode(path: &Path, bytes: Vec<u8>, notes: &mut Vec<String>) -> Result<String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.iter().take(4096).any(|b| *b == 0)
    {
        let reason = "the text is UTF-16 or not text at all; save the file as CSV in UTF-8".to_owned();
        return Err(Error::File { path: path.to_owned(), reason });
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        notes.push("the text is not UTF-8 and was read as Latin-1".to_owned());
        error.as_bytes().iter().map(|byte| char::from(*byte)).collect()
    });
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The delimiter that splits the first records most evenly into the cleanest cells.
pub(crate) fn delimiter(text: &str) -> Option<u8> {
    let mut best: Option<(u8, f64)> = None;
    for candidate in DELIMITERS {
        let records = sample(text, candidate);
        let Some(width) = usual_width(&records).filter(|width| *width > 1) else { continue };
        let even: Vec<&StringRecord> = records.iter().filter(|record| record.len() == width).collect();
        let cells = || even.iter().flat_map(|record| record.iter());
        let clean = cells().filter(|text| is_clean(text, candidate)).count();
        let score = share(even.len(), records.len()) * share(clean, cells().count());
        if best.is_none_or(|(_, other)| score > other + 1e-9) {
            best = Some((candidate, score));
        }
    }
    best.map(|(delimiter, _)| delimiter)
}

/// A cell that shows no trace of another delimiter.
fn is_clean(text: &str, delimiter: u8) -> bool {
    let text = text.trim();
    let others = || DELIMITERS.iter().filter(|other| **other != delimiter).map(|other| char::from(*other));
    !others().any(|other| text.contains(other)) || (delimiter != b',' && cell::has_decimal_comma(text))
}

fn sample(text: &str, delimiter: u8) -> Vec<StringRecord> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    reader.records().take(SAMPLE).filter_map(Result::ok).collect()
}

/// The most frequent number of fields; of equally frequent ones the larger.
fn usual_width(records: &[StringRecord]) -> Option<usize> {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for record in records {
        *counts.entry(record.len()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(width, count)| (count, width)).map(|(width, _)| width)
}

/// Whether numbers have decimal commas: some do, and none has a decimal point.
pub(crate) fn decimal_comma<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let mut found = false;
    for text in cells {
        found |= cell::has_decimal_comma(text);
        if cell::has_decimal_point(text) {
            return false;
        }
    }
    found
}

/// Whether the first record names the columns. Columns of numbers decide by majority: a name above numbers speaks for a header, a
/// number for none. Without such columns a header is a record of distinct texts of which none comes again below it.
pub(crate) fn has_header(first: &[String], below: impl Fn(usize) -> Vec<String>, decimal_comma: bool) -> bool {
    let positions = || first.iter().enumerate();
    // Programs that have no names write 0, 1, 2, …
    if first.len() > 1 && positions().all(|(index, text)| *text == index.to_string()) {
        return true;
    }
    let (mut named, mut numbered, mut repeated) = (0_usize, 0_usize, false);
    for (index, text) in positions() {
        let cells = below(index);
        let kinds = || cells.iter().map(|cell| cell::parse(cell, decimal_comma)).filter(|kind| *kind != Cell::Missing);
        let numbers = kinds().filter(|kind| matches!(kind, Cell::Number(_) | Cell::NotFinite)).count();
        repeated |= cells.iter().any(|cell| cell == text) && !cell::is_missing(text);
        if numbers * 10 >= kinds().count() * 9 && numbers > 0 {
            match cell::parse(text, decimal_comma) {
                Cell::Text => named += 1,
                Cell::Number(_) | Cell::NotFinite => numbered += 1,
                Cell::Missing => {}
            }
        }
    }
    // Years are names too, if at least one other column has a name.
    let years = || positions().all(|(_, text)| !cell::has_decimal_point(text) && !cell::has_decimal_comma(text));
    if named + numbered > 0 {
        return named > numbered || (named > 0 && years());
    }
    let mut names = first.to_vec();
    names.sort_unstable();
    names.dedup();
    names.len() == first.len() && !repeated
}

#[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
