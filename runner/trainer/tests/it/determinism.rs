//! Every model and every optimiser: the same work, once with one thread and again with two, ends in the same bytes.

use parity_learning::{
    forest::{self, Forest, Histograms, Recipe},
    table::{Labels, Table},
};
use parity_protocol::{
    forest::ForestShape,
    job::{Job, JobKind, files},
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

use crate::jobs::{answer, prepare, ring_job, rings, run, start, train, training};

/// The bytes, which must be those of one thread and, in another process, of two.
fn bytes(job: &Job, table: &Table, model: Option<&[u8]>) -> Vec<u8> {
    let run = |threads| {
        let folder = prepare(&Job { threads, ..job.clone() }, table, None);
        if let Some(model) = model {
            std::fs::write(folder.path().join("job").join(files::MODEL), model).unwrap();
        }
        let output = start(folder.path(), true);
        assert!(output.status.success(), "{:?}: {}", job.model, String::from_utf8_lossy(&output.stderr));
        answer(folder.path())
    };
    let (one, two) = (run(1), run(2));
    assert!(one.bytes == two.bytes, "{:?}, {:?}", job.model, job.kind);
    assert_eq!(one.result.metrics, two.result.metrics, "{:?}", job.model);
    one.bytes
}

/// Rows of 36 features in a handful of classes; wide enough for a convolution over 6 x 6 pixels.
fn images() -> Table {
    let x = (0_u16..240 * 36).map(|i| (f32::from(i % 7919) * 0.37).sin()).collect();
    Table { features: 36, x, labels: Labels::Classes((0..240).map(|row| row * row % 5 % 3).collect()) }
}

fn with_numbers(table: Table) -> Table {
    let numbers = (0_u16..).take(table.rows()).map(|row| (f32::from(row) * 0.1).sin()).collect();
    Table { labels: Labels::Numbers(numbers), ..table }
}

fn job(model: Model, table: &Table) -> Job {
    let (outputs, task) = match &table.labels {
        Labels::Classes(_) => (3, Task::Classification { classes: ["a", "b", "c"].map(str::to_owned).to_vec() }),
        Labels::Numbers(_) => (1, Task::Regression { mean: 0.1, deviation: 0.7 }),
    };
    let features = table.features;
    let scaling = Scaling { mean: vec![0.1; features], deviation: vec![0.9; features] };
    Job { kind: train(2, 2, 1), model, features, outputs, task, scaling, threads: 1 }
}

fn perceptron(activation: Activation, dropout: f64) -> Model {
    Model::NeuralNetwork { hidden: vec![70, 33], activation, dropout }
}

fn convolutional(activation: Activation, dropout: f64) -> Model {
    Model::ConvolutionalNetwork {
        image: Volume { channels: 1, height: 6, width: 6 },
        convolutions: vec![
            Convolution { channels: 8, kernel: 3, pool: 2 },
            Convolution { channels: 8, kernel: 3, pool: 1 },
        ],
        hidden: vec![16],
        activation,
        dropout,
    }
}

#[test]
fn linear_models() {
    bytes(&job(Model::LogisticRegression {}, &images()), &images(), None);
    let numbers = with_numbers(images());
    bytes(&job(Model::LinearRegression {}, &numbers), &numbers, None);
}

#[test]
fn networks_of_every_activation_with_and_without_dropout() {
    for (_, activation) in Activation::NAMES {
        for dropout in [0.0, 0.2] {
            bytes(&job(perceptron(activation, dropout), &images()), &images(), None);
            bytes(&job(convolutional(activation, dropout), &images()), &images(), None);
        }
    }
    let numbers = with_numbers(images());
    bytes(&job(perceptron(Activation::Relu, 0.0), &numbers), &numbers, None);
}

#[test]
fn every_optimiser_and_what_holds_it_back() {
    let optimizers = [
        Optimizer::Sgd { learning_rate: 0.05, momentum: 0.0 },
        Optimizer::Sgd { learning_rate: 0.05, momentum: 0.9 },
        Optimizer::Adam { learning_rate: 0.01 },
        Optimizer::AdamW { learning_rate: 0.01, weight_decay: 0.1 },
    ];
    for optimizer in optimizers {
        let training = Training {
            optimizer,
            proximal: 0.1,
            schedule: Schedule::Cosine { rounds: 5 },
            batch_size: 100,
            ..training(2)
        };
        let kind = JobKind::Train { training, round: 3, seat: 1 };
        for model in [perceptron(Activation::Relu, 0.0), convolutional(Activation::Relu, 0.0)] {
            bytes(&Job { kind: kind.clone(), ..job(model, &images()) }, &images(), None);
        }
    }
}

#[test]
fn forests_in_every_round_until_they_are_grown() {
    for table in [images(), with_numbers(images())] {
        let regression = matches!(table.labels, Labels::Numbers(_));
        let shape = |shape: ForestShape| ForestShape { trees: 7, max_depth: Some(3), ..shape };
        let models = [
            Model::RandomForest(shape(ForestShape::random_forest(regression))),
            Model::ExtraTrees(shape(ForestShape::extra_trees(regression))),
        ];
        for model in models {
            let job = job(model, &table);
            let recipe = Recipe::new(&job.model, job.features, &job.task, training(1).seed).unwrap();
            let mut forest: Forest = forest::start(&recipe);
            let mut rounds = 0;
            while !forest.is_finished() {
                let told = bytes(&job, &table, Some(&forest.to_bytes()));
                let told = Histograms::from_bytes(&told, &forest, &recipe).unwrap();
                forest = forest::grow(&forest, &recipe, &[told]).unwrap();
                rounds += 1;
            }
            assert!(rounds > 2, "{:?} grew in {rounds} rounds", job.model);
        }
    }
}

#[test]
fn an_evaluation() {
    let job = ring_job(train(3, 1, 0));
    let trained = run(&job, &rings(), None).bytes;
    bytes(&Job { kind: JobKind::Evaluate {}, ..job }, &rings(), Some(&trained));
}
