//! Exported models say in onnxruntime what ours say: see the module docs of `export` for what equal means.

use parity_learning::{
    card::{ModelCard, Origin, VERSION},
    export,
    forest::{Forest, fit, leaf_counts, refit, session::update, start, unite},
    model::{bias_name, initial_of},
    predict::{Predictions, Predictor},
    random::{Purpose, Stream},
    table::{Labels, Table},
    tensors::Tensors,
    weights::Weights,
};
use parity_protocol::{
    forest::{Bootstrap, ClassWeight, ForestMethod, ForestShape},
    model::{Activation, Convolution, Model, Volume},
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::SessionSpec,
};
use serde_json::{Value, json};

use crate::{
    exact,
    forest::{recipe, table, task},
    onnxruntime,
};

const CLASSES: [&str; 3] = ["a", "b", "c"];
/// The first two of them.
const TWO: [&str; 2] = ["a", "b"];

fn card(model: Model, features: usize, task: Task) -> ModelCard {
    let column = |index| Column { name: format!("x{index}"), kind: ColumnKind::Numeric { fill: 0.0 } };
    let mut stream = Stream::new(Purpose::Shuffle, 5, 0, 0);
    let mut numbers = |low: f64, high: f64| (0..features).map(|_| low + (high - low) * stream.open_unit()).collect();
    ModelCard {
        version: VERSION,
        name: "A model".into(),
        model,
        schema: Schema { columns: (0..features).map(column).collect(), label: Label { name: "y".into(), task } },
        // Far from 0, so that standardisation in f32 would lose digits; some values are beyond the limit.
        scaling: Scaling { mean: numbers(9_999.0, 10_001.0), deviation: numbers(0.5, 2.0), limit: Some(2.5) },
        metrics: None,
        origin: Origin {
            chain_id: 314_159,
            contract: "0x0c".into(),
            session: 7,
            round: 3,
            spec: "bafyspec".into(),
            aggregate: "bafyaggregate".into(),
            model: "bafymodel".into(),
        },
    }
}

fn classes() -> Task {
    Task::Classification { classes: CLASSES.map(str::to_owned).to_vec() }
}

fn two() -> Task {
    Task::Classification { classes: TWO.map(str::to_owned).to_vec() }
}

fn number() -> Task {
    Task::Regression { mean: 1e6, deviation: 3.0 }
}

/// Rows around the means of the scaling.
fn rows(card: &ModelCard, count: usize) -> Vec<f32> {
    let mut stream = Stream::new(Purpose::Shuffle, 6, 0, 0);
    let deviations = card.scaling.deviation.len() * count;
    (0..deviations).map(|_| 10_000.0 + 8.0 * stream.unit() - 4.0).collect()
}

/// Weights of the model, none of them 0.
pub(crate) fn weights(card: &ModelCard) -> Tensors {
    let mut tensors = initial_of(&card.model, card.schema.features(), card.schema.outputs(), 3);
    let mut stream = Stream::new(Purpose::Shuffle, 7, 0, 0);
    for value in tensors.0.values_mut().flat_map(|tensor| &mut tensor.data) {
        *value = *value * 2.0 + (stream.unit() - 0.5) * 0.2;
    }
    tensors
}

/// Moves the last bias so that every output is 0 on average and every class has its rows.
fn centre(card: &ModelCard, tensors: &mut Tensors, x: &[f32]) {
    let Schema { label: Label { task, .. }, .. } = &card.schema;
    let predictor = Predictor::new(&card.model, card.schema.features(), task, &card.scaling, tensors).unwrap();
    let outputs = predictor.outputs(x).unwrap();
    let width = card.schema.outputs();
    let last = bias_name(card.model.layers(card.schema.features(), width).len() - 1);
    let rows = f32::from(u16::try_from(outputs.len() / width).unwrap());
    for (output, bias) in tensors.0.get_mut(&last).unwrap().data.iter_mut().enumerate() {
        *bias -= outputs.iter().skip(output).step_by(width).sum::<f32>() / rows;
    }
}

pub(crate) fn networks() -> Vec<ModelCard> {
    let network = |activation| Model::NeuralNetwork { hidden: vec![17, 9], activation, dropout: 0.3 };
    let images = |channels, height, width, convolutions: &[(u32, u32, u32)], hidden: &[u32], activation| {
        let convolution =
            |(channels, kernel, pool): &_| Convolution { channels: *channels, kernel: *kernel, pool: *pool };
        Model::ConvolutionalNetwork {
            image: Volume { channels, height, width },
            convolutions: convolutions.iter().map(convolution).collect(),
            hidden: hidden.to_vec(),
            activation,
            dropout: 0.5,
        }
    };
    let mut cards = vec![
        card(Model::LinearRegression {}, 5, number()),
        card(Model::LogisticRegression {}, 5, classes()),
        card(Model::LogisticRegression {}, 5, two()),
        card(Model::NeuralNetwork { hidden: vec![6], activation: Activation::Tanh, dropout: 0.0 }, 5, number()),
        // Odd sides lose a row and a column to the pool.
        card(images(3, 9, 7, &[(4, 5, 2), (6, 3, 1)], &[11], Activation::Relu), 189, classes()),
        card(images(1, 6, 6, &[(5, 3, 3)], &[], Activation::Tanh), 36, number()),
    ];
    cards.extend(Activation::NAMES.map(|(_, activation)| card(network(activation), 8, classes())));
    cards
}

