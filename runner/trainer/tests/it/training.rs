//! What training does to a model.

use parity_learning::{
    model::initial_of,
    predict::Predictor,
    scaling,
    table::{Labels, Table},
};
use parity_protocol::{
    device::Device,
    job::{Job, JobKind, JobResult},
    metrics::Evaluation,
    model::Model,
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

use crate::jobs::{self, prepare, ring_job, rings, run, train};

#[test]
fn a_network_learns_what_a_straight_line_cannot() {
    let before = run(&ring_job(train(1, 1, 0)), &rings(), None).result.metrics;
    let after = run(&ring_job(train(60, 1, 0)), &rings(), None).result.metrics;
    assert!(after.loss < before.loss / 5.0, "{before:?} {after:?}");
    assert!(after.accuracy.unwrap() > 0.97, "{after:?}");
}

#[test]
fn the_instruction_set_is_pinned_even_if_the_caller_forgot() {
    let folder = prepare(&ring_job(train(3, 2, 1)), &rings(), None);
    assert!(jobs::start(folder.path(), false).status.success());
    assert_eq!(jobs::answer(folder.path()).bytes, run(&ring_job(train(3, 2, 1)), &rings(), None).bytes);
}

#[test]
fn seat_round_and_seed_change_the_shuffle() {
    let base = run(&ring_job(train(1, 1, 0)), &rings(), None).bytes;
    assert_ne!(base, run(&ring_job(train(1, 1, 1)), &rings(), None).bytes);
    assert_ne!(base, run(&ring_job(train(1, 2, 0)), &rings(), None).bytes);
}

#[test]
fn training_starts_from_the_given_model() {
    let job = ring_job(train(5, 1, 0));
    // Without a file: from the initial weights of the seed.
    let initial = initial_of(&job.model, 2, 3, 5);
    assert_eq!(run(&job, &rings(), None).bytes, run(&job, &rings(), Some(&initial)).bytes);
    let first = run(&job, &rings(), None);
    let second = run(&ring_job(train(5, 2, 0)), &rings(), Some(&first.weights()));
    assert!(second.result.metrics.loss < first.result.metrics.loss);
    // With a step of almost nothing the result stays at the start.
    let creep = Training { optimizer: Optimizer::Sgd { learning_rate: 1e-12, momentum: 0.0 }, ..jobs::training(1) };
    let kind = JobKind::Train { training: creep, round: 3, seat: 0 };
    assert_eq!(run(&ring_job(kind), &rings(), Some(&first.weights())).bytes, first.bytes);
}

#[test]
fn a_linear_regression_converges_to_least_squares() {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for row in 0_u16..200 {
        let (a, b) = ((f32::from(row) * 0.61).sin(), (f32::from(row) * 0.23).cos());
        x.extend([100.0 + 10.0 * a, 0.01 * b]);
        y.push(1000.0 + 30.0 * a - 7.0 * b);
    }
    let table = Table { features: 2, x, labels: Labels::Numbers(y.clone()) };
    let mean = y.iter().map(|y| f64::from(*y)).sum::<f64>() / 200.0;
    let deviation = (y.iter().map(|y| (f64::from(*y) - mean).powi(2)).sum::<f64>() / 200.0).sqrt();
    let training = Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.9 },
        epochs: 300,
        batch_size: 200,
        seed: 0,
    };
    let job = Job {
        kind: JobKind::Train { training, round: 1, seat: 0 },
        model: Model::LinearRegression {},
        features: 2,
        outputs: 1,
        task: Task::Regression { mean, deviation },
        scaling: scaling::fit(&table).unwrap(),
        threads: 1,
        device: Device::Cpu,
    };
    let trained = run(&job, &table, None);
    let metrics = &trained.result.metrics;
    assert!(metrics.r2.unwrap() > 1.0 - 1e-6, "{metrics:?}");
    // The slope in units of the data: 3 per unit of the first, -700 of the second feature.
    let weight = &trained.weights().0["layers.0.weight"].data;
    let slope = |i: usize| f64::from(weight[i]) * deviation / job.scaling.deviation[i];
    assert!((slope(0) - 3.0).abs() < 1e-3 && (slope(1) + 700.0).abs() < 0.5, "{} {}", slope(0), slope(1));
}

#[test]
fn a_logistic_regression_separates_two_classes() {
    let table = Table {
        features: 1,
        x: (0_u8..100).map(f32::from).collect(),
        labels: Labels::Classes((0..100).map(|row| i64::from(row >= 50)).collect()),
    };
    let job = Job {
        model: Model::LogisticRegression {},
        features: 1,
        outputs: 2,
        task: Task::Classification { classes: vec!["a".into(), "b".into()] },
        scaling: scaling::fit(&table).unwrap(),
        ..ring_job(train(200, 1, 0))
    };
    assert!(run(&job, &table, None).result.metrics.accuracy.unwrap() > 0.98);
}

#[test]
fn the_last_smaller_batch_counts() {
    // 33 rows in batches of 32: without the last one the result would be that of 32 rows.
    let table = rings().select(&(0..33).collect::<Vec<_>>());
    let trained = run(&ring_job(train(1, 1, 0)), &table, None);
    assert_eq!(trained.result.samples, 33);
    let big = Training { batch_size: 65_536, ..jobs::training(1) };
    let kind = JobKind::Train { training: big, round: 1, seat: 0 };
    assert_eq!(run(&ring_job(kind), &table, None).result.samples, 33);
}

#[test]
fn evaluation_gives_what_the_predictor_gives_and_no_weights() {
    let trained = run(&ring_job(train(5, 1, 0)), &rings(), None);
    let job = ring_job(JobKind::Evaluate {});
    let evaluated = run(&job, &rings(), Some(&trained.weights()));
    assert!(evaluated.bytes.is_empty());
    assert_eq!(evaluated.result.metrics, trained.result.metrics);
    let scaling = Scaling { mean: vec![0.0; 2], deviation: vec![25.0; 2], limit: None };
    let predictor = Predictor::new(&job.model, 2, &job.task, &scaling, &trained.weights()).unwrap();
    let JobResult { metrics, confusion, .. } = evaluated.result;
    assert_eq!(predictor.evaluate(&rings()).unwrap(), Evaluation { metrics, confusion });
}
