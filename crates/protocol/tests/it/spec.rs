//! What a session spec may say about uploaded data.

use parity_protocol::{
    B256,
    codec::Block,
    metrics::Metrics,
    model::{Activation, Model},
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::{Aggregation, Compression, Data, Partition, Privacy, SessionSpec, VERSION},
    training::{Optimizer, Schedule, Training},
};

fn uploaded(partition: Partition, min_samples: u64, overlap_ratio: f64) -> Data {
    let holdout_digest = B256::ZERO;
    Data::Uploaded { partition, min_samples, overlap_ratio, shard_rows: vec![10, 20], holdout_rows: 5, holdout_digest }
}

fn spec(data: Data, task: Task) -> SessionSpec {
    SessionSpec {
        version: VERSION,
        name: "test".into(),
        schema: Schema {
            columns: vec![Column { name: "a".into(), kind: ColumnKind::Numeric { fill: 0.0 } }],
            label: Label { name: "y".into(), task },
        },
        scaling: Scaling { mean: vec![0.0], deviation: vec![1.0], limit: None },
        data,
        model: Model::NeuralNetwork { hidden: vec![4], activation: Activation::Relu, dropout: 0.0 },
        training: Training {
            schedule: Schedule::Constant {},
            proximal: 0.0,
            optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
            epochs: 1,
            batch_size: 4,
            seed: 1,
        },
        aggregation: Aggregation::fed_avg(),
        compression: Compression::None {},
        privacy: Privacy::None,
        image: None,
        max_update_norm: 1.0,
        target: None,
    }
}

fn three_classes() -> Task {
    Task::Classification { classes: ["a", "b", "c"].map(String::from).to_vec() }
}

fn a_number() -> Task {
    Task::Regression { mean: 0.0, deviation: 1.0 }
}

#[test]
fn every_partition_survives_the_canonical_block() {
    for partition in [
        Partition::Iid,
        Partition::Sequential,
        Partition::Stratified,
        Partition::Dirichlet { alpha: 0.1 },
        Partition::Dirichlet { alpha: 1.0 },
        Partition::LabelSkew { classes: 2 },
        Partition::QuantitySkew { beta: 0.5 },
    ] {
        let spec = spec(uploaded(partition, 10, 0.25), three_classes());
        assert_eq!(SessionSpec::read(&spec.to_block().unwrap()).unwrap(), spec);
    }
}

#[test]
fn what_is_out_of_range_is_named() {
    for (data, task, words) in [
        (uploaded(Partition::Dirichlet { alpha: 0.0 }, 1, 0.0), three_classes(), "data.partition.alpha is 0"),
        (uploaded(Partition::QuantitySkew { beta: f64::NAN }, 1, 0.0), three_classes(), "data.partition.beta is NaN"),
        (uploaded(Partition::LabelSkew { classes: 0 }, 1, 0.0), three_classes(), "data.partition.classes is 0"),
        (uploaded(Partition::LabelSkew { classes: 4 }, 1, 0.0), three_classes(), "at most the 3 classes"),
        (uploaded(Partition::LabelSkew { classes: 11 }, 1, 0.0), a_number(), "at most the 10 classes"),
        (uploaded(Partition::Iid, 0, 0.0), three_classes(), "data.min_samples is 0, expected at least 1"),
        (uploaded(Partition::Iid, 11, 0.0), three_classes(), "data.shard_rows is [10, 20], expected at least 11"),
        (uploaded(Partition::Iid, 1, 1.5), three_classes(), "data.overlap_ratio is 1.5, expected 0 (none) to 1"),
        (uploaded(Partition::Iid, 1, f64::NAN), three_classes(), "data.overlap_ratio is NaN"),
    ] {
        let message = spec(data, task).validate().unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    spec(uploaded(Partition::LabelSkew { classes: 3 }, 1, 1.0), three_classes()).validate().unwrap();
    spec(uploaded(Partition::LabelSkew { classes: 10 }, 1, 0.0), a_number()).validate().unwrap();
}

#[test]
fn a_target_needs_held_out_rows_and_a_share() {
    let with = |data: Data, target: f64| SessionSpec { target: Some(target), ..spec(data, three_classes()) };
    let uploaded = || uploaded(Partition::Iid, 1, 0.0);
    with(uploaded(), 0.95).validate().unwrap();
    let none = Data::Uploaded {
        partition: Partition::Iid,
        min_samples: 1,
        overlap_ratio: 0.0,
        shard_rows: vec![1],
        holdout_rows: 0,
        holdout_digest: B256::ZERO,
    };
    for (spec, words) in [
        (with(Data::Private { max_samples: 5 }, 0.5), "with private data"),
        (with(none, 0.5), "none without held-out rows"),
        (with(uploaded(), 95.0), "target is 95, expected above 0, at most 1"),
        (with(uploaded(), f64::NAN), "target is NaN"),
    ] {
        let message = spec.validate().unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    let reached = |accuracy, r2| with(uploaded(), 0.95).is_reached(&Metrics { accuracy, r2, ..Metrics::default() });
    assert!(reached(Some(0.95), None) && reached(None, Some(0.96)));
    assert!(!reached(Some(0.949), None) && !reached(None, None) && !reached(Some(f64::NAN), None));
    assert!(!spec(uploaded(), three_classes()).is_reached(&Metrics { accuracy: Some(1.0), ..Metrics::default() }));
}
