//! A model as readable JSON: the card and the weights with every digit.
//!
//! ```text
//! { "card": …,                                     the model card
//!   "weights": {
//!     "type": "tensors",
//!     "tensors": { NAME: { "dtype": "f32" | "f64", "shape": [SIZE, …], "values": [NUMBER, …] }, … } } }
//! ```
//!
//! Values lie in row-major order, in f64 where an exact method solved the model; `layers.0.weight` `[outputs, inputs]` and `layers.0.bias` `[outputs]` are the first layer. A row is
//! encoded by the columns of the card, standardised by its scaling, and goes through the layers.
//!
//! ```text
//!   "weights": {
//!     "type": "forest",
//!     "combine": "mean" | "product",
//!     "trees": [{ "vote": WEIGHT, "nodes": [
//!       { "feature": INDEX, "threshold": NUMBER, "left": NODE, "right": NODE },       x[feature] <= threshold goes left
//!       { "counts": [[CLASS, ROWS], …] },                                             a leaf of a classifier
//!       { "rows": ROWS, "mean": NUMBER }, … ] }, … ] }                                a leaf of a regressor
//! ```
//!
//! The first node is the root. Leaves that counted no row say nothing. `mean`: a class gets the mean of its shares in the
//! leaves, a label the mean of the means (in standard deviations from the label's mean), weighted by the votes. `product`: the sum
//! of `vote * ln(1 + classes * rows of the class)` over the trees that say something, divided by their mean vote, then softmax. Where no tree says anything, all classes are equally
//! likely, or the label is its mean.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::ser::Serializer;

use super::lines::Lines;
use crate::{
    Error, Result,
    card::ModelCard,
    exact::Coefficients,
    forest::{Forest, Kind, Node, Tree, mean_label},
    model::{bias_name, weight_name},
    tensors::{Tensor, Tensors},
    weights::Weights,
};

#[derive(Serialize)]
struct Document<'a> {
    card: &'a ModelCard,
    weights: Form<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Form<'a> {
    Tensors { tensors: BTreeMap<String, Values<'a>> },
    Forest { combine: &'static str, trees: Vec<Grown> },
}

#[derive(Serialize)]
struct Values<'a> {
    dtype: &'static str,
    shape: Vec<usize>,
    values: Numbers<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl<'a> Values<'a> {
    fn of(tensor: &'a Tensor) -> Self {
        Self { dtype: "f32", shape: tensor.shape.clone(), values: Numbers::F32(&tensor.data) }
    }

    fn of_f64(shape: Vec<usize>, values: &'a [f64]) -> Self {
        Self { dtype: "f64", shape, values: Numbers::F64(values) }
    }
}

#[derive(Serialize)]
struct Grown {
    vote: u32,
    nodes: Vec<Branch>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Branch {
    Split { feature: u32, threshold: f32, left: u32, right: u32 },
    Classes { counts: Vec<(u16, i64)> },
    Number { rows: i64, mean: f64 },
}

/// The model as indented JSON.
///
/// # Errors
/// As [`ModelCard::predictor`]; [`Error::Export`] when a weight is not finite, for which JSON has no word.
pub fn json(card: &ModelCard, weights: &Weights) -> Result<String> {
    card.predictor(weights)?;
    let weights = match weights {
        Weights::Tensors(tensors) => of_tensors(tensors)?,
        Weights::Coefficients(coefficients) => of_coefficients(card, coefficients),
        Weights::Forest(forest) => of_forest(forest),
    };
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Lines::default());
    Document { card, weights }.serialize(&mut serializer).map_err(|error| Error::Export(error.to_string()))?;
    Ok(String::from_utf8(bytes).expect("JSON is UTF-8"))
}

fn of_tensors(tensors: &Tensors) -> Result<Form<'_>> {
    super::check_finite(tensors)?;
    Ok(Form::Tensors { tensors: tensors.0.iter().map(|(name, tensor)| (name.clone(), Values::of(tensor))).collect() })
}

fn of_coefficients<'a>(card: &ModelCard, coefficients: &'a Coefficients) -> Form<'a> {
    let (features, outputs) = (card.schema.features(), card.schema.outputs());
    let weight = (weight_name(0), Values::of_f64(vec![outputs, features], coefficients.weight()));
    let bias = (bias_name(0), Values::of_f64(vec![outputs], coefficients.bias()));
    Form::Tensors { tensors: [weight, bias].into() }
}

fn of_forest(forest: &Forest) -> Form<'static> {
    let combine = if forest.multiplies_shares() { "product" } else { "mean" };
    Form::Forest { combine, trees: forest.trees.iter().map(|tree| of_tree(tree, forest.kind)).collect() }
}

fn of_tree(tree: &Tree, kind: Kind) -> Grown {
    let branch = |(index, node): (u32, &Node)| match *node {
        Node::Split { feature, threshold, right } => Branch::Split { feature, threshold, left: index + 1, right },
        Node::Leaf(leaf) => match (kind, tree.entries(leaf)) {
            (Kind::Classes(_), counts) => Branch::Classes { counts: counts.to_vec() },
            (Kind::Numbers, entries) => {
                Branch::Number { rows: entries.first().map_or(0, |(_, rows)| *rows), mean: mean_label(entries) }
            }
        },
    };
    Grown { vote: tree.vote, nodes: (0..).zip(&tree.nodes).map(branch).collect() }
}
