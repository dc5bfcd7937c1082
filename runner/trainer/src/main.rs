//! The program inside the container: one job in, one result out, no network, nothing else.
//!
//! `parity-trainer JOB_FOLDER OUT_FOLDER` reads what [`parity_protocol::job`] describes and writes its answer.
//! `parity-trainer --serve` does one job after the other for a simulation ([`parity_protocol::worker`]). Exit codes: 0 done,
//! 2 the job or its data cannot be used (the reason on standard error), 1 anything else.

mod device;
mod drift;
mod input;
mod network;
mod optimizer;
mod output;
mod pure;
mod serve;
mod train;
mod work;

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, anyhow};
use input::{Input, Refused};
use parity_protocol::{job::DETERMINISM_ENV, worker::SERVE};

const USAGE: &str = "usage: parity-trainer JOB_FOLDER OUT_FOLDER, or parity-trainer --serve";

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
    match &arguments[..] {
        [serve] if serve == SERVE => {
            pin_instruction_set(&arguments)?;
            serve::run()
        }
        [job, out] => {
            pin_instruction_set(&arguments)?;
            one_job(&PathBuf::from(job), &PathBuf::from(out))
        }
        _ => Err(Refused(USAGE.to_owned()).into()),
    }
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

fn one_job(folder: &Path, out: &Path) -> Result<()> {
    let job = input::read_job(folder)?;
    work::start_threads(job.threads)?;
    if pure::one_job(folder, out, &job)? {
        return Ok(());
    }
    let input = Input::read(folder, job)?;
    let (weights, result) = work::work(&input)?;
    output::write(out, weights.as_ref(), &result)
}
