//! Metrics as text.

use parity_protocol::{confusion::ConfusionMatrix, metrics::Metrics};

use crate::output::grid;

/// Most classes whose confusion matrix fits a terminal.
const MOST_COLUMNS: usize = 12;

/// A figure for a line of text: `accuracy 0.9737`.
pub(crate) fn headline(evaluation: Option<&Metrics>) -> String {
    match evaluation.and_then(Metrics::headline) {
        Some((name, value)) => format!("{name} {value:.4}"),
        None => "not evaluated".to_owned(),
    }
}

/// All figures: `accuracy 0.9737, macro F1 0.9712, ...`.
pub(crate) fn all(evaluation: Option<&Metrics>) -> String {
    let Some(metrics) = evaluation else { return "not evaluated".to_owned() };
    metrics.figures().map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join(", ")
}

/// A share, or a dash where there is none.
pub(crate) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// Precision, recall and F1 of every class, and what its rows were taken for where there are few classes.
pub(crate) fn per_class(confusion: &ConfusionMatrix, classes: &[String]) -> String {
    let few = classes.len() <= MOST_COLUMNS;
    let taken = classes.iter().filter(|_| few).map(|class| format!("as {class}"));
    let header = ["class", "rows", "precision", "recall", "F1"].into_iter().map(str::to_owned).chain(taken).collect();
    let rows = classes.iter().zip(confusion.counts()).zip(confusion.per_class()).map(|((class, counts), figures)| {
        let counts = counts.iter().filter(|_| few).map(u64::to_string);
        let figures = [
            class.clone(),
            figures.support.to_string(),
            share(figures.precision),
            share(figures.recall),
            share(figures.f1),
        ];
        figures.into_iter().chain(counts).collect()
    });
    grid(header, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_line() {
        let confusion = ConfusionMatrix::new(vec![vec![3, 1], vec![0, 0]]).unwrap();
        let text = per_class(&confusion, &["no".to_owned(), "yes".to_owned()]);
        assert!(text.contains("as yes") && text.contains("0.7500"), "{text}");
        assert!(text.lines().any(|line| line.contains("yes") && line.contains(" - ")), "{text}");
    }
}