fn close(ours: f64, theirs: f64, tolerance: f64) -> bool {
    (ours - theirs).abs() <= tolerance * ours.abs().max(1.0)
}

/// The same classes on every row, numbers within `tolerance` of 1 or of themselves.
fn assert_equal(card: &ModelCard, ours: &Predictions, theirs: &Value, tolerance: f64) {
    let name = &card.model;
    let near = |ours: &[f64], theirs: &Value| {
        let theirs: Vec<f64> = serde_json::from_value(theirs.clone()).unwrap();
        assert_eq!(ours.len(), theirs.len(), "{name:?}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(close(*ours, *theirs, tolerance), "{name:?}: {ours} is not {theirs}");
        }
    };
    match ours {
        Predictions::Numbers(numbers) => near(numbers, &theirs["value"]),
        Predictions::Classes { classes, probabilities } => {
            assert_eq!(serde_json::to_value(classes).unwrap(), theirs["label"], "{name:?}");
            near(probabilities, &theirs["probabilities"]);
        }
    }
}

#[test]
fn networks_say_the_same_in_onnxruntime() {
    let mut cases = Vec::new();
    for card in networks() {
        let (x, mut tensors) = (rows(&card, 500), weights(&card));
        centre(&card, &mut tensors, &x);
        let weights = Weights::Tensors(tensors);
        let ours = card.predictor(&weights).unwrap().predict(&x).unwrap();
        if let Predictions::Classes { classes, .. } = &ours {
            assert!(
                (0..card.schema.outputs()).all(|class| classes.iter().filter(|&&is| is == class).count() > 20),
                "{:?}",
                card.model
            );
        }
        let file = export::onnx(&card, &weights).unwrap();
        cases.push((card, ours, file, x));
    }
    let models: Vec<_> = cases.iter().map(|(_, _, file, x)| (file.clone(), x.as_slice())).collect();
    let answers = onnxruntime::run(&models);
    for ((card, ours, ..), theirs) in cases.iter().zip(&answers) {
        // A number is as near as its distance from the mean, which is what the layers compute.
        let tolerance = if card.schema.outputs() == 1 { 1e-10 } else { 1e-5 };
        assert_equal(card, ours, theirs, tolerance);
    }
}

/// Models of the exact methods with rows: one number, two classes and four, columns that depend on each other among them, solved or
/// still looked for.
pub(crate) fn solved() -> Vec<(ModelCard, Weights, Vec<f32>)> {
    let of_spec = |(spec, table, weights): (SessionSpec, Table, Weights)| {
        let mut card = card(spec.model, table.features, spec.schema.label.task);
        card.scaling = spec.scaling;
        (card, weights, table.x)
    };
    [1, 14].into_iter().flat_map(exact::solved).map(of_spec).collect()
}

#[test]
fn coefficients_of_exact_methods_say_the_same_in_onnxruntime() {
    let cases = solved();
    let models: Vec<_> =
        cases.iter().map(|(card, weights, x)| (export::onnx(card, weights).unwrap(), x.as_slice())).collect();
    for ((card, weights, x), theirs) in cases.iter().zip(onnxruntime::run(&models)) {
        let ours = card.predictor(weights).unwrap().predict(x).unwrap();
        assert_equal(card, &ours, &theirs, 1e-12);
    }
}

/// Forests of every kind: how grown, by whom, of which label.
pub(crate) fn forests(numbers: bool) -> Vec<Forest> {
    let rows = table(400, numbers);
    let shape = |extra, change: &dyn Fn(&mut ForestShape)| recipe(extra, numbers, change);
    let plain = shape(false, &|_| {});
    let mut forests = vec![
        fit(&plain, &rows).unwrap(),
        fit(&shape(true, &|_| {}), &rows).unwrap(),
        fit(&shape(false, &|shape| shape.class_weight = ClassWeight::Balanced), &rows).unwrap(),
        // Few trees without noise disagree evenly on many rows.
        fit(&shape(true, &|shape| (shape.trees, shape.bootstrap) = (2, Bootstrap::None {})), &rows).unwrap(),
        fit(&shape(false, &|shape| (shape.trees, shape.max_depth) = (4, Some(1))), &rows).unwrap(),
        // Single leaves that know nothing.
        start(&plain),
    ];
    let by_label = |row: usize| match &rows.labels {
        Labels::Classes(classes) => usize::try_from(classes[row]).unwrap(),
        Labels::Numbers(numbers) => usize::from(numbers[row] > 8.0) + usize::from(numbers[row] > 11.0),
    };
    // Most rows of a class, and some of another: trees of seats that know one class all count the same.
    let dealt = |row: usize| (by_label(row) + usize::from(row.is_multiple_of(4))) % 3;
    let of_seat = |seat| rows.select(&(0..400).filter(|row| dealt(*row) == seat).collect::<Vec<_>>());
    let seats: Vec<_> = (0..3).map(of_seat).collect();
    // Trees of different votes.
    let union = shape(false, &|shape| shape.method = ForestMethod::Union { seats: 3 });
    let part = |seat: u16| update(&start(&union), &union, seat, &seats[usize::from(seat)]).unwrap();
    let shares: Vec<_> = (0..3).map(|seat| Forest::from_bytes(&part(seat), usize::MAX).unwrap()).collect();
    let united = unite(&union, &shares).unwrap();
    assert!(united.trees().iter().any(|tree| tree.vote() != united.trees()[0].vote()));
    let counts: Vec<_> = seats.iter().map(|rows| leaf_counts(&united, &union, rows).unwrap()).collect();
    forests.push(refit(&united, &union, &counts).unwrap());
    forests.push(refit(&united, &union, &counts[..1]).unwrap());
    forests.push(united);
    forests
}

