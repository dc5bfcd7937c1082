//! What honest seats, idle ones, copies and saboteurs are scored, with and without held-out rows.

use std::collections::BTreeMap;

use parity_learning::{
    attack::{Attack, Scene, Trigger},
    contribution::MAX_SCORE,
    holdout::{Holdout, digest},
    metrics, model,
    predict::Predictor,
    random::{Purpose, Stream},
    round::{Judge, RoundOutcome, UpdateInput, aggregate},
    table::{Labels, Table},
    tensors::{Tensor, Tensors},
};
use parity_protocol::{
    model::Model,
    schema::Task,
    spec::{Data, SessionSpec},
};

use crate::round::{self, ROUND, SESSION};

const CLASSES: usize = 8;
const FEATURES: usize = 40;
/// Rows of a seat.
const ROWS: usize = 60;
/// Seats 0 to 4 are honest.
const HONEST: u16 = 5;
const STILL: u16 = 5;
const NOISE: u16 = 6;
const COPY: u16 = 7;
const FLIPPED: u16 = 8;

/// A logistic regression with 328 parameters.
fn spec(rule: &str) -> SessionSpec {
    let mut spec = round::spec();
    let column = spec.schema.columns[0].clone();
    spec.schema.columns = vec![column; FEATURES];
    spec.schema.label.task = Task::Classification { classes: (0..CLASSES).map(|class| format!("c{class}")).collect() };
    spec.scaling.mean = vec![0.0; FEATURES];
    spec.scaling.deviation = vec![1.0; FEATURES];
    spec.model = Model::LogisticRegression {};
    spec.aggregation = rule.parse().unwrap();
    spec.data = Data::Uploaded {
        partition: parity_protocol::spec::Partition::Iid,
        min_samples: 1,
        overlap_ratio: 0.0,
        shard_rows: (0..9).map(|seat| 10 * (seat + 1)).collect(),
        holdout_rows: 200,
        holdout_digest: digest(&rows(99, 200).to_safetensors()),
    };
    spec.validate().unwrap();
    spec
}

/// Rows around a centre for every class.
fn rows(seed: u64, count: usize) -> Table {
    let mut centres = Stream::new(Purpose::Noise, 0, 0, 0);
    let centres: Vec<f32> = (0..CLASSES * FEATURES).map(|_| centres.unit() - 0.5).collect();
    let mut stream = Stream::new(Purpose::Noise, seed, 1, 0);
    let mut x = Vec::new();
    for row in 0..count {
        let class = row % CLASSES;
        x.extend(centres[class * FEATURES..(class + 1) * FEATURES].iter().map(|c| c + 2.0 * (stream.unit() - 0.5)));
    }
    let classes = (0..count).map(|row| i64::try_from(row % CLASSES).unwrap());
    Table { features: FEATURES, x, labels: Labels::Classes(classes.collect()) }
}

/// Some steps of gradient descent.
fn train(spec: &SessionSpec, start: &Tensors, table: &Table) -> Tensors {
    let Labels::Classes(labels) = &table.labels else { panic!("classes expected") };
    let mut model = start.clone();
    for _ in 0..10 {
        let outputs = Predictor::of_spec(spec, &model).unwrap().outputs(&table.x).unwrap();
        let mut slope: BTreeMap<&str, Vec<f32>> =
            model.0.iter().map(|(name, tensor)| (name.as_str(), vec![0.0; tensor.data.len()])).collect();
        for (row, logits) in outputs.chunks(CLASSES).enumerate() {
            let largest = logits.iter().copied().fold(f32::MIN, f32::max);
            let total: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
            for (class, logit) in logits.iter().enumerate() {
                let share = (logit - largest).exp() / total;
                let error = share - if labels[row] == i64::try_from(class).unwrap() { 1.0 } else { 0.0 };
                slope.get_mut("layers.0.bias").unwrap()[class] += error;
                let weight = &mut slope.get_mut("layers.0.weight").unwrap()[class * FEATURES..(class + 1) * FEATURES];
                weight.iter_mut().zip(table.row(row)).for_each(|(slope, x)| *slope += error * x);
            }
        }
        let step = 0.5 / f32::from(u16::try_from(table.rows()).unwrap());
        let slopes: Vec<(String, Vec<f32>)> = slope.into_iter().map(|(name, slope)| (name.to_owned(), slope)).collect();
        for (name, slope) in slopes {
            let data = &mut model.0.get_mut(&name).unwrap().data;
            data.iter_mut().zip(slope).for_each(|(weight, slope)| *weight -= step * slope);
        }
    }
    model
}

