//! Rounds under every aggregation that a spec can name: what is kept between rounds, who takes part, what is refused.

use parity_learning::{
    Result,
    holdout::Holdout,
    model,
    round::{Judge, RoundOutcome, UpdateInput, aggregate, correction, sampled, state_limit},
    table::{Labels, Table},
    tensors::Tensors,
};
use parity_protocol::{
    aggregation::Aggregation,
    manifest::Rejection,
    spec::{Data, SessionSpec},
    training::Optimizer,
};

use crate::round::{ROUND, SESSION, moved, spec, update};

fn with(rules: &str) -> SessionSpec {
    let mut spec = spec();
    spec.aggregation = rules.parse().unwrap();
    spec.training.optimizer = Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 };
    spec
}

fn run(spec: &SessionSpec, state: Option<&Tensors>, inputs: Vec<UpdateInput>) -> Result<RoundOutcome> {
    aggregate(spec, SESSION, ROUND, &model::initial(spec), state, inputs, Judge::Blind)
}

fn four() -> Vec<UpdateInput> {
    [0.25_f32, 0.5, 0.75, 1.0].into_iter().zip(0..).map(|(step, seat)| update(seat, &moved(step))).collect()
}

/// How far the first weight moved.
fn step(spec: &SessionSpec, outcome: &RoundOutcome) -> f32 {
    let first = |tensors: &Tensors| tensors.0.values().next().unwrap().data[0];
    first(&outcome.model) - first(&model::initial(spec))
}

#[test]
fn every_aggregation_works_in_any_order() {
    for rules in [
        "fedavg",
        "median",
        "trimmed-mean:0.25",
        "krum:0",
        "multi-krum:0,2",
        "geometric-median",
        "centred-clipping:2",
        "norm-bound:1",
        "nnm:1+trimmed-mean:0.25",
        "fedavgm",
        "fedadam",
        "fedyogi",
        "fedadagrad",
        "fednova",
        "scaffold",
        "norm-bound:2+nnm:1+median+fedyogi+scaffold",
    ] {
        let spec = with(rules);
        spec.validate().unwrap();
        let outcome = run(&spec, None, four()).unwrap();
        assert_eq!(outcome.accepted.len(), 4, "{rules}");
        let moved = step(&spec, &outcome);
        assert!(moved > 0.0 && moved < 2.0, "{rules}: {moved}");
        assert_eq!(outcome.state.is_some(), spec.aggregation.has_state(), "{rules}");
        let again = run(&spec, outcome.state.as_ref(), four()).unwrap();
        let mut turned = four();
        turned.reverse();
        assert_eq!(run(&spec, outcome.state.as_ref(), turned).unwrap(), again, "{rules}");
        let bytes = |state: &Tensors| state.to_bytes().len();
        assert!(again.state.as_ref().map_or(0, bytes) <= state_limit(&spec), "{rules}");
    }
}

#[test]
fn momentum_is_handed_from_round_to_round() {
    let spec = with("fedavgm:0.5,1");
    let first = run(&spec, None, vec![update(0, &moved(1.0))]).unwrap();
    let second = run(&spec, first.state.as_ref(), vec![update(0, &moved(1.0))]).unwrap();
    assert!((step(&spec, &first) - 1.0).abs() < 1e-6);
    assert!((step(&spec, &second) - 1.5).abs() < 1e-6);
    // A round in which nobody posts changes neither.
    let silent = run(&spec, first.state.as_ref(), vec![]).unwrap();
    assert_eq!((silent.state, silent.model), (first.state, model::initial(&spec)));
}

#[test]
fn steps_count_alike_under_fednova() {
    // Seats 0 and 3 have 10 and 40 rows: 2 and 5 steps of 8 rows, and both went 1 per step.
    let spec = with("fednova");
    let outcome = run(&spec, None, vec![update(0, &moved(2.0)), update(3, &moved(5.0))]).unwrap();
    assert!((step(&spec, &outcome) - 4.4).abs() < 1e-5, "{}", step(&spec, &outcome));
}

#[test]
fn corrections_point_from_a_seat_to_the_mean() {
    let spec = with("scaffold:1000");
    let inputs = vec![update(0, &moved(-0.5)), update(3, &moved(0.5))];
    let state = run(&spec, None, inputs).unwrap().state.unwrap();
    let first = |seat: u16| correction(&state, seat).unwrap().0["layers.0.bias"].data[0];
    // Gradients are +0.5 / (0.1 * 2) and -0.5 / (0.1 * 5), weighed by 10 and 40 rows: the mean is (25 - 40) / 50.
    assert!((first(0) - (-0.3 - 2.5)).abs() < 1e-4, "{}", first(0));
    assert!((first(3) - (-0.3 + 1.0)).abs() < 1e-4, "{}", first(3));
    assert!((first(1) + 0.3).abs() < 1e-4, "{}", first(1));
    assert_eq!(correction(&run(&with("fedavgm"), None, four()).unwrap().state.unwrap(), 0), None);
}

