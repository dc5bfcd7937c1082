//! A model as an ONNX file: operators of ai.onnx 17 and, for forests, ai.onnx.ml 3.
//!
//! ```text
//! features       float32 [rows, features]   encoded, not standardised, in the order of the property `features`
//! label          int64   [rows]             index into the property `classes`        classification
//! probabilities  float64 [rows, classes]    of every class                           classification
//! value          float64 [rows]             in units of the label                    regression
//! ```
//!
//! The graph computes what [`predict`](crate::predict) computes. Networks: standardisation to the last bit, layers up to the
//! order in which f32 are added. Coefficients of the exact methods: in f64 throughout, up to the order of a sum. Forests: the same leaves and the same sums in the same order, so that ties fall alike; shares
//! of refitted forests are multiplied up to the last bits of `exp`.
//!
//! Properties of the file: `name`, `label`, `features` and `classes` (JSON lists), the fields of [`Origin`](crate::card::Origin),
//! and `card`, the whole model card.

mod forest;
mod graph;
mod linear;
mod network;
mod proto;

use parity_protocol::schema::Task;
use prost::Message;

use self::{
    graph::{Graph, Kind, attribute, tensor},
    proto::{Model, OperatorSet, Property, ValueInfo},
};
use crate::{Error, Result, card::ModelCard, weights::Weights};

/// Version of the file format that came with ai.onnx 17.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
/// Trees with `_as_tensor` attributes; the last version before ai.onnx.ml 5 put one operator in the place of two.
const TREE_OPERATORS: i64 = 3;
/// A protobuf message ends here.
const MAX_BYTES: usize = 0x7fff_ffff;
/// Input of the graph: features `[rows, features]`.
const FEATURES: &str = "features";
/// Name of the dimension of rows.
const ROWS: &str = "rows";

/// What a model's part of the graph computed, as names of values.
struct Said {
    /// `[rows, outputs]`: what the likeliest class is chosen by, or the label in standard deviations.
    scores: &'static str,
    /// f64 `[rows, outputs]`: probabilities, or the same as `scores`.
    answers: &'static str,
}

/// The model as the bytes of an ONNX file.
///
/// # Errors
/// As [`ModelCard::predictor`]; [`Error::Export`] when a weight is not finite, a forest has no tree yet, or the file would be larger
/// than 2 GiB.
pub fn onnx(card: &ModelCard, weights: &Weights) -> Result<Vec<u8>> {
    card.predictor(weights)?;
    let mut graph = Graph::default();
    let said = match weights {
        Weights::Tensors(tensors) => network::add(&mut graph, card, tensors)?,
        Weights::Coefficients(coefficients) => linear::add(&mut graph, card, coefficients),
        Weights::Forest(forest) => forest::add(&mut graph, forest)?,
    };
    let outputs = answer(&mut graph, &said, &card.schema.label.task);
    let input = graph::value_info(FEATURES, Kind::F32, &[None, Some(card.schema.features())]);
    let graph = graph.finish(&card.name, vec![input], outputs);
    let uses_trees = graph.nodes.iter().any(|node| node.domain == graph::TREES);
    let trees = uses_trees.then(|| OperatorSet { domain: graph::TREES.to_owned(), version: TREE_OPERATORS });
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "parity".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        operators: [OperatorSet { domain: String::new(), version: OPERATORS }].into_iter().chain(trees).collect(),
        properties: properties(card),
    };
    let bytes = model.encoded_len();
    if bytes > MAX_BYTES {
        return Err(Error::Export(format!(
            "an ONNX file holds at most {MAX_BYTES} bytes, this one would have {bytes}; export as safetensors or json"
        )));
    }
    Ok(model.encode_to_vec())
}

/// Adds the outputs of the graph.
fn answer(graph: &mut Graph, said: &Said, task: &Task) -> Vec<ValueInfo> {
    match task {
        Task::Classification { classes } => {
            let first = vec![attribute::int("axis", 1), attribute::int("keepdims", 0)];
            graph.add("ArgMax", &[said.scores], "label", first);
            graph.add("Identity", &[said.answers], "probabilities", vec![]);
            vec![
                graph::value_info("label", Kind::I64, &[None]),
                graph::value_info("probabilities", Kind::F64, &[None, Some(classes.len())]),
            ]
        }
        Task::Regression { mean, deviation } => {
            graph.constant(tensor::f64s("label_deviation", &[], &[*deviation]));
            graph.constant(tensor::f64s("label_mean", &[], &[*mean]));
            graph.constant(tensor::i64s("column", &[1]));
            graph.add("Mul", &[said.answers, "label_deviation"], "from_mean", vec![]);
            graph.add("Add", &["from_mean", "label_mean"], "values", vec![]);
            graph.add("Squeeze", &["values", "column"], "value", vec![]);
            vec![graph::value_info("value", Kind::F64, &[None])]
        }
    }
}

fn properties(card: &ModelCard) -> Vec<Property> {
    let list = |names: &[String]| serde_json::Value::from(names).to_string();
    let origin = &card.origin;
    let mut properties = vec![
        ("name", card.name.clone()),
        ("label", card.schema.label.name.clone()),
        ("features", list(&card.schema.feature_names())),
    ];
    if let Task::Classification { classes } = &card.schema.label.task {
        properties.push(("classes", list(classes)));
    }
    properties.extend([
        ("chain_id", origin.chain_id.to_string()),
        ("contract", origin.contract.clone()),
        ("session", origin.session.to_string()),
        ("round", origin.round.to_string()),
        ("spec", origin.spec.clone()),
        ("aggregate", origin.aggregate.clone()),
        ("model", origin.model.clone()),
        ("card", serde_json::to_string(card).expect("names and finite numbers are JSON")),
    ]);
    properties.into_iter().map(|(key, value)| Property { key: key.to_owned(), value }).collect()
}
