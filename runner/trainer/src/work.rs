//! One job, from its inputs to weights and metrics.

use std::time::Instant;

use anyhow::{Context, Result};
use parity_learning::{perceptron::Examples, predict::Predictor, tensors::Tensors};
use parity_protocol::{
    job::{JobKind, JobResult},
    metrics::Evaluation,
};

use crate::{
    device,
    input::{Input, Refused},
    train::{Start, train},
};

/// Gives this process its threads, once.
pub(crate) fn start_threads(threads: u32) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(usize::try_from(threads)?)
        .build_global()
        .with_context(|| format!("starting {threads} threads"))?;
    // One, whatever the quota: on processors that are not Intel's, MKL's sums depend on the number of threads.
    tch::set_num_threads(1);
    tch::set_num_interop_threads(1);
    Ok(())
}

/// Trains, where the job says so, and evaluates on the rows.
pub(crate) fn work(input: &Input) -> Result<(Option<Tensors>, JobResult)> {
    let started = Instant::now();
    let weights = match &input.job.kind {
        JobKind::Train { training, round, seat } => {
            let Input { job, table, model, correction } = input;
            let examples = Examples::new(table, &job.scaling, &job.task)?;
            let start = Start { job, examples: &examples, model, correction: correction.as_ref() };
            Some(train(&start, training, *round, *seat)?)
        }
        JobKind::Evaluate {} => None,
    };
    let model = weights.as_ref().unwrap_or(&input.model);
    let predictor = Predictor::new(&input.job.model, input.job.features, &input.job.task, &input.job.scaling, model)?;
    let Evaluation { metrics, confusion } =
        predictor.evaluate(&input.table).map_err(|error| Refused(error.to_string()))?;
    let result = JobResult {
        samples: u64::try_from(input.table.rows())?,
        metrics,
        confusion: confusion.filter(|_| weights.is_none()),
        determinism: device::determinism(&input.job),
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok((weights, result))
}
