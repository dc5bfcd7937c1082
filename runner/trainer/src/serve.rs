//! One job after the other for a simulation, on one thread.

use std::{
    collections::HashMap,
    io::{self, BufReader, BufWriter},
    sync::Arc,
};

use anyhow::{Context, Result};
use parity_learning::table::Table;
use parity_protocol::{
    job::{Job, JobKind, JobResult},
    worker::{Answer, Request, read_blob, read_head, write_frame},
};

use crate::{
    forest,
    input::{self, Input, Refused},
    work,
};

/// Answers requests until the input ends.
pub(crate) fn run() -> Result<()> {
    work::start_threads(1)?;
    let (mut from, mut to) = (BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()));
    let mut tables: HashMap<u16, Arc<Table>> = HashMap::new();
    while let Some(request) = read_head(&mut from).context("reading a request")? {
        match request {
            Request::Data { seat, table } => {
                tables.insert(seat, input::parse_table(&read_blob(&mut from, table)?)?);
            }
            Request::Train { job, model, correction } => {
                let model = read_blob(&mut from, model).context("reading a model")?;
                let correction = read_blob(&mut from, correction).context("reading a correction")?;
                let (outcome, update) = match train(*job, &tables, &model, &correction) {
                    Ok((result, update)) => (Ok(result), update),
                    Err(error) => (Err(format!("{error:#}")), Vec::new()),
                };
                let answer = Answer { outcome, update: u64::try_from(update.len())? };
                write_frame(&mut to, &answer, &[&update]).context("writing an answer")?;
            }
        }
    }
    Ok(())
}

fn train(job: Job, tables: &HashMap<u16, Arc<Table>>, model: &[u8], correction: &[u8]) -> Result<(JobResult, Vec<u8>)> {
    let JobKind::Train { seat, .. } = job.kind else {
        return Err(Refused("only training jobs are served".to_owned()).into());
    };
    input::check_job(&job)?;
    let table = tables.get(&seat).ok_or_else(|| Refused(format!("seat {seat} has no rows yet")))?;
    if job.model.forest().is_some() {
        let (update, result) = forest::work(&job, table, Some(model))?;
        return Ok((result, update.unwrap_or_default()));
    }
    let correction = (!correction.is_empty()).then_some(correction);
    let (weights, result) = work::work(&Input::new(job, Arc::clone(table), Some(model), correction)?)?;
    Ok((result, weights.map(|weights| weights.to_bytes()).unwrap_or_default()))
}
