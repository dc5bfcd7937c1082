//! The program inside the container: one job in, one result out, no network, nothing else.
//!
//! `parity-trainer JOB_FOLDER OUT_FOLDER` reads what [`parity_protocol::job`] describes and writes its answer. Exit codes: 0
//! done, 2 the job or its data cannot be used (the reason on standard error), 1 anything else.

mod input;
mod network;
mod optimizer;
mod output;
mod train;

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, Result, anyhow};
use input::{Input, Refused};
use parity_learning::predict::Predictor;
use parity_protocol::job::{DETERMINISM_ENV, JobKind, JobResult};

const USAGE: &str = "usage: parity-trainer JOB_FOLDER OUT_FOLDER";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parity-trainer: {error:#}");
            if error.is::<Refused>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [job, out] = &arguments[..] else {
        return Err(Refused(USAGE.to_owned()).into());
    };
    pin_instruction_set(&arguments)?;
    work(&PathBuf::from(job), &PathBuf::from(out))
}

/// Starts this program anew where the environment does not pin libtorch's instruction set: libtorch reads it when it loads.
fn pin_instruction_set(arguments: &[OsString]) -> Result<()> {
    if DETERMINISM_ENV.iter().all(|(name, value)| std::env::var_os(name).is_some_and(|found| found == *value)) {
        return Ok(());
    }
    let program = std::env::current_exe().context("finding this program to start it with the pinned environment")?;
    let failed = Command::new(program).args(arguments).envs(DETERMINISM_ENV).exec();
    Err(anyhow!(failed).context("starting this program with the pinned environment"))
}

fn work(job_folder: &Path, out: &Path) -> Result<()> {
    let job = input::read_job(job_folder)?;
    let threads = job.threads;
    rayon::ThreadPoolBuilder::new()
        .num_threads(usize::try_from(threads)?)
        .build_global()
        .with_context(|| format!("starting {threads} threads"))?;
    let input = Input::read(job_folder, job)?;
    let started = Instant::now();
    let weights = match &input.job.kind {
        JobKind::Train { training, round, seat } => {
            // One, whatever the quota: on processors that are not Intel's, MKL's sums depend on the number of threads.
            tch::set_num_threads(1);
            tch::set_num_interop_threads(1);
            Some(train::train(&input, training, *round, *seat)?)
        }
        JobKind::Evaluate {} => None,
    };
    let model = weights.as_ref().unwrap_or(&input.model);
    let predictor = Predictor::new(&input.job.model, input.job.features, &input.job.task, &input.job.scaling, model)?;
    let metrics = predictor.evaluate(&input.table).map_err(|error| Refused(error.to_string()))?;
    let result =
        JobResult { samples: u64::try_from(input.table.rows())?, metrics, seconds: started.elapsed().as_secs_f64() };
    output::write(out, weights.as_ref(), &result)
}
