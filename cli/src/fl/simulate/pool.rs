//! Trainer processes that do one job after the other. Each is single-threaded and a seat's result does not depend on its
//! process, so their number changes the time and nothing else.

use std::{
    io::{BufReader, BufWriter, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use anyhow::{Context, anyhow, bail};
use parity_learning::table::Table;
use parity_protocol::{
    job::{DETERMINISM_ENV, Job},
    worker::{Answer, Request, SERVE, Turn, read_blob, read_head, write_frame},
};

/// Trainers at work.
#[derive(Debug)]
pub(super) struct Pool {
    workers: Vec<Worker>,
}

/// What a seat's training came to.
#[derive(Debug)]
pub(super) struct Trained {
    pub(super) seat: u16,
    /// Rows it trained on.
    pub(super) samples: u64,
    /// New weights as safetensors.
    pub(super) update: Vec<u8>,
}

/// What all seats of a round have in common.
#[derive(Debug)]
pub(super) struct Round<'a> {
    pub(super) round: u16,
    /// The starting model as safetensors.
    pub(super) model: &'a [u8],
    /// Who trains.
    pub(super) seats: &'a [Seat],
}

/// A seat that trains in a round.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) seat: u16,
    /// What its gradients are corrected by, as safetensors; empty for nothing.
    pub(super) correction: Vec<u8>,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    requests: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
    seats: Vec<u16>,
}

impl Pool {
    /// Starts so many trainers. `libraries` is where libtorch lies, if not where the program looks for it.
    pub(super) fn start(program: &Path, libraries: Option<&Path>, count: usize) -> anyhow::Result<Self> {
        let workers = (0..count).map(|_| Worker::start(program, libraries)).collect::<anyhow::Result<_>>()?;
        Ok(Self { workers })
    }

    /// Begins a session: hands over its job, and deals seats with their rows to trainers, the largest first to the one with fewest
    /// rows.
    pub(super) fn load(&mut self, job: &Job, shards: &[Table]) -> anyhow::Result<()> {
        let mut seats: Vec<(u16, &Table)> = (0..).zip(shards).collect();
        seats.sort_by_key(|(seat, table)| (std::cmp::Reverse(table.rows()), *seat));
        let mut rows = vec![0; self.workers.len()];
        for worker in &mut self.workers {
            worker.seats.clear();
            worker.ask(&Request::Session { job: Box::new(job.clone()) }, &[])?;
        }
        for (seat, table) in seats {
            let least = (0..rows.len()).min_by_key(|worker| rows[*worker]).context("a pool has a trainer")?;
            rows[least] += table.rows();
            self.workers[least].load(seat, &table.to_safetensors())?;
        }
        Ok(())
    }

    /// Trains the seats of a round and returns what came out, by seat.
    pub(super) fn train(&mut self, round: &Round<'_>) -> anyhow::Result<Vec<Trained>> {
        let all = thread::scope(|scope| {
            let running: Vec<_> =
                self.workers.iter_mut().map(|worker| scope.spawn(|| worker.train_all(round))).collect();
            let done = running.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?);
            done.collect::<anyhow::Result<Vec<_>>>()
        })?;
        let mut all: Vec<Trained> = all.into_iter().flatten().collect();
        all.sort_by_key(|trained| trained.seat);
        Ok(all)
    }
}

impl Worker {
    fn start(program: &Path, libraries: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.arg(SERVE).envs(DETERMINISM_ENV).env("OMP_NUM_THREADS", "1");
        if let Some(libraries) = libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| {
            format!(
                "starting the trainer {}; build it with script/trainer-image or name it by --trainer",
                program.display()
            )
        })?;
        let requests = child.stdin.take().map(BufWriter::new);
        let answers = BufReader::new(child.stdout.take().context("the trainer has a standard output")?);
        Ok(Self { child, requests, answers, seats: Vec::new() })
    }

    fn load(&mut self, seat: u16, table: &[u8]) -> anyhow::Result<()> {
        self.seats.push(seat);
        let head = Request::Data { seat, table: table.len() as u64 };
        self.ask(&head, &[table])
    }

    /// Asks for all of its seats at once, so that it never waits between two of them.
    fn train_all(&mut self, round: &Round<'_>) -> anyhow::Result<Vec<Trained>> {
        let mine: Vec<&Seat> = round.seats.iter().filter(|seat| self.seats.contains(&seat.seat)).collect();
        if mine.is_empty() {
            return Ok(Vec::new());
        }
        let turn = |seat: &&Seat| Turn { seat: seat.seat, correction: seat.correction.len() as u64 };
        let turns = mine.iter().map(turn).collect();
        let head = Request::Train { round: round.round, model: round.model.len() as u64, turns };
        self.ask(&head, &[round.model])?;
        mine.into_iter().map(|seat| self.train(seat)).collect()
    }

    fn train(&mut self, seat: &Seat) -> anyhow::Result<Trained> {
        let Seat { seat, correction } = seat;
        let lost = || format!("the trainer ended while it trained seat {seat}; its own words are above");
        if let (Some(requests), false) = (&mut self.requests, correction.is_empty()) {
            requests.write_all(correction).and_then(|()| requests.flush()).with_context(lost)?;
        }
        let answer: Answer = read_head(&mut self.answers).with_context(lost)?.with_context(lost)?;
        let update = read_blob(&mut self.answers, answer.update).with_context(lost)?;
        match answer.samples {
            Ok(samples) => Ok(Trained { seat: *seat, samples, update }),
            Err(reason) => bail!("seat {seat}: {reason}"),
        }
    }

    fn ask(&mut self, head: &Request, blobs: &[&[u8]]) -> anyhow::Result<()> {
        let requests = self.requests.as_mut().context("the trainer takes requests until it is dropped")?;
        write_frame(requests, head, blobs).context("handing a job to the trainer; its own words are above")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without input the trainer ends; one that does not is ended.
        drop(self.requests.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
