//! Line charts: several curves over one axis.

use std::ops::Range;

use plotters::{
    chart::ChartBuilder,
    element::Circle,
    series::LineSeries,
    style::{Color, RGBColor},
};

use super::{
    canvas::{Size, document, font, legend},
    palette,
};

/// Curves with no more points than this have them marked.
const MOST_MARKS: usize = 60;

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// In the legend.
    pub(crate) name: String,
    /// From left to right; points that are not finite are left out.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Curves over one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LineChart {
    /// Above the chart.
    pub(crate) title: String,
    /// What is to the right.
    pub(crate) x_axis: String,
    /// What is up.
    pub(crate) y_axis: String,
    /// In the order of the legend.
    pub(crate) lines: Vec<Line>,
}

impl LineChart {
    /// Draws the chart as an SVG document. A column has neither title nor legend in it, so no text but the axes'.
    pub(crate) fn draw(&self, size: Size) -> anyhow::Result<String> {
        let x = range(self.points().map(|point| point.0), 0.0);
        let y = range(self.points().map(|point| point.1), 0.05);
        document(size, |area, beside| {
            let mut builder = ChartBuilder::on(area);
            builder.margin(12).x_label_area_size(44).y_label_area_size(64);
            if size == Size::Page {
                builder.caption(&self.title, font(20));
            }
            let mut chart = builder.build_cartesian_2d(x, y)?;
            chart
                .configure_mesh()
                .max_light_lines(1)
                .light_line_style(RGBColor(240, 240, 240))
                .bold_line_style(RGBColor(220, 220, 220))
                .x_desc(&self.x_axis)
                .y_desc(&self.y_axis)
                .axis_desc_style(font(15))
                .label_style(font(13))
                .draw()?;
            for (index, line) in self.lines.iter().enumerate() {
                let colour = palette::colour(index);
                let points: Vec<(f64, f64)> = line.points.iter().copied().filter(is_finite).collect();
                if points.len() <= MOST_MARKS {
                    chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
                }
                chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
            }
            let Some(beside) = beside else { return Ok(()) };
            let entries = self.lines.iter().take(palette::COUNT).enumerate();
            legend(beside, entries.map(|(index, line)| (palette::colour(index), line.name.as_str())))
        })
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|line| line.points.iter().copied()).filter(is_finite)
    }
}

fn is_finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

/// From the smallest to the largest value, wider by a share of that at both ends; never empty.
fn range(values: impl Iterator<Item = f64>, margin: f64) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let width = high - low;
    if width <= f64::EPSILON * high.abs().max(low.abs()) {
        return low - 0.5..high + 0.5;
    }
    low - margin * width..high + margin * width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lines: Vec<Line>) -> String {
        let chart = LineChart { title: "Accuracy".into(), x_axis: "round".into(), y_axis: "accuracy".into(), lines };
        chart.draw(Size::Page).unwrap()
    }

    fn line(name: &str, points: &[(f64, f64)]) -> Line {
        Line { name: name.into(), points: points.to_vec() }
    }

    #[test]
    fn every_curve_is_drawn_and_named() {
        let lines = vec![line("seed 0", &[(1.0, 0.5), (2.0, 0.75)]), line("seed 1", &[(1.0, 0.25), (2.0, 1.0)])];
        let svg = chart(lines.clone());
        assert_eq!((svg.matches("<circle").count(), svg.contains("seed 0"), svg.contains("seed 1")), (4, true, true));
        assert!(svg.contains("round") && svg.contains("accuracy") && svg.contains("Accuracy"));
        assert_eq!(svg, chart(lines));
    }

    #[test]
    fn points_that_cannot_be_drawn_are_left_out() {
        let svg = chart(vec![line("loss", &[(1.0, f64::NAN), (2.0, 1.0), (3.0, f64::INFINITY)])]);
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(chart(vec![]).ends_with("</svg>\n"));
    }

    #[test]
    fn a_range_is_never_empty() {
        assert_eq!(range([2.0, 2.0].into_iter(), 0.05), 1.5..2.5);
        assert_eq!(range([0.0, 1.0].into_iter(), 0.5), -0.5..1.5);
        assert_eq!(range(std::iter::empty(), 0.05), 0.0..1.0);
    }
}
