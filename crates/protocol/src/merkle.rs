//! Merkle trees of a round: the cumulative Merkle-sum tree of payouts and the plain tree of accepted updates.
//!
//! A leaf is hashed under tag 0, an inner node under tag 1, so that neither can pass for the other. Children are ordered
//! by hash, so a proof is a list of siblings without sides; an odd node moves up unchanged.

use alloy_primitives::{Address, B256, keccak256};

use crate::{
    Error, Result,
    manifest::{AcceptedUpdate, PayoutLeaf},
};

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// A node of the payout tree: a hash and the sum of all leaves below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumNode {
    /// Hash of the node.
    pub hash: B256,
    /// Base units below it.
    pub sum: u128,
}

/// The payout tree of a session.
#[derive(Clone, Debug)]
pub struct SumTree {
    levels: Vec<Vec<SumNode>>,
    operators: Vec<Address>,
}

impl SumTree {
    /// Builds the tree over leaves sorted strictly by operator.
    ///
    /// # Errors
    /// When the leaves are not sorted, an operator occurs twice, or the sum leaves 128 bits.
    pub fn new(leaves: &[PayoutLeaf]) -> Result<Self> {
        if let Some(pair) = leaves.windows(2).find(|pair| pair[0].operator >= pair[1].operator) {
            return Err(Error::Tree(format!("operator {} is not in order or occurs twice", pair[1].operator)));
        }
        let mut level: Vec<SumNode> = leaves
            .iter()
            .map(|leaf| {
                let sum = leaf.cumulative.base_units();
                let packed = [&[LEAF][..], leaf.operator.as_slice(), &sum.to_be_bytes()].concat();
                SumNode { hash: keccak256(packed), sum }
            })
            .collect();
        let mut levels = vec![level.clone()];
        while level.len() > 1 {
            level = level.chunks(2).map(parent).collect::<Result<_>>()?;
            levels.push(level.clone());
        }
        Ok(Self { levels, operators: leaves.iter().map(|leaf| leaf.operator).collect() })
    }

    /// The root; an empty tree has hash 0 and sum 0.
    pub fn root(&self) -> SumNode {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or(SumNode { hash: B256::ZERO, sum: 0 })
    }

    /// Siblings from the leaf of `operator` up to the root; none when it has no leaf.
    pub fn proof(&self, operator: Address) -> Option<Vec<SumNode>> {
        let mut index = self.operators.binary_search(&operator).ok()?;
        let mut proof = Vec::new();
        for level in &self.levels {
            if let Some(sibling) = level.get(index ^ 1) {
                proof.push(*sibling);
            }
            index /= 2;
        }
        Some(proof)
    }
}

fn parent(children: &[SumNode]) -> Result<SumNode> {
    let [a, b] = children else { return Ok(children[0]) };
    let (left, right) = if a.hash <= b.hash { (a, b) } else { (b, a) };
    let sum = a.sum.checked_add(b.sum).ok_or(Error::AmountOverflow { operation: "the sum of a payout tree" })?;
    let packed =
        [&[NODE][..], left.hash.as_slice(), &left.sum.to_be_bytes(), right.hash.as_slice(), &right.sum.to_be_bytes()]
            .concat();
    Ok(SumNode { hash: keccak256(packed), sum })
}

/// Root of the accepted updates, in their order (sorted by operator); 0 when there are none.
pub fn updates_root(accepted: &[AcceptedUpdate]) -> B256 {
    let mut level: Vec<B256> = accepted
        .iter()
        .map(|update| {
            let packed = [
                &[LEAF][..],
                update.operator.as_slice(),
                update.digest.as_slice(),
                &update.samples.to_be_bytes(),
                &update.score.to_be_bytes(),
            ]
            .concat();
            keccak256(packed)
        })
        .collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => keccak256([&[NODE][..], a.min(b).as_slice(), a.max(b).as_slice()].concat()),
                _ => pair[0],
            })
            .collect();
    }
    level.first().copied().unwrap_or(B256::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenAmount;

    fn leaves(count: u8) -> Vec<PayoutLeaf> {
        (0..count)
            .map(|i| PayoutLeaf {
                operator: Address::repeat_byte(i),
                cumulative: TokenAmount::from_base_units(u128::from(i) * 7 + 1),
            })
            .collect()
    }

    #[test]
    fn every_proof_leads_to_the_root() {
        for count in 1..20 {
            let leaves = leaves(count);
            let tree = SumTree::new(&leaves).unwrap();
            for (index, leaf) in leaves.iter().enumerate() {
                let mut node = tree.levels[0][index];
                for sibling in tree.proof(leaf.operator).unwrap() {
                    node = parent(&[node, sibling]).unwrap();
                }
                assert_eq!(node, tree.root());
            }
        }
    }

    #[test]
    fn unsorted_leaves_are_refused() {
        let mut leaves = leaves(3);
        leaves.swap(0, 1);
        assert!(SumTree::new(&leaves).is_err());
    }
}
