//! Formulas and trees that exist in Solidity too, checked on `abi/vectors`: the contracts' tests read the same files, which a
//! third implementation (`contracts/tools/make_vectors.py`) writes.
#![allow(clippy::unwrap_used, reason = "a test may end on the first surprise")]

mod spec;

use std::path::Path;

use parity_protocol::{
    Address, B256, TokenAmount, U256, accumulator, draw,
    manifest::{AcceptedUpdate, PayoutLeaf},
    merkle::{SumTree, updates_root},
    payout::RoundReward,
};
use serde::{Deserialize, de::DeserializeOwned};

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../abi/vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn decimal(text: &str) -> U256 {
    U256::from_str_radix(text, 10).unwrap()
}

fn amount(text: &str) -> TokenAmount {
    TokenAmount::from_base_units(text.parse().unwrap())
}

#[derive(Deserialize)]
struct Payouts {
    cases: Vec<PayoutCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayoutCase {
    reward: String,
    bps: u16,
    samples: String,
    total_samples: String,
    score: u32,
    total_score: String,
    expected: String,
}

#[test]
fn rewards_are_those_of_the_contract() {
    let Payouts { cases } = read("payout.json");
    assert!(!cases.is_empty());
    for case in cases {
        let round = RoundReward { reward: amount(&case.reward), performance_bps: case.bps };
        let reward = round
            .of(case.samples.parse().unwrap(), decimal(&case.total_samples), case.score, decimal(&case.total_score))
            .unwrap();
        assert_eq!(reward, amount(&case.expected), "{} of {}", case.samples, case.total_samples);
    }
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<Tree>,
}

#[derive(Deserialize)]
struct Tree {
    leaves: Vec<Leaf>,
    root: B256,
    sum: String,
    proofs: Vec<Vec<Node>>,
}

#[derive(Deserialize)]
struct Leaf {
    operator: Address,
    cumulative: String,
}

#[derive(Deserialize)]
struct Node {
    hash: B256,
    sum: String,
}

#[test]
fn payout_trees_and_proofs_are_those_of_the_contract() {
    let Trees { trees } = read("merkle_sum.json");
    assert!(!trees.is_empty());
    for tree in trees {
        let leaves: Vec<_> = tree
            .leaves
            .iter()
            .map(|leaf| PayoutLeaf { operator: leaf.operator, cumulative: amount(&leaf.cumulative) })
            .collect();
        let built = SumTree::new(&leaves).unwrap();
        assert_eq!(built.root().hash, tree.root);
        assert_eq!(built.root().sum, tree.sum.parse::<u128>().unwrap());
        for (leaf, expected) in tree.leaves.iter().zip(&tree.proofs) {
            let proof = built.proof(leaf.operator).unwrap();
            assert_eq!(proof.len(), expected.len());
            for (node, expected) in proof.iter().zip(expected) {
                assert_eq!((node.hash, node.sum), (expected.hash, expected.sum.parse().unwrap()));
            }
        }
    }
}

#[derive(Deserialize)]
struct Rounds {
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
struct Round {
    updates: Vec<Update>,
    root: B256,
    accumulator: B256,
}

#[derive(Deserialize)]
struct Update {
    operator: Address,
    digest: B256,
    samples: String,
    score: u32,
}

#[test]
fn update_trees_and_accumulators_are_those_of_the_contract() {
    let Rounds { rounds } = read("updates.json");
    assert!(!rounds.is_empty());
    for round in rounds {
        let accepted: Vec<_> = (0..)
            .zip(&round.updates)
            .map(|(seat, update)| AcceptedUpdate {
                operator: update.operator,
                seat,
                digest: update.digest,
                samples: update.samples.parse().unwrap(),
                score: update.score,
            })
            .collect();
        assert_eq!(updates_root(&accepted), round.root);
        let folded = accepted.iter().fold(B256::ZERO, |folded, update| {
            accumulator::fold(folded, update.operator, update.digest, update.samples)
        });
        assert_eq!(folded, round.accumulator);
    }
}

#[derive(Deserialize)]
struct Draws {
    draws: Vec<Drawn>,
}

#[derive(Deserialize)]
struct Drawn {
    seed: String,
    round: u16,
    seats: usize,
    count: usize,
    drawn: U256,
}

#[test]
fn draws_are_those_of_the_contract() {
    let Draws { draws } = read("draw.json");
    assert!(!draws.is_empty());
    for Drawn { seed, round, seats, count, drawn } in draws {
        let actual = draw::drawn(seed.parse().unwrap(), round, seats, count);
        assert_eq!(actual, (0..seats).map(|seat| drawn.bit(seat)).collect::<Vec<_>>(), "round {round} of {seed}");
    }
}
