//! Exact methods in the rounds of a session: the coefficients of scikit-learn (`script/exact-vectors.py`), to the same bits on every
//! partition, and what keepers drop.

use parity_learning::{
    defaults,
    exact::{self, Coefficients, Problem},
    holdout::Holdout,
    partition,
    round::{Judge, UpdateContent, UpdateInput},
    table::{Labels, Table},
    weights::{AnyPredictor, Weights, aggregate, check_update, model_limit, update_limit},
};
use parity_protocol::{
    Address, B256, Link,
    compression::Compression,
    device::Determinism,
    job::{Job, JobKind},
    manifest::{Artifact, Rejection, UpdateManifest},
    metrics::Metrics,
    model::Model,
    schema::{Scaling, Task},
    spec::{Data, SessionSpec},
    training::Optimizer,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::round;

/// Deals that leave seats very different rows.
const PARTITIONS: [(&str, usize); 5] =
    [("iid", 1), ("iid", 4), ("dirichlet:0.1", 3), ("label-skew:2", 5), ("quantity-skew:0.3", 5)];

#[derive(Deserialize)]
struct Case {
    name: String,
    ridge: f64,
    x: Vec<f32>,
    labels: CaseLabels,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    statistics: [f64; 2],
    weight: Vec<f64>,
    bias: Vec<f64>,
}

#[derive(Deserialize)]
enum CaseLabels {
    Classes(Vec<i64>),
    Numbers(Vec<f32>),
}

fn cases() -> Vec<(Case, SessionSpec, Table)> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../vectors/exact.json")).unwrap();
    assert_eq!(cases.len(), 10);
    let ready = |case: Case| {
        let labels = match &case.labels {
            CaseLabels::Classes(classes) => Labels::Classes(classes.clone()),
            CaseLabels::Numbers(numbers) => Labels::Numbers(numbers.clone()),
        };
        let table = Table { features: case.mean.len(), x: case.x.clone(), labels };
        let scaling = Scaling { mean: case.mean.clone(), deviation: case.deviation.clone(), limit: None };
        let spec = spec(&table, scaling, case.statistics, case.ridge);
        (case, spec, table)
    };
    cases.into_iter().map(ready).collect()
}

fn spec(table: &Table, scaling: Scaling, [mean, deviation]: [f64; 2], ridge: f64) -> SessionSpec {
    let mut spec = round::spec();
    let column = spec.schema.columns[0].clone();
    spec.schema.columns = vec![column; table.features];
    spec.scaling = scaling;
    (spec.schema.label.task, spec.model, spec.training.optimizer) = match &table.labels {
        Labels::Classes(classes) => {
            let names = (0..=*classes.iter().max().unwrap()).map(|class| class.to_string()).collect();
            (Task::Classification { classes: names }, Model::LogisticRegression {}, Optimizer::Newton { ridge })
        }
        Labels::Numbers(_) => {
            (Task::Regression { mean, deviation }, Model::LinearRegression {}, Optimizer::LeastSquares { ridge })
        }
    };
    spec
}

/// The rows of every seat, and the spec that says how many they are.
fn dealt(mut spec: SessionSpec, table: &Table, partition: &str, seats: usize) -> (SessionSpec, Vec<Table>) {
    let rows = partition::partition(&table.labels, partition.parse().unwrap(), seats, 3).unwrap();
    if let Data::Uploaded { shard_rows, .. } = &mut spec.data {
        *shard_rows = rows.iter().map(|rows| u64::try_from(rows.len()).unwrap()).collect();
    }
    spec.validate().unwrap();
    (spec, rows.iter().map(|rows| table.select(rows)).collect())
}

fn input(round: u16, seat: u16, samples: u64, file: Vec<u8>) -> UpdateInput {
    let operator = Address::repeat_byte(0xf0 - u8::try_from(seat).unwrap());
    let weights = Artifact { link: Link::from_digest(B256::ZERO), bytes: 0, envelopes: vec![] };
    let (training, holdout) = (Metrics::default(), None);
    let determinism = Determinism::Everywhere;
    let manifest =
        UpdateManifest { session: 1, round, seat, operator, weights, samples, training, determinism, holdout };
    let content = Ok(UpdateContent { manifest, weights: file.into() });
    UpdateInput { operator, seat, digest: B256::ZERO, samples, posted: seat.into(), content }
}

