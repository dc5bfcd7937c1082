//! A forest in the rounds of a session: what runners tell, what keepers drop, and what comes out.

use parity_learning::{
    contribution::MAX_SCORE,
    forest::{Forest, Recipe, fit, session::update},
    holdout::Holdout,
    round::{Judge, UpdateContent, UpdateInput},
    table::{Labels, Table},
    weights::{AnyPredictor, Weights, aggregate, check_update, do_forest_job, model_limit, update_limit},
};
use parity_protocol::{
    Address, B256, Link,
    aggregation::Aggregation,
    device::{Determinism, Device},
    forest::{ForestMethod, ForestShape},
    job::{Job, JobKind},
    manifest::{Artifact, Rejection, UpdateManifest},
    metrics::Metrics,
    model::Model,
    spec::{Data, SessionSpec},
};

use crate::{
    forest::{table, task},
    round,
};

const SEATS: [usize; 3] = [100, 60, 140];

fn spec(numbers: bool) -> SessionSpec {
    let mut spec = round::spec();
    let column = spec.schema.columns[0].clone();
    spec.schema.columns = vec![column; 6];
    spec.schema.label.task = task(numbers);
    spec.scaling.mean = vec![0.0; 6];
    spec.scaling.deviation = vec![1.0; 6];
    spec.model =
        Model::RandomForest(ForestShape { trees: 9, max_depth: Some(7), ..ForestShape::random_forest(numbers) });
    if let Data::Uploaded { shard_rows, .. } = &mut spec.data {
        *shard_rows = SEATS.iter().map(|rows| u64::try_from(*rows).unwrap()).collect();
    }
    spec.validate().unwrap();
    spec
}

fn shards(numbers: bool) -> Vec<Table> {
    let all = table(SEATS.iter().sum(), numbers);
    let mut start = 0;
    let shard = |rows: &usize| {
        start += rows;
        all.select(&(start - rows..start).collect::<Vec<_>>())
    };
    SEATS.iter().map(shard).collect()
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
    let job = |seat| Job {
        kind: JobKind::Train { training: spec.training.clone(), round, seat },
        model: spec.model.clone(),
        features: spec.schema.features(),
        outputs: spec.schema.outputs(),
        task: spec.schema.label.task.clone(),
        scaling: spec.scaling.clone(),
        threads: 1,
        device: Device::Cpu,
    };
    let tell = |(seat, rows): (u16, &Table)| {
        let file = do_forest_job(&job(seat), rows, Some(&model.to_bytes())).unwrap().0.unwrap();
        let samples = u64::try_from(rows.rows()).unwrap();
        assert!(file.len() <= update_limit(spec));
        assert_eq!(check_update(spec, model, seat, samples, &file), Ok(()));
        input(round, seat, samples, file)
    };
    (0..).zip(shards).map(tell).collect()
}

fn forest(weights: &Weights) -> &Forest {
    let Weights::Forest(forest) = weights else { panic!("a forest expected") };
    forest
}

#[test]
fn the_rounds_of_a_session_grow_the_forest_of_all_rows() {
    for numbers in [false, true] {
        let (spec, shards) = (spec(numbers), shards(numbers));
        let mut model = Weights::initial(&spec).unwrap();
        // One round agrees on bins, seven grow a level, one more changes nothing.
        for round in 1..=9 {
            let inputs = told(&spec, &model, round, &shards);
            let outcome = aggregate(&spec, 1, round, &model, None, inputs, Judge::Blind).unwrap();
            assert_eq!((outcome.accepted.len(), outcome.rejected.len()), (3, 0));
            assert!(outcome.model.to_bytes().len() <= model_limit(&spec));
            model = Weights::of_spec(&outcome.model.to_bytes(), &spec).unwrap();
            assert_eq!(forest(&model).is_finished(), round > 7, "round {round}");
        }
        let all = table(SEATS.iter().sum(), numbers);
        assert_eq!(forest(&model), &fit(&Recipe::of_spec(&spec).unwrap(), &all).unwrap());
        let metrics = AnyPredictor::of_spec(&spec, &model).unwrap().evaluate(&all).unwrap().metrics;
        assert!(metrics.accuracy.or(metrics.r2).unwrap() > 0.85, "{metrics:?}");
    }
}

