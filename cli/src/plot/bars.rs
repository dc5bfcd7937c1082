//! Stacked bars: one bar per position, one colour per series.

use std::ops::Range;

use plotters::{
    chart::ChartBuilder,
    coord::{
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
        types::RangedCoordf64,
    },
    element::Rectangle,
    style::{Color, RGBColor},
};

use super::{
    canvas::{Size, document, font, legend},
    palette,
};

/// Most labels below the bars.
const MOST_LABELS: u32 = 20;

/// One colour of every bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// In the legend.
    pub(crate) name: String,
    /// Height per bar, 0 or more; as many as every other series has.
    pub(crate) heights: Vec<f64>,
}

/// Bars at 0, 1, 2 … whose parts lie on each other, the first series at the bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StackedBars {
    /// Above the chart.
    pub(crate) title: String,
    /// What the number of a bar means.
    pub(crate) x_axis: String,
    /// What a height means.
    pub(crate) y_axis: String,
    /// From the bottom up.
    pub(crate) series: Vec<Series>,
}

impl StackedBars {
    /// Draws the chart as an SVG document. Series beyond the number of different colours are added up as `other`.
    pub(crate) fn draw(&self) -> anyhow::Result<String> {
        let series = self.distinct();
        let bars = series.iter().map(|series| series.heights.len()).max().unwrap_or(0);
        let bars = u32::try_from(bars.max(1))?;
        let total = |bar: usize| series.iter().filter_map(|series| series.heights.get(bar)).sum::<f64>();
        let top = (0..).take_while(|bar| *bar < bars).map(|bar| total(usize::try_from(bar).unwrap_or(0)));
        let top = top.fold(0.0, f64::max);
        let top = if top > 0.0 { top * 1.05 } else { 1.0 };

        document(Size::Page, |area, beside| {
            let mut chart = ChartBuilder::on(area)
                .caption(&self.title, font(20))
                .margin(12)
                .x_label_area_size(44)
                .y_label_area_size(64)
                .build_cartesian_2d(Positions::new(bars), 0.0..top)?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .max_light_lines(1)
                .light_line_style(RGBColor(240, 240, 240))
                .bold_line_style(RGBColor(220, 220, 220))
                .x_desc(&self.x_axis)
                .y_desc(&self.y_axis)
                .x_label_formatter(&|bar| format!("{bar:.0}"))
                .y_label_formatter(&|height| format!("{height}"))
                .axis_desc_style(font(15))
                .label_style(font(13))
                .draw()?;
            let mut floor = vec![0.0; usize::try_from(bars)?];
            for (index, series) in series.iter().enumerate() {
                for ((bar, floor), height) in (0_u32..).zip(&mut floor).zip(&series.heights) {
                    if *height > 0.0 {
                        let (left, right) = (f64::from(bar) - 0.4, f64::from(bar) + 0.4);
                        let corners = [(left, *floor), (right, *floor + height)];
                        chart.plotting_area().draw(&Rectangle::new(corners, palette::colour(index).filled()))?;
                        *floor += height;
                    }
                }
            }
            let Some(beside) = beside else { return Ok(()) };
            // The topmost part first, as it is seen.
            let entries = series.iter().enumerate().rev();
            legend(beside, entries.map(|(index, series)| (palette::colour(index), series.name.as_str())))
        })
    }

    /// As many series as there are colours.
    fn distinct(&self) -> Vec<Series> {
        if self.series.len() <= palette::COUNT {
            return self.series.clone();
        }
        let (shown, rest) = self.series.split_at(palette::COUNT - 1);
        let mut other = Series { name: format!("{} other", rest.len()), heights: Vec::new() };
        for series in rest {
            other.heights.resize(other.heights.len().max(series.heights.len()), 0.0);
            for (sum, height) in other.heights.iter_mut().zip(&series.heights) {
                *sum += height;
            }
        }
        shown.iter().cloned().chain([other]).collect()
    }
}

/// The axis of bars: each is one wide, and some are labelled by their number.
struct Positions {
    along: RangedCoordf64,
    labelled: Vec<f64>,
}

impl Positions {
    fn new(bars: u32) -> Self {
        let step = usize::try_from(bars.div_ceil(MOST_LABELS)).unwrap_or(1);
        let labelled = (0..bars).step_by(step).map(f64::from).collect();
        Self { along: (-0.5..f64::from(bars) - 0.5).into(), labelled }
    }
}

impl Ranged for Positions {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.along.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.labelled.clone()
    }

    fn range(&self) -> Range<f64> {
        self.along.range()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(series: Vec<Series>) -> StackedBars {
        StackedBars { title: "Rows <per> seat".into(), x_axis: "seat".into(), y_axis: "rows".into(), series }
    }

    fn series(name: &str, heights: &[f64]) -> Series {
        Series { name: name.into(), heights: heights.to_vec() }
    }

    #[test]
    fn every_part_that_is_not_empty_is_drawn_once() {
        let svg = chart(vec![series("a & b", &[1.0, 0.0, 2.0]), series("c", &[3.0, 4.0, 0.0])]).draw().unwrap();
        assert!(svg.contains("Rows &lt;per&gt; seat") && svg.contains("a &amp; b"), "{svg}");
        // Two parts and one entry of the legend for each colour.
        for index in 0..2 {
            let RGBColor(red, green, blue) = palette::colour(index);
            let fill = format!("fill=\"#{red:02X}{green:02X}{blue:02X}\"");
            assert_eq!(svg.matches(&fill).count(), 3, "{svg}");
        }
        assert_eq!(svg, chart(vec![series("a & b", &[1.0, 0.0, 2.0]), series("c", &[3.0, 4.0, 0.0])]).draw().unwrap());
    }

    #[test]
    fn more_series_than_colours_are_added_up() {
        let many: Vec<Series> = (0..30).map(|index| series(&format!("class {index}"), &[1.0, 2.0])).collect();
        let distinct = chart(many).distinct();
        assert_eq!(distinct.len(), palette::COUNT);
        assert_eq!(distinct.last().unwrap(), &series("7 other", &[7.0, 14.0]));
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        assert!(chart(vec![]).draw().unwrap().ends_with("</svg>\n"));
        assert!(chart(vec![series("a", &[0.0])]).draw().unwrap().contains("seat"));
    }
}
