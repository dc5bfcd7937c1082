//! What a small hostile file may cost: memory in proportion to its length or to a stated limit, whatever sizes it claims.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use parity_learning::{
    compress,
    exact::{Coefficients, Problem, Sums},
    forest::Forest,
    table::Table,
    tensors::{Tensor, Tensors},
};
use parity_protocol::{
    compression::Compression,
    device::Device,
    job::{Job, JobKind},
    model::Model,
    schema::{Scaling, Task},
    spec::SessionSpec,
    training::{MAX_UNKNOWNS, Optimizer, Schedule, Training},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most bytes that reading may take beside the file: far below what the files claim, far above what errors need.
const MOST: usize = 4 << 20;

/// Runs a reader and checks how much memory it took at most.
fn within(name: &str, read: impl FnOnce() -> bool) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    assert!(!read(), "{name}: the file must be refused");
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(taken < MOST, "{name}: {taken} bytes were taken");
}

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

/// The largest problem that an exact method is given.
fn largest_problem() -> Problem {
    let training = Training {
        optimizer: Optimizer::LeastSquares { ridge: 0.0 },
        schedule: Schedule::Constant {},
        epochs: 1,
        batch_size: 1,
        proximal: 0.0,
        seed: 0,
    };
    let job = Job {
        kind: JobKind::Train { training, round: 1, seat: 0 },
        model: Model::LinearRegression {},
        features: MAX_UNKNOWNS - 1,
        outputs: 1,
        task: Task::Regression { mean: 0.0, deviation: 1.0 },
        scaling: Scaling { mean: vec![], deviation: vec![], limit: None },
        threads: 1,
        device: Device::Cpu,
    };
    Problem::of_job(&job).unwrap()
}

// One test, because the allocator counts for all threads.
#[test]
fn claims_of_size_take_no_memory() {
    let huge = safetensors(r#"{"w":{"dtype":"F32","shape":[4294967296,1024],"data_offsets":[0,17592186044416]}}"#, &[]);
    within("tensors", || Tensors::from_bytes(&huge, 1 << 20).is_ok());
    within("table", || Table::from_safetensors(&huge).is_ok());
    within("long header", || Tensors::from_bytes(&[0xff; 64], 1 << 20).is_ok());
    within("too long a file", || Tensors::from_bytes(&vec![0; 2 << 20], 1 << 20).is_ok());

    let doubles =
        safetensors(r#"{"layers.0.bias":{"dtype":"F64","shape":[4294967296],"data_offsets":[0,34359738368]}}"#, &[]);
    within("coefficients", || Coefficients::from_bytes(&doubles, 1 << 20).is_ok());
    let problem = largest_problem();
    assert_eq!(Sums::bytes_of(&problem), 32_048_022);
    within("sums", || Sums::from_bytes(b"PRSU\x01\x00", &problem).is_ok());
    let long = vec![0; Sums::bytes_of(&problem) + 1];
    within("too many sums", || Sums::from_bytes(&long, &problem).is_ok());

    // Arrays, maps, texts and bytes of 2^63 elements, as DAG-CBOR would announce them.
    for kind in [0x9b, 0xbb, 0x7b, 0x5b] {
        within("spec", || SessionSpec::read(&[&[kind, 0x7f][..], &[0xff; 7], &[0; 32]].concat()).is_ok());
    }

    // Version 1, then counts as large as the format can write them.
    for start in [&b"PRFO\x01"[..], b"PRFO\x01\x06\x03\x00", b"PRFO\x01\x06\x02\x01"] {
        within("forest", || Forest::from_bytes(&[start, &[0xff; 9], &[0x7f; 40]].concat(), 1 << 24).is_ok());
    }

    let start = Tensors([("w".into(), Tensor { shape: vec![4], data: vec![0.0; 4] })].into());
    for (method, compression) in [(1, Compression::Steps {}), (2, Compression::Largest { share: 1.0 })] {
        let bytes = [&[1, method][..], &[0xff; 60]].concat();
        within("compressed", || compress::decode(compression, &bytes, &start).is_ok());
    }
}
