//! Seconds of the aggregation rules, mathematics only, and the speed of memory in the same run.
//!
//! One JSON line per measurement: the median of several runs, and the share of the machine's read bandwidth that the bytes of the
//! inputs amount to. It is no divan bench because that share needs two measurements at once. `script/bench aggregation` runs it
//! beside numpy. `--small` is for trying it out.

#![expect(clippy::print_stdout, reason = "the output of a benchmark")]

use std::{hint::black_box, time::Instant};

use parity_learning::{
    aggregate::{Mean, Models, Weighted, fed_avg, geometric_median, krum, median, multi_krum, trimmed_mean},
    tensors::{Tensor, Tensors},
};
use rayon::prelude::*;

/// Runs of each rule; the median counts.
const RUNS: usize = 5;

fn main() {
    let small = std::env::args().any(|argument| argument == "--small");
    let scale = if small { 100 } else { 1 };
    let (large, usual) = (10_000_000 / scale, 1_000_000 / scale);

    let models = models(100, large);
    let bandwidth = bandwidth(&models);
    println!(r#"{{"name":"memory read","gigabytes_per_second":{:.2}}}"#, bandwidth / 1e9);
    let bench = |name: &str, goal: f64, inputs: &[Weighted<'_>], rule: &mut dyn FnMut(&[Weighted<'_>])| {
        let bytes: usize = inputs.iter().map(|input| 4 * input.model.values()).sum();
        let seconds = median_seconds(|| rule(inputs));
        let share = float(bytes) / seconds / bandwidth;
        println!(r#"{{"name":"{name}","seconds":{seconds:.4},"goal":{goal},"share_of_bandwidth":{share:.3}}}"#);
    };

    let inputs = weighted(&models);
    bench("fedavg 100 x 10M", 0.25, &inputs, &mut |inputs| drop(black_box(fed_avg(inputs))));
    bench("fedavg 100 x 10M, arriving in batches of 8", 0.0, &inputs, &mut |inputs| {
        let mut mean = Mean::new();
        inputs.chunks(8).for_each(|batch| mean.add(batch).expect("the models are alike"));
        drop(black_box(mean.finish()));
    });
    drop(models);

    let models = self::models(100, usual);
    let inputs = weighted(&models);
    bench("fedavg 100 x 1M", 0.02, &inputs, &mut |inputs| drop(black_box(fed_avg(inputs))));
    let inputs = &inputs[..50];
    let with = |rule: fn(&Models<'_>) -> Tensors| {
        move |inputs: &[Weighted<'_>]| drop(black_box(rule(&Models::new(inputs).expect("the models are alike"))))
    };
    bench("median 50 x 1M", 0.05, inputs, &mut with(median));
    bench("trimmed mean 50 x 1M", 0.05, inputs, &mut with(|models| trimmed_mean(models, 0.2)));
    bench("krum 50 x 1M", 0.1, inputs, &mut with(|models| krum(models, 10)));
    bench("multi-krum 50 x 1M", 0.0, inputs, &mut with(|models| multi_krum(models, 10, 40)));
    bench("geometric median 50 x 1M", 0.0, inputs, &mut with(geometric_median));
}

/// Bytes per second of all threads adding up the models' bits, the best of several runs.
fn bandwidth(models: &[Tensors]) -> f64 {
    let bytes: usize = models.iter().map(|model| 4 * model.values()).sum();
    let read = || {
        let sums = models
            .par_iter()
            .flat_map(|model| model.0["w"].data.par_chunks(1 << 16))
            .map(|chunk| chunk.iter().fold(0_u32, |sum, value| sum.wrapping_add(value.to_bits())));
        black_box(sums.reduce(|| 0, u32::wrapping_add));
    };
    let best = (0..RUNS).map(|_| seconds(read)).fold(f64::INFINITY, f64::min);
    float(bytes) / best
}

fn median_seconds(mut run: impl FnMut()) -> f64 {
    run();
    let mut times: Vec<f64> = (0..RUNS).map(|_| seconds(&mut run)).collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

fn seconds(mut run: impl FnMut()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64()
}

/// Models around 0, different in every value.
fn models(count: usize, length: usize) -> Vec<Tensors> {
    let model = |index: usize| {
        let mut state = u32::try_from(index).expect("few models").wrapping_mul(0x9e37_79b9) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let [.., a, b] = state.to_be_bytes();
            (f32::from(u16::from_be_bytes([a, b])) - 32_768.0) / 32_768.0
        };
        let data = (0..length).map(|_| next()).collect();
        Tensors([("w".to_owned(), Tensor { shape: vec![length], data })].into())
    };
    (0..count).into_par_iter().map(model).collect()
}

fn weighted(models: &[Tensors]) -> Vec<Weighted<'_>> {
    models.iter().zip(30..).map(|(model, weight)| Weighted { model, weight }).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of bytes for a ratio")]
fn float(bytes: usize) -> f64 {
    bytes as f64
}
