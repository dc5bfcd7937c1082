//! A round as keepers compute it: good updates averaged, bad ones recorded, order and threads without influence.

use parity_learning::{
    compress, model,
    round::{Judge, UpdateContent, UpdateInput, aggregate, check_update},
    tensors::Tensors,
};
use parity_protocol::{
    Address, B256, Link,
    device::Determinism,
    manifest::{Artifact, Rejection, UpdateManifest},
    metrics::Metrics,
    model::{Activation, Model},
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::{Aggregation, Compression, Data, Partition, Privacy, SessionSpec, VERSION},
    training::{Optimizer, Schedule, Training},
};
use proptest::prelude::*;

pub(crate) const SESSION: u64 = 4;
pub(crate) const ROUND: u16 = 2;

pub(crate) fn spec() -> SessionSpec {
    let column = |name: &str| Column { name: name.into(), kind: ColumnKind::Numeric { fill: 0.0 } };
    SessionSpec {
        version: VERSION,
        name: "test".into(),
        schema: Schema {
            columns: vec![column("a"), column("b")],
            label: Label { name: "y".into(), task: Task::Classification { classes: vec!["n".into(), "p".into()] } },
        },
        scaling: Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None },
        data: Data::Uploaded {
            partition: Partition::Iid,
            min_samples: 1,
            overlap_ratio: 0.0,
            shard_rows: vec![10, 20, 30, 40],
            holdout_rows: 0,
            holdout_digest: B256::ZERO,
        },
        model: Model::NeuralNetwork { hidden: vec![3], activation: Activation::Relu, dropout: 0.0 },
        training: Training {
            schedule: Schedule::Constant {},
            proximal: 0.0,
            optimizer: Optimizer::Adam { learning_rate: 0.1 },
            epochs: 1,
            batch_size: 8,
            seed: 1,
        },
        aggregation: Aggregation::fed_avg(),
        compression: Compression::None {},
        privacy: Privacy::None,
        image: None,
        max_update_norm: 100.0,
        target: None,
    }
}

/// The previous model moved by `step` in every coordinate.
pub(crate) fn moved(step: f32) -> Tensors {
    let mut tensors = model::initial(&spec());
    tensors.0.values_mut().for_each(|tensor| tensor.data.iter_mut().for_each(|value| *value += step));
    tensors
}

pub(crate) fn update(seat: u16, weights: &Tensors) -> UpdateInput {
    let byte = u8::try_from(seat).unwrap();
    let operator = Address::repeat_byte(0xf0 - byte);
    let samples = 10 * (u64::from(seat) + 1);
    let manifest = UpdateManifest {
        session: SESSION,
        round: ROUND,
        seat,
        operator,
        weights: Artifact { link: Link::from_digest(B256::ZERO), bytes: 0, envelopes: vec![] },
        samples,
        training: Metrics::default(),
        determinism: Determinism::Everywhere,
        holdout: None,
    };
    let content = Ok(UpdateContent { manifest, weights: weights.to_bytes().into() });
    UpdateInput { operator, seat, digest: B256::repeat_byte(byte), samples, posted: seat.into(), content }
}

fn reasons(inputs: Vec<UpdateInput>) -> Vec<Rejection> {
    let previous = model::initial(&spec());
    let outcome = aggregate(&spec(), SESSION, ROUND, &previous, None, inputs, Judge::Blind).unwrap();
    outcome.rejected.into_iter().map(|rejected| rejected.reason).collect()
}

fn with(change: impl FnOnce(&mut UpdateInput)) -> Vec<Rejection> {
    let mut input = update(0, &moved(0.5));
    change(&mut input);
    reasons(vec![input])
}

fn content(input: &mut UpdateInput) -> &mut UpdateContent {
    input.content.as_mut().unwrap()
}

#[test]
fn compressed_updates_count_as_what_they_decode_to() {
    let previous = model::initial(&spec());
    for compression in [Compression::Steps {}, Compression::Largest { share: 0.5 }] {
        let compressed = SessionSpec { compression, ..spec() };
        let (bytes, _) = compress::encode(compression, &previous, &moved(0.3), None).unwrap();
        assert!(bytes.len() <= compress::limit(&compressed));
        let outcome = |spec: &SessionSpec, bytes: &[u8]| {
            let mut input = update(0, &previous);
            content(&mut input).weights = bytes.to_vec().into();
            aggregate(spec, SESSION, ROUND, &previous, None, vec![input], Judge::Blind).unwrap()
        };
        let decoded = compress::decode(compression, &bytes, &previous).unwrap();
        assert_eq!(outcome(&compressed, &bytes), outcome(&spec(), &decoded.to_bytes()));
        // Neither plain weights nor what is cut short nor the other method is read.
        let other = if bytes[1] == 1 { 2 } else { 1 };
        for bytes in [moved(0.3).to_bytes(), bytes[..bytes.len() - 1].to_vec(), [&[1, other], &bytes[2..]].concat()] {
            let reason = outcome(&compressed, &bytes).rejected.remove(0).reason;
            assert_eq!(reason, Rejection::Malformed { part: "weights".into() });
        }
    }
}

#[test]
fn good_updates_are_averaged_by_samples_and_sorted_by_operator() {
    let inputs = vec![update(0, &moved(1.0)), update(1, &moved(4.0))];
    let outcome = aggregate(&spec(), SESSION, ROUND, &model::initial(&spec()), None, inputs, Judge::Blind).unwrap();
    let expected = moved(3.0);
    for (name, tensor) in &outcome.model.0 {
        let close = tensor.data.iter().zip(&expected.0[name].data).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close, "{name}");
    }
    // Seat 1 has the lower address.
    let seats: Vec<(u16, u64)> = outcome.accepted.iter().map(|update| (update.seat, update.samples)).collect();
    assert_eq!(seats, [(1, 20), (0, 10)]);
    assert!(outcome.rejected.is_empty());
}