fn told(spec: &SessionSpec, model: &Weights, round: u16, shards: &[Table]) -> Vec<UpdateInput> {
    let tell = |(seat, rows): (u16, &Table)| {
        let job = Job::of_spec(spec, JobKind::Train { training: spec.training.clone(), round, seat }, 1);
        assert!(exact::is_job(&job, None));
        let file = exact::do_job(&job, rows, Some(&model.to_bytes())).unwrap().0.unwrap();
        let samples = u64::try_from(rows.rows()).unwrap();
        assert!(file.len() <= update_limit(spec));
        assert_eq!(check_update(spec, model, seat, samples, &file), Ok(()));
        input(round, seat, samples, file)
    };
    (0..).zip(shards).map(tell).collect()
}

/// The next model, read back from its file.
fn after(spec: &SessionSpec, round: u16, model: &Weights, inputs: Vec<UpdateInput>) -> Weights {
    let outcome = aggregate(spec, 1, round, model, None, inputs, Judge::Blind).unwrap();
    assert!(outcome.rejected.is_empty());
    let bytes = outcome.model.to_bytes();
    assert!(bytes.len() <= model_limit(spec));
    let read = Weights::of_spec(&bytes, spec).unwrap();
    assert_eq!(read, outcome.model);
    read
}

/// The model after so many rounds.
fn session(spec: &SessionSpec, shards: &[Table], rounds: u16) -> Weights {
    (1..=rounds).fold(Weights::initial(spec).unwrap(), |model, round| {
        after(spec, round, &model, told(spec, &model, round, shards))
    })
}

/// Every case with its model after so many rounds.
pub(crate) fn solved(rounds: u16) -> Vec<(SessionSpec, Table, Weights)> {
    let solve = |(_, spec, table): (Case, SessionSpec, Table)| {
        let (spec, shards) = dealt(spec, &table, "iid", 1);
        let model = session(&spec, &shards, rounds);
        (spec, table, model)
    };
    cases().into_iter().map(solve).collect()
}

fn coefficients(model: &Weights) -> &Coefficients {
    let Weights::Coefficients(coefficients) = model else { panic!("coefficients expected") };
    coefficients
}

