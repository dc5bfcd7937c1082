//! The real trainer in both sandboxes.

use std::path::PathBuf;

use parity_learning::{
    model,
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    device::{Determinism, Device},
    job::{Job, JobKind},
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};
use parity_runner::sandbox::{Docker, Limits, Material, Process, Sandbox};

/// A variable of script/lib/env.sh.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: source script/lib/env.sh"))
}

async fn sandboxes() -> [Sandbox; 2] {
    let image = variable("PARITY_TRAINER_IMAGE");
    let docker = Docker::open(&image, "real-trainer-test").await.expect("script/trainer-image makes the image");
    let libraries = std::env::var_os("PARITY_LIBTORCH").map(|folder| PathBuf::from(folder).join("lib"));
    let process = Process::open(variable("PARITY_TRAINER").as_ref(), libraries.as_deref()).await;
    [Sandbox::Docker(docker), Sandbox::Process(process.expect("script/trainer-image builds the trainer"))]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_job_gives_the_same_bytes_in_a_container_and_in_a_process() {
    let architecture = Model::NeuralNetwork { hidden: vec![16], activation: Activation::Relu, dropout: 0.0 };
    let training = Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Adam { learning_rate: 0.01 },
        epochs: 5,
        batch_size: 8,
        seed: 3,
    };
    let start = model::initial_of(&architecture, 2, 2, training.seed).to_bytes();
    let job = Job {
        kind: JobKind::Train { training, round: 2, seat: 1 },
        model: architecture,
        features: 2,
        outputs: 2,
        task: Task::Classification { classes: vec!["no".into(), "yes".into()] },
        scaling: Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2] },
        threads: 1,
        device: Device::Cpu,
    };
    let labels: Vec<i64> = (0..40).map(|row| row % 2).collect();
    let x = (0_u16..40).flat_map(|row| [f32::from(row % 7), if row % 2 == 0 { -1.0 } else { 1.0 }]).collect();
    let data = Table { features: 2, x, labels: Labels::Classes(labels) }.to_safetensors();

    let folder = tempfile::tempdir().unwrap();
    let mut updates = Vec::new();
    for sandbox in sandboxes().await {
        let material = Material { rows: &data, model: Some(&start), correction: None };
        let output = sandbox.run(&job, material, &Limits::default(), folder.path()).await.unwrap();
        assert_eq!(output.result.samples, 40);
        updates.push(output.update.unwrap());
        if let Sandbox::Docker(docker) = &sandbox {
            docker.remove_leftovers().await.unwrap();
        }
    }
    assert_eq!(updates[0], updates[1]);
    assert_ne!(updates[0], start);
    assert_eq!(Tensors::from_bytes(&updates[0], 1 << 20).unwrap().not_finite(), None);
}

/// Two pictures of 4 x 4 pixels, and a convolutional network that tells them apart on the CUDA device.
fn pictures() -> (Job, Vec<u8>) {
    let training = Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
        epochs: 1,
        batch_size: 2,
        seed: 3,
    };
    let job = Job {
        kind: JobKind::Train { training, round: 1, seat: 0 },
        model: Model::ConvolutionalNetwork {
            image: Volume { channels: 1, height: 4, width: 4 },
            convolutions: vec![Convolution { channels: 2, kernel: 3, pool: 2 }],
            hidden: vec![],
            activation: Activation::Relu,
            dropout: 0.0,
        },
        features: 16,
        outputs: 2,
        task: Task::Classification { classes: vec!["dark".into(), "bright".into()] },
        scaling: Scaling { mean: vec![0.0; 16], deviation: vec![1.0; 16] },
        threads: 1,
        device: Device::Cuda,
    };
    let x = [vec![0.0; 16], vec![1.0; 16]].concat();
    (job, Table { features: 16, x, labels: Labels::Classes(vec![0, 1]) }.to_safetensors())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_cuda_says_so_in_both_sandboxes() {
    let (job, data) = pictures();
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { cuda: true, ..Limits::default() };
    for (sandbox, words) in sandboxes().await.into_iter().zip(["gpu", "sees no CUDA device"]) {
        let material = Material { rows: &data, model: None, correction: None };
        match sandbox.run(&job, material, &limits, folder.path()).await {
            Ok(output) => assert_eq!(output.result.determinism, Determinism::Device),
            Err(error) => {
                let message = format!("{:#}", anyhow::Error::from(error));
                assert!(message.contains(words), "{message}");
            }
        }
    }
}
