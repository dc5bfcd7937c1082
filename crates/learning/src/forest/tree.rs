//! A forest in memory: trees as lists of nodes, a node before its children, the left child right after it.

use crate::forest::bins::Bins;

/// Trees, and what is needed to go on growing them.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// Features of a row.
    pub(crate) features: u32,
    /// What leaves count.
    pub(crate) kind: Kind,
    /// The trees.
    pub(crate) trees: Vec<Tree>,
    /// Present while a node is open.
    pub(crate) growth: Option<Growth>,
    /// Whether leaves count the rows of all seats, whoever grew the tree.
    pub(crate) refitted: bool,
}

/// What leaves count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows of each of this many classes, times the weight of the class.
    Classes(u16),
    /// Rows, and their labels in units of 2^-20 standard deviations.
    Numbers,
}

/// What growing needs beside the trees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Growth {
    /// Levels grown.
    pub(crate) level: u8,
    /// What a row of each class counts; empty before the rows have been counted, and for numbers.
    pub(crate) weights: Vec<u32>,
    /// Bins that all seats share; none before they agreed.
    pub(crate) bins: Option<Bins>,
}

/// One tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// What its vote counts.
    pub(crate) vote: u32,
    /// Nodes, the root first.
    pub(crate) nodes: Vec<Node>,
    /// Entries of all leaves: column and value. See [`Kind`].
    pub(crate) entries: Vec<Entry>,
}

/// One number of a leaf that is not 0: column (class; for numbers 0 the rows, 1 the sum of labels) and value.
pub(crate) type Entry = (u16, i64);

/// A node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// Rows with `x[feature] <= threshold` go to the next node, others to the node at `right`.
    Split {
        /// Index of the feature.
        feature: u32,
        /// Largest number that goes left.
        threshold: f32,
        /// Index of the right child.
        right: u32,
    },
    /// Rows end here.
    Leaf(Leaf),
}

/// Where rows end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its entries: from here …
    pub(crate) start: u32,
    /// … to here.
    pub(crate) end: u32,
    /// While it may be split: how often it waited.
    pub(crate) open: Option<u8>,
}

impl Kind {
    /// Numbers that a node adds up.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Classes(classes) => usize::from(classes),
            Self::Numbers => 2,
        }
    }
}

impl Growth {
    /// Rounds so far: one to agree on bins, one for each level.
    pub(crate) fn stage(&self) -> u64 {
        u64::from(self.bins.is_some()) + u64::from(self.level)
    }
}

impl Forest {
    /// Features of a row.
    pub fn features(&self) -> usize {
        index(self.features)
    }

    /// Numbers that a prediction consists of: one per class, or one.
    pub fn outputs(&self) -> usize {
        match self.kind {
            Kind::Classes(classes) => usize::from(classes),
            Kind::Numbers => 1,
        }
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(|tree| tree.nodes.len()).sum()
    }

    /// Whether no node is open.
    pub fn is_finished(&self) -> bool {
        self.growth.is_none()
    }

    /// Whether leaves count the rows of all seats, whoever grew the tree.
    pub fn is_refitted(&self) -> bool {
        self.refitted
    }

    /// Levels grown so far; none when the forest is finished.
    pub fn level(&self) -> Option<u8> {
        self.growth.as_ref().map(|growth| growth.level)
    }
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { vote: 1, nodes: Vec::new(), entries: Vec::new() }
    }

    /// Appends a leaf with the numbers that are not 0.
    pub(crate) fn push_leaf(&mut self, sums: &[i64], open: Option<u8>) {
        let start = position(self.entries.len());
        let entries = (0..).zip(sums).filter(|(_, value)| **value != 0).map(|(column, value)| (column, *value));
        self.entries.extend(entries);
        self.nodes.push(Node::Leaf(Leaf { start, end: position(self.entries.len()), open }));
    }

    /// The numbers of a leaf that are not 0.
    pub(crate) fn entries(&self, leaf: Leaf) -> &[Entry] {
        &self.entries[index(leaf.start)..index(leaf.end)]
    }

    /// The index of the leaf that a row ends in.
    pub(crate) fn leaf_of(&self, row: &[f32]) -> usize {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(_) => return at,
                Node::Split { feature, threshold, right } => {
                    at = if row[index(feature)] <= threshold { at + 1 } else { index(right) };
                }
            }
        }
    }

    /// What its vote counts.
    pub fn vote(&self) -> u32 {
        self.vote
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// A stored position as an index.
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).expect("memory has room for 2^32 places")
}

/// An index as it is stored.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a tree of fewer than 2^32 nodes")
}
