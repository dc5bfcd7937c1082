//! From outputs and labels to metrics.
//!
//! The same bits on every machine: contribution scores, and with them digests, follow from losses. Sums run over the rows in
//! order, `exp` and `ln` are those of the `libm` crate.

use parity_protocol::{metrics::Metrics, schema::Task};

use crate::{Error, Result, table::Labels};

/// Index of the largest value, the first one of equals.
pub(crate) fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
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

/// Metrics of `[rows, outputs]` against labels.
///
/// # Errors
/// [`Error::Rows`] when there is no row, or labels do not fit the task or the outputs.
pub fn of_outputs(task: &Task, outputs: &[f32], labels: &Labels) -> Result<Metrics> {
    if labels.is_empty() {
        return Err(Error::Rows("there is no row to evaluate".into()));
    }
    let width = outputs.len() / labels.len();
    if width == 0 || outputs.len() != width * labels.len() {
        return Err(Error::Rows(format!("{} outputs for {} labels", outputs.len(), labels.len())));
    }
    match (task, labels) {
        (Task::Classification { .. }, Labels::Classes(classes)) => classification(outputs, width, classes),
        (Task::Regression { mean, deviation }, Labels::Numbers(numbers)) if width == 1 => {
            Ok(regression(outputs, numbers, *mean, *deviation))
        }
        (Task::Classification { .. }, _) => {
            Err(Error::Rows("the labels are numbers, the model predicts classes".into()))
        }
        (Task::Regression { .. }, _) => Err(Error::Rows("the labels are classes, the model predicts a number".into())),
    }
}

fn classification(outputs: &[f32], width: usize, classes: &[i64]) -> Result<Metrics> {
    let (mut right, mut loss) = (0_usize, 0.0);
    for (row, (logits, class)) in outputs.chunks(width).zip(classes).enumerate() {
        let class = usize::try_from(*class)
            .ok()
            .filter(|class| *class < width)
            .ok_or_else(|| Error::Rows(format!("row {row} has class {class}, the model knows 0 to {}", width - 1)))?;
        right += usize::from(argmax(logits) == class);
        loss += log_sum_exp(logits) - f64::from(logits[class]);
    }
    let rows = count(classes.len());
    Ok(Metrics {
        samples: u64::try_from(classes.len()).expect("a length fits 64 bits"),
        loss: loss / rows,
        accuracy: Some(count(right) / rows),
        ..Metrics::default()
    })
}

fn regression(outputs: &[f32], numbers: &[f32], mean: f64, deviation: f64) -> Metrics {
    let rows = count(numbers.len());
    let centre = numbers.iter().map(|y| f64::from(*y)).sum::<f64>() / rows;
    let (mut squares, mut absolute, mut spread) = (0.0, 0.0, 0.0);
    for (output, y) in outputs.iter().zip(numbers) {
        let error = f64::from(*output) * deviation + mean - f64::from(*y);
        squares += error * error;
        absolute += error.abs();
        let off = f64::from(*y) - centre;
        spread += off * off;
    }
    Metrics {
        samples: u64::try_from(numbers.len()).expect("a length fits 64 bits"),
        loss: squares / rows / (deviation * deviation),
        accuracy: None,
        // Undefined where all labels are equal.
        r2: (spread > 0.0).then(|| 1.0 - squares / spread),
        mae: Some(absolute / rows),
    }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_logits_cost_the_logarithm_of_the_classes() {
        let task = Task::Classification { classes: vec!["a".into(), "b".into(), "c".into()] };
        let metrics = of_outputs(&task, &[1.0; 6], &Labels::Classes(vec![0, 2])).unwrap();
        assert!((metrics.loss - 3_f64.ln()).abs() < 1e-12);
        assert_eq!((metrics.samples, metrics.accuracy), (2, Some(0.5)));
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let task = Task::Classification { classes: vec!["a".into(), "b".into()] };
        let metrics = of_outputs(&task, &[3e38, -3e38], &Labels::Classes(vec![1])).unwrap();
        assert!(metrics.loss.is_finite() && metrics.loss > 1e38);
        assert!((softmax(&[1000.0, 1000.0])[0] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn r2_is_absent_where_all_labels_are_equal() {
        let task = Task::Regression { mean: 0.0, deviation: 1.0 };
        let metrics = of_outputs(&task, &[1.0, 2.0], &Labels::Numbers(vec![1.0, 1.0])).unwrap();
        assert_eq!((metrics.r2, metrics.mae), (None, Some(0.5)));
    }
}
