//! Gradients of both ways compared with each other and with autograd on separate leaves; weights there and back.

use parity_learning::{
    model::initial_of,
    random::{Purpose, Stream},
};
use parity_protocol::model::{Activation, Convolution, Model, Volume};
use tch::Kind;

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

fn inputs(rows: u16, features: u16) -> Tensor {
    let values: Vec<f32> = (0..rows * features).map(|i| (f32::from(i) * 0.37).sin()).collect();
    Tensor::from_slice(&values).view([i64::from(rows), i64::from(features)])
}

fn classes(rows: i64) -> Target {
    let classes: Vec<i64> = (0..rows).map(|row| row % 3).collect();
    Target::Classes(Tensor::from_slice(&classes).view([rows, 1]))
}

fn numbers() -> Target {
    let numbers: Vec<f32> = (0_u8..13).map(|row| f32::from(row).cos()).collect();
    Target::Numbers(Tensor::from_slice(&numbers).view([13, 1]))
}

fn gradients(network: &mut Network, x: &Tensor, target: &Target) -> Vec<f32> {
    let _guard = tch::no_grad_guard();
    let mut batches = network.batches(usize::try_from(x.size()[0]).unwrap()).unwrap();
    network.differentiate(&mut batches, x, target).unwrap();
    Vec::<f32>::try_from(&network.gradients).unwrap()
}

/// The written-out way against autograd.
fn assert_same_gradients(model: &Model, outputs: usize, target: &Target) {
    let layers = model.layers(7, outputs);
    let weights = initial_of(model, 7, outputs, 3);
    let x = inputs(13, 7);
    let mut network = Network::new(&layers, &weights, stream()).unwrap();
    assert!(matches!(network.way, Way::Dense(_)));
    let ours = gradients(&mut network, &x, target);
    let parameters = Tensor::from_slice(&flatten(&layers, &weights).unwrap());
    let graph = Box::new(Graph::new(&layers, &parameters, stream()).unwrap());
    let zeros = parameters.zeros_like();
    let mut other = Network { parameters, gradients: zeros, layers, way: Way::Graph(graph) };
    let theirs = gradients(&mut other, &x, target);
    assert_eq!(ours.len(), theirs.len());
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!((ours - theirs).abs() <= 1e-6 + 1e-5 * theirs.abs(), "{index}: {ours} and {theirs}");
    }
    assert!(ours.iter().any(|value| value.abs() > 1e-3));
}

#[test]
fn gradients_of_a_classifier_are_those_of_autograd() {
    assert_same_gradients(&perceptron(&[11, 6], Activation::Relu, 0.0), 3, &classes(13));
    assert_same_gradients(&Model::LogisticRegression {}, 3, &classes(13));
}

#[test]
fn gradients_of_a_regression_are_those_of_autograd() {
    assert_same_gradients(&perceptron(&[11], Activation::Relu, 0.0), 1, &numbers());
    assert_same_gradients(&Model::LinearRegression {}, 1, &numbers());
}

/// Mean loss of a model by the predictor's code, which shares nothing with libtorch.
fn loss(model: &Model, features: usize, weights: &Tensors, x: &Tensor, target: &Target) -> f64 {
    use parity_learning::{
        predict::Predictor,
        table::{Labels, Table},
    };
    use parity_protocol::schema::{Scaling, Task};
    let Target::Classes(classes) = target else { panic!("classes expected") };
    let task = Task::Classification { classes: ["a", "b", "c"].map(str::to_owned).to_vec() };
    let scaling = Scaling { mean: vec![0.0; features], deviation: vec![1.0; features] };
    let predictor = Predictor::new(model, features, &task, &scaling, weights).unwrap();
    let labels = Labels::Classes(Vec::<i64>::try_from(classes.view(-1)).unwrap());
    let x = Vec::<f32>::try_from(x.view(-1)).unwrap();
    predictor.evaluate(&Table { features, x, labels }).unwrap().loss
}

#[test]
fn a_convolutional_gradient_is_the_slope_of_the_predictor_s_loss() {
    let (model, x, target) = (digits(), inputs(6, 40), classes(6));
    let layers = model.layers(40, 3);
    let weights = initial_of(&model, 40, 3, 3);
    let mut network = Network::new(&layers, &weights, stream()).unwrap();
    assert!(matches!(network.way, Way::Graph(_)));
    let slope = gradients(&mut network, &x, &target);
    // Along the gradient the loss falls by its squared length.
    let length: f64 = slope.iter().map(|g| f64::from(*g).powi(2)).sum();
    let moved = |step: f64| {
        let _guard = tch::no_grad_guard();
        let mut moved = Network::new(&layers, &weights, stream()).unwrap();
        moved.parameters += &network.gradients * step;
        loss(&model, 40, &moved.to_tensors().unwrap(), &x, &target)
    };
    let measured = (moved(1e-2) - moved(-1e-2)) / 2e-2;
    assert!((measured - length).abs() < 0.01 * length, "{measured} and {length}");
}

#[test]
fn dropout_leaves_out_its_share_and_follows_its_stream() {
    let model = perceptron(&[400], Activation::Relu, 0.25);
    let layers = model.layers(7, 3);
    let weights = initial_of(&model, 7, 3, 3);
    let run = |purpose| {
        let mut network = Network::new(&layers, &weights, Stream::new(purpose, 1, 0, 0)).unwrap();
        gradients(&mut network, &inputs(1, 7), &classes(1))
    };
    assert_eq!(run(Purpose::Dropout), run(Purpose::Dropout));
    assert_ne!(run(Purpose::Dropout), run(Purpose::Shuffle));
    // One row: a unit that was left out, or was below 0, has no gradient.
    let plain = {
        let model = perceptron(&[400], Activation::Relu, 0.0);
        let mut network = Network::new(&model.layers(7, 3), &weights, stream()).unwrap();
        gradients(&mut network, &inputs(1, 7), &classes(1))
    };
    let silent = |all: &[f32]| all[2800..3200].iter().filter(|g| g.abs() == 0.0).count();
    let (before, after) = (silent(&plain), silent(&run(Purpose::Dropout)));
    let left_out = (after - before) * 100 / (400 - before);
    assert!((15..=35).contains(&left_out), "{left_out} % of the active units were left out");
}

#[test]
fn weights_survive_the_way_through_the_network() {
    for (model, features) in [(perceptron(&[11, 6], Activation::Sigmoid, 0.0), 7), (digits(), 40)] {
        let weights = initial_of(&model, features, 3, 9);
        let network = Network::new(&model.layers(features, 3), &weights, stream()).unwrap();
        assert_eq!(network.to_tensors().unwrap(), weights);
        assert_eq!(network.parameters.kind(), Kind::Float);
    }
}