/// The largest difference to the vector. With two classes, scikit-learn has one output: the second class less the first.
fn difference(case: &Case, model: &Coefficients) -> f64 {
    let as_there = |values: &[f64], there: usize| -> Vec<f64> {
        let (first, second) = values.split_at(values.len() / 2);
        if values.len() == there { values.to_vec() } else { second.iter().zip(first).map(|(b, a)| b - a).collect() }
    };
    let pairs = [(model.weight(), &case.weight), (model.bias(), &case.bias)];
    let far = |(ours, theirs): (&[f64], &Vec<f64>)| {
        let ours = as_there(ours, theirs.len());
        assert_eq!(ours.len(), theirs.len());
        ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    pairs.into_iter().map(far).fold(0.0, f64::max)
}

#[test]
fn least_squares_has_the_coefficients_of_scikit_learn_after_one_round_on_every_partition() {
    for (case, spec, table) in cases().iter().filter(|(_, _, table)| matches!(table.labels, Labels::Numbers(_))) {
        let mut seen = None;
        for (partition, seats) in PARTITIONS {
            let (spec, shards) = dealt(spec.clone(), table, partition, seats);
            let model = session(&spec, &shards, 1);
            let difference = difference(case, coefficients(&model));
            assert!(difference < 1e-10, "{}, {partition}: {difference:e}", case.name);
            assert!(coefficients(&model).is_solved());
            assert!(*seen.get_or_insert_with(|| model.to_bytes()) == model.to_bytes(), "{}, {partition}", case.name);
        }
    }
}

#[test]
fn newton_has_the_coefficients_of_scikit_learn_within_ten_rounds_on_every_partition() {
    for (case, spec, table) in cases().iter().filter(|(_, _, table)| matches!(table.labels, Labels::Classes(_))) {
        let mut seen = None;
        for (partition, seats) in PARTITIONS {
            let (spec, shards) = dealt(spec.clone(), table, partition, seats);
            let model = session(&spec, &shards, 10);
            let difference = difference(case, coefficients(&model));
            assert!(difference < 1e-5, "{}, {partition}: {difference:e}", case.name);
            assert!(*seen.get_or_insert_with(|| model.to_bytes()) == model.to_bytes(), "{}, {partition}", case.name);
        }
        let (spec, shards) = dealt(spec.clone(), table, "iid", 3);
        let model = session(&spec, &shards, 14);
        let difference = self::difference(case, coefficients(&model));
        assert!(coefficients(&model).is_solved() && difference < 1e-9, "{}: {difference:e}", case.name);
    }
}

#[test]
fn rounds_after_the_solution_are_empty_and_change_nothing() {
    let (_, spec, table) = cases().swap_remove(0);
    let (spec, shards) = dealt(spec, &table, "iid", 3);
    let solved = session(&spec, &shards, 1);
    let inputs = told(&spec, &solved, 2, &shards);
    assert!(inputs.iter().all(|input| input.content.as_ref().unwrap().weights.is_empty()));
    let outcome = aggregate(&spec, 1, 2, &solved, None, inputs, Judge::Blind).unwrap();
    assert_eq!((outcome.model, outcome.accepted.len()), (solved.clone(), 3));
    assert_eq!(aggregate(&spec, 1, 3, &solved, None, vec![], Judge::Blind).unwrap().model, solved);
}

#[test]
fn a_seat_that_comes_late_is_still_counted() {
    for at in [0, 4] {
        let (_, spec, table) = cases().swap_remove(at);
        let (spec, shards) = dealt(spec, &table, "iid", 3);
        let start = Weights::initial(&spec).unwrap();
        let mut model = after(&spec, 1, &start, told(&spec, &start, 1, &shards[..2]));
        assert!(!coefficients(&model).is_solved());
        for round in 2..=10 {
            model = after(&spec, round, &model, told(&spec, &model, round, &shards));
        }
        let whole = session(&spec, &shards, 10);
        let pairs = coefficients(&model).weight().iter().zip(coefficients(&whole).weight());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-10);
        assert!(coefficients(&model).is_solved());
    }
}

#[test]
fn order_and_threads_change_no_bit() {
    for at in [1, 8] {
        let (_, spec, table) = cases().swap_remove(at);
        let (spec, shards) = dealt(spec, &table, "dirichlet:0.5", 5);
        let alone = session(&spec, &shards, 3);
        let turned = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                (1..=3).fold(Weights::initial(&spec).unwrap(), |model, round| {
                    let mut inputs = told(&spec, &model, round, &shards);
                    inputs.rotate_left(threads % 5);
                    after(&spec, round, &model, inputs)
                })
            })
        };
        assert!([1, 2, 7].iter().all(|threads| turned(*threads).to_bytes() == alone.to_bytes()));
    }
}

