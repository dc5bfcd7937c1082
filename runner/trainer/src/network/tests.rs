//! Gradients of both ways compared with each other and with the slope of the predictor's loss; weights there and back.

use parity_learning::{
    model::initial_of,
    perceptron::Targets,
    predict::Predictor,
    random::Purpose,
    table::{Labels, Table},
};
use parity_protocol::{
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
};

use super::*;

fn stream() -> Stream {
    Stream::new(Purpose::Dropout, 1, 0, 0)
}

fn perceptron(hidden: &[u32], activation: Activation, dropout: f64) -> Model {
    Model::NeuralNetwork { hidden: hidden.to_vec(), activation, dropout }
}

fn digits() -> Model {
    Model::ConvolutionalNetwork {
        image: Volume { channels: 2, height: 4, width: 5 },
        convolutions: vec![
            Convolution { channels: 3, kernel: 3, pool: 2 },
            Convolution { channels: 4, kernel: 1, pool: 1 },
        ],
        hidden: vec![6],
        activation: Activation::Tanh,
        dropout: 0.0,
    }
}

fn inputs(rows: u16, features: u16) -> Vec<f32> {
    (0..rows * features).map(|i| (f32::from(i) * 0.37).sin()).collect()
}

fn classes(rows: u16) -> Targets {
    Targets::Classes((0..rows).map(|row| usize::from(row % 3)).collect())
}

fn numbers(rows: u16) -> Targets {
    Targets::Numbers((0..rows).map(|row| f32::from(row).cos()).collect())
}

fn gradients(network: &mut Network, examples: &Examples) -> Vec<f32> {
    let rows: Vec<usize> = (0..examples.rows()).rev().collect();
    network.differentiate(examples, &rows).unwrap();
    network.gradients.clone()
}

/// The written-out way against autograd.
fn assert_same_gradients(model: &Model, outputs: usize, targets: Targets) {
    let layers = model.layers(7, outputs);
    let weights = initial_of(model, 7, outputs, 3);
    let examples = Examples { features: 7, x: inputs(13, 7), targets };
    let mut network = Network::new(&layers, &weights, 13, stream(), Device::Cpu).unwrap();
    assert!(matches!(network.way, Way::Dense(_)));
    let ours = gradients(&mut network, &examples);
    network.way = Way::Graph(Graph::new(&layers, stream(), Device::Cpu));
    let theirs = gradients(&mut network, &examples);
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!((ours - theirs).abs() <= 1e-6 + 1e-5 * theirs.abs(), "{index}: {ours} and {theirs}");
    }
    assert!(ours.iter().any(|value| value.abs() > 1e-3));
}

#[test]
fn gradients_of_a_classifier_are_those_of_autograd() {
    for activation in [Activation::Relu, Activation::LeakyRelu, Activation::Tanh, Activation::Sigmoid] {
        assert_same_gradients(&perceptron(&[11, 6], activation, 0.0), 3, classes(13));
    }
    assert_same_gradients(&Model::LogisticRegression {}, 3, classes(13));
}

#[test]
fn gradients_of_a_regression_are_those_of_autograd() {
    assert_same_gradients(&perceptron(&[11], Activation::Relu, 0.0), 1, numbers(13));
    assert_same_gradients(&Model::LinearRegression {}, 1, numbers(13));
}

/// Mean loss of a model by the predictor's code, which shares nothing with libtorch.
fn loss(model: &Model, weights: &Tensors, examples: &Examples) -> f64 {
    let Targets::Classes(classes) = &examples.targets else { panic!("classes expected") };
    let features = examples.features;
    let task = Task::Classification { classes: ["a", "b", "c"].map(str::to_owned).to_vec() };
    let scaling = Scaling { mean: vec![0.0; features], deviation: vec![1.0; features], limit: None };
    let predictor = Predictor::new(model, features, &task, &scaling, weights).unwrap();
    let labels = Labels::Classes(classes.iter().map(|class| i64::try_from(*class).unwrap()).collect());
    predictor.evaluate(&Table { features, x: examples.x.clone(), labels }).unwrap().metrics.loss
}

#[test]
fn a_convolutional_gradient_is_the_slope_of_the_predictor_s_loss() {
    let model = digits();
    let examples = Examples { features: 40, x: inputs(6, 40), targets: classes(6) };
    let layers = model.layers(40, 3);
    let weights = initial_of(&model, 40, 3, 3);
    let mut network = Network::new(&layers, &weights, 6, stream(), Device::Cpu).unwrap();
    assert!(matches!(network.way, Way::Graph(_)));
    let slope = gradients(&mut network, &examples);
    // Along the gradient the loss falls by its squared length.
    let length: f64 = slope.iter().map(|g| f64::from(*g).powi(2)).sum();
    let start = network.parameters.clone();
    let mut moved = |step: f32| {
        network.parameters = start.iter().zip(&slope).map(|(w, g)| w + g * step).collect();
        loss(&model, &network.to_tensors().unwrap(), &examples)
    };
    let measured = (moved(1e-2) - moved(-1e-2)) / 2e-2;
    assert!((measured - length).abs() < 0.01 * length, "{measured} and {length}");
}

#[test]
fn dropout_leaves_out_its_share_and_follows_its_stream() {
    let model = perceptron(&[400], Activation::Relu, 0.25);
    let layers = model.layers(7, 3);
    let weights = initial_of(&model, 7, 3, 3);
    let examples = Examples { features: 7, x: inputs(1, 7), targets: classes(1) };
    for graph in [false, true] {
        let run = |dropout: f64, purpose| {
            let layers =
                if dropout > 0.0 { layers.clone() } else { perceptron(&[400], Activation::Relu, 0.0).layers(7, 3) };
            let stream = Stream::new(purpose, 1, 0, 0);
            let mut network = Network::new(&layers, &weights, 1, stream.clone(), Device::Cpu).unwrap();
            if graph {
                network.way = Way::Graph(Graph::new(&layers, stream, Device::Cpu));
            }
            gradients(&mut network, &examples)
        };
        assert_eq!(run(0.25, Purpose::Dropout), run(0.25, Purpose::Dropout));
        assert_ne!(run(0.25, Purpose::Dropout), run(0.25, Purpose::Shuffle));
        // One row: a unit that was left out, or was below 0, has no gradient.
        let silent = |all: &[f32]| all[2800..3200].iter().filter(|g| g.abs() == 0.0).count();
        let (before, after) = (silent(&run(0.0, Purpose::Dropout)), silent(&run(0.25, Purpose::Dropout)));
        let left_out = (after - before) * 100 / (400 - before);
        assert!((15..=35).contains(&left_out), "{left_out} % of the active units were left out");
    }
}

#[test]
fn weights_survive_the_way_through_the_network() {
    for (model, features) in [(perceptron(&[11, 6], Activation::Sigmoid, 0.0), 7), (digits(), 40)] {
        let weights = initial_of(&model, features, 3, 9);
        let network = Network::new(&model.layers(features, 3), &weights, 1, stream(), Device::Cpu).unwrap();
        assert_eq!(network.to_tensors().unwrap(), weights);
    }
}
