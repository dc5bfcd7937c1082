//! One job after the other for a simulation, on one thread.

use std::{
    collections::HashMap,
    io::{self, BufReader, BufWriter, Read},
};

use anyhow::{Context, Result};
use parity_learning::{perceptron::Examples, table::Table, tensors::Tensors};
use parity_protocol::{
    job::{Job, JobKind, files},
    training::Training,
    worker::{Answer, Request, Turn, read_blob, read_head, write_frame},
};

use crate::{
    input::{self, Refused},
    pure,
    train::{Start, train},
    work,
};

/// Answers requests until the input ends.
pub(crate) fn run() -> Result<()> {
    work::start_threads(1)?;
    let (mut from, mut to) = (BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()));
    let mut session = None;
    let started = |session: Option<Session>| session.context("rows and rounds come after a session");
    while let Some(request) = read_head(&mut from).context("reading a request")? {
        match request {
            Request::Session { job } => session = Some(Session::new(*job)?),
            Request::Data { seat, table } => {
                let mut current = started(session.take())?;
                current.add(seat, &read_blob(&mut from, table).context("reading rows")?)?;
                session = Some(current);
            }
            Request::Train { round, model, turns } => {
                let current = started(session.take())?;
                let model = current.parse_model(read_blob(&mut from, model).context("reading a model")?)?;
                for turn in turns {
                    let (samples, update) = match current.train(round, turn, &model, &mut from) {
                        Ok((samples, update)) => (Ok(samples), update),
                        Err(error) if error.is::<Refused>() => (Err(format!("{error:#}")), Vec::new()),
                        Err(error) => return Err(error),
                    };
                    let answer = Answer { samples, update: u64::try_from(update.len())? };
                    write_frame(&mut to, &answer, &[&update]).context("writing an answer")?;
                }
                session = Some(current);
            }
        }
    }
    Ok(())
}

/// What rounds have in common.
struct Session {
    job: Job,
    training: Training,
    rows: HashMap<u16, Rows>,
}

/// The rows of a seat as its job needs them.
enum Rows {
    Table(Table),
    Examples(Examples),
}

/// What a round starts from.
enum Model {
    /// The file, for jobs that need no libtorch.
    File(Vec<u8>),
    Tensors(Tensors),
}

impl Session {
    fn new(job: Job) -> Result<Self> {
        input::check_job(&job)?;
        let JobKind::Train { training, .. } = &job.kind else {
            return Err(Refused("only training jobs are served".to_owned()).into());
        };
        Ok(Self { training: training.clone(), job, rows: HashMap::new() })
    }

    fn add(&mut self, seat: u16, table: &[u8]) -> Result<()> {
        let table = input::parse_table(table)?;
        input::check_rows(&self.job, &table)?;
        let rows = if pure::is_job(&self.job, None) {
            Rows::Table(table)
        } else {
            Rows::Examples(Examples::new(&table, &self.job.scaling, &self.job.task)?)
        };
        self.rows.insert(seat, rows);
        Ok(())
    }

    fn parse_model(&self, bytes: Vec<u8>) -> Result<Model> {
        Ok(if pure::is_job(&self.job, None) {
            Model::File(bytes)
        } else {
            Model::Tensors(input::parse_tensors(&self.job, &bytes, files::MODEL)?)
        })
    }

    /// Samples and update of a seat. What is refused leaves the input at the next turn.
    fn train(&self, round: u16, turn: Turn, model: &Model, from: impl Read) -> Result<(u64, Vec<u8>)> {
        let correction = read_blob(from, turn.correction).context("reading a correction")?;
        let Turn { seat, .. } = turn;
        let rows = self.rows.get(&seat).ok_or_else(|| Refused(format!("seat {seat} has no rows yet")))?;
        match (rows, model) {
            (Rows::Examples(examples), Model::Tensors(model)) => {
                let correction = (!correction.is_empty())
                    .then(|| input::parse_tensors(&self.job, &correction, files::CORRECTION))
                    .transpose()?;
                let start = Start { job: &self.job, examples, model, correction: correction.as_ref() };
                let update = train(&start, &self.training, round, seat)?;
                Ok((u64::try_from(examples.rows())?, update.to_bytes()))
            }
            (Rows::Table(table), Model::File(model)) => {
                let kind = JobKind::Train { training: self.training.clone(), round, seat };
                let (update, result) = pure::work(&Job { kind, ..self.job.clone() }, table, Some(model))?;
                Ok((result.samples, update.unwrap_or_default()))
            }
            _ => Err(Refused("rows and model are of different kinds".to_owned()).into()),
        }
    }
}
