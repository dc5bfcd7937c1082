//! How good a model is: figures, what it takes for what, and what it looks at.

use maud::{Markup, html};
use parity_protocol::{confusion::ConfusionMatrix, metrics::Metrics};

use super::charts;
use crate::{
    fl::{
        figures,
        report::{
            examine::{Examination, Group},
            facts::Share,
        },
    },
    plot::Line,
};

/// Most columns whose importance is shown.
const MOST_COLUMNS: usize = 30;

/// All figures, large.
pub(super) fn tiles(metrics: &Metrics) -> Markup {
    html! {
        div.tiles {
            @for (name, value) in metrics.figures() { div { b { (format!("{value:.4}")) } span { (name) } } }
            div { b { (metrics.samples) } span { "rows" } }
        }
    }
}

/// What rows of each class were taken for, and the figures of each class.
pub(super) fn confusion(confusion: &ConfusionMatrix, classes: &[String]) -> Markup {
    let counts = confusion.counts();
    if counts.len() != classes.len() {
        return html! {};
    }
    html! {
        h3 { "What is taken for what" }
        p { "A line per class of the rows, a column per class that they were taken for. Right answers lie on the diagonal." }
        div.scroll { table.confusion {
            thead { tr { th {} @for class in classes { th.number { (class) } } } }
            tbody { @for (index, (class, row)) in classes.iter().zip(counts).enumerate() { tr {
                th { (class) }
                @for (taken, count) in row.iter().enumerate() {
                    td.number.right[index == taken] style=(shade(*count, row)) { (count) }
                }
            } } }
        } }
        div.scroll { table {
            thead { tr { th { "class" } th.number { "rows" } th.number { "precision" } th.number { "recall" } th.number { "F1" } } }
            tbody { @for (class, of) in classes.iter().zip(confusion.per_class()) { tr {
                td { (class) }
                td.number { (of.support) }
                td.number { (figures::share(of.precision)) }
                td.number { (figures::share(of.recall)) }
                td.number { (figures::share(of.f1)) }
            } } }
        } }
    }
}

/// A cell is as dark as its share of the rows of its class.
#[expect(clippy::cast_precision_loss, reason = "a shade needs no precision")]
fn shade(count: u64, row: &[u64]) -> String {
    let total = row.iter().sum::<u64>().max(1);
    format!("--share:{:.3}", count as f64 / total as f64)
}

/// The model on the rows of whoever wrote the report.
pub(super) fn examination(examination: &Examination, classes: &[String]) -> anyhow::Result<Markup> {
    Ok(html! {
        section {
            h2 { "The last model on " (examination.rows) }
            (tiles(&examination.metrics))
            @if let Some(unseen) = &examination.out_of_bag {
                p {
                    "Out of bag, each row judged by the trees that did not see it: " (figures::all(Some(unseen))) ", on "
                    (unseen.samples) " rows."
                }
            }
            @if let Some(matrix) = &examination.confusion { (confusion(matrix, classes)) }
            @if !examination.groups.is_empty() { (predicted(&examination.groups)?) }
            @if !examination.importances.is_empty() {
                h3 { "What the model looks at" }
                p {
                    "How much worse "
                    @if examination.metrics.accuracy.is_some() { "the accuracy" } @else { "R2" }
                    " gets when the values of a column are shuffled, mean and standard deviation over a few shuffles."
                }
                (importances(&examination.importances))
            }
        }
    })
}

fn predicted(groups: &[Group]) -> anyhow::Result<Markup> {
    let line = |of: fn(&Group) -> f64| groups.iter().map(|group| (group.mean_label, of(group))).collect();
    let lines = vec![
        Line { name: "predicted".to_owned(), points: line(|group| group.mean_prediction) },
        Line { name: "actual".to_owned(), points: line(|group| group.mean_label) },
    ];
    Ok(html! {
        h3 { "Predicted against actual" }
        p { "Rows in groups of similar labels. A perfect model lies on the diagonal." }
        div.charts { figure { figcaption { "mean prediction" } (charts::chart("predicted", "actual", lines)?) } }
        div.scroll { table {
            thead { tr { th.number { "rows" } th.number { "mean label" } th.number { "mean prediction" } th.number { "MAE" } } }
            tbody { @for group in groups { tr {
                td.number { (group.rows) }
                td.number { (format!("{:.4}", group.mean_label)) }
                td.number { (format!("{:.4}", group.mean_prediction)) }
                td.number { (format!("{:.4}", group.mean_absolute_error)) }
            } } }
        } }
    })
}

/// Columns as bars, the largest first.
pub(super) fn importances(shares: &[Share]) -> Markup {
    let largest = shares.iter().map(|share| share.value).fold(f64::MIN_POSITIVE, f64::max);
    html! {
        table.bars { tbody {
            @for share in shares.iter().take(MOST_COLUMNS) { tr {
                th { (share.column) }
                td.number { (value(share)) }
                td.bar { div style=(format!("width:{:.1}%", 100.0 * (share.value / largest).clamp(0.0, 1.0))) {} }
            } }
        } }
        @if shares.len() > MOST_COLUMNS { p { "and " (shares.len() - MOST_COLUMNS) " columns that matter less" } }
    }
}

fn value(share: &Share) -> String {
    match share.deviation {
        Some(deviation) => format!("{:.4} ± {deviation:.4}", share.value),
        None => format!("{:.4}", share.value),
    }
}
