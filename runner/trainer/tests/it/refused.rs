//! Jobs that cannot be done: exit code 2, the reason on standard error, no result.

use std::process::Command;

use parity_learning::{
    model::initial_of,
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    job::{Job, JobKind, files},
    schema::{Scaling, Task},
    training::{Optimizer, Training},
};

use crate::jobs::{self, prepare, ring_job, rings, start, train};

fn refused(folder: &tempfile::TempDir, parts: &[&str]) {
    let output = start(folder.path(), true);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' not in: {message}");
    }
    assert!(!folder.path().join("out").join(files::RESULT).exists());
    assert!(!folder.path().join("out").join(files::UPDATE).exists());
}

fn with_job(job: &Job, parts: &[&str]) {
    refused(&prepare(job, &rings(), None), parts);
}

fn with_table(table: &Table, parts: &[&str]) {
    refused(&prepare(&ring_job(train(1, 1, 0)), table, None), parts);
}

fn with_model(model: &Tensors, parts: &[&str]) {
    refused(&prepare(&ring_job(train(1, 1, 0)), &rings(), Some(model)), parts);
}

#[test]
fn missing_arguments_and_files() {
    let output = Command::new(env!("CARGO_BIN_EXE_parity-trainer")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage"));
    for file in [files::JOB, files::DATA] {
        let folder = prepare(&ring_job(train(1, 1, 0)), &rings(), None);
        std::fs::remove_file(folder.path().join("job").join(file)).unwrap();
        refused(&folder, &[file, "missing"]);
    }
    refused(&prepare(&ring_job(JobKind::Evaluate {}), &rings(), None), &["model.safetensors", "nothing to evaluate"]);
}

#[test]
fn a_job_that_is_not_one() {
    let folder = prepare(&ring_job(train(1, 1, 0)), &rings(), None);
    std::fs::write(folder.path().join("job").join(files::JOB), br#"{"kind":{"type":"train"}}"#).unwrap();
    refused(&folder, &["job.json"]);
    let folder = prepare(&ring_job(train(1, 1, 0)), &rings(), None);
    let path = folder.path().join("job").join(files::JOB);
    let json = std::fs::read_to_string(&path).unwrap().replacen("\"threads\"", "\"gpu\":1,\"threads\"", 1);
    std::fs::write(&path, json).unwrap();
    refused(&folder, &["job.json", "gpu"]);
}

#[test]
fn values_out_of_range() {
    with_job(&Job { threads: 0, ..ring_job(train(1, 1, 0)) }, &["threads", "0"]);
    with_job(&Job { outputs: 4, ..ring_job(train(1, 1, 0)) }, &["outputs", "4"]);
    let training = |change: fn(&mut Training)| {
        let mut training = jobs::training(1);
        change(&mut training);
        ring_job(JobKind::Train { training, round: 1, seat: 0 })
    };
    with_job(&training(|t| t.epochs = 0), &["epochs"]);
    with_job(&training(|t| t.batch_size = 0), &["batch_size"]);
    with_job(&training(|t| t.optimizer = Optimizer::Adam { learning_rate: 99.0 }), &["learning_rate", "99"]);
    let scaling = Scaling { mean: vec![0.0; 3], deviation: vec![1.0; 3], limit: None };
    with_job(&Job { scaling, ..ring_job(train(1, 1, 0)) }, &["scaling"]);
    let task = Task::Regression { mean: 0.0, deviation: 1.0 };
    with_job(&Job { task, outputs: 1, ..ring_job(train(1, 1, 0)) }, &["y has classes"]);
}

#[test]
fn rows_that_do_not_fit() {
    with_table(&Table { features: 1, x: vec![0.0; 300], ..rings() }, &["1 features", "says 2"]);
    let mut classes = vec![0; 300];
    classes[7] = 3;
    with_table(&Table { labels: Labels::Classes(classes), ..rings() }, &["row 7", "class 3"]);
    let mut nan = rings();
    nan.x[5] = f32::NAN;
    with_table(&nan, &["feature 1 of row 2", "NaN"]);
    with_table(&Table { features: 2, x: vec![], labels: Labels::Classes(vec![]) }, &["no row"]);
    with_table(&Table { labels: Labels::Numbers(vec![0.5; 300]), ..rings() }, &["y has numbers"]);
}

#[test]
fn models_that_do_not_fit() {
    let good = || initial_of(&ring_job(train(1, 1, 0)).model, 2, 3, 5);
    let mut missing = good();
    missing.0.remove("layers.1.bias");
    with_model(&missing, &["layers.1.bias", "missing"]);
    let mut turned = good();
    turned.0.get_mut("layers.0.weight").unwrap().shape = vec![2, 32];
    with_model(&turned, &["layers.0.weight", "[2, 32]"]);
    let mut nan = good();
    nan.0.get_mut("layers.0.bias").unwrap().data[0] = f32::NAN;
    with_model(&nan, &["layers.0.bias", "not finite"]);
}

#[test]
fn a_training_that_diverges() {
    let optimizer = Optimizer::Sgd { learning_rate: 10.0, momentum: 0.99 };
    let training = Training { optimizer, epochs: 200, ..jobs::training(1) };
    let task = Task::Regression { mean: 0.0, deviation: 1.0 };
    let table = Table { labels: Labels::Numbers((0_u16..300).map(f32::from).collect()), ..rings() };
    let job = Job { task, outputs: 1, ..ring_job(JobKind::Train { training, round: 1, seat: 0 }) };
    refused(&prepare(&job, &table, None), &["diverged", "smaller learning rate"]);
}

#[test]
fn an_answer_that_cannot_be_written_is_another_failure() {
    let folder = prepare(&ring_job(train(1, 1, 0)), &rings(), None);
    std::fs::remove_dir(folder.path().join("out")).unwrap();
    let output = start(folder.path(), true);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("update.safetensors"));
}
