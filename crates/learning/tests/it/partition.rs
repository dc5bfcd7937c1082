//! Deals are those of a second implementation, written in another language from the same definitions
//! (`script/partition-vectors.py`).

use parity_learning::{
    partition::{Dealing, Shard, deal},
    table::Labels,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    labels: CaseLabels,
    partition: String,
    seats: usize,
    min_samples: usize,
    overlap_ratio: f64,
    seed: u64,
    shards: Vec<CaseShard>,
}

#[derive(Deserialize)]
enum CaseLabels {
    Classes(Vec<i64>),
    Numbers(Vec<f32>),
}

#[derive(Deserialize)]
struct CaseShard {
    own: Vec<usize>,
    borrowed: Vec<usize>,
}

#[test]
fn a_deal_is_the_same_in_every_language() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../vectors/partition.json")).unwrap();
    assert_eq!(cases.len(), 28);
    for case in cases {
        let labels = match case.labels {
            CaseLabels::Classes(classes) => Labels::Classes(classes),
            CaseLabels::Numbers(numbers) => Labels::Numbers(numbers),
        };
        let Case { seats, min_samples, overlap_ratio, seed, .. } = case;
        let partition = case.partition.parse().unwrap();
        let shards = deal(&labels, &Dealing { partition, seats, min_samples, overlap_ratio, seed }).unwrap();
        let expected: Vec<Shard> =
            case.shards.into_iter().map(|shard| Shard { own: shard.own, borrowed: shard.borrowed }).collect();
        assert_eq!(shards, expected, "{partition} with a minimum of {min_samples}");
    }
}
