//! Values for unit tests.

use parity_abi::{DataMode, Phase, State};
use parity_protocol::{
    Address, B256, TokenAmount, capability,
    model::Model,
    schema::{Column, ColumnKind, Label, Scaling, Schema, Task},
    spec::{Aggregation, Compression, Data, Partition, Privacy, SessionSpec},
    training::{Optimizer, Schedule, Training},
};

use crate::{
    policy::Offer,
    view::{SeatView, SessionView, Standing, View},
};

pub(crate) const ME: Address = Address::repeat_byte(0x11);

/// Two numeric columns and two classes, two seats with 10 rows each.
pub(crate) fn spec() -> SessionSpec {
    let column = |name: &str| Column { name: name.into(), kind: ColumnKind::Numeric { fill: 0.0 } };
    SessionSpec {
        version: 1,
        name: "test".into(),
        schema: Schema {
            columns: vec![column("a"), column("b")],
            label: Label {
                name: "class".into(),
                task: Task::Classification { classes: vec!["no".into(), "yes".into()] },
            },
        },
        scaling: Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None },
        data: Data::Uploaded {
            partition: Partition::Iid,
            min_samples: 1,
            overlap_ratio: 0.0,
            shard_rows: vec![10, 10],
            holdout_rows: 5,
            holdout_digest: B256::ZERO,
        },
        model: Model::LogisticRegression {},
        training: Training {
            schedule: Schedule::Constant {},
            proximal: 0.0,
            optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
            epochs: 3,
            batch_size: 4,
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

pub(crate) fn offer() -> Offer {
    Offer {
        spec: B256::repeat_byte(1),
        seats: 2,
        rounds: 3,
        round_reward: TokenAmount::from_base_units(2000),
        data_mode: DataMode::Uploaded,
        unmasking: false,
        targeted: false,
        cohort: 2,
        draw_seed: 1,
        capabilities: capability::TRAIN,
        min_stake: TokenAmount::from_whole(1),
        min_reputation: 300,
        keeper_bond: TokenAmount::ZERO,
    }
}

/// An open session with two free seats.
pub(crate) fn session(id: u64) -> SessionView {
    SessionView {
        id,
        offer: offer(),
        state: State::Open,
        phase: Phase::None,
        round: 0,
        deadline: 100,
        cancelling: false,
        model: None,
        seats: vec![None, None],
    }
}

/// A sealed seat that serves from the first round on.
pub(crate) fn seat(operator: Address) -> SeatView {
    SeatView { operator, joined_round: 1, last_round: 0, key: B256::repeat_byte(2), shard: Some(B256::repeat_byte(3)) }
}

/// Block 10, seen by an eligible operator.
pub(crate) fn view(sessions: Vec<SessionView>) -> View {
    let standing =
        Standing { active: true, capabilities: capability::TRAIN, stake: TokenAmount::from_whole(1), reputation: 500 };
    View { block: 10, me: ME, standing, sessions }
}
