//! Many jobs in one process, for simulations.

use std::{
    io::{BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use parity_learning::model::initial_of;
use parity_protocol::{
    job::{DETERMINISM_ENV, Job, JobKind},
    worker::{Answer, Request, SERVE, Turn, read_blob, read_head, write_frame},
};

use crate::jobs::{ring_job, rings, run, train};

struct Server {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parity-trainer"));
        command.arg(SERVE).envs(DETERMINISM_ENV);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, head: &Request, blobs: &[&[u8]]) {
        write_frame(self.child.stdin.as_mut().unwrap(), head, blobs).unwrap();
    }

    fn begin(&mut self, job: &Job, seats: &[u16]) {
        self.ask(&Request::Session { job: Box::new(job.clone()) }, &[]);
        let table = rings().to_safetensors();
        for &seat in seats {
            self.ask(&Request::Data { seat, table: table.len() as u64 }, &[&table]);
        }
    }

    /// Trains seats from the initial weights.
    fn train(&mut self, job: &Job, round: u16, seats: &[u16]) -> Vec<(Answer, Vec<u8>)> {
        let model = initial_of(&job.model, 2, 3, 5).to_bytes();
        let turns = seats.iter().map(|seat| Turn { seat: *seat, correction: 0 }).collect();
        self.ask(&Request::Train { round, model: model.len() as u64, turns }, &[&model]);
        let answer = |_: &u16| {
            let answer: Answer = read_head(&mut self.answers).unwrap().unwrap();
            let update = read_blob(&mut self.answers, answer.update).unwrap();
            (answer, update)
        };
        seats.iter().map(answer).collect()
    }

    /// Its words when it ends by itself.
    fn last_words(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn served_jobs_give_the_bytes_of_single_ones() {
    let mut server = Server::start();
    server.begin(&ring_job(train(3, 1, 0)), &[0, 1]);
    for (round, seats) in [(1, &[0][..]), (2, &[1, 0]), (1, &[0])] {
        let answers = server.train(&ring_job(train(3, round, 0)), round, seats);
        for ((answer, update), seat) in answers.into_iter().zip(seats) {
            let single = run(&ring_job(train(3, round, *seat)), &rings(), None);
            assert!(update == single.bytes, "round {round}, seat {seat}");
            assert_eq!(answer.samples, Ok(single.result.samples));
        }
    }
    // Another session in the same process.
    let other = ring_job(train(1, 1, 0));
    server.begin(&other, &[0]);
    assert!(server.train(&other, 1, &[0])[0].1 == run(&other, &rings(), None).bytes);
    assert_eq!(server.last_words(), (Some(0), String::new()));
}

#[test]
fn a_turn_without_rows_is_answered_and_the_next_one_is_done() {
    let mut server = Server::start();
    let job = ring_job(train(1, 1, 0));
    server.begin(&job, &[4]);
    let answers = server.train(&job, 1, &[3, 4]);
    assert!(answers[0].0.samples.as_ref().unwrap_err().contains("seat 3 has no rows"));
    assert!(answers[0].1.is_empty());
    assert!(answers[1].1 == run(&ring_job(train(1, 1, 4)), &rings(), None).bytes);
}

#[test]
fn a_session_that_cannot_be_worked_on_ends_the_process_with_the_reason() {
    for (job, reason) in [
        (Job { threads: 0, ..ring_job(train(1, 1, 4)) }, "threads"),
        (ring_job(JobKind::Evaluate {}), "only training jobs"),
        (Job { outputs: 2, ..ring_job(train(1, 1, 4)) }, "outputs"),
    ] {
        let mut server = Server::start();
        server.begin(&job, &[]);
        let (code, words) = server.last_words();
        assert!(code == Some(2) && words.contains(reason), "{code:?}: {words}");
    }
}

#[test]
fn broken_frames_end_the_process_with_a_reason() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_parity-trainer"))
        .arg(SERVE)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[255; 64]).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("reading a request"));
}