#[test]
fn seats_that_were_not_drawn_are_told_so() {
    let spec = with("sample:0.5");
    let drawn = sampled(&spec, ROUND, 4);
    assert_eq!(drawn.iter().filter(|drawn| **drawn).count(), 2);
    let outcome = run(&spec, None, four()).unwrap();
    assert_eq!(outcome.accepted.len(), 2);
    assert!(outcome.accepted.iter().all(|update| drawn[usize::from(update.seat)]));
    assert!(outcome.rejected.iter().all(|update| update.reason == Rejection::NotSampled));
    // Over the rounds everyone has a turn.
    let turns: Vec<Vec<bool>> = (1..30).map(|round| sampled(&spec, round, 4)).collect();
    assert!((0..4).all(|seat| turns.iter().any(|drawn| drawn[seat]) && !turns.iter().all(|drawn| drawn[seat])));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refusal = |spec: &SessionSpec| spec.validate().unwrap_err().to_string();
    let mut adam = with("scaffold");
    adam.training.optimizer = Optimizer::Adam { learning_rate: 0.1 };
    assert!(refusal(&adam).contains("the optimiser sgd"), "{}", refusal(&adam));
    assert!(refusal(&with("krum:1")).contains("at most 0 with 4 seats"));
    assert!(refusal(&with("root-data:20")).contains("no more than half of the rows of the holdout"));
    let mixed = "nnm:1+root-data:2".parse::<Aggregation>().unwrap_err().to_string();
    assert!(mixed.contains("judges seats one by one"), "{mixed}");
    // A state of another model is an error of the keeper, not of an update.
    let spec = with("fedavgm");
    let strange = Tensors([("server.momentum.x".to_owned(), parity_learning::tensors::Tensor::zeros(&[1]))].into());
    assert!(run(&spec, Some(&strange), four()).is_err());
}

#[test]
fn values_that_sums_cannot_hold_are_rejected() {
    let mut spec = with("fedavg");
    spec.max_update_norm = 1e30;
    let outcome = run(&spec, None, vec![update(0, &moved(1.0)), update(1, &moved(1e15))]).unwrap();
    assert_eq!((outcome.accepted.len(), &outcome.rejected[0].reason), (1, &Rejection::NormTooLarge));
}

#[test]
fn root_rows_leave_out_who_spoils_the_model() {
    let mut spec = with("root-data:4");
    let Data::Uploaded { holdout_rows, .. } = &mut spec.data else { panic!("the test spec has shards") };
    *holdout_rows = 8;
    spec.validate().unwrap();
    let previous = model::initial(&spec);
    // Rows of class 0 alone: the loss falls with the bias of the first output.
    let holdout = Table { features: 2, x: vec![0.0; 16], labels: Labels::Classes(vec![0; 8]) };
    let holdout = Holdout::new(&spec, holdout).unwrap();
    assert_eq!((holdout.measuring().rows(), holdout.judging().rows()), (4, 4));
    let towards = |step: f32| {
        let mut model = previous.clone();
        model.0.get_mut("layers.1.bias").unwrap().data[0] += step;
        model
    };
    let inputs = |last: f32| {
        [0.5, 0.4, 0.6, last].into_iter().zip(0..).map(|(step, seat)| update(seat, &towards(step))).collect::<Vec<_>>()
    };
    let run = |state, last, judge| aggregate(&spec, SESSION, ROUND, &previous, state, inputs(last), judge).unwrap();
    let judge = Judge::Holdout(&holdout);
    let bias = |outcome: &RoundOutcome| outcome.model.0["layers.1.bias"].data[0] - previous.0["layers.1.bias"].data[0];
    // One of four goes; what the others agree on is 0.4, and eight times that is nearly all that can be had.
    let first = run(None, -50.0, judge);
    assert!((bias(&first) - 3.2).abs() < 1e-4, "{}", bias(&first));
    // The seat is remembered when it is the most useful of all.
    let state = first.state.unwrap();
    let evidence = |state: &Tensors| state.0["root.evidence"].data.clone();
    assert!(evidence(&state)[3] < 0.0 && evidence(&state)[..3].iter().all(|seat| *seat > 0.0), "{state:?}");
    let second = run(Some(&state), 0.7, judge).state.unwrap();
    assert!(evidence(&second)[3] < evidence(&second)[1], "{second:?}");
    assert!(evidence(&second).len() == 4 && second.to_bytes().len() <= state_limit(&spec));
    // Without rows nobody is left out, the median is all there is, and nothing is said about anybody.
    let blind = run(Some(&second), -50.0, Judge::Blind);
    assert!((bias(&blind) - 0.45).abs() < 1e-6);
    assert_eq!(evidence(&blind.state.unwrap()), evidence(&second));
}
