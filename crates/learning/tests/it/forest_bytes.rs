//! Files of forests and histograms: one form each, and nothing that reading them could not stand.

use parity_learning::forest::{Forest, Histograms, LeafCounts, fit, grow, histograms, leaf_counts, refit, start};
use parity_protocol::forest::ClassWeight;
use proptest::prelude::*;

use crate::forest::{recipe, table};

const LIMIT: usize = 1 << 24;

fn grown(extra: bool, numbers: bool, rounds: u8, rows: usize) -> Forest {
    let recipe = recipe(extra, numbers, |shape| {
        shape.trees = 5;
        shape.class_weight = ClassWeight::Balanced;
    });
    let table = table(rows, numbers);
    let mut forest = start(&recipe);
    for _ in 0..rounds {
        if !forest.is_finished() {
            forest = grow(&forest, &recipe, &[histograms(&forest, &recipe, &table).unwrap()]).unwrap();
        }
    }
    forest
}

/// Reading must answer, and what it accepts must be the one form.
fn read(bytes: &[u8]) -> bool {
    let forest = Forest::from_bytes(bytes, LIMIT);
    if let Ok(forest) = &forest {
        assert_eq!(forest.to_bytes(), bytes);
    }
    forest.is_ok()
}

#[test]
fn anything_but_the_one_form_is_refused() {
    let bytes = grown(false, false, 2, 100).to_bytes();
    assert!(read(&bytes));
    for length in 0..bytes.len() {
        assert!(!read(&bytes[..length]), "{length} of {} bytes", bytes.len());
    }
    assert!(!read(&[&bytes[..], &[0]].concat()));
    assert!(Forest::from_bytes(&bytes, bytes.len() - 1).unwrap_err().to_string().contains("at most"));
}

#[test]
fn a_file_is_small() {
    let table = table(400, false);
    let forest = fit(&recipe(false, false, |_| {}), &table).unwrap();
    let bytes = forest.to_bytes().len();
    assert!(bytes < 6 * forest.nodes(), "{bytes} bytes for {} nodes", forest.nodes());
}

proptest! {
    #[test]
    fn forests_survive_their_bytes(extra: bool, numbers: bool, rounds in 0_u8..20, rows in 2_usize..120) {
        let forest = grown(extra, numbers, rounds, rows);
        prop_assert_eq!(Forest::from_bytes(&forest.to_bytes(), LIMIT).unwrap(), forest);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
        read(&[&b"PRFO\x01"[..], &bytes].concat());
        read(&[&b"PRFO\x01\x06\x03\x00"[..], &bytes].concat());
    }

    #[test]
    fn changed_bytes_do_no_harm(numbers: bool, rounds in 0_u8..4, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = grown(false, numbers, rounds, 60).to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if read(&bytes) {
            let forest = Forest::from_bytes(&bytes, LIMIT).unwrap();
            if forest.features() == 6 {
                forest.predict(&table(9, numbers).x).unwrap();
                parity_learning::forest::impurity_importances(&forest);
            }
        }
    }

    #[test]
    fn changed_histograms_do_no_harm(numbers: bool, rounds in 0_u8..4, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let forest = grown(false, numbers, rounds, 60);
        if forest.is_finished() {
            return Ok(());
        }
        let recipe = recipe(false, numbers, |shape| { shape.trees = 5; shape.class_weight = ClassWeight::Balanced; });
        let mut bytes = histograms(&forest, &recipe, &table(30, numbers)).unwrap().as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(told) = Histograms::from_bytes(&bytes, &forest, &recipe) {
            prop_assert_eq!(told.as_bytes(), &bytes[..]);
            if let Ok(next) = grow(&forest, &recipe, &[told]) {
                prop_assert!(read(&next.to_bytes()));
            }
        }
    }

    #[test]
    fn arbitrary_histograms_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let forest = grown(false, false, 2, 60);
        let recipe = recipe(false, false, |shape| { shape.trees = 5; shape.class_weight = ClassWeight::Balanced; });
        let _ = Histograms::from_bytes(&bytes, &forest, &recipe);
        let _ = Histograms::from_bytes(&[&b"PRFH\x01\x02"[..], &bytes].concat(), &forest, &recipe);
    }
}

#[test]
fn the_number_of_bins_limits_the_thresholds() {
    let table = table(300, false);
    let forest = fit(&recipe(false, false, |shape| shape.bins = 4), &table).unwrap();
    let mut thresholds: Vec<u32> = forest
        .trees()
        .iter()
        .flat_map(|tree| tree.nodes())
        .filter_map(|node| match node {
            parity_learning::forest::Node::Split { feature: 0, threshold, .. } => Some(threshold.to_bits()),
            _ => None,
        })
        .collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    assert!(thresholds.len() <= 3, "{thresholds:?}");
}

proptest! {
    #[test]
    fn changed_leaf_counts_do_no_harm(numbers: bool, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)) {
        let recipe = recipe(false, numbers, |shape| shape.trees = 5);
        let forest = fit(&recipe, &table(60, numbers)).unwrap();
        let counts = leaf_counts(&forest, &recipe, &table(90, numbers)).unwrap();
        let mut bytes = counts.to_bytes(&recipe);
        prop_assert_eq!(&LeafCounts::from_bytes(&bytes, &forest, &recipe).unwrap(), &counts);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(counts) = LeafCounts::from_bytes(&bytes, &forest, &recipe) {
            prop_assert_eq!(counts.to_bytes(&recipe), bytes);
            if let Ok(refitted) = refit(&forest, &recipe, &[counts]) {
                prop_assert!(read(&refitted.to_bytes()));
            }
        }
    }
}
