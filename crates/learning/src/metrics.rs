//! From outputs and labels to metrics. The figures are those of scikit-learn on the same outputs.
//!
//! The same bits on every machine: contribution scores, and with them digests, follow from losses. Sums run over the rows in
//! order, `exp` and `ln` are those of the `libm` crate.

mod ranking;

use parity_protocol::{
    confusion::{ClassFigures, ConfusionMatrix, MAX_CONFUSION_CLASSES},
    metrics::{Evaluation, Metrics},
    schema::Task,
};

use self::ranking::area_under_roc;
use crate::{Error, Result, table::Labels};

/// Least share of a class that costs what it says: one in 2^20, so that a class that no tree has seen costs 13.9 nats, not
/// infinity.
const LEAST: f64 = 1.0 / 1_048_576.0;

/// Index of the largest value, the first one of equals.
pub(crate) fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}

/// Probabilities from logits.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f64> {
    let total = log_sum_exp(logits);
    logits.iter().map(|logit| libm::exp(f64::from(*logit) - total)).collect()
}

/// `ln(sum(exp(logits)))`, shifted by the largest so that nothing overflows.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = f64::from(logits[argmax(logits)]);
    largest + libm::log(logits.iter().map(|logit| libm::exp(f64::from(*logit) - largest)).sum::<f64>())
}

/// Of a model whose outputs `[rows, outputs]` are logits, or the standardised label.
///
/// # Errors
/// [`Error::Rows`] when there is no row, or labels do not fit the task or the outputs.
pub fn of_outputs(task: &Task, outputs: &[f32], labels: &Labels) -> Result<Evaluation> {
    let width = width(outputs.len(), labels)?;
    match targets(task, width, labels)? {
        Targets::Classes(classes) => {
            let totals: Vec<f64> = outputs.chunks(width).map(log_sum_exp).collect();
            let logit = |row: usize, class: usize| f64::from(outputs[row * width + class]);
            let costs = classes.iter().enumerate().map(|(row, class)| totals[row] - logit(row, *class));
            let taken = outputs.chunks(width).map(argmax).collect();
            Ok(classification(width, &classes, taken, costs.sum(), |row, class| match width {
                // In the order of the probabilities, but exact, and different where those have rounded to 1.
                2 => logit(row, class) - logit(row, 1 - class),
                // The logarithm of the probability.
                _ => logit(row, class) - totals[row],
            }))
        }
        Targets::Numbers { numbers, mean, deviation } => {
            Ok(regression(outputs.iter().map(|output| f64::from(*output)), numbers, mean, deviation))
        }
    }
}

/// Of a forest, whose outputs `[rows, outputs]` are shares of the classes, or the standardised label.
///
/// # Errors
/// As [`of_outputs`].
pub fn of_shares(task: &Task, outputs: &[f64], labels: &Labels) -> Result<Evaluation> {
    let width = width(outputs.len(), labels)?;
    match targets(task, width, labels)? {
        Targets::Classes(classes) => {
            let share = |row: usize, class: usize| outputs[row * width + class];
            let costs = classes.iter().enumerate().map(|(row, class)| -libm::log(share(row, *class).max(LEAST)));
            let taken = outputs.chunks(width).map(argmax).collect();
            Ok(classification(width, &classes, taken, costs.sum(), share))
        }
        Targets::Numbers { numbers, mean, deviation } => {
            Ok(regression(outputs.iter().copied(), numbers, mean, deviation))
        }
    }
}

/// Labels that fit a task.
enum Targets<'a> {
    Classes(Vec<usize>),
    Numbers { numbers: &'a [f32], mean: f64, deviation: f64 },
}

fn width(outputs: usize, labels: &Labels) -> Result<usize> {
    if labels.is_empty() {
        return Err(Error::Rows("there is no row to evaluate".into()));
    }
    let width = outputs / labels.len();
    if width == 0 || outputs != width * labels.len() {
        return Err(Error::Rows(format!("{outputs} outputs for {} labels", labels.len())));
    }
    Ok(width)
}

fn targets<'a>(task: &Task, width: usize, labels: &'a Labels) -> Result<Targets<'a>> {
    match (task, labels) {
        (Task::Classification { .. }, Labels::Classes(classes)) => {
            let known = |(row, class): (usize, &i64)| {
                usize::try_from(*class).ok().filter(|class| *class < width).ok_or_else(|| {
                    Error::Rows(format!("row {row} has class {class}, the model knows 0 to {}", width - 1))
                })
            };
            Ok(Targets::Classes(classes.iter().enumerate().map(known).collect::<Result<_>>()?))
        }
        (Task::Regression { mean, deviation }, Labels::Numbers(numbers)) if width == 1 => {
            Ok(Targets::Numbers { numbers, mean: *mean, deviation: *deviation })
        }
        (Task::Classification { .. }, _) => {
            Err(Error::Rows("the labels are numbers, the model predicts classes".into()))
        }
        (Task::Regression { .. }, _) => Err(Error::Rows("the labels are classes, the model predicts a number".into())),
    }
}

