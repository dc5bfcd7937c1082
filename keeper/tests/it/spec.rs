//! Session specs and terms that the tests share.

use parity_abi::{DataMode, ISessions::Terms};
use parity_learning::{
    holdout::digest,
    table::{Labels, Table},
};
use parity_protocol::{
    B256,
    codec::Block,
    model::Model,
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::{Aggregation, Compression, Data, Partition, Privacy, SessionSpec, VERSION},
    training::{Optimizer, Schedule, Training},
};

/// One USDFC.
pub(crate) const USDFC: u128 = 1_000_000_000_000_000_000;

/// Rows of each seat's shard.
pub(crate) fn shard_rows(seat: u16) -> u64 {
    10 + u64::from(seat)
}

/// A linear classifier over two features; the requester dealt the rows and held none out.
pub(crate) fn uploaded(seats: u16) -> SessionSpec {
    let data = Data::Uploaded {
        partition: Partition::Iid,
        min_samples: 1,
        overlap_ratio: 0.0,
        shard_rows: (0..seats).map(shard_rows).collect(),
        holdout_rows: 0,
        holdout_digest: B256::ZERO,
    };
    spec(data, Privacy::None)
}

/// The same with the rows of [`holdout`] held out.
pub(crate) fn with_holdout(seats: u16) -> SessionSpec {
    let mut spec = uploaded(seats);
    if let Data::Uploaded { holdout_rows, holdout_digest, .. } = &mut spec.data {
        (*holdout_rows, *holdout_digest) = (4, digest(&holdout().to_safetensors()));
    }
    spec
}

/// The same over data that runners brought; at most 12 rows count.
pub(crate) fn private(privacy: Privacy) -> SessionSpec {
    spec(Data::Private { max_samples: 12 }, privacy)
}

fn spec(data: Data, privacy: Privacy) -> SessionSpec {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Numeric { fill: 0.0 } };
    SessionSpec {
        version: VERSION,
        name: "Sick or well".to_owned(),
        schema: Schema {
            columns: vec![column("height"), column("weight")],
            label: Label {
                name: "state".to_owned(),
                task: Task::Classification { classes: vec!["sick".to_owned(), "well".to_owned()] },
            },
        },
        scaling: Scaling { mean: vec![0.0, 0.0], deviation: vec![1.0, 1.0], limit: None },
        data,
        model: Model::LogisticRegression {},
        training: Training {
            schedule: Schedule::Constant {},
            proximal: 0.0,
            optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
            epochs: 1,
            batch_size: 8,
            seed: 7,
        },
        aggregation: Aggregation::fed_avg(),
        compression: Compression::None {},
        privacy,
        image: None,
        max_update_norm: 100.0,
        target: None,
    }
}

/// Four rows that a model classifies which subtracts the second feature from the first.
pub(crate) fn holdout() -> Table {
    Table { features: 2, x: vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0], labels: Labels::Classes(vec![0, 1, 1, 0]) }
}

/// Terms with periods for blocks of a tenth of a second.
pub(crate) fn terms(spec: &SessionSpec, seats: u16, rounds: u16) -> Terms {
    let epochs = |number: u64| number.try_into().unwrap();
    Terms {
        spec: spec.digest().unwrap(),
        seats,
        quorum: spec.aggregation.cohort(seats),
        rounds,
        attestations: 1,
        maxRollovers: 1,
        performanceBps: 2_500,
        minReputation: 0,
        dataMode: match spec.data {
            Data::Private { .. } => DataMode::Private.number(),
            Data::Uploaded { .. } => DataMode::Uploaded.number(),
        },
        unmasking: false,
        targeted: spec.target.is_some(),
        openPeriod: epochs(400),
        roundPeriod: epochs(400),
        unmaskPeriod: epochs(0),
        proposePeriod: epochs(200),
        challengeWindow: epochs(0),
        capabilities: parity_protocol::capability::TRAIN,
        cohort: spec.aggregation.cohort(seats),
        drawSeed: spec.training.seed,
        roundReward: 10 * USDFC + 1,
        keeperFee: USDFC,
        completionBonus: 5 * USDFC,
        minStake: 0,
        keeperBond: USDFC,
    }
}

/// A digest that names nothing.
pub(crate) const NOWHERE: B256 = B256::repeat_byte(0x77);
