//! Files from strangers: specs, tensors, coefficients, sums, tables. Whatever the bytes, reading answers, and what it accepts is the one form.

use parity_learning::{
    exact::{Coefficients, Problem, Sums, session},
    round::Judge,
    table::{Labels, Table},
    tensors::{Tensor, Tensors},
};
use parity_protocol::{codec::Block, model::Model, spec::SessionSpec, training::Optimizer};
use proptest::prelude::*;

use crate::round::{ROUND, SESSION, spec, update};

type Changes = Vec<(prop::sample::Index, u8)>;

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
}

/// Some bytes replaced, and sometimes an end cut off.
fn damaged(mut bytes: Vec<u8>, changes: Changes, kept: Option<prop::sample::Index>) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = byte;
    }
    if let Some(kept) = kept {
        bytes.truncate(kept.index(bytes.len()));
    }
    bytes
}

fn tensors() -> Tensors {
    let tensor = |shape: &[usize]| Tensor { shape: shape.to_vec(), data: vec![0.5; shape.iter().product()] };
    Tensors([("layers.0.weight".into(), tensor(&[3, 2])), ("layers.0.bias".into(), tensor(&[3]))].into())
}

fn table(numbers: bool) -> Table {
    let labels = if numbers { Labels::Numbers(vec![0.5, -1.0, 3.0]) } else { Labels::Classes(vec![0, 1, 0]) };
    Table { features: 2, x: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], labels }
}

fn read_spec(bytes: &[u8]) {
    if let Ok(spec) = SessionSpec::read(bytes) {
        assert_eq!(spec.to_block().unwrap(), bytes);
    }
}

fn read_tensors(bytes: &[u8]) {
    if let Ok(tensors) = Tensors::from_bytes(bytes, 1 << 20) {
        assert_eq!(tensors.to_bytes(), bytes);
    }
}

fn read_coefficients(bytes: &[u8]) {
    if let Ok(model) = Coefficients::from_bytes(bytes, 1 << 20) {
        assert_eq!(model.to_bytes(), bytes);
    }
}

/// A session that is solved by sums.
fn solved() -> SessionSpec {
    let mut spec = spec();
    (spec.model, spec.training.optimizer) = (Model::LogisticRegression {}, Optimizer::Newton { ridge: 1.0 });
    spec
}

/// The model of that session, before its first round.
fn coefficients() -> Coefficients {
    Coefficients::start(&Problem::of_spec(&solved()).unwrap())
}

/// What the seat of ten rows tells.
fn sums() -> Vec<u8> {
    let spec = solved();
    let labels = Labels::Classes(vec![0, 1, 0, 1, 1, 0, 1, 0, 1, 1]);
    let rows = Table { features: 2, x: (0_u8..20).map(f32::from).collect(), labels };
    let problem = Problem::of_spec(&spec).unwrap();
    session::update(&problem, &coefficients(), &spec.scaling, &spec.schema.label.task, &rows).unwrap()
}

fn read_sums(bytes: &[u8]) {
    let spec = solved();
    let problem = Problem::of_spec(&spec).unwrap();
    if let Ok(sums) = Sums::from_bytes(bytes, &problem) {
        assert_eq!(sums.to_bytes(&problem), bytes);
        let mut update = update(0, &tensors());
        update.content.as_mut().unwrap().weights = bytes.to_vec().into();
        let next =
            session::aggregate(&spec, SESSION, ROUND, &coefficients(), vec![update], Judge::Blind).unwrap().model;
        read_coefficients(&next.to_bytes());
        assert!(Coefficients::from_bytes(&next.to_bytes(), 1 << 20).is_ok());
    }
}

fn read_table(bytes: &[u8]) {
    if let Ok(table) = Table::from_safetensors(bytes) {
        assert_eq!(Table::from_safetensors(&table.to_safetensors()).unwrap(), table);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_spec_tensors_or_table(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_spec(&bytes);
        read_tensors(&bytes);
        read_coefficients(&bytes);
        read_sums(&bytes);
        read_table(&bytes);
        // Past the length of the header.
        let length = u64::try_from(bytes.len()).unwrap().to_le_bytes();
        read_tensors(&[&length[..], &bytes].concat());
        read_coefficients(&[&length[..], &bytes].concat());
        read_table(&[&length[..], &bytes].concat());
    }

    #[test]
    fn damaged_specs_do_no_harm(changes in changes(), kept in any::<Option<prop::sample::Index>>()) {
        read_spec(&damaged(spec().to_block().unwrap(), changes, kept));
    }

    #[test]
    fn damaged_tensors_do_no_harm(changes in changes(), kept in any::<Option<prop::sample::Index>>()) {
        read_tensors(&damaged(tensors().to_bytes(), changes, kept));
    }

    #[test]
    fn damaged_coefficients_do_no_harm(changes in changes(), kept in any::<Option<prop::sample::Index>>()) {
        read_coefficients(&damaged(coefficients().to_bytes(), changes, kept));
    }

    #[test]
    fn damaged_sums_do_no_harm(changes in changes()) {
        read_sums(&damaged(sums(), changes, None));
    }

    #[test]
    fn damaged_tables_do_no_harm(numbers: bool, changes in changes(), kept in any::<Option<prop::sample::Index>>()) {
        read_table(&damaged(table(numbers).to_safetensors(), changes, kept));
    }
}