#[test]
fn a_bad_update_is_dropped_with_its_reason_and_changes_nothing() {
    let (spec, shards) = (spec(false), shards(false));
    let start = Weights::initial(&spec).unwrap();
    let good = || told(&spec, &start, 1, &shards[..2]);
    let clean = aggregate(&spec, 1, 1, &start, None, good(), Judge::Blind).unwrap();
    let of_seat_2 = |samples: u64, file: Vec<u8>| {
        let mut inputs = good();
        inputs.insert(0, input(1, 2, samples, file));
        let outcome = aggregate(&spec, 1, 1, &start, None, inputs, Judge::Blind).unwrap();
        assert_eq!(outcome.model, clean.model);
        outcome.rejected[0].reason.clone()
    };
    let malformed = Rejection::Malformed { part: "weights".into() };
    assert_eq!(of_seat_2(140, vec![]), malformed);
    assert_eq!(of_seat_2(140, vec![7; 50]), malformed);
    let recipe = Recipe::of_spec(&spec).unwrap();
    let fewer = update(forest(&start), &recipe, 1, &shards[1]).unwrap();
    assert_eq!(of_seat_2(140, fewer), Rejection::WrongSamples);
    assert_eq!(of_seat_2(139, vec![]), Rejection::WrongSamples);
    let later = update(forest(&clean.model), &recipe, 2, &shards[2]).unwrap();
    assert_eq!(of_seat_2(140, later), malformed);
}

#[test]
fn with_nothing_accepted_the_forest_stays() {
    let spec = spec(false);
    let start = Weights::initial(&spec).unwrap();
    assert_eq!(aggregate(&spec, 1, 1, &start, None, vec![], Judge::Blind).unwrap().model, start);
}

#[test]
fn private_rows_beyond_the_cap_are_refused_because_sums_cannot_be_capped() {
    let mut spec = spec(false);
    spec.data = Data::Private { max_samples: 50 };
    let start = Weights::initial(&spec).unwrap();
    let file = update(forest(&start), &Recipe::of_spec(&spec).unwrap(), 0, &shards(false)[0]).unwrap();
    assert_eq!(check_update(&spec, &start, 0, 100, &file), Err(Rejection::WrongSamples));
}

#[test]
fn jobs_and_specs_that_make_no_sense_are_refused() {
    let mut spec = spec(false);
    let of_another_kind = Weights::initial(&round::spec()).unwrap();
    assert!(AnyPredictor::of_spec(&spec, &Weights::initial(&self::spec(true)).unwrap()).is_err());
    assert!(Weights::of_spec(&of_another_kind.to_bytes(), &spec).is_err());
    let predictor = AnyPredictor::of_spec(&spec, &Weights::initial(&spec).unwrap()).unwrap();
    assert!(predictor.evaluate(&Table { features: 1, x: vec![0.0], labels: Labels::Classes(vec![0]) }).is_err());
    spec.aggregation = "median".parse::<Aggregation>().unwrap();
    assert!(spec.validate().unwrap_err().to_string().contains("fedavg"));
    spec.aggregation = Aggregation::fed_avg();
    let Model::RandomForest(shape) = &mut spec.model else { unreachable!() };
    shape.method = ForestMethod::Union { seats: 2 };
    assert!(spec.validate().unwrap_err().to_string().contains("the 3 seats of the session"));
}

fn union(numbers: bool) -> SessionSpec {
    let mut spec = spec(numbers);
    let Model::RandomForest(shape) = &mut spec.model else { unreachable!() };
    (shape.trees, shape.max_depth, shape.method) = (31, None, ForestMethod::Union { seats: 3 });
    spec.validate().unwrap();
    spec
}

#[test]
fn a_union_has_its_trees_after_one_round_and_its_leaves_after_two() {
    for numbers in [false, true] {
        let (spec, shards) = (union(numbers), shards(numbers));
        let mut model = Weights::initial(&spec).unwrap();
        let mut files = Vec::new();
        for round in 1..=3 {
            let mut inputs = told(&spec, &model, round, &shards);
            inputs.rotate_left(usize::from(round));
            let outcome = aggregate(&spec, 1, round, &model, None, inputs, Judge::Blind).unwrap();
            assert_eq!((outcome.accepted.len(), outcome.rejected.len()), (3, 0));
            assert!(outcome.model.to_bytes().len() <= model_limit(&spec));
            model = Weights::of_spec(&outcome.model.to_bytes(), &spec).unwrap();
            assert_eq!(forest(&model).trees().len(), 31);
            assert_eq!(forest(&model).is_refitted(), round > 1);
            files.push(model.to_bytes());
        }
        assert_eq!(files[1], files[2]);
        let all = table(SEATS.iter().sum(), numbers);
        let metrics = AnyPredictor::of_spec(&spec, &model).unwrap().evaluate(&all).unwrap().metrics;
        assert!(metrics.accuracy.or(metrics.r2).unwrap() > 0.8, "{metrics:?}");
    }
}

