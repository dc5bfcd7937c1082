//! What goes to standard output: the result, as a table for people or one JSON document for programs.
//! Everything else (progress, prices, warnings) goes to standard error.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Writes results and notes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// Text or JSON.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the result once: `document` as JSON, or what `text` makes of it.
    pub(crate) fn result<T: Serialize>(self, document: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let line = if self.json { serde_json::to_string(document)? } else { text(document) };
        write_line(io::stdout().lock(), &line)
    }

    /// Prints a line of a running result (events of `watch`): one JSON document a line, or text.
    pub(crate) fn line<T: Serialize>(self, document: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        self.result(document, text)
    }

    /// Says something that is not the result.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        // A closed standard error is no reason to fail.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// A progress bar over `length` steps on standard error; hidden when that is no terminal.
    pub(crate) fn progress(self, length: u64, message: &str) -> ProgressBar {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg:28} {wide_bar} {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(message.to_owned());
        bar
    }

    /// A progress bar over bytes.
    pub(crate) fn byte_progress(self, length: u64, message: &str) -> ProgressBar {
        let bar = self.progress(length, message);
        let style = ProgressStyle::with_template("{msg:28} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar
    }
}

/// Writes a line; a reader that has gone away (a closed pipe) ends the output quietly.
fn write_line(mut writer: impl Write, line: &str) -> anyhow::Result<()> {
    match writeln!(writer, "{line}").and_then(|()| writer.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A table with a header.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// A table whose number of columns is known only now, numbers to the right.
pub(crate) fn grid(header: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Two columns: names and values.
pub(crate) fn facts(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    for (name, value) in rows {
        table.add_row([name.to_owned(), value]);
    }
    table.to_string()
}
