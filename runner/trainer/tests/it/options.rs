//! What the options of a spec do to training: architectures, optimisers, schedules, terms against drift.

use parity_learning::{
    model::initial_of,
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    device::{Determinism, Device},
    job::{Job, JobKind, files},
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

use crate::jobs::{self, Trained, prepare, ring_job, rings, run, start, train};

fn perceptron(activation: Activation, dropout: f64) -> Model {
    Model::NeuralNetwork { hidden: vec![32, 16], activation, dropout }
}

/// Images of 6 x 6 pixels with a bright bar, lying or standing, anywhere.
fn bars() -> Table {
    let (mut x, mut classes) = (Vec::new(), Vec::new());
    for image in 0_u16..240 {
        let (place, standing) = (usize::from(image / 2 % 6), image % 2 == 1);
        for (row, column) in (0..6).flat_map(|row| (0..6).map(move |column| (row, column))) {
            let noise = (f32::from(image) * 0.37 + f32::from(u8::try_from(row * 6 + column).unwrap()) * 1.7).sin();
            let bright = if standing { column == place } else { row == place };
            x.push(0.3 * noise + if bright { 1.0 } else { 0.0 });
        }
        classes.push(i64::from(standing));
    }
    Table { features: 36, x, labels: Labels::Classes(classes) }
}

fn bar_job(dropout: f64) -> Job {
    let model = Model::ConvolutionalNetwork {
        image: Volume { channels: 1, height: 6, width: 6 },
        convolutions: vec![
            Convolution { channels: 8, kernel: 3, pool: 2 },
            Convolution { channels: 8, kernel: 3, pool: 1 },
        ],
        hidden: vec![16],
        activation: Activation::Relu,
        dropout,
    };
    Job {
        kind: train(10, 1, 0),
        model,
        features: 36,
        outputs: 2,
        task: Task::Classification { classes: vec!["lying".into(), "standing".into()] },
        scaling: Scaling { mean: vec![0.0; 36], deviation: vec![1.0; 36], limit: None },
        threads: 1,
        device: Device::Cpu,
    }
}

#[test]
fn a_convolutional_network_tells_bars_apart() {
    let accuracy = run(&bar_job(0.0), &bars(), None).result.metrics.accuracy.unwrap();
    assert!(accuracy > 0.97, "{accuracy}");
}

#[test]
fn a_result_says_on_which_machines_it_can_be_made_again() {
    let of = |job: &Job, table: &Table| run(job, table, None).result.determinism;
    assert_eq!(of(&ring_job(train(1, 1, 0)), &rings()), Determinism::Everywhere);
    assert_eq!(of(&bar_job(0.0), &bars()), Determinism::Processor);
}

#[test]
fn a_job_for_cuda_is_done_there_or_refused_in_words() {
    let folder = prepare(&Job { device: Device::Cuda, ..bar_job(0.0) }, &bars(), None);
    let output = start(folder.path(), true);
    if output.status.success() {
        assert_eq!(jobs::answer(folder.path()).result.determinism, Determinism::Device);
        return;
    }
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("sees no CUDA device"), "{message}");
}

#[test]
fn every_activation_learns() {
    for activation in [Activation::LeakyRelu, Activation::Tanh, Activation::Sigmoid] {
        let job = Job { model: perceptron(activation, 0.0), ..ring_job(train(80, 1, 0)) };
        let accuracy = run(&job, &rings(), None).result.metrics.accuracy.unwrap();
        assert!(accuracy > 0.9, "{activation:?}: {accuracy}");
    }
}

#[test]
fn dropout_changes_with_round_and_seat() {
    let bytes = |round, seat| {
        let training = Training { batch_size: 300, ..jobs::training(1) };
        let kind = JobKind::Train { training, round, seat };
        run(&Job { model: perceptron(Activation::Relu, 0.5), ..ring_job(kind) }, &rings(), None).bytes
    };
    assert_ne!(bytes(1, 0), bytes(2, 0));
    assert_ne!(bytes(1, 0), bytes(1, 1));
}

fn with(training: Training) -> Trained {
    run(&ring_job(JobKind::Train { training, round: 3, seat: 0 }), &rings(), None)
}

fn distance(trained: &Trained) -> f64 {
    let model = perceptron(Activation::Relu, 0.0);
    let start = initial_of(&model, 2, 3, 5);
    let squares = |(name, tensor): (&String, &parity_learning::tensors::Tensor)| {
        let pairs = tensor.data.iter().zip(&start.0[name].data);
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    trained.weights().0.iter().map(squares).sum::<f64>().sqrt()
}

#[test]
fn the_proximal_term_holds_the_model_near_its_start() {
    let training = |proximal| Training {
        proximal,
        optimizer: Optimizer::Sgd { learning_rate: 0.05, momentum: 0.0 },
        ..jobs::training(20)
    };
    let (free, held) = (distance(&with(training(0.0))), distance(&with(training(2.0))));
    assert!(held < free / 2.0, "{held} and {free}");
}

#[test]
fn a_schedule_shortens_the_steps_of_later_rounds() {
    let training = |schedule| Training { schedule, ..jobs::training(1) };
    let (full, tenth) =
        (distance(&with(training(Schedule::Constant {}))), distance(&with(training(Schedule::Step { rounds: 2 }))));
    assert!(tenth < full / 5.0, "{tenth} and {full}");
}

#[test]
fn weight_decay_shrinks_weights() {
    let norm = |weight_decay| {
        let optimizer = Optimizer::AdamW { learning_rate: 0.01, weight_decay };
        let weights = with(Training { optimizer, ..jobs::training(20) }).weights();
        weights.0.values().flat_map(|tensor| &tensor.data).map(|w| f64::from(*w).powi(2)).sum::<f64>()
    };
    assert!(norm(0.9) < norm(0.0));
}

#[test]
fn a_correction_is_added_to_every_gradient() {
    // One step of plain descent: the model moves by -rate times the correction more.
    let training = Training {
        optimizer: Optimizer::Sgd { learning_rate: 0.5, momentum: 0.0 },
        batch_size: 300,
        ..jobs::training(1)
    };
    let job = ring_job(JobKind::Train { training, round: 1, seat: 0 });
    let plain = run(&job, &rings(), None).weights();
    let mut correction = initial_of(&job.model, 2, 3, 77);
    for tensor in correction.0.values_mut() {
        tensor.data.iter_mut().for_each(|value| *value = 0.25);
    }
    let folder = with_correction(&job, &correction);
    assert!(start(folder.path(), true).status.success());
    let corrected = jobs::answer(folder.path()).weights();
    for (name, tensor) in &plain.0 {
        for (plain, corrected) in tensor.data.iter().zip(&corrected.0[name].data) {
            assert!((plain - corrected - 0.125).abs() < 1e-6, "{name}: {plain} and {corrected}");
        }
    }
}

#[test]
fn a_correction_of_another_shape_is_refused() {
    let job = ring_job(train(1, 1, 0));
    let folder = with_correction(&job, &initial_of(&Model::LogisticRegression {}, 2, 3, 1));
    let output = start(folder.path(), true);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(files::CORRECTION));
}

fn with_correction(job: &Job, correction: &Tensors) -> tempfile::TempDir {
    let folder = prepare(job, &rings(), None);
    std::fs::write(folder.path().join("job").join(files::CORRECTION), correction.to_bytes()).unwrap();
    folder
}
