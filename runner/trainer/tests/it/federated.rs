//! Whole sessions without a network: the trainer for every seat, averaging, a holdout. With the default hyperparameters.

use std::path::PathBuf;

use parity_learning::{
    aggregate::{Weighted, fed_avg},
    csv::{InferOptions, Prepared, prepare},
    defaults::{self, ModelType},
    model::initial_of,
    partition::partition,
    predict::Predictor,
    tensors::Tensors,
};
use parity_protocol::{
    device::Device,
    job::{Job, JobKind},
    metrics::Metrics,
    spec::Partition,
    training::Training,
};

use crate::jobs::run;

const SEATS: usize = 3;
const ROUNDS: u16 = 10;

fn example(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(file)
}

/// Holdout metrics after ten rounds.
fn session(file: &str, kind: ModelType, how: Partition, seed: u64) -> Metrics {
    let Prepared { schema, scaling, train, holdout, .. } =
        prepare(&example(file), &InferOptions::default(), defaults::HOLDOUT_SHARE, seed).unwrap();
    let model = defaults::model(kind, schema.features(), schema.outputs(), train.rows()).unwrap();
    let training = Training { seed, ..defaults::training(&model, train.rows(), ROUNDS) };
    let shards = partition(&train.labels, how, SEATS, seed).unwrap();
    let mut weights = initial_of(&model, schema.features(), schema.outputs(), seed);
    let mut furthest: f64 = 0.0;
    for round in 1..=ROUNDS {
        let updates: Vec<(Tensors, u64)> = (0_u16..)
            .zip(&shards)
            .map(|(seat, rows)| {
                let job = Job {
                    kind: JobKind::Train { training: training.clone(), round, seat },
                    model: model.clone(),
                    features: schema.features(),
                    outputs: schema.outputs(),
                    task: schema.label.task.clone(),
                    scaling: scaling.clone(),
                    threads: 1,
                    device: Device::Cpu,
                };
                let trained = run(&job, &train.select(rows), Some(&weights));
                (trained.weights(), trained.result.samples)
            })
            .collect();
        for (update, _) in &updates {
            furthest = furthest.max(distance(&weights, update));
        }
        let inputs: Vec<_> = updates.iter().map(|(model, weight)| Weighted { model, weight: *weight }).collect();
        weights = fed_avg(&inputs).unwrap();
    }
    let bound = defaults::max_update_norm(weights.values());
    assert!(furthest < bound / 20.0, "an honest update moved {furthest}, the bound is {bound}");
    let predictor = Predictor::new(&model, schema.features(), &schema.label.task, &scaling, &weights).unwrap();
    predictor.evaluate(&holdout).unwrap().metrics
}

fn distance(from: &Tensors, to: &Tensors) -> f64 {
    let squares = |(name, tensor): (&String, &parity_learning::tensors::Tensor)| {
        let pairs = tensor.data.iter().zip(&to.0[name].data);
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    from.0.iter().map(squares).sum::<f64>().sqrt()
}

fn accuracies(file: &str, kind: ModelType, how: Partition, seeds: u64) -> Vec<f64> {
    let all: Vec<f64> = (0..seeds).map(|seed| session(file, kind, how, seed).accuracy.unwrap()).collect();
    eprintln!("{file} {kind} {how:?}: {all:.4?}, mean {:.4}", mean(&all));
    all
}

#[expect(clippy::cast_precision_loss, reason = "a handful of seeds")]
fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn a_network_on_the_healthcare_data_reaches_95_percent_with_every_seed() {
    let all = accuracies("healthcare_data.csv", ModelType::NeuralNetwork, Partition::Stratified, 5);
    assert!(all.iter().all(|accuracy| *accuracy >= 0.95), "{all:?}");
    assert!(mean(&all) >= 0.97, "{all:?}");
}

#[test]
fn other_partitions_and_models_learn_the_healthcare_data_too() {
    for (kind, how) in [
        (ModelType::NeuralNetwork, Partition::Iid),
        (ModelType::NeuralNetwork, Partition::Sequential),
        (ModelType::LogisticRegression, Partition::Iid),
    ] {
        let all = accuracies("healthcare_data.csv", kind, how, 1);
        assert!(mean(&all) >= 0.96, "{kind} {how:?}: {all:?}");
    }
}

#[test]
fn a_network_learns_iris() {
    let all = accuracies("iris_data.csv", ModelType::NeuralNetwork, Partition::Stratified, 3);
    assert!(mean(&all) >= 0.93, "{all:?}");
}
