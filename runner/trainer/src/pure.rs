//! Jobs that need no libtorch: of forests, and of models solved by an exact method. Model and update are files of their own kinds.

use std::{path::Path, time::Instant};

use anyhow::Result;
use parity_learning::{exact, table::Table, weights::do_forest_job};
use parity_protocol::{
    job::{Job, JobResult, files},
    metrics::Evaluation,
};

use crate::{
    device,
    input::{Refused, check_rows, parse_table, read_file},
    output,
};

/// Whether [`work`] does this job.
pub(crate) fn is_job(job: &Job, model: Option<&[u8]>) -> bool {
    job.model.forest().is_some() || exact::is_job(job, model)
}

/// Does the job in this folder and writes its answer; false where it is none of these.
pub(crate) fn one_job(folder: &Path, out: &Path, job: &Job) -> Result<bool> {
    let model = folder.join(files::MODEL);
    let model = model.exists().then(|| read_file(&model)).transpose()?;
    if !is_job(job, model.as_deref()) {
        return Ok(false);
    }
    let table = parse_table(&read_file(&folder.join(files::DATA))?)?;
    let (update, result) = work(job, &table, model.as_deref())?;
    output::write_bytes(out, update.as_deref(), &result)?;
    Ok(true)
}

/// What the seat tells of its rows, where the job is one of training, and how good the model is on them so far.
pub(crate) fn work(job: &Job, table: &Table, model: Option<&[u8]>) -> Result<(Option<Vec<u8>>, JobResult)> {
    check_rows(job, table)?;
    let started = Instant::now();
    let done =
        if job.model.forest().is_some() { do_forest_job(job, table, model) } else { exact::do_job(job, table, model) };
    let (update, Evaluation { metrics, confusion }) = done.map_err(|error| Refused(error.to_string()))?;
    let result = JobResult {
        samples: u64::try_from(table.rows())?,
        metrics,
        confusion: confusion.filter(|_| update.is_none()),
        determinism: device::determinism(job),
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok((update, result))
}
