//! Gradients against differences of a loss that is written out in f64 and shares no line with the code.

use parity_protocol::{
    model::Model,
    schema::{Scaling, Task},
};

use super::*;
use crate::{
    random::Purpose,
    table::{Labels, Table},
};

fn perceptron(hidden: &[u32], activation: Activation, dropout: f64) -> Model {
    Model::NeuralNetwork { hidden: hidden.to_vec(), activation, dropout }
}

fn stream() -> Stream {
    Stream::new(Purpose::Dropout, 1, 0, 0)
}

fn examples(rows: usize, features: usize, classes: usize) -> Examples {
    let x = (0_u16..).take(rows * features).map(|i| (f32::from(i) * 0.37).sin()).collect();
    let scaling = Scaling { mean: vec![0.1; features], deviation: vec![0.8; features], limit: None };
    let (labels, task) = if classes > 1 {
        let names = (0..classes).map(|class| class.to_string()).collect();
        let labels = (0..rows).map(|row| i64::try_from(row * 7 % classes).unwrap()).collect();
        (Labels::Classes(labels), Task::Classification { classes: names })
    } else {
        let labels = (0_u16..).take(rows).map(|row| f32::from(row).cos()).collect();
        (Labels::Numbers(labels), Task::Regression { mean: 0.2, deviation: 1.5 })
    };
    Examples::new(&Table { features, x, labels }, &scaling, &task).unwrap()
}

fn parameters(layers: &[Layer]) -> Vec<f32> {
    let count = layers.iter().map(|layer| layer.kind.biases() * (layer.kind.fan_in() + 1)).sum();
    (0_u16..).take(count).map(|i| 0.4 * (f32::from(i) * 0.73).sin()).collect()
}

fn gradients(layers: &[Layer], parameters: &[f32], examples: &Examples, rows: &[usize], batch: usize) -> Vec<f32> {
    let mut found = vec![f32::NAN; parameters.len()];
    Perceptron::new(layers, batch, stream()).unwrap().differentiate(parameters, &mut found, examples, rows);
    found
}

/// Mean loss over rows.
fn loss(layers: &[Layer], parameters: &[f64], examples: &Examples, rows: &[usize]) -> f64 {
    let one = |row: &usize| {
        let mut values: Vec<f64> = examples.row(*row).iter().map(|x| f64::from(*x)).collect();
        let mut rest = parameters;
        for layer in layers {
            let (inputs, outputs) = (layer.kind.fan_in(), layer.kind.biases());
            let (weight, after) = rest.split_at(inputs * outputs);
            let (bias, after) = after.split_at(outputs);
            rest = after;
            let product = weight.chunks(inputs).zip(bias);
            values = product
                .map(|(weight, bias)| weight.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>() + bias)
                .map(|z| match layer.activation {
                    None => z,
                    Some(Activation::Relu) => z.max(0.0),
                    Some(Activation::LeakyRelu) => z.max(0.01 * z),
                    Some(Activation::Tanh) => z.tanh(),
                    Some(Activation::Sigmoid) => 1.0 / (1.0 + (-z).exp()),
                })
                .collect();
        }
        match &examples.targets {
            Targets::Classes(classes) => values.iter().map(|z| z.exp()).sum::<f64>().ln() - values[classes[*row]],
            Targets::Numbers(numbers) => (values[0] - f64::from(numbers[*row])).powi(2),
        }
    };
    rows.iter().map(one).sum::<f64>() / rows.iter().map(|_| 1.0).sum::<f64>()
}

fn assert_slopes(model: &Model, classes: usize, rows: usize) {
    let layers = model.layers(7, classes);
    let (parameters, examples) = (parameters(&layers), examples(rows, 7, classes));
    let order: Vec<usize> = (0..rows).map(|row| row * 5 % rows).collect();
    let found = gradients(&layers, &parameters, &examples, &order, rows);
    let exact: Vec<f64> = parameters.iter().map(|value| f64::from(*value)).collect();
    for (index, slope) in found.iter().enumerate() {
        let moved = |step: f64| {
            let mut moved = exact.clone();
            moved[index] += step;
            loss(&layers, &moved, &examples, &order)
        };
        let measured = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        // At a kink of ReLU the difference is between both slopes; no unit of these networks stands there.
        assert!((f64::from(*slope) - measured).abs() < 2e-6, "{model:?}, parameter {index}: {slope} and {measured}");
    }
    assert!(found.iter().any(|slope| slope.abs() > 1e-3));
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for activation in [Activation::Relu, Activation::LeakyRelu, Activation::Tanh, Activation::Sigmoid] {
        assert_slopes(&perceptron(&[11, 6], activation, 0.0), 3, 13);
        assert_slopes(&perceptron(&[9], activation, 0.0), 1, 13);
    }
    assert_slopes(&Model::LogisticRegression {}, 4, 13);
    assert_slopes(&Model::LinearRegression {}, 1, 1);
}

#[test]
fn gradients_of_large_batches_add_up_block_by_block() {
    assert_slopes(&perceptron(&[20], Activation::Tanh, 0.0), 3, 2 * BLOCK + 5);
}

#[test]
fn room_for_more_rows_changes_no_bit() {
    let layers = perceptron(&[19], Activation::Tanh, 0.3).layers(7, 3);
    let (parameters, examples) = (parameters(&layers), examples(150, 7, 3));
    for rows in [1, 15, 16, 40, 100] {
        let rows: Vec<usize> = (0..rows).collect();
        let tight = gradients(&layers, &parameters, &examples, &rows, rows.len());
        assert_eq!(gradients(&layers, &parameters, &examples, &rows, 150), tight);
    }
}

#[test]
fn what_an_earlier_batch_left_behind_changes_no_bit() {
    let layers = perceptron(&[19], Activation::Relu, 0.0).layers(7, 3);
    let (parameters, examples) = (parameters(&layers), examples(40, 7, 3));
    let rows: Vec<usize> = (0..5).collect();
    let fresh = gradients(&layers, &parameters, &examples, &rows, 40);
    let mut network = Perceptron::new(&layers, 40, stream()).unwrap();
    let mut found = vec![0.0; fresh.len()];
    network.differentiate(&parameters, &mut found, &examples, &(0..40).collect::<Vec<_>>());
    network.differentiate(&parameters, &mut found, &examples, &rows);
    assert_eq!(found, fresh);
}

#[test]
fn units_that_are_left_out_have_no_gradient() {
    let layers = perceptron(&[400], Activation::Sigmoid, 0.25).layers(7, 3);
    let examples = examples(1, 7, 3);
    let found = gradients(&layers, &parameters(&layers), &examples, &[0], 1);
    let silent = found[2800..3200].iter().filter(|gradient| gradient.abs() == 0.0).count();
    assert!((60..140).contains(&silent), "{silent} of 400 units were left out");
}