#[test]
fn trees_stand_in_the_order_of_seats_whoever_holds_them() {
    let (spec, shards) = (union(false), shards(false));
    let start = Weights::initial(&spec).unwrap();
    let one = aggregate(&spec, 1, 1, &start, None, told(&spec, &start, 1, &shards), Judge::Blind).unwrap();
    let mut inputs = told(&spec, &start, 1, &shards);
    for (input, operator) in inputs.iter_mut().zip([3, 1, 2]) {
        input.operator = Address::repeat_byte(operator);
        input.content.as_mut().unwrap().manifest.operator = input.operator;
    }
    assert_eq!(aggregate(&spec, 1, 1, &start, None, inputs, Judge::Blind).unwrap().model, one.model);
}

#[test]
fn a_share_that_is_not_the_seats_own_part_is_refused() {
    let (spec, shards) = (union(false), shards(false));
    let start = Weights::initial(&spec).unwrap();
    let malformed = Err(Rejection::Malformed { part: "weights".into() });
    let recipe = Recipe::of_spec(&spec).unwrap();
    // 31 trees on three seats: 10, 10 and 11.
    let of_seat_2 = update(forest(&start), &recipe, 2, &shards[0]).unwrap();
    assert_eq!(check_update(&spec, &start, 2, 100, &of_seat_2), Ok(()));
    assert_eq!(check_update(&spec, &start, 0, 100, &of_seat_2), malformed);
    assert_eq!(check_update(&spec, &start, 3, 100, &of_seat_2), malformed);
    assert_eq!(check_update(&spec, &start, 2, 100, &start.to_bytes()), malformed);
    let united = aggregate(&spec, 1, 1, &start, None, told(&spec, &start, 1, &shards), Judge::Blind).unwrap().model;
    assert_eq!(check_update(&spec, &united, 2, 100, &of_seat_2), malformed);
    let counts = update(forest(&united), &recipe, 1, &shards[1]).unwrap();
    assert_eq!(check_update(&spec, &united, 1, 60, &counts), Ok(()));
    assert_eq!(check_update(&spec, &united, 1, 61, &counts), Err(Rejection::WrongSamples));
}

#[test]
fn trees_of_a_seat_that_knows_one_class_count_least() {
    let spec = union(false);
    let all = table(SEATS.iter().sum(), false);
    let Labels::Classes(classes) = &all.labels else { unreachable!() };
    let of =
        |wanted: &dyn Fn(usize) -> bool| all.select(&(0..all.rows()).filter(|row| wanted(*row)).collect::<Vec<_>>());
    let recipe = Recipe::of_spec(&spec).unwrap();
    let start = Weights::initial(&spec).unwrap();
    let votes = |rows: &Table| {
        let share = Forest::from_bytes(&update(forest(&start), &recipe, 0, rows).unwrap(), usize::MAX).unwrap();
        share.trees().iter().map(|tree| tree.vote()).collect::<Vec<_>>()
    };
    assert!(votes(&of(&|row| classes[row] == 0)).iter().all(|vote| *vote == 1));
    assert!(votes(&of(&|row| row % 2 == 0)).iter().all(|vote| *vote > 20));
}

#[test]
fn a_seat_is_scored_by_what_a_level_is_worth_without_it() {
    let (mut spec, mut shards) = (spec(false), shards(false));
    let held_out = table(400, false).select(&(300..400).collect::<Vec<_>>());
    let holdout = Holdout::new(&spec, held_out).unwrap();
    // The last seat's labels are nonsense, and a fourth one tells what the first one tells.
    if let Labels::Classes(labels) = &mut shards[2].labels {
        labels.iter_mut().for_each(|label| *label = 0);
    }
    shards.push(shards[0].clone());
    if let Data::Uploaded { shard_rows, .. } = &mut spec.data {
        shard_rows.push(100);
    }
    let mut model = Weights::initial(&spec).unwrap();
    let mut sums = [0; 4];
    for round in 1..=5 {
        let run = |judge| aggregate(&spec, 1, round, &model, None, told(&spec, &model, round, &shards), judge).unwrap();
        let outcome = run(Judge::Holdout(&holdout));
        assert_eq!(outcome.model, run(Judge::Unscored(&holdout)).model);
        for update in &outcome.accepted {
            sums[usize::from(update.seat)] += update.score;
            let expected = if update.seat == 3 { 0 } else { MAX_SCORE };
            assert!(round > 1 || update.score == expected, "a round that agrees on bins has no loss");
        }
        model = outcome.model;
    }
    assert_eq!(sums[3], 0);
    assert!(sums[0] > sums[2] && sums[1] > sums[2], "{sums:?}");
}
