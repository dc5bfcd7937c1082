//! Charts as SVG files: [`StackedBars`] and [`LineChart`], with a title, described axes and a legend at the right.
//!
//! Text stays text in the reader's own sans-serif font, so no font is looked for on this machine, and the same numbers give
//! the same bytes everywhere.

mod bars;
mod canvas;
mod lines;
mod palette;

use std::{fs, path::Path};

use anyhow::Context;

pub(crate) use bars::{Series, StackedBars};
pub(crate) use canvas::Size;
pub(crate) use lines::{Line, LineChart};
pub(crate) use palette::css;

/// Writes a chart to a file.
pub(crate) fn write(file: &Path, svg: &str) -> anyhow::Result<()> {
    fs::write(file, svg).with_context(|| format!("writing the plot {}", file.display()))
}
