//! A job folder, the program, its answer.

use std::{
    path::Path,
    process::{Command, Output},
};

use parity_learning::{
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    device::Device,
    job::{DETERMINISM_ENV, Job, JobKind, JobResult, files},
    model::{Activation, Model},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

const TRAINER: &str = env!("CARGO_BIN_EXE_parity-trainer");

/// What a training leaves behind.
pub(crate) struct Trained {
    pub(crate) bytes: Vec<u8>,
    pub(crate) result: JobResult,
}

impl Trained {
    pub(crate) fn weights(&self) -> Tensors {
        Tensors::from_bytes(&self.bytes, usize::MAX).unwrap()
    }
}

/// Starts the program on a folder with `job` and `out` inside.
pub(crate) fn start(folder: &Path, pinned: bool) -> Output {
    let mut command = Command::new(TRAINER);
    command.arg(folder.join("job")).arg(folder.join("out"));
    for (name, value) in DETERMINISM_ENV {
        command.env_remove(name);
        if pinned {
            command.env(name, value);
        }
    }
    command.output().unwrap()
}

/// The same, pinned, on these CPUs alone.
pub(crate) fn start_on(cpus: &str, folder: &Path) -> Output {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", cpus, TRAINER]).arg(folder.join("job")).arg(folder.join("out"));
    command.envs(DETERMINISM_ENV).output().expect("util-linux has taskset")
}

/// A folder with everything in place.
pub(crate) fn prepare(job: &Job, table: &Table, model: Option<&Tensors>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let inputs = folder.path().join("job");
    std::fs::create_dir(&inputs).unwrap();
    std::fs::write(inputs.join(files::JOB), serde_json::to_vec(job).unwrap()).unwrap();
    std::fs::write(inputs.join(files::DATA), table.to_safetensors()).unwrap();
    if let Some(model) = model {
        std::fs::write(inputs.join(files::MODEL), model.to_bytes()).unwrap();
    }
    folder
}

pub(crate) fn run(job: &Job, table: &Table, model: Option<&Tensors>) -> Trained {
    let folder = prepare(job, table, model);
    let output = start(folder.path(), true);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    answer(folder.path())
}

pub(crate) fn answer(folder: &Path) -> Trained {
    let out = folder.join("out");
    Trained {
        bytes: std::fs::read(out.join(files::UPDATE)).unwrap_or_default(),
        result: serde_json::from_slice(&std::fs::read(out.join(files::RESULT)).unwrap()).unwrap(),
    }
}

/// Three classes that two features tell apart, not by a straight line.
pub(crate) fn rings() -> Table {
    let (mut x, mut classes) = (Vec::new(), Vec::new());
    for row in 0_u16..300 {
        let (angle, ring) = (f32::from(row) * 0.7, row % 3);
        let radius = 10.0 + 20.0 * f32::from(ring) + 3.0 * (f32::from(row) * 1.3).sin();
        x.extend([radius * angle.cos(), radius * angle.sin()]);
        classes.push(i64::from(ring));
    }
    Table { features: 2, x, labels: Labels::Classes(classes) }
}

pub(crate) fn ring_job(kind: JobKind) -> Job {
    Job {
        kind,
        model: Model::NeuralNetwork { hidden: vec![32, 16], activation: Activation::Relu, dropout: 0.0 },
        features: 2,
        outputs: 3,
        task: Task::Classification { classes: vec!["a".into(), "b".into(), "c".into()] },
        scaling: Scaling { mean: vec![0.0; 2], deviation: vec![25.0; 2], limit: None },
        threads: 1,
        device: Device::Cpu,
    }
}

pub(crate) fn training(epochs: u32) -> Training {
    Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Adam { learning_rate: 0.01 },
        epochs,
        batch_size: 32,
        seed: 5,
    }
}

pub(crate) fn train(epochs: u32, round: u16, seat: u16) -> JobKind {
    JobKind::Train { training: training(epochs), round, seat }
}
