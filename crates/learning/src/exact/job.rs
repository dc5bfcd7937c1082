//! A runner's or keeper's job with an exact method: no libtorch.

use parity_protocol::{
    job::{Job, JobKind},
    metrics::Evaluation,
};

use super::{Coefficients, LinearPredictor, Problem, session};
use crate::{Error, Result, table::Table};

/// Whether [`do_job`] does this job: training by an exact method, or an evaluation of coefficients.
pub fn is_job(job: &Job, model: Option<&[u8]>) -> bool {
    match &job.kind {
        JobKind::Train { training, .. } => training.optimizer.is_exact(),
        JobKind::Evaluate {} => job.model.is_linear() && model.is_some_and(Coefficients::is_file_of),
    }
}

/// What the seat tells of its rows, where the job is one of training, and how good the model is on them so far.
///
/// # Errors
/// [`Error::Exact`] when the job is not one of an exact method or has no model to evaluate, [`Error::Tensors`] or [`Error::Shape`] when
/// the model is broken, [`Error::Rows`] when the rows do not fit.
pub fn do_job(job: &Job, table: &Table, model: Option<&[u8]>) -> Result<(Option<Vec<u8>>, Evaluation)> {
    let problem = Problem::of_job(job);
    let model = match (model, &problem) {
        (Some(bytes), _) => Coefficients::from_bytes(bytes, usize::MAX)?,
        (None, Some(problem)) => Coefficients::start(problem),
        (None, None) => return Err(Error::Exact("there is no model to evaluate".into())),
    };
    let predictor = LinearPredictor::new(&model, job.features, &job.task, &job.scaling)?;
    let update = match (&job.kind, &problem) {
        (JobKind::Evaluate {}, _) => None,
        (JobKind::Train { .. }, Some(problem)) => {
            Some(session::update(problem, &model, &job.scaling, &job.task, table)?)
        }
        (JobKind::Train { .. }, None) => return Err(Error::Exact("the job's optimiser is not an exact method".into())),
    };
    Ok((update, predictor.evaluate(table)?))
}
