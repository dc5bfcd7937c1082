//! Reading a job and refusing what cannot be computed, with the value and the reason.

use std::{fmt, path::Path};

use anyhow::{Context, Result};
use parity_learning::{
    model,
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    job::{Job, JobKind, files},
    model::Model,
    schema::Task,
};

/// Most threads a job may ask for.
const MAX_THREADS: u32 = 1024;

/// A job that cannot be done as it stands: exit code 2.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Reads and checks the description of the job.
pub(crate) fn read_job(folder: &Path) -> Result<Job> {
    let job: Job = serde_json::from_slice(&read_file(&folder.join(files::JOB))?)
        .map_err(|error| Refused(format!("{}: {error}", files::JOB)))?;
    check_job(&job)?;
    Ok(job)
}

/// A job with its rows and its starting model, checked against each other.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) job: Job,
    pub(crate) table: Table,
    pub(crate) model: Tensors,
    /// Added to every gradient, where the aggregation asks for it (SCAFFOLD).
    pub(crate) correction: Option<Tensors>,
}

impl Input {
    /// Reads the rest of the job folder. Training without a model file starts from the initial weights of the seed.
    pub(crate) fn read(folder: &Path, job: Job) -> Result<Self> {
        let table = parse_table(&read_file(&folder.join(files::DATA))?)?;
        let (model, correction) = (folder.join(files::MODEL), folder.join(files::CORRECTION));
        let read = |path: &Path| path.exists().then(|| read_file(path)).transpose();
        Self::new(job, table, read(&model)?.as_deref(), read(&correction)?.as_deref())
    }

    /// Checks rows and tensors against the job.
    fn new(job: Job, table: Table, model: Option<&[u8]>, correction: Option<&[u8]>) -> Result<Self> {
        check_rows(&job, &table)?;
        let tensors = |bytes: Option<&[u8]>, file| bytes.map(|bytes| parse_tensors(&job, bytes, file)).transpose();
        let model = match (&job.kind, tensors(model, files::MODEL)?) {
            (_, Some(model)) => model,
            (JobKind::Train { training, .. }, None) => {
                model::initial_of(&job.model, job.features, job.outputs, training.seed)
            }
            (JobKind::Evaluate {}, None) => {
                return Err(Refused(format!("{} is missing; there is nothing to evaluate", files::MODEL)).into());
            }
        };
        let correction = tensors(correction, files::CORRECTION)?;
        Ok(Self { job, table, model, correction })
    }
}

/// A table of rows.
pub(crate) fn parse_table(bytes: &[u8]) -> Result<Table, Refused> {
    Table::from_safetensors(bytes).map_err(|error| Refused(format!("{}: {error}", files::DATA)))
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Refused(format!("{} is missing", path.display())).into())
        }
        other => other.with_context(|| format!("reading {}", path.display())),
    }
}

/// Refuses what no data could make right.
pub(crate) fn check_job(job: &Job) -> Result<(), Refused> {
    let refuse = |field: &str, reason: String| Err(Refused(format!("{}: {field}: {reason}", files::JOB)));
    if !(1..=MAX_THREADS).contains(&job.threads) {
        return refuse("threads", format!("{}, expected 1 to {MAX_THREADS}", job.threads));
    }
    let outputs = match &job.task {
        Task::Classification { classes } => classes.len(),
        Task::Regression { mean, deviation } => {
            if !(mean.is_finite() && deviation.is_finite() && *deviation > 0.0) {
                return refuse(
                    "task",
                    format!("mean {mean}, deviation {deviation}; expected finite, deviation above 0"),
                );
            }
            1
        }
    };
    if job.features == 0 || job.outputs != outputs || outputs == 0 {
        return refuse("outputs", format!("{} with {} features, the task has {outputs}", job.outputs, job.features));
    }
    match (&job.model, &job.task) {
        (Model::LinearRegression {}, Task::Classification { .. }) => {
            return refuse("model", "linear_regression cannot predict classes".to_owned());
        }
        (Model::LogisticRegression {}, Task::Regression { .. }) => {
            return refuse("model", "logistic_regression cannot predict numbers".to_owned());
        }
        _ => {}
    }
    let sizes = || job.model.validate().and_then(|()| job.model.validate_features(job.features));
    let valid = job.scaling.validate(job.features).and_then(|()| sizes()).and_then(|()| match &job.kind {
        JobKind::Train { training, .. } => {
            let optimizer = &training.optimizer;
            training.validate().and_then(|()| optimizer.validate_model(&job.model, job.features, job.outputs))
        }
        JobKind::Evaluate {} => Ok(()),
    });
    valid.map_err(|error| Refused(format!("{}: {error}", files::JOB)))
}

pub(crate) fn check_rows(job: &Job, table: &Table) -> Result<(), Refused> {
    let refuse = |reason: String| Err(Refused(format!("{}: {reason}", files::DATA)));
    if table.rows() == 0 {
        return refuse("there is no row".to_owned());
    }
    if table.features != job.features {
        return refuse(format!("{} features, the job says {}", table.features, job.features));
    }
    match (&job.task, &table.labels) {
        (Task::Classification { .. }, Labels::Classes(classes)) => {
            let unknown = |class: &i64| !usize::try_from(*class).is_ok_and(|class| class < job.outputs);
            match classes.iter().position(unknown) {
                Some(row) => {
                    refuse(format!("row {row} has class {}, the job knows 0 to {}", classes[row], job.outputs - 1))
                }
                None => Ok(()),
            }
        }
        (Task::Regression { .. }, Labels::Numbers(_)) => Ok(()),
        (Task::Classification { .. }, Labels::Numbers(_)) => refuse("y has numbers, the job wants classes".to_owned()),
        (Task::Regression { .. }, Labels::Classes(_)) => refuse("y has classes, the job wants numbers".to_owned()),
    }
}

/// Tensors with the shapes of the model.
pub(crate) fn parse_tensors(job: &Job, bytes: &[u8], file: &str) -> Result<Tensors, Refused> {
    let refuse = |reason: String| Refused(format!("{file}: {reason}"));
    let tensors = Tensors::from_bytes(bytes, usize::MAX).map_err(|error| refuse(error.to_string()))?;
    let shapes = model::shapes_of(&job.model.layers(job.features, job.outputs));
    model::check_shapes(&shapes, &tensors).map_err(|error| refuse(error.to_string()))?;
    match tensors.not_finite() {
        Some(name) => Err(refuse(format!("tensor {name} has a value that is not finite"))),
        None => Ok(tensors),
    }
}
