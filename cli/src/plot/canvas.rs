//! What all charts share: size, fonts, and the legend beside the chart.

use plotters::{
    coord::Shift,
    element::{Rectangle, Text},
    prelude::{DrawingArea, IntoDrawingArea, SVGBackend, WHITE},
    style::{Color, RGBColor},
};

/// How large a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// A file of its own, with title and legend: two columns of a page at 96 dpi.
    Page,
    /// One column of a page, small enough for a phone; title and legend are the page's.
    Column,
}

impl Size {
    /// Width and height in pixels, legend included.
    const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Page => (960, 540),
            Self::Column => (440, 270),
        }
    }
}

/// Width of the legend; about 20 characters.
const LEGEND: u32 = 180;
/// Characters of a legend entry; the rest is cut off.
const MOST_CHARACTERS: usize = 20;
/// Pixels between legend entries, so that [`super::palette::COUNT`] of them fit the height.
const LINE: i32 = 20;

/// The font of all text, by size in pixels.
pub(super) const fn font(size: u32) -> (&'static str, u32) {
    ("sans-serif", size)
}

/// A surface without coordinates.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws on a white surface and returns the document. `draw` gets the surface of the chart and that of the legend, where the
/// size has one.
pub(super) fn document(
    size: Size,
    draw: impl FnOnce(&Area<'_>, Option<&Area<'_>>) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut document = String::new();
    {
        let root = SVGBackend::with_string(&mut document, size.pixels()).into_drawing_area();
        root.fill(&WHITE)?;
        match size {
            Size::Page => {
                let (chart, legend) = root.split_horizontally(size.pixels().0 - LEGEND);
                draw(&chart, Some(&legend))?;
            }
            Size::Column => draw(&root, None)?,
        }
        root.present()?;
    }
    Ok(document)
}

/// One line per series: a square of its colour and its name.
pub(super) fn legend<'n>(
    area: &Area<'_>,
    entries: impl IntoIterator<Item = (RGBColor, &'n str)>,
) -> anyhow::Result<()> {
    let mut top = 40;
    for (colour, name) in entries {
        area.draw(&Rectangle::new([(8, top), (20, top + 12)], colour.filled()))?;
        area.draw(&Text::new(shortened(name), (28, top), font(14)))?;
        top += LINE;
    }
    Ok(())
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= MOST_CHARACTERS {
        return name.to_owned();
    }
    name.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_off() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened("a name that is longer than the legend"), "a name that is long…");
    }
}