/// `taken` is the class that each row was taken for, `cost` the sum of their log losses; `score` ranks rows (first argument) by
/// how much they look like a class (second argument).
fn classification(
    width: usize,
    classes: &[usize],
    taken: Vec<usize>,
    cost: f64,
    score: impl Fn(usize, usize) -> f64,
) -> Evaluation {
    let rows = count(classes.len());
    let right = classes.iter().zip(&taken).filter(|(class, taken)| class == taken).count();
    let area = |class: usize| {
        area_under_roc(classes.iter().enumerate().map(|(row, actual)| (score(row, class), *actual == class)))
    };
    let auc = match width {
        1 => None,
        2 => area(1),
        _ => {
            let sum: Option<f64> = (0..width).map(area).sum();
            sum.map(|sum| sum / count(width))
        }
    };
    Evaluation {
        metrics: Metrics {
            samples: u64::try_from(classes.len()).expect("a length fits 64 bits"),
            loss: cost / rows,
            accuracy: Some(count(right) / rows),
            macro_f1: Some(macro_f1(width, classes, &taken)),
            auc,
            ..Metrics::default()
        },
        confusion: confusion(width, classes, &taken),
    }
}

/// Mean F1 of the classes that occur on either side.
fn macro_f1(width: usize, classes: &[usize], taken: &[usize]) -> f64 {
    let mut tallies = vec![(0_u64, 0_u64, 0_u64); width];
    for (class, taken) in classes.iter().zip(taken) {
        tallies[*class].0 += u64::from(class == taken);
        tallies[*taken].1 += 1;
        tallies[*class].2 += 1;
    }
    let figures = tallies.into_iter().map(|(hits, taken, support)| ClassFigures::new(hits, taken, support));
    let occurring: Vec<f64> = figures.filter_map(|figures| figures.f1).collect();
    occurring.iter().sum::<f64>() / count(occurring.len())
}

fn confusion(width: usize, classes: &[usize], taken: &[usize]) -> Option<ConfusionMatrix> {
    if width > MAX_CONFUSION_CLASSES {
        return None;
    }
    let mut counts = vec![vec![0; width]; width];
    classes.iter().zip(taken).for_each(|(class, taken)| counts[*class][*taken] += 1);
    ConfusionMatrix::new(counts).ok()
}

fn regression(outputs: impl Iterator<Item = f64>, numbers: &[f32], mean: f64, deviation: f64) -> Evaluation {
    let rows = count(numbers.len());
    let centre = numbers.iter().map(|y| f64::from(*y)).sum::<f64>() / rows;
    let (mut squares, mut absolute, mut spread) = (0.0, 0.0, 0.0);
    for (output, y) in outputs.zip(numbers) {
        let error = output * deviation + mean - f64::from(*y);
        squares += error * error;
        absolute += error.abs();
        let off = f64::from(*y) - centre;
        spread += off * off;
    }
    let metrics = Metrics {
        samples: u64::try_from(numbers.len()).expect("a length fits 64 bits"),
        loss: squares / rows / (deviation * deviation),
        // Undefined where all labels are equal.
        r2: (spread > 0.0).then(|| 1.0 - squares / spread),
        mae: Some(absolute / rows),
        rmse: Some((squares / rows).sqrt()),
        ..Metrics::default()
    };
    Evaluation { metrics, confusion: None }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(count: usize) -> Task {
        Task::Classification { classes: (0..count).map(|class| class.to_string()).collect() }
    }

    #[test]
    fn even_logits_cost_the_logarithm_of_the_classes() {
        let Metrics { samples, loss, accuracy, auc, .. } =
            of_outputs(&classes(3), &[1.0; 6], &Labels::Classes(vec![0, 2])).unwrap().metrics;
        assert!((loss - 3_f64.ln()).abs() < 1e-12);
        // Class 1 has no row, so the curve of that class is undefined.
        assert_eq!((samples, accuracy, auc), (2, Some(0.5), None));
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let metrics = of_outputs(&classes(2), &[3e38, -3e38], &Labels::Classes(vec![1])).unwrap().metrics;
        assert!(metrics.loss.is_finite() && metrics.loss > 1e38);
        assert!((softmax(&[1000.0, 1000.0])[0] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_share_of_nothing_costs_no_infinity() {
        let labels = Labels::Classes(vec![1, 0]);
        let Evaluation { metrics, confusion } = of_shares(&classes(2), &[1.0, 0.0, 0.5, 0.5], &labels).unwrap();
        assert!((metrics.loss - (20.0 + 1.0) * 2_f64.ln() / 2.0).abs() < 1e-12);
        assert_eq!((metrics.accuracy, metrics.auc), (Some(0.5), Some(0.0)));
        assert_eq!(confusion.unwrap().counts(), [[1, 0], [1, 0]]);
    }

    #[test]
    fn many_classes_have_figures_but_no_matrix() {
        let labels = Labels::Classes((0..65).collect());
        let mut outputs = vec![0.0; 65 * 65];
        (0..65).for_each(|row| outputs[row * 65 + row] = 1.0);
        let Evaluation { metrics, confusion } = of_outputs(&classes(65), &outputs, &labels).unwrap();
        assert_eq!((metrics.macro_f1, metrics.auc, confusion), (Some(1.0), Some(1.0), None));
    }

    #[test]
    fn r2_is_absent_where_all_labels_are_equal() {
        let task = Task::Regression { mean: 0.0, deviation: 1.0 };
        let metrics = of_outputs(&task, &[1.0, 2.0], &Labels::Numbers(vec![1.0, 1.0])).unwrap().metrics;
        assert_eq!((metrics.r2, metrics.mae, metrics.rmse), (None, Some(0.5), Some(0.5_f64.sqrt())));
    }
}
