//! A session spec in words.

use parity_protocol::{
    schema::{ColumnKind, Task},
    spec::{Data, SessionSpec},
};
use serde::Serialize;
use serde_json::Value;

use super::facts::{Fact, fact};

/// What is learned and how.
pub(crate) fn describe(spec: &SessionSpec) -> Vec<Fact> {
    let label = &spec.schema.label;
    let predicted = match &label.task {
        Task::Classification { classes } => format!("{}, one of {} classes", label.name, classes.len()),
        Task::Regression { mean, deviation } => {
            format!("{}, a number (mean {mean:.4}, standard deviation {deviation:.4})", label.name)
        }
    };
    let categorical = spec.schema.columns.iter().filter(|c| matches!(c.kind, ColumnKind::Categorical { .. })).count();
    let columns = spec.schema.columns.len();
    let mut facts = vec![
        fact("predicts", predicted),
        fact("from", format!("{columns} columns, {categorical} of them categorical")),
        fact("model", words(&spec.model)),
        fact("training", words(&spec.training)),
        fact("aggregation", words_of_rule(&spec.aggregation.to_string())),
    ];
    match &spec.data {
        Data::Uploaded { partition, shard_rows, holdout_rows, overlap_ratio, .. } => {
            let rows: u64 = shard_rows.iter().sum();
            let shared = if *overlap_ratio > 0.0 { format!(", overlap {overlap_ratio}") } else { String::new() };
            facts.push(fact("data", format!("{rows} rows on {} seats, {holdout_rows} held out", shard_rows.len())));
            facts.push(fact("partition", format!("{partition}{shared}")));
        }
        Data::Private { max_samples } => {
            facts.push(fact(
                "data",
                format!("each runner's own, which never leaves it; at most {max_samples} rows count"),
            ));
        }
    }
    facts.push(fact("privacy", words(&spec.privacy)));
    facts
}

fn words_of_rule(rule: &str) -> String {
    if rule.is_empty() { "fedavg".to_owned() } else { rule.to_owned() }
}

/// Any value of the spec as text: `neural network, hidden 32-16, activation relu`. It goes by the names that the spec itself has,
/// so that nothing of a spec is left out.
fn words(value: &impl Serialize) -> String {
    serde_json::to_value(value).map(|value| text(&value)).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.replace('_', " "),
        Value::Array(items) if items.iter().all(Value::is_object) => {
            items.iter().map(|item| format!("({})", text(item))).collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("-"),
        Value::Object(fields) => {
            let kind = fields.get("type").map(text);
            let named = fields.iter().filter(|(name, value)| *name != "type" && !value.is_null());
            let named = named.map(|(name, value)| match (name.replace('_', " "), value) {
                (name, Value::Object(_)) => format!("{name} {}", parenthesised(&text(value))),
                (name, _) => format!("{name} {}", text(value)),
            });
            kind.into_iter().chain(named).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// `adam, learning rate 0.1` as `adam (learning rate 0.1)`.
fn parenthesised(text: &str) -> String {
    match text.split_once(", ") {
        Some((kind, rest)) => format!("{kind} ({rest})"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use parity_protocol::{model::Activation, model::Model, training::Optimizer};

    use super::*;

    #[test]
    fn specs_are_told_in_their_own_names() {
        let model = Model::NeuralNetwork { hidden: vec![32, 16], activation: Activation::LeakyRelu, dropout: 0.5 };
        assert_eq!(words(&model), "neural network, activation leaky relu, dropout 0.5, hidden 32-16");
        assert_eq!(words(&Model::LinearRegression {}), "linear regression");
        let optimizer = serde_json::json!({ "optimizer": Optimizer::Adam { learning_rate: 0.25 }, "none": null });
        assert_eq!(text(&optimizer), "optimizer adam (learning rate 0.25)");
    }
}