/// What honest seats, one that stands still, one that sends noise, one that copies seat 0 and one with flipped labels post.
fn updates(spec: &SessionSpec) -> Vec<UpdateInput> {
    let start = model::initial(spec);
    let table = |seat: u16| rows(u64::from(seat) + 1, ROWS);
    let honest: Vec<Tensors> = (0..HONEST).map(|seat| train(spec, &start, &table(seat))).collect();
    let flipped = Attack::LabelFlip.poison(&table(FLIPPED), 8, &Trigger::of(&table(FLIPPED)));
    let own = [honest[0].clone()];
    let scene = Scene { previous: &start, honest: &honest, own: &own, seed: 3, round: ROUND };
    let noise = Attack::FreeRider.craft(&scene).unwrap().remove(0);
    let mut models = honest.clone();
    models.extend([start.clone(), noise, honest[0].clone(), train(spec, &start, &flipped)]);
    models.iter().zip(0..).map(|(model, seat)| round::update(seat, model)).collect()
}

fn holdout(spec: &SessionSpec) -> Holdout {
    Holdout::of_spec(spec, &rows(99, 200).to_safetensors()).unwrap()
}

fn run(spec: &SessionSpec, inputs: Vec<UpdateInput>, judge: Judge<'_>) -> RoundOutcome {
    aggregate(spec, SESSION, ROUND, &model::initial(spec), None, inputs, judge).unwrap()
}

fn scores(outcome: &RoundOutcome) -> BTreeMap<u16, u32> {
    outcome.accepted.iter().map(|update| (update.seat, update.score)).collect()
}

/// Without those who did no work.
fn honest_alone(inputs: Vec<UpdateInput>) -> Vec<UpdateInput> {
    inputs.into_iter().filter(|input| input.seat < HONEST || input.seat == FLIPPED).collect()
}

#[test]
fn idle_seats_and_copies_score_nothing_and_honest_ones_do_under_every_rule() {
    for rule in [
        "fedavg",
        "median",
        "trimmed-mean:0.2",
        "geometric-median",
        "centred-clipping:2",
        "norm-bound:1+fedavg",
        "fednova",
        "nnm:1+median+fedyogi",
        "root-data:50",
    ] {
        let spec = spec(rule);
        let holdout = holdout(&spec);
        for judge in [Judge::Holdout(&holdout), Judge::Blind] {
            let scores = scores(&run(&spec, updates(&spec), judge));
            for idle in [STILL, NOISE, COPY] {
                assert_eq!(scores[&idle], 0, "{rule}, seat {idle}: {scores:?}");
            }
            for honest in 0..HONEST {
                assert!(scores[&honest] > 0, "{rule}, seat {honest}: {scores:?}");
                assert!(scores[&honest] > scores[&FLIPPED], "{rule}, seat {honest}: {scores:?}");
            }
        }
    }
}

#[test]
fn the_best_score_of_a_round_is_the_highest_there_is() {
    let spec = spec("fedavg");
    let scores = scores(&run(&spec, updates(&spec), Judge::Holdout(&holdout(&spec))));
    assert_eq!(scores.values().max(), Some(&MAX_SCORE));
}

#[test]
fn who_does_no_work_changes_nobody_elses_score() {
    for rule in ["fedavg", "median"] {
        let spec = spec(rule);
        let holdout = holdout(&spec);
        let all = scores(&run(&spec, updates(&spec), Judge::Holdout(&holdout)));
        let fewer = scores(&run(&spec, honest_alone(updates(&spec)), Judge::Holdout(&holdout)));
        assert!(fewer.iter().all(|(seat, score)| all[seat] == *score), "{rule}: {all:?} {fewer:?}");
    }
}

#[test]
fn of_an_update_and_its_copy_the_one_posted_first_is_paid() {
    let spec = spec("fedavg");
    let mut inputs = updates(&spec);
    for (seat, posted) in [(0, 100), (COPY, 0)] {
        inputs[usize::from(seat)].posted = posted;
    }
    let scores = scores(&run(&spec, inputs, Judge::Holdout(&holdout(&spec))));
    assert!(scores[&0] == 0 && scores[&COPY] > 0, "{scores:?}");
}

