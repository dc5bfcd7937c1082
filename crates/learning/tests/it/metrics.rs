//! Metrics are those of scikit-learn (`script/metrics-vectors.py`).

use parity_learning::{metrics, table::Labels};
use parity_protocol::{
    confusion::ClassFigures,
    metrics::{Evaluation, Metrics},
    schema::Task,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    classes: Vec<Classes>,
    regressions: Vec<Regression>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    name: String,
    kind: String,
    classes: usize,
    outputs: Vec<f64>,
    labels: Vec<i64>,
    loss: f64,
    accuracy: f64,
    macro_f1: f64,
    auc: Option<f64>,
    confusion: Vec<Vec<u64>>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Regression {
    name: String,
    mean: f64,
    deviation: f64,
    outputs: Vec<f64>,
    labels: Vec<f64>,
    loss: f64,
    r2: f64,
    mae: f64,
    rmse: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/metrics.json")).unwrap()
}

#[expect(clippy::cast_possible_truncation, reason = "the vectors are 32-bit numbers")]
fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

fn close(name: &str, figure: &str, ours: Option<f64>, theirs: Option<f64>) {
    let equal = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0),
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    };
    assert!(equal, "{name}: {figure} is {ours:?}, scikit-learn says {theirs:?}");
}

#[test]
fn figures_of_classifications_are_those_of_scikit_learn() {
    let cases = vectors().classes;
    assert_eq!(cases.len(), 7);
    for case in cases {
        let task = Task::Classification { classes: (0..case.classes).map(|class| class.to_string()).collect() };
        let labels = Labels::Classes(case.labels);
        let Evaluation { metrics: ours, confusion } = match case.kind.as_str() {
            "logits" => metrics::of_outputs(&task, &narrow(&case.outputs), &labels),
            _ => metrics::of_shares(&task, &case.outputs, &labels),
        }
        .unwrap();
        let name = &case.name;
        close(name, "the loss", Some(ours.loss), Some(case.loss));
        close(name, "the accuracy", ours.accuracy, Some(case.accuracy));
        close(name, "the macro F1", ours.macro_f1, Some(case.macro_f1));
        close(name, "the AUC", ours.auc, case.auc);
        let confusion = confusion.unwrap();
        assert_eq!(confusion.counts(), case.confusion, "{name}");
        for (class, ClassFigures { precision, recall, f1, support }) in confusion.per_class().into_iter().enumerate() {
            // scikit-learn has no absent figures: what is undefined is 0.
            let or_zero = |figure: Option<f64>| Some(figure.unwrap_or_default());
            close(name, "a precision", or_zero(precision), Some(case.precision[class]));
            close(name, "a recall", or_zero(recall), Some(case.recall[class]));
            close(name, "an F1", or_zero(f1), Some(case.f1[class]));
            assert_eq!(support, case.support[class], "{name}");
        }
    }
}

#[test]
fn figures_of_regressions_are_those_of_scikit_learn() {
    for case in vectors().regressions {
        let task = Task::Regression { mean: case.mean, deviation: case.deviation };
        let labels = Labels::Numbers(narrow(&case.labels));
        let Evaluation { metrics, confusion } = metrics::of_outputs(&task, &narrow(&case.outputs), &labels).unwrap();
        let Metrics { loss, r2, mae, rmse, .. } = metrics;
        close(&case.name, "the loss", Some(loss), Some(case.loss));
        close(&case.name, "R2", r2, Some(case.r2));
        close(&case.name, "the mean absolute error", mae, Some(case.mae));
        close(&case.name, "the root of the mean squared error", rmse, Some(case.rmse));
        assert!(confusion.is_none() && metrics.accuracy.is_none());
    }
}
