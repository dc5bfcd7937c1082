//! Jobs of forests: no libtorch, the model and the update are files of their own kind.

use std::{path::Path, time::Instant};

use anyhow::Result;
use parity_learning::{table::Table, weights::do_forest_job};
use parity_protocol::{
    job::{Job, JobResult, files},
    metrics::Evaluation,
};

use crate::{
    device,
    input::{Refused, check_rows, parse_table, read_file},
    output,
};

/// Does the job in this folder and writes its answer.
pub(crate) fn one_job(folder: &Path, out: &Path, job: &Job) -> Result<()> {
    let table = parse_table(&read_file(&folder.join(files::DATA))?)?;
    let model = folder.join(files::MODEL);
    let model = model.exists().then(|| read_file(&model)).transpose()?;
    let (update, result) = work(job, &table, model.as_deref())?;
    output::write_bytes(out, update.as_deref(), &result)
}

/// What the seat tells of its rows, where the job is one of training, and how good the forest is on them so far.
pub(crate) fn work(job: &Job, table: &Table, model: Option<&[u8]>) -> Result<(Option<Vec<u8>>, JobResult)> {
    check_rows(job, table)?;
    let started = Instant::now();
    let (update, Evaluation { metrics, confusion }) =
        do_forest_job(job, table, model).map_err(|error| Refused(error.to_string()))?;
    let result = JobResult {
        samples: u64::try_from(table.rows())?,
        metrics,
        confusion: confusion.filter(|_| update.is_none()),
        determinism: device::determinism(job),
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok((update, result))
}