pub(crate) fn forest_card(numbers: bool, forest: &Forest) -> ModelCard {
    let trees = u16::try_from(forest.trees().len().max(1)).unwrap();
    card(Model::RandomForest(ForestShape { trees, ..ForestShape::random_forest(numbers) }), 6, task(numbers))
}

#[test]
fn forests_say_the_same_in_onnxruntime_ties_included() {
    for numbers in [false, true] {
        // A threshold lies half way between neighbours or on a value: rows that were grown on meet it exactly.
        let x = [table(900, numbers).x, table(400, numbers).x].concat();
        let (cards, forests): (Vec<_>, Vec<_>) =
            forests(numbers).into_iter().map(|forest| (forest_card(numbers, &forest), Weights::Forest(forest))).unzip();
        let both = || cards.iter().zip(&forests);
        let models: Vec<_> = both().map(|(card, forest)| (export::onnx(card, forest).unwrap(), x.as_slice())).collect();
        let mut ties = 0;
        for ((card, forest), theirs) in both().zip(onnxruntime::run(&models)) {
            let ours = card.predictor(forest).unwrap().predict(&x).unwrap();
            let Weights::Forest(forest) = forest else { unreachable!() };
            let product = !numbers && forest.is_refitted();
            assert_equal(card, &ours, &theirs, if product { 1e-12 } else { 0.0 });
            if let Predictions::Classes { probabilities, .. } = &ours {
                let is_tie = |shares: &&[f64]| shares.iter().filter(|share| **share >= 0.5).count() > 1;
                ties += probabilities.chunks(3).filter(is_tie).count();
            }
        }
        assert!(numbers || ties > 20, "{ties} rows are ties");
    }
}

#[test]
fn a_file_says_what_it_takes_gives_and_is() {
    let mut card = card(Model::LogisticRegression {}, 3, classes());
    let colours = ColumnKind::Categorical { values: vec!["blue".into(), "red".into()] };
    card.schema.columns = vec![card.schema.columns[0].clone(), Column { name: "colour".into(), kind: colours }];
    let weights = Weights::Tensors(weights(&card));
    let answers = onnxruntime::run(&[(export::onnx(&card, &weights).unwrap(), &[])]);
    let (types, properties) = (&answers[0]["types"], &answers[0]["properties"]);
    let expected = json!({
        "features": ["tensor(float)", ["rows", 3]],
        "label": ["tensor(int64)", ["rows"]],
        "probabilities": ["tensor(double)", ["rows", 3]],
    });
    assert_eq!(*types, expected);
    let property = |name: &str| properties[name].as_str().unwrap();
    assert_eq!(property("features"), r#"["x0","colour=blue","colour=red"]"#);
    assert_eq!(property("classes"), r#"["a","b","c"]"#);
    assert_eq!((property("session"), property("spec"), property("label")), ("7", "bafyspec", "y"));
    assert_eq!(ModelCard::from_json(property("card")).unwrap(), card);
}

#[test]
fn what_cannot_be_exported_is_refused_with_the_reason() {
    let none = unite(&recipe(false, false, |_| {}), &[]).unwrap();
    let (card, none) = (forest_card(false, &none), Weights::Forest(none));
    assert!(export::onnx(&card, &none).unwrap_err().to_string().contains("no tree yet"));
    let linear = networks().remove(0);
    let mut broken = weights(&linear);
    broken.0.get_mut("layers.0.bias").unwrap().data[0] = f32::NAN;
    for refused in [
        export::onnx(&linear, &Weights::Tensors(broken.clone())).map(|_| ()),
        export::json(&linear, &Weights::Tensors(broken)).map(|_| ()),
    ] {
        assert!(refused.unwrap_err().to_string().contains("layers.0.bias"));
    }
    assert!(export::onnx(&card, &Weights::Tensors(weights(&linear))).is_err());
    assert!(export::json(&linear, &none).is_err());
}