#[test]
fn scores_measure_agreement_with_the_mean() {
    let inputs = vec![update(0, &moved(-1.0)), update(1, &moved(2.0)), update(2, &moved(1.0)), update(3, &moved(0.0))];
    let outcome = aggregate(&spec(), SESSION, ROUND, &model::initial(&spec()), None, inputs, Judge::Blind).unwrap();
    let score = |seat: u16| outcome.accepted.iter().find(|update| update.seat == seat).unwrap().score;
    assert_eq!((score(0), score(3)), (0, 0));
    assert!(score(1) >= 9_999 && score(1) == score(2), "{}", score(1));
}

#[test]
fn every_fault_has_its_reason() {
    let mismatch = |field: &str| vec![Rejection::Mismatch { field: field.into() }];
    assert_eq!(with(|input| content(input).manifest.session = 9), mismatch("session"));
    assert_eq!(with(|input| content(input).manifest.round = 9), mismatch("round"));
    assert_eq!(with(|input| content(input).manifest.seat = 9), mismatch("seat"));
    assert_eq!(with(|input| content(input).manifest.operator = Address::ZERO), mismatch("operator"));
    assert_eq!(with(|input| content(input).manifest.samples = 9), mismatch("samples"));
    let samples = |input: &mut UpdateInput| {
        content(input).manifest.samples = 11;
        input.samples = 11;
    };
    assert_eq!(with(samples), [Rejection::WrongSamples]);
    assert_eq!(with(|input| input.content = Err(Rejection::Unavailable)), [Rejection::Unavailable]);
    let weights = |tensors: Tensors| with(|input| content(input).weights = tensors.to_bytes().into());
    let malformed = [Rejection::Malformed { part: "weights".into() }];
    assert_eq!(with(|input| content(input).weights = vec![1, 2, 3].into()), malformed);
    assert_eq!(with(|input| content(input).weights = vec![0; 2 << 20].into()), malformed);
    let mut missing = moved(0.5);
    missing.0.remove("layers.1.bias");
    assert_eq!(weights(missing), [Rejection::WrongShape { tensor: "layers.1.bias".into() }]);
    let mut turned = moved(0.5);
    turned.0.get_mut("layers.0.weight").unwrap().shape = vec![2, 3];
    assert_eq!(weights(turned), [Rejection::WrongShape { tensor: "layers.0.weight".into() }]);
    let mut nan = moved(0.5);
    nan.0.get_mut("layers.0.weight").unwrap().data[5] = f32::NAN;
    assert_eq!(weights(nan), [Rejection::NotFinite { tensor: "layers.0.weight".into() }]);
    let mut huge = moved(0.5);
    huge.0.get_mut("layers.0.bias").unwrap().data[0] = 1e30;
    assert_eq!(weights(huge), [Rejection::NormTooLarge]);
}

#[test]
fn a_bad_update_changes_nothing_for_the_others() {
    let previous = model::initial(&spec());
    let good = || vec![update(1, &moved(1.0)), update(2, &moved(2.0))];
    let mut with_bad = good();
    with_bad.push(update(0, &moved(1e30)));
    let clean = aggregate(&spec(), SESSION, ROUND, &previous, None, good(), Judge::Blind).unwrap();
    let mixed = aggregate(&spec(), SESSION, ROUND, &previous, None, with_bad, Judge::Blind).unwrap();
    assert_eq!((mixed.model, mixed.accepted), (clean.model, clean.accepted));
    assert_eq!(mixed.rejected.len(), 1);
}

#[test]
fn with_nothing_accepted_the_model_stays() {
    let previous = model::initial(&spec());
    let outcome = aggregate(&spec(), SESSION, ROUND, &previous, None, vec![], Judge::Blind).unwrap();
    assert_eq!((outcome.model, outcome.accepted.len()), (previous.clone(), 0));
    assert_eq!(check_update(&spec(), &previous, &previous.to_bytes()), Ok(previous));
}

#[test]
fn private_samples_count_up_to_the_cap() {
    let mut spec = spec();
    spec.data = Data::Private { max_samples: 12 };
    let inputs = vec![update(0, &moved(1.0)), update(1, &moved(4.0))];
    let outcome = aggregate(&spec, SESSION, ROUND, &model::initial(&spec), None, inputs, Judge::Blind).unwrap();
    assert_eq!(outcome.accepted.iter().map(|update| update.samples).collect::<Vec<_>>(), [12, 10]);
}

proptest! {
    #[test]
    fn the_order_of_updates_does_not_change_a_bit(steps in prop::collection::vec(-3.0_f32..3.0, 4), order in Just(vec![0_u16, 1, 2, 3]).prop_shuffle()) {
        let previous = model::initial(&spec());
        let all = |seats: &[u16]| seats.iter().map(|&seat| update(seat, &moved(steps[usize::from(seat)]))).collect();
        let sorted = aggregate(&spec(), SESSION, ROUND, &previous, None, all(&[0, 1, 2, 3]), Judge::Blind).unwrap();
        let shuffled = aggregate(&spec(), SESSION, ROUND, &previous, None, all(&order), Judge::Blind).unwrap();
        prop_assert_eq!(sorted.model.to_bytes(), shuffled.model.to_bytes());
        prop_assert_eq!((sorted.accepted, sorted.rejected), (shuffled.accepted, shuffled.rejected));
    }
}
