//! Many jobs in one process, for simulations.

use std::{
    io::{BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use parity_learning::model::initial_of;
use parity_protocol::{
    job::{DETERMINISM_ENV, Job},
    worker::{Answer, Request, SERVE, read_blob, read_head, write_frame},
};

use crate::jobs::{ring_job, rings, run, train};

struct Server {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parity-trainer"));
        command.arg(SERVE).envs(DETERMINISM_ENV).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, head: &Request, blobs: &[&[u8]]) {
        write_frame(self.child.stdin.as_mut().unwrap(), head, blobs).unwrap();
    }

    fn train(&mut self, job: &Job) -> (Answer, Vec<u8>) {
        let model = initial_of(&job.model, 2, 3, 5).to_bytes();
        let head = Request::Train { job: Box::new(job.clone()), model: model.len() as u64, correction: 0 };
        self.ask(&head, &[&model]);
        let answer: Answer = read_head(&mut self.answers).unwrap().unwrap();
        let update = read_blob(&mut self.answers, answer.update).unwrap();
        (answer, update)
    }
}

#[test]
fn served_jobs_give_the_bytes_of_single_ones() {
    let mut server = Server::start();
    let table = rings().to_safetensors();
    for seat in [0, 1] {
        server.ask(&Request::Data { seat, table: table.len() as u64 }, &[&table]);
    }
    for (round, seat) in [(1, 0), (2, 1), (1, 0)] {
        let job = ring_job(train(3, round, seat));
        let (answer, update) = server.train(&job);
        let single = run(&job, &rings(), None);
        assert!(update == single.bytes);
        assert_eq!(answer.outcome.unwrap().metrics, single.result.metrics);
    }
    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_job_that_cannot_be_done_is_answered_and_the_next_one_is_done() {
    let mut server = Server::start();
    let (answer, update) = server.train(&ring_job(train(1, 1, 4)));
    assert!(answer.outcome.unwrap_err().contains("seat 4 has no rows"));
    assert!(update.is_empty());
    let table = rings().to_safetensors();
    server.ask(&Request::Data { seat: 4, table: table.len() as u64 }, &[&table]);
    let wrong = Job { threads: 0, ..ring_job(train(1, 1, 4)) };
    assert!(server.train(&wrong).0.outcome.unwrap_err().contains("threads"));
    assert!(server.train(&ring_job(train(1, 1, 4))).0.outcome.is_ok());
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
