//! Linear models solved by an exact method: their coefficients are f64 and stay so, as does everything in between.

use super::{
    Said,
    graph::{Graph, attribute, tensor},
};
use crate::{card::ModelCard, exact::Coefficients, model};

/// Adds a linear model with coefficients of the card's sizes.
pub(super) fn add(graph: &mut Graph, card: &ModelCard, coefficients: &Coefficients) -> Said {
    let (features, outputs) = (card.schema.features(), card.schema.outputs());
    let (weight, bias) = (model::weight_name(0), model::bias_name(0));
    graph.constant(tensor::f64s(&weight, &[outputs, features], coefficients.weight()));
    graph.constant(tensor::f64s(&bias, &[outputs], coefficients.bias()));
    let standardised = graph.standardise(&card.scaling);
    graph.add("Gemm", &[standardised, &weight, &bias], "outputs", vec![attribute::int("transB", 1)]);
    if outputs == 1 {
        return Said { scores: "outputs", answers: "outputs" };
    }
    graph.add("Softmax", &["outputs"], "shares", vec![attribute::int("axis", 1)]);
    Said { scores: "outputs", answers: "shares" }
}
