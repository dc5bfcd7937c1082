//! Finding out at the start whether trainers can use the CUDA device: a runner that finds out in a round has taken a seat for nothing.

use std::path::Path;

use anyhow::{Context, Result};
use parity_learning::table::{Labels, Table};
use parity_protocol::{
    device::Device,
    job::{Job, JobKind},
    model::{Activation, Convolution, Model, Volume},
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};

use crate::sandbox::{Limits, Material, Sandbox};

/// Pixels of an image of the trial.
const PIXELS: usize = 16;

/// Trains a small convolutional network on the device.
///
/// # Errors
/// When the sandbox or the trainer has no CUDA.
pub(crate) async fn check(sandbox: &Sandbox, limits: &Limits, work: &Path) -> Result<()> {
    let rows =
        Table { features: PIXELS, x: vec![0.5; 2 * PIXELS], labels: Labels::Classes(vec![0, 1]) }.to_safetensors();
    let material = Material { rows: &rows, model: None, correction: None };
    sandbox.run(&job(limits.cpus), material, limits, work).await.context(
        "limits.cuda is on, but a trainer cannot use the CUDA device of this machine: leave it out (--cuda), or give the machine \
         NVIDIA's driver, Docker its container toolkit, and the trainer a libtorch with CUDA",
    )?;
    Ok(())
}

fn job(threads: u32) -> Job {
    let training = Training {
        optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
        schedule: Schedule::Constant {},
        proximal: 0.0,
        epochs: 1,
        batch_size: 2,
        seed: 0,
    };
    Job {
        kind: JobKind::Train { training, round: 1, seat: 0 },
        model: Model::ConvolutionalNetwork {
            image: Volume { channels: 1, height: 4, width: 4 },
            convolutions: vec![Convolution { channels: 2, kernel: 3, pool: 2 }],
            hidden: Vec::new(),
            activation: Activation::Relu,
            dropout: 0.0,
        },
        features: PIXELS,
        outputs: 2,
        task: Task::Classification { classes: vec!["dark".into(), "bright".into()] },
        scaling: Scaling { mean: vec![0.0; PIXELS], deviation: vec![1.0; PIXELS], limit: None },
        threads,
        device: Device::Cuda,
    }
}
