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

fn models() -> [Model; 2] {
    let activation = Activation::Relu;
    [
        Model::NeuralNetwork { hidden: vec![16], activation, dropout: 0.1 },
        Model::ConvolutionalNetwork {
            image: Volume { channels: 1, height: 6, width: 6 },
            convolutions: vec![Convolution { channels: 16, kernel: 3, pool: 2 }],
            hidden: vec![16],
            activation,
            dropout: 0.1,
        },
    ]
}

/// A round of training on 40 rows of 36 features.
fn job(model: Model) -> Job {
    let training = Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Adam { learning_rate: 0.01 },
        epochs: 5,
        batch_size: 8,
        seed: 3,
    };
    Job {
        kind: JobKind::Train { training, round: 2, seat: 1 },
        model,
        features: 36,
        outputs: 2,
        task: Task::Classification { classes: vec!["no".into(), "yes".into()] },
        scaling: Scaling { mean: vec![3.0; 36], deviation: vec![2.0; 36], limit: None },
        threads: 1,
        device: Device::Cpu,
    }
}

fn rows() -> Vec<u8> {
    let labels: Vec<i64> = (0..40).map(|row| row % 2).collect();
    let x = (0_u16..40 * 36).map(|i| f32::from(i % 7) + if i / 36 % 2 == 0 { -1.0 } else { 1.0 }).collect();
    Table { features: 36, x, labels: Labels::Classes(labels) }.to_safetensors()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_job_gives_the_same_bytes_in_a_container_and_in_a_process_with_any_quota() {
    let (data, sandboxes, folder) = (rows(), sandboxes().await, tempfile::tempdir().unwrap());
    for architecture in models() {
        let start = model::initial_of(&architecture, 36, 2, 3).to_bytes();
        let job = job(architecture);
        let mut updates = Vec::new();
        for (sandbox, cpus) in sandboxes.iter().flat_map(|sandbox| [(sandbox, 1), (sandbox, 2)]) {
            let material = Material { rows: &data, model: Some(&start), correction: None };
            let (job, limits) = (Job { threads: cpus, ..job.clone() }, Limits { cpus, ..Limits::default() });
            let output = sandbox.run(&job, material, &limits, folder.path()).await.unwrap();
            assert_eq!(output.result.samples, 40);
            updates.push(output.update.unwrap());
        }
        assert!(updates.iter().all(|update| *update == updates[0]), "{:?}", job.model);
        assert_ne!(updates[0], start);
        assert_eq!(Tensors::from_bytes(&updates[0], 1 << 20).unwrap().not_finite(), None);
    }
    if let Sandbox::Docker(docker) = &sandboxes[0] {
        docker.remove_leftovers().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_cuda_says_so_in_both_sandboxes() {
    let (data, folder) = (rows(), tempfile::tempdir().unwrap());
    let [_, convolutional] = models();
    let job = Job { device: Device::Cuda, ..job(convolutional) };
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