#[test]
fn many_rows_are_summed_in_blocks() {
    let rows: u16 = 3_000;
    let x: Vec<f32> = (0..rows).flat_map(|row| [f32::from(row % 97), f32::from(row % 31)]).collect();
    let numbers = x.chunks(2).map(|row| 0.25 * row[0] - 2.0 * row[1] + 3.0).collect();
    let table = Table { features: 2, x, labels: Labels::Numbers(numbers) };
    let spec = spec(&table, Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None }, [0.0, 1.0], 0.0);
    let (spec, shards) = dealt(spec, &table, "iid", 2);
    let model = session(&spec, &shards, 1);
    let found = [coefficients(&model).weight(), coefficients(&model).bias()].concat();
    assert!(found.iter().zip([0.25, -2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    let metrics = AnyPredictor::of_spec(&spec, &model).unwrap().evaluate(&table).unwrap().metrics;
    assert!(metrics.r2.unwrap() > 1.0 - 1e-12);
}

#[test]
fn rows_beyond_the_cap_of_a_private_session_count_less() {
    let (_, mut spec, table) = cases().swap_remove(0);
    let half: Vec<usize> = (0..30).collect();
    let shards = [table.select(&half), table.select(&[half.clone(), half.clone()].concat())];
    spec.data = Data::Private { max_samples: 30 };
    let start = Weights::initial(&spec).unwrap();
    let outcome = aggregate(&spec, 1, 1, &start, None, told(&spec, &start, 1, &shards), Judge::Blind).unwrap();
    assert!(outcome.accepted.iter().all(|update| update.samples == 30));
    // Twice the same rows, capped to half, are the same rows.
    let alone = session(&spec, &shards[..1], 1);
    let pairs = coefficients(&outcome.model).weight().iter().zip(coefficients(&alone).weight());
    assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-12);
}

#[test]
fn a_bad_update_is_dropped_with_its_reason_and_changes_nothing() {
    for at in [0, 4] {
        let (_, spec, table) = cases().swap_remove(at);
        let (spec, shards) = dealt(spec, &table, "iid", 3);
        let start = Weights::initial(&spec).unwrap();
        let samples = u64::try_from(shards[2].rows()).unwrap();
        let good = || told(&spec, &start, 1, &shards[..2]);
        let clean = aggregate(&spec, 1, 1, &start, None, good(), Judge::Blind).unwrap();
        let own = told(&spec, &start, 1, &shards)[2].content.as_ref().unwrap().weights.to_vec();
        let reason = |samples: u64, change: &dyn Fn(&mut Vec<u8>)| {
            let mut file = own.clone();
            change(&mut file);
            let mut inputs = good();
            inputs.insert(0, input(1, 2, samples, file));
            let outcome = aggregate(&spec, 1, 1, &start, None, inputs, Judge::Blind).unwrap();
            assert_eq!(outcome.model, clean.model);
            outcome.rejected[0].reason.clone()
        };
        let malformed = Rejection::Malformed { part: "weights".into() };
        assert_eq!(reason(samples, &|file| file.clear()), malformed);
        assert_eq!(reason(samples, &|file| file.push(0)), malformed);
        assert_eq!(reason(samples, &|file| file[0] ^= 1), malformed);
        assert_eq!(reason(samples, &|file| file[5] ^= 1), malformed);
        // The last sum is one of squares: negative, then too large.
        assert_eq!(reason(samples, &|file| *file.last_mut().unwrap() = 0xff), malformed);
        assert_eq!(reason(samples, &|file| *file.last_mut().unwrap() = 0x7f), malformed);
        assert_eq!(reason(samples + 1, &|_| ()), Rejection::WrongSamples);
        let problem = Problem::of_spec(&spec).unwrap();
        let fewer = told(&spec, &start, 1, &shards[..1])[0].content.as_ref().unwrap().weights.to_vec();
        let seats = [samples, u64::try_from(shards[0].rows()).unwrap()];
        if seats[0] != seats[1] {
            assert_eq!(reason(samples, &|file| file.clone_from(&fewer)), Rejection::WrongSamples);
        }
        assert_eq!(own.len(), exact::Sums::bytes_of(&problem));
    }
}

#[test]
fn sums_that_would_throw_the_model_out_of_bounds_leave_it_where_it_is() {
    let (_, mut spec, table) = cases().swap_remove(4);
    spec.training.optimizer = Optimizer::Newton { ridge: f64::MIN_POSITIVE };
    let (spec, shards) = dealt(spec, &table, "iid", 1);
    let start = Weights::initial(&spec).unwrap();
    let mut hostile = told(&spec, &start, 1, &shards);
    let file = hostile[0].content.as_ref().unwrap().weights.to_vec();
    // Rows, loss and a gradient without any curvature: the step is as long as the ridge is weak.
    let gradient = 6 + 16 * (2 + 6);
    let file = [&file[..gradient], &vec![0; file.len() - gradient]].concat();
    hostile[0].content.as_mut().unwrap().weights = file.into();
    let outcome = aggregate(&spec, 1, 1, &start, None, hostile, Judge::Blind).unwrap();
    assert_eq!((outcome.accepted.len(), &outcome.model), (1, &start));
}

#[test]
fn specs_and_models_that_make_no_sense_are_refused() {
    let (_, good, table) = cases().swap_remove(0);
    let (good, shards) = dealt(good, &table, "iid", 3);
    let refused = |change: &dyn Fn(&mut SessionSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        spec.validate().unwrap_err().to_string()
    };
    for rule in ["median", "fedadam", "sample:0.5", "scaffold", "fednova"] {
        assert!(refused(&|spec| spec.aggregation = rule.parse().unwrap()).contains("aggregation"), "{rule}");
    }
    assert!(
        refused(&|spec| spec.training.optimizer = Optimizer::Newton { ridge: 1.0 }).contains("logistic_regression")
    );
    assert!(refused(&|spec| spec.training.optimizer = Optimizer::LeastSquares { ridge: -1.0 }).contains("ridge is -1"));
    assert!(refused(&|spec| spec.compression = Compression::Steps {}).contains("compression is int8"));
    let wide = refused(&|spec| {
        spec.schema.columns = vec![spec.schema.columns[0].clone(); 2_000];
        spec.scaling = Scaling { mean: vec![0.0; 2_000], deviation: vec![1.0; 2_000], limit: None };
    });
    assert!(wide.contains("2001 unknowns") && wide.contains("2000"), "{wide}");

    let mut descent = good.clone();
    descent.training.optimizer = Optimizer::Adam { learning_rate: 0.1 };
    let (exact, trained) = (Weights::initial(&good).unwrap(), Weights::initial(&descent).unwrap());
    assert!(Weights::of_spec(&exact.to_bytes(), &descent).unwrap_err().to_string().contains("F64"));
    assert!(Weights::of_spec(&trained.to_bytes(), &good).unwrap_err().to_string().contains("F32"));
    // A card does not say how its model was made: the file does.
    assert_eq!(Weights::from_bytes(&trained.to_bytes(), &good.model, 1 << 20).unwrap(), trained);
    assert_eq!(Weights::from_bytes(&exact.to_bytes(), &good.model, 1 << 20).unwrap(), exact);

    let mut far = shards[0].clone();
    far.x[1] = 1e12;
    let job = Job::of_spec(&good, JobKind::Train { training: good.training.clone(), round: 1, seat: 0 }, 1);
    let message = exact::do_job(&job, &far, None).unwrap_err().to_string();
    assert!(message.contains("feature 1 of row 0") && message.contains("adam"), "{message}");
    let evaluate = Job::of_spec(&good, JobKind::Evaluate {}, 1);
    assert!(exact::is_job(&evaluate, Some(&exact.to_bytes())) && !exact::is_job(&evaluate, Some(&trained.to_bytes())));
    assert!(exact::do_job(&evaluate, &table, None).is_err());
}

#[test]
fn the_methods_are_the_defaults_of_their_models_where_they_are_affordable() {
    let default = |model: &Model, features| defaults::exact(model, features, 3);
    assert_eq!(default(&Model::LinearRegression {}, 30), Some(Optimizer::LeastSquares { ridge: 0.0 }));
    assert_eq!(default(&Model::LogisticRegression {}, 30), Some(Optimizer::Newton { ridge: 1.0 }));
    assert_eq!(default(&Model::LogisticRegression {}, 784), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Heavy tails and weak ridges, on which undamped Newton runs away.
    #[test]
    fn newton_ends_at_the_minimum_whatever_the_data(
        rows in prop::collection::vec((-1.5_f64..1.5, -1.5_f64..1.5, any::<bool>()), 6..40),
        scale in -1_i32..4,
        weak in 0_i32..5,
    ) {
        let cauchy = |angle: f64| angle.tan();
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let x: Vec<f32> =
            rows.iter().flat_map(|(a, b, _)| [cauchy(*a) * 10_f64.powi(scale), cauchy(*b)]).map(|v| v as f32).collect();
        let mut classes: Vec<i64> = rows.iter().map(|(_, _, class)| i64::from(*class)).collect();
        (classes[0], classes[1]) = (0, 1);
        let table = Table { features: 2, x, labels: Labels::Classes(classes) };
        let scaling = Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None };
        let (spec, shards) = dealt(spec(&table, scaling, [0.0, 1.0], 10_f64.powi(-weak)), &table, "iid", 2);
        let model = session(&spec, &shards, 60);
        prop_assert!(coefficients(&model).is_solved());
        // One more step from the solution, as if it were not known to be one, goes nowhere.
        let ahead = gradient(&table, coefficients(&model), 10_f64.powi(-weak));
        prop_assert!(ahead < 1e-6, "{ahead:e}");
    }
}

/// The largest slope of the objective of two classes, relative to the sum of its terms.
fn gradient(table: &Table, model: &Coefficients, ridge: f64) -> f64 {
    let Labels::Classes(classes) = &table.labels else { panic!("classes expected") };
    let (weight, bias) = (model.weight(), model.bias());
    let w: Vec<f64> = (0..2).map(|j| weight[2 + j] - weight[j]).chain([bias[1] - bias[0]]).collect();
    let mut slopes: Vec<(f64, f64)> =
        w.iter().take(2).map(|w| (ridge * w, (ridge * w).abs())).chain([(0.0, 0.0)]).collect();
    for (row, class) in classes.iter().enumerate() {
        let values: Vec<f64> = table.row(row).iter().map(|v| f64::from(*v)).chain([1.0]).collect();
        let logit: f64 = values.iter().zip(&w).map(|(v, w)| v * w).sum();
        let residual = 1.0 / (1.0 + (-logit).exp()) - if *class == 1 { 1.0 } else { 0.0 };
        slopes
            .iter_mut()
            .zip(&values)
            .for_each(|(slope, v)| *slope = (slope.0 + residual * v, slope.1 + (residual * v).abs()));
    }
    slopes.iter().map(|(sum, size)| sum.abs() / size.max(1e-9)).fold(0.0, f64::max)
}

#[test]
fn seats_are_scored_by_what_the_solution_loses_without_their_sums() {
    // The third seat has made its numbers up, the fourth tells what the first has told.
    let rows = |from: u16, sign: f32| {
        let x: Vec<f32> = (from..from + 60).flat_map(|row| [f32::from(row % 13), f32::from(row % 7)]).collect();
        let numbers = x.chunks(2).map(|row| sign * (2.0 * row[0] - row[1])).collect();
        Table { features: 2, x, labels: Labels::Numbers(numbers) }
    };
    let shards = [rows(0, 1.0), rows(60, 1.0), rows(120, -1.0), rows(0, 1.0)];
    let all = rows(0, 1.0);
    let spec = spec(&all, Scaling { mean: vec![6.0, 3.0], deviation: vec![4.0, 2.0], limit: None }, [0.0, 1.0], 0.0);
    let (mut spec, _) = dealt(spec, &all, "iid", 4);
    let Data::Uploaded { shard_rows, .. } = &mut spec.data else { panic!("the rows were dealt") };
    shard_rows.fill(60);
    let start = Weights::initial(&spec).unwrap();
    let holdout = Holdout::new(&spec, rows(200, 1.0)).unwrap();
    let score = |judge: Judge<'_>| {
        let outcome = aggregate(&spec, 1, 1, &start, None, told(&spec, &start, 1, &shards), judge).unwrap();
        let mut scores: Vec<(u16, u32)> = outcome.accepted.iter().map(|update| (update.seat, update.score)).collect();
        scores.sort_unstable();
        scores.into_iter().map(|(_, score)| score).collect::<Vec<_>>()
    };
    let scores = score(Judge::Holdout(&holdout));
    assert!(scores[0] > 0 && scores[1] > 0 && scores.contains(&10_000), "{scores:?}");
    assert_eq!(scores[2..], [0, 0]);
    assert_eq!(score(Judge::Blind), [10_000, 10_000, 10_000, 0]);
}