#[test]
fn the_order_of_the_inputs_does_not_matter() {
    for rule in ["fedavg", "nnm:1+median"] {
        let spec = spec(rule);
        let holdout = holdout(&spec);
        let forwards = run(&spec, updates(&spec), Judge::Holdout(&holdout));
        let mut turned = updates(&spec);
        turned.reverse();
        turned.swap(1, 5);
        assert_eq!(run(&spec, turned, Judge::Holdout(&holdout)), forwards, "{rule}");
    }
}

#[test]
fn where_nobody_is_of_use_on_the_held_out_rows_everyone_who_worked_is_scored_by_direction() {
    let spec = spec("fedavg");
    let mut table = rows(99, 200);
    if let Labels::Classes(labels) = &mut table.labels {
        labels.iter_mut().for_each(|label| *label = 7 - *label);
    }
    let against = Holdout::new(&spec, table).unwrap();
    let inputs = || updates(&spec).into_iter().filter(|input| input.seat != FLIPPED).collect::<Vec<_>>();
    let judged = scores(&run(&spec, inputs(), Judge::Holdout(&against)));
    assert_eq!(judged, scores(&run(&spec, inputs(), Judge::Blind)));
    assert!((0..HONEST).all(|seat| judged[&seat] > 5_000), "{judged:?}");
    assert!([STILL, NOISE, COPY].iter().all(|seat| judged[seat] == 0), "{judged:?}");
}

#[test]
fn scoring_changes_no_model() {
    let spec = spec("root-data:50");
    let holdout = holdout(&spec);
    let scored = run(&spec, updates(&spec), Judge::Holdout(&holdout));
    let unscored = run(&spec, updates(&spec), Judge::Unscored(&holdout));
    assert_eq!(scored.model, unscored.model);
    assert!(scores(&unscored).values().all(|score| *score == 0));
}

#[test]
fn a_round_of_idle_seats_pays_nobody_by_score() {
    let spec = spec("fedavg");
    let start = model::initial(&spec);
    let still = vec![round::update(0, &start), round::update(1, &start)];
    assert!(scores(&run(&spec, still, Judge::Holdout(&holdout(&spec)))).values().all(|score| *score == 0));
}

#[test]
fn only_the_holdout_that_the_spec_names_is_taken() {
    let spec = spec("fedavg");
    let refusal =
        |spec: &SessionSpec, table: &Table| Holdout::of_spec(spec, &table.to_safetensors()).unwrap_err().to_string();
    assert!(refusal(&spec, &rows(98, 200)).contains("the spec names"));
    let mut fewer = spec.clone();
    if let Data::Uploaded { holdout_rows, .. } = &mut fewer.data {
        *holdout_rows = 100;
    }
    assert!(refusal(&fewer, &rows(99, 200)).contains("200 rows"));
    fewer.data = Data::Private { max_samples: 1 };
    assert!(refusal(&fewer, &rows(99, 200)).contains("no holdout"));
}

#[test]
fn rows_that_judge_are_not_rows_that_measure() {
    let spec = spec("root-data:50");
    let holdout = holdout(&spec);
    assert_eq!((holdout.judging().rows(), holdout.measuring().rows()), (50, 150));
    let measured: Vec<&[f32]> = (0..150).map(|row| holdout.measuring().row(row)).collect();
    assert!((0..50).all(|row| !measured.contains(&holdout.judging().row(row))));
    let few = rows(99, 99);
    assert!(Holdout::new(&spec, few).unwrap_err().to_string().contains("100 held-out rows, there are 99"));
}

#[test]
fn losses_have_the_same_bits_on_every_machine() {
    let spec = spec("fedavg");
    let mut model = model::initial(&spec);
    let values: Vec<f32> = (0_u16..328).map(|i| f32::from(i % 17) * 0.125 - 1.0).collect();
    let weight = Tensor { shape: vec![CLASSES, FEATURES], data: values[8..].to_vec() };
    model.0.insert("layers.0.weight".to_owned(), weight);
    let x: Vec<f32> = (0_u16..400).map(|i| f32::from(i % 23) * 0.25 - 2.5).collect();
    let outputs = Predictor::of_spec(&spec, &model).unwrap().outputs(&x).unwrap();
    let loss =
        metrics::of_outputs(&spec.schema.label.task, &outputs, &Labels::Classes((0..10).map(|i| i % 8).collect()));
    assert_eq!(loss.unwrap().metrics.loss.to_bits(), 4_624_114_734_317_528_195);
}
