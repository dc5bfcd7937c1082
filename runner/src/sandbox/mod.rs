//! Where the trainer runs: in a container without network, or, where no Docker daemon can run, in a process with limits.
//!
//! A job is files in ([`Job`], rows, starting model) and files out (a result, new weights). The program inside is not
//! trusted: it may hang, flood its output, leave nothing or leave nonsense, and each of these is an [`Error`] while the
//! machine stays as it was. Whether the weights mean anything is for the caller to check.
//!
//! | | Docker | process |
//! |---|---|---|
//! | network | none | none where namespaces are allowed |
//! | file system | read-only image, job read-only, output folder | all that the user may read and write |
//! | user | 65532 (the agent's own where the agent is not root) | the agent's |
//! | capabilities | none, none to gain | none to gain |
//! | CPU, memory | quota, hard limit | processor seconds, limit per process |
//! | time, output, log | killed at the limit | killed at the limit |

mod docker;
mod error;
mod folder;
mod isolation;
mod limits;
mod log;
mod process;
mod watch;

use std::{path::Path, time::Duration};

use parity_protocol::job::{self, Job, JobResult};

pub use docker::Docker;
pub use error::{Error, Result};
pub use limits::Limits;
pub use process::Process;

use folder::JobFolder;

/// Where jobs run. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Sandbox {
    /// A container per job.
    Docker(Docker),
    /// A process per job.
    Process(Process),
}

/// What a job works on: the files beside its description, as safetensors.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The rows.
    pub rows: &'a [u8],
    /// The starting model; none: the trainer's own initial weights.
    pub model: Option<&'a [u8]>,
    /// What is added to every gradient; none for nothing.
    pub correction: Option<&'a [u8]>,
}

/// What a job left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The trainer's answer.
    pub result: JobResult,
    /// New weights as the trainer wrote them, unchecked; none for an evaluation.
    pub update: Option<Vec<u8>>,
    /// From the call until the program was started.
    pub start: Duration,
    /// From its start to its end.
    pub run: Duration,
}

impl Sandbox {
    /// Runs one job. Inputs and outputs pass through a folder below `workdir` that is gone afterwards.
    ///
    /// # Errors
    /// [`Error`]; [`Error::is_retryable`] tells the machine's failures from the job's.
    ///
    /// # Cancel safety
    /// Dropping the future stops the job and removes what it left.
    pub async fn run(&self, job: &Job, material: Material<'_>, limits: &Limits, workdir: &Path) -> Result<Output> {
        let begun = std::time::Instant::now();
        let folder = {
            let (workdir, job) = (workdir.to_owned(), job.clone());
            let Material { rows, model, correction } = material;
            let own = <[u8]>::to_vec;
            let (rows, model, correction) = (own(rows), model.map(own), correction.map(own));
            blocking(move || {
                let (model, correction) = (model.as_deref(), correction.as_deref());
                JobFolder::create(&workdir, &job, Material { rows: &rows, model, correction })
            })
            .await?
        };
        let times = match self {
            Self::Docker(docker) => docker.run(&folder, &environment(job.threads), limits, begun).await,
            Self::Process(process) => process.run(&folder, &environment(job.threads), limits, begun).await,
        }?;
        let (kind, limit) = (job.kind.clone(), limits.output_bytes);
        let output = blocking(move || folder.read_output(&kind, limit)).await?;
        Ok(Output { start: times.start, run: times.run, ..output })
    }

    /// What people call it: the image, or what is not isolated.
    pub fn describe(&self) -> String {
        match self {
            Self::Docker(docker) => format!("docker, image {}", docker.image()),
            Self::Process(_) => "process (isolates less than docker)".to_owned(),
        }
    }
}

/// Where the time of a job went.
#[derive(Clone, Copy, Debug)]
struct Times {
    start: Duration,
    run: Duration,
}

/// Everything the trainer's arithmetic depends on, and nothing of the agent's own environment.
fn environment(threads: u32) -> Vec<(String, String)> {
    let threads = threads.to_string();
    let pinned = job::DETERMINISM_ENV.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let threads = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"].map(|name| (name.to_owned(), threads.clone()));
    pinned.chain(threads).collect()
}

/// Runs blocking work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Io { operation: "handle", path: "the job's files".into(), source: error.into() }),
    }
}
