//! Models as JSON mean what the documentation of the format says.

use parity_learning::{export, weights::Weights};
use serde_json::Value;

use crate::{
    export::{forest_card, forests, networks, solved, weights},
    forest::table,
};

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn tensors_keep_every_bit() {
    for card in networks() {
        let tensors = weights(&card);
        let document = document(&export::json(&card, &Weights::Tensors(tensors.clone())).unwrap());
        assert_eq!(document["card"], serde_json::to_value(&card).unwrap());
        let written = document["weights"]["tensors"].as_object().unwrap();
        assert_eq!(written.len(), tensors.0.len());
        for (name, tensor) in &tensors.0 {
            assert_eq!(written[name]["dtype"], "f32");
            assert_eq!(serde_json::from_value::<Vec<usize>>(written[name]["shape"].clone()).unwrap(), tensor.shape);
            assert_eq!(serde_json::from_value::<Vec<f32>>(written[name]["values"].clone()).unwrap(), tensor.data);
        }
    }
}

#[test]
fn coefficients_keep_every_bit() {
    for (card, weights, _) in solved() {
        let document = document(&export::json(&card, &weights).unwrap());
        let Weights::Coefficients(model) = &weights else { panic!("coefficients expected") };
        let (features, outputs) = (card.schema.features(), card.schema.outputs());
        let written = &document["weights"]["tensors"];
        assert_eq!(written.as_object().unwrap().len(), 2);
        for (name, shape, values) in [
            ("layers.0.weight", vec![outputs, features], model.weight()),
            ("layers.0.bias", vec![outputs], model.bias()),
        ] {
            assert_eq!(written[name]["dtype"], "f64");
            assert_eq!(serde_json::from_value::<Vec<usize>>(written[name]["shape"].clone()).unwrap(), shape);
            assert_eq!(serde_json::from_value::<Vec<f64>>(written[name]["values"].clone()).unwrap(), values);
        }
    }
}

/// What a forest says about a row, from its document alone.
fn predict(weights: &Value, row: &[f32], outputs: usize) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap();
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let is_product = weights["combine"] == "product";
    let (mut said, mut votes, mut speaking) = (vec![0.0; outputs], 0.0, 0.0);
    for tree in weights["trees"].as_array().unwrap() {
        let mut node = &tree["nodes"][0];
        while let Some(feature) = node.get("feature") {
            let left = f64::from(row[index(feature)]) <= number(&node["threshold"]);
            node = &tree["nodes"][index(&node[if left { "left" } else { "right" }])];
        }
        let vote = number(&tree["vote"]);
        let counts: Vec<(usize, f64)> = match node.get("counts") {
            Some(counts) => serde_json::from_value(counts.clone()).unwrap(),
            None => vec![(0, number(&node["rows"]))],
        };
        let rows: f64 = counts.iter().map(|count| count.1).sum();
        if rows == 0.0 {
            continue;
        }
        votes += vote;
        speaking += 1.0;
        for (class, count) in counts {
            said[class] += vote
                * match node.get("mean") {
                    Some(mean) => number(mean),
                    None if is_product => (count * f64::from(u16::try_from(outputs).unwrap())).ln_1p(),
                    None => count / rows,
                };
        }
    }
    if votes == 0.0 {
        return vec![if outputs == 1 { 0.0 } else { 1.0 / f64::from(u16::try_from(outputs).unwrap()) }; outputs];
    }
    if is_product {
        let mean: f64 = votes / speaking;
        said.iter_mut().for_each(|value| *value = (*value / mean).exp());
        votes = said.iter().sum();
    }
    said.into_iter().map(|value| value / votes).collect()
}

#[test]
fn forests_can_be_followed_node_by_node() {
    for numbers in [false, true] {
        let rows = table(80, numbers);
        for forest in forests(numbers) {
            let card = forest_card(numbers, &forest);
            let weights = Weights::Forest(forest);
            let document = document(&export::json(&card, &weights).unwrap());
            let Weights::Forest(forest) = weights else { unreachable!() };
            let ours = forest.predict(&rows.x).unwrap();
            for (row, ours) in rows.x.chunks(6).zip(ours.chunks(forest.outputs())) {
                let theirs = predict(&document["weights"], row, forest.outputs());
                assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-12), "{ours:?} is not {theirs:?}");
            }
        }
    }
}
