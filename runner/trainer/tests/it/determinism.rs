//! Every model and every optimiser: the same work, once on one CPU with one thread and again on two with two, ends in the same bytes.

use std::{path::Path, process::Output};

use parity_learning::{
    forest::{self, Forest, Histograms, LeafCounts, Recipe},
    table::{Labels, Table},
};
use parity_protocol::{
    device::Device,
    forest::{ForestMethod, ForestShape},
    job::{Job, JobKind, files},
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

use crate::jobs::{answer, prepare, ring_job, rings, run, start_on, train, training};

/// The bytes, which must be those of one CPU and, in another process, of two.
fn bytes(job: &Job, table: &Table, model: Option<&[u8]>) -> Vec<u8> {
    let run = |cpus| {
        let folder = prepare(&Job { threads: cpus, ..job.clone() }, table, None);
        if let Some(model) = model {
            std::fs::write(folder.path().join("job").join(files::MODEL), model).unwrap();
        }
        let output = on(cpus, folder.path());
        assert!(output.status.success(), "{:?}: {}", job.model, String::from_utf8_lossy(&output.stderr));
        answer(folder.path())
    };
    let (one, two) = (run(1), run(2));
    assert!(one.bytes == two.bytes, "{:?}, {:?}", job.model, job.kind);
    assert_eq!(one.result.metrics, two.result.metrics, "{:?}", job.model);
    one.bytes
}

/// Starts the program with a quota: it sees so many CPUs and runs on no other.
fn on(cpus: u32, folder: &Path) -> Output {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse::<u32>().unwrap()..=last.parse().unwrap()
    };
    let chosen: Vec<String> =
        allowed.trim().split(',').flat_map(range).map(|cpu| cpu.to_string()).take(cpus.try_into().unwrap()).collect();
    assert_eq!(u32::try_from(chosen.len()), Ok(cpus), "this test needs {cpus} CPUs, it may use {allowed}");
    start_on(&chosen.join(","), folder)
}

/// Rows of 144 features in three classes: images of 12 x 12 pixels, enough of them for libtorch to share a batch out among threads.
fn images() -> Table {
    let x = (0_u16..240 * 144).map(|i| (f32::from(i % 7919) * 0.37).sin()).collect();
    Table { features: 144, x, labels: Labels::Classes((0..240).map(|row| row * 7 % 3).collect()) }
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
    let scaling = Scaling { mean: vec![0.1; features], deviation: vec![0.9; features], limit: None };
    Job { kind: train(2, 2, 1), model, features, outputs, task, scaling, threads: 1, device: Device::Cpu }
}

fn perceptron(activation: Activation, dropout: f64) -> Model {
    Model::NeuralNetwork { hidden: vec![70, 33], activation, dropout }
}

fn convolutional(activation: Activation, dropout: f64) -> Model {
    Model::ConvolutionalNetwork {
        image: Volume { channels: 1, height: 12, width: 12 },
        convolutions: vec![
            Convolution { channels: 16, kernel: 3, pool: 1 },
            Convolution { channels: 32, kernel: 3, pool: 2 },
        ],
        hidden: vec![64],
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
fn exact_methods() {
    let exact = |optimizer, job: Job| {
        let kind = JobKind::Train { training: Training { optimizer, ..training(1) }, round: 1, seat: 0 };
        Job { kind, ..job }
    };
    let newton = exact(Optimizer::Newton { ridge: 1.0 }, job(Model::LogisticRegression {}, &images()));
    bytes(&newton, &images(), None);
    let numbers = with_numbers(images());
    let least_squares = exact(Optimizer::LeastSquares { ridge: 0.0 }, job(Model::LinearRegression {}, &numbers));
    bytes(&least_squares, &numbers, None);
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
    bytes(&job(convolutional(Activation::Relu, 0.0), &numbers), &numbers, None);
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

/// Small forests of either kind, grown so.
fn forests(table: &Table, method: ForestMethod) -> [(Job, Recipe); 2] {
    let regression = matches!(table.labels, Labels::Numbers(_));
    let shape = |shape: ForestShape| ForestShape { trees: 7, max_depth: Some(3), method, ..shape };
    let models = [
        Model::RandomForest(shape(ForestShape::random_forest(regression))),
        Model::ExtraTrees(shape(ForestShape::extra_trees(regression))),
    ];
    models.map(|model| {
        let job = job(model, table);
        let recipe = Recipe::new(&job.model, job.features, &job.task, training(1).seed).unwrap();
        (job, recipe)
    })
}

#[test]
fn forests_in_every_round_until_they_are_grown() {
    for table in [images(), with_numbers(images())] {
        for (job, recipe) in forests(&table, ForestMethod::Histogram {}) {
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
fn unions_of_trees_and_the_counts_of_their_leaves() {
    for table in [images(), with_numbers(images())] {
        for (job, recipe) in forests(&table, ForestMethod::Union { seats: 2 }) {
            let trees = bytes(&job, &table, Some(&forest::start(&recipe).to_bytes()));
            let forest = forest::unite(&recipe, &[Forest::from_bytes(&trees, trees.len()).unwrap()]).unwrap();
            assert_eq!(forest.trees().len(), 4, "{:?}", job.model);
            let told = bytes(&job, &table, Some(&forest.to_bytes()));
            assert_eq!(LeafCounts::from_bytes(&told, &forest, &recipe).unwrap().samples(), 240);
        }
    }
}

/// The digest stands here, so that every processor, compiler and library that runs this test must give the same bits. Its rows are
/// made without functions of the platform.
#[test]
fn a_dense_network_has_the_bytes_of_every_other_machine() {
    let x = (0_u16..150 * 20).map(|i| f32::from(i % 97 * 31 % 101) / 50.0 - 1.0).collect();
    let table = Table { features: 20, x, labels: Labels::Classes((0..150).map(|row| row * 7 % 3).collect()) };
    let training = Training { schedule: Schedule::Cosine { rounds: 5 }, proximal: 0.1, ..training(3) };
    let kind = JobKind::Train { training, round: 3, seat: 1 };
    let job = Job { kind, ..job(perceptron(Activation::Tanh, 0.2), &table) };
    // FNV-1a of 64 bits.
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let digest = bytes(&job, &table, None).iter().fold(0xcbf2_9ce4_8422_2325, mix);
    assert_eq!(digest, 0x3067_bdff_b80f_e94b, "{digest:#x}");
}

#[test]
fn an_evaluation() {
    let job = ring_job(train(3, 1, 0));
    let trained = run(&job, &rings(), None).bytes;
    bytes(&Job { kind: JobKind::Evaluate {}, ..job }, &rings(), Some(&trained));
}
