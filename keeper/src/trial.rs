//! Running the trainer to evaluate a model: the keeper's use of the runner's sandbox.

use std::{fmt::Debug, path::PathBuf};

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use parity_protocol::{
    job::{Job, JobResult},
    metrics::Evaluation,
};
use parity_runner::sandbox::{Docker, Limits, Material, Process, Sandbox};

use crate::config::{self, KeeperConfig};

/// Evaluates a model on rows.
#[async_trait]
pub trait Trial: Debug + Send + Sync {
    /// How good `model` is on `rows`, both files.
    async fn evaluate(&self, job: Job, rows: Bytes, model: Bytes) -> anyhow::Result<Evaluation>;
}

/// The trainer in a sandbox.
#[derive(Debug)]
pub struct Sandboxed {
    sandbox: Sandbox,
    limits: Limits,
    workdir: PathBuf,
}

impl Sandboxed {
    /// The sandbox that the configuration asks for; none when it asks for none.
    ///
    /// # Errors
    /// When the sandbox cannot be used.
    pub async fn open(config: &KeeperConfig) -> anyhow::Result<Option<Self>> {
        let sandbox = match &config.evaluation {
            config::Evaluation::BuiltIn => return Ok(None),
            config::Evaluation::Docker { image } => {
                let owner = config.state.display().to_string();
                let docker = Docker::open(image, &owner).await?;
                docker.remove_leftovers().await.context("removing containers that an earlier run left")?;
                Sandbox::Docker(docker)
            }
            config::Evaluation::Process { program, libraries } => {
                Sandbox::Process(Process::open(program, libraries.as_deref()).await?)
            }
        };
        let workdir = config.state.join("jobs");
        tokio::fs::create_dir_all(&workdir).await.with_context(|| format!("creating {}", workdir.display()))?;
        Ok(Some(Self { sandbox, limits: config.limits, workdir }))
    }
}

#[async_trait]
impl Trial for Sandboxed {
    async fn evaluate(&self, job: Job, rows: Bytes, model: Bytes) -> anyhow::Result<Evaluation> {
        let job = Job { threads: self.limits.cpus, ..job };
        let material = Material { rows: &rows, model: Some(&model), correction: None };
        let output = self.sandbox.run(&job, material, &self.limits, &self.workdir).await?;
        let JobResult { metrics, confusion, .. } = output.result;
        Ok(Evaluation { metrics, confusion })
    }
}
