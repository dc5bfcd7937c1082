//! What the leaves of a forest say, each thing once: for programs that walk the trees by themselves.

use std::collections::HashMap;

use crate::{
    Error, Result,
    forest::{
        predict::Opinion,
        tree::{Forest, Node},
    },
};

/// Most numbers of a table: 2 GiB of them.
const MOST: usize = 1 << 28;

/// What the leaves of a forest say.
#[derive(Debug)]
pub(crate) struct LeafTable {
    /// `[different, outputs + 2]`: what is added to each output of a row that ends in such a leaf, then the vote and the number 1 of
    /// a tree that says something, else 0.
    pub(crate) rows: Vec<f64>,
    /// The row of the table for every leaf, in the order of the forest.
    pub(crate) numbers: Vec<usize>,
    /// Sums are logarithms of shares, up to what the outputs have in common, times the votes; otherwise means times the votes.
    pub(crate) multiplies: bool,
    /// Every output where the sum of votes is 0.
    pub(crate) undecided: f64,
}

impl LeafTable {
    /// The table of a forest.
    ///
    /// # Errors
    /// [`Error::Export`] when it would have more than 2^28 numbers.
    pub(crate) fn of(forest: &Forest) -> Result<Self> {
        let outputs = forest.outputs();
        let opinion = Opinion::new(forest);
        let mut table = Self {
            rows: Vec::new(),
            numbers: Vec::new(),
            multiplies: forest.multiplies_shares(),
            undecided: forest.kind.undecided(),
        };
        let mut known: HashMap<Vec<u64>, usize> = HashMap::new();
        for tree in &forest.trees {
            for node in &tree.nodes {
                let Node::Leaf(leaf) = node else { continue };
                let mut row = vec![0.0; outputs];
                let speaks = opinion.add(tree, *leaf, &mut row);
                row.extend(if speaks { [f64::from(tree.vote), 1.0] } else { [0.0, 0.0] });
                let number = known.len();
                let key = row.iter().map(|value| value.to_bits()).collect();
                let number = *known.entry(key).or_insert_with(|| {
                    table.rows.extend_from_slice(&row);
                    number
                });
                table.numbers.push(number);
                if table.rows.len() > MOST {
                    let remedy = "export as safetensors or json";
                    return Err(Error::Export(format!("the leaves say more than {MOST} numbers; {remedy}")));
                }
            }
        }
        Ok(table)
    }
}
