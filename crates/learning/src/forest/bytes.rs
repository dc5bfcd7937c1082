//! The file of a forest. Equal forests have equal bytes, and only these: what is read must be what would be written.
//!
//! ```text
//! "PRFO" 1                       magic and version
//! features, classes              classes 0: numbers
//! 0 finished | 2 refitted | 1 growing, level, weights known 0 | 1, weights, bins known 0 | 1, per feature: count, f32 …
//! trees, each: vote, nodes in order, a node before its children:
//!   0 leaf | 1 open leaf, waits | 2 + feature, f32 threshold
//!   leaf of classes: entries, each gap to the previous class, count; leaf of numbers: rows, sum
//! ```
//! Numbers are [`varint`]s, floats little endian. The right child of a node follows the whole left side, so places need not
//! be written, and no file can make a tree that is none.

use parity_protocol::forest::{MAX_BINS, MAX_DEPTH, MAX_TREES};

use crate::{
    Error, Result,
    forest::{
        bins::{Bins, is_canonical},
        recipe::classes_of,
        tree::{Entry, Forest, Growth, Kind, Leaf, Node, Tree, position},
        varint::{self, Reader},
    },
};

const MAGIC: &[u8; 5] = b"PRFO\x01";
/// States of growth beside 0, finished.
const GROWING: u64 = 1;
const REFITTED: u64 = 2;
/// Heads of nodes.
const LEAF: u64 = 0;
const OPEN_LEAF: u64 = 1;
const SPLIT: u64 = 2;
/// Most that a tree counts, as in growing: sums and squares then fit 64 bits.
const MOST: u64 = u32::MAX as u64;
/// A label lies within ±2^31.
const LARGEST_LABEL: u64 = 1 << 31;

impl Forest {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        varint::write(&mut bytes, self.features.into());
        varint::write(&mut bytes, if let Kind::Classes(classes) = self.kind { classes.into() } else { 0 });
        match &self.growth {
            None => varint::write(&mut bytes, if self.refitted { REFITTED } else { 0 }),
            Some(growth) => write_growth(&mut bytes, growth),
        }
        varint::write(&mut bytes, length(self.trees.len()));
        for tree in &self.trees {
            varint::write(&mut bytes, tree.vote.into());
            for node in &tree.nodes {
                match node {
                    Node::Split { feature, threshold, .. } => {
                        varint::write(&mut bytes, SPLIT + u64::from(*feature));
                        bytes.extend_from_slice(&threshold.to_le_bytes());
                    }
                    Node::Leaf(leaf) => {
                        match leaf.open {
                            None => varint::write(&mut bytes, LEAF),
                            Some(waits) => {
                                varint::write(&mut bytes, OPEN_LEAF);
                                varint::write(&mut bytes, waits.into());
                            }
                        }
                        write_leaf(&mut bytes, self.kind, tree.entries(*leaf));
                    }
                }
            }
        }
        bytes
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Forest`] when there are more bytes, or they are not what [`Forest::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self> {
        if bytes.len() > limit {
            return Err(Error::Forest(format!("{} bytes, at most {limit} are allowed", bytes.len())));
        }
        let mut reader = Reader(bytes);
        if reader.array::<5>()? != *MAGIC {
            return Err(Error::Forest("the bytes do not begin as a forest of version 1 does".into()));
        }
        let features = narrow(reader.number_in(1, u64::from(u32::MAX), "the number of features")?)?;
        let kind = match reader.number()? {
            0 => Kind::Numbers,
            classes => Kind::Classes(classes_of(usize::try_from(classes).unwrap_or(usize::MAX))?),
        };
        let (growth, refitted) = match reader.number_in(0, REFITTED, "the state of growth")? {
            GROWING => (Some(read_growth(&mut reader, features, kind)?), false),
            state => (None, state == REFITTED),
        };
        let count = reader.number_in(0, u64::from(MAX_TREES), "the number of trees")?;
        let mut trees = Vec::new();
        for _ in 0..count {
            trees.push(read_tree(&mut reader, features, kind, growth.as_ref())?);
        }
        reader.end()?;
        let forest = Self { features, kind, trees, growth, refitted };
        if forest.growth.is_some() != forest.has_open_leaf() {
            return Err(Error::Forest("growth is there without an open leaf, or the other way round".into()));
        }
        Ok(forest)
    }

    pub(crate) fn has_open_leaf(&self) -> bool {
        let is_open = |node: &Node| matches!(node, Node::Leaf(Leaf { open: Some(_), .. }));
        self.trees.iter().any(|tree| tree.nodes.iter().any(is_open))
    }
}

fn write_growth(bytes: &mut Vec<u8>, growth: &Growth) {
    varint::write(bytes, GROWING);
    varint::write(bytes, growth.level.into());
    varint::write(bytes, u64::from(!growth.weights.is_empty()));
    growth.weights.iter().for_each(|weight| varint::write(bytes, (*weight).into()));
    varint::write(bytes, growth.bins.is_some().into());
    for values in growth.bins.iter().flat_map(|bins| (0..bins.features()).map(|feature| bins.values(feature))) {
        varint::write(bytes, length(values.len()));
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
}

fn read_growth(reader: &mut Reader<'_>, features: u32, kind: Kind) -> Result<Growth> {
    let level = reader.number_in(0, u64::from(MAX_DEPTH) - 1, "the level")?;
    let level = u8::try_from(level).expect("at most 64");
    let mut weights = Vec::new();
    if let (1, Kind::Classes(classes)) = (reader.number_in(0, u64::from(kind != Kind::Numbers), "weights")?, kind) {
        for _ in 0..classes {
            weights.push(narrow(reader.number_in(1, u64::from(u32::MAX), "a class weight")?)?);
        }
    }
    if reader.number_in(0, 1, "bins")? == 0 {
        return Ok(Growth { level, weights, bins: None });
    }
    let mut values = Vec::new();
    for _ in 0..features {
        let count = reader.number_in(0, MAX_BINS.into(), "the number of bins")?;
        let floats = reader.take(4 * usize::try_from(count).expect("at most 255"))?;
        values.push(floats.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect());
    }
    Ok(Growth { level, weights, bins: Some(Bins::new(values)?) })
}

fn read_tree(reader: &mut Reader<'_>, features: u32, kind: Kind, growth: Option<&Growth>) -> Result<Tree> {
    let vote = narrow(reader.number_in(0, u64::from(u32::MAX), "a vote")?)?;
    let mut tree = Tree { vote, ..Tree::new() };
    // Splits whose right child is still to come, and their depth.
    let mut waiting: Vec<usize> = Vec::new();
    let mut depths: Vec<u8> = vec![0];
    let mut counted = 0;
    while let Some(depth) = depths.pop() {
        if depths.len() < waiting.len() {
            let parent = waiting.pop().expect("longer than another list");
            let here = position(tree.nodes.len());
            if let Node::Split { right, .. } = &mut tree.nodes[parent] {
                *right = here;
            }
        }
        let head = reader.number_in(0, SPLIT + u64::from(features) - 1, "the head of a node")?;
        if let Some(feature) = head.checked_sub(SPLIT) {
            if depth >= MAX_DEPTH {
                return Err(Error::Forest(format!("a tree has more than {MAX_DEPTH} levels")));
            }
            let threshold = f32::from_le_bytes(reader.array()?);
            if !is_canonical(threshold) {
                return Err(Error::Forest(format!("a threshold is {threshold:?}, expected a finite number")));
            }
            waiting.push(tree.nodes.len());
            tree.nodes.push(Node::Split { feature: narrow(feature)?, threshold, right: 0 });
            depths.extend([depth + 1, depth + 1]);
            continue;
        }
        let open = if head == OPEN_LEAF {
            if growth.is_none_or(|growth| growth.level < depth) {
                return Err(Error::Forest("a leaf is open below the level that was grown".into()));
            }
            let waits = reader.number_in(0, MAX_DEPTH.into(), "a leaf's waits")?;
            Some(u8::try_from(waits).expect("at most 64"))
        } else {
            None
        };
        let start = position(tree.entries.len());
        counted += read_leaf(reader, kind, &mut tree.entries)?;
        if counted > MOST {
            return Err(Error::Forest(format!("a tree counts more than {MOST} rows")));
        }
        tree.nodes.push(Node::Leaf(Leaf { start, end: position(tree.entries.len()), open }));
    }
    Ok(tree)
}

/// Appends a leaf.
pub(crate) fn write_leaf(bytes: &mut Vec<u8>, kind: Kind, entries: &[Entry]) {
    if kind == Kind::Numbers {
        let value = |column: u16| entries.iter().find(|entry| entry.0 == column).map_or(0, |entry| entry.1);
        varint::write(bytes, value(0).cast_unsigned());
        varint::write_signed(bytes, value(1));
        return;
    }
    varint::write(bytes, length(entries.len()));
    let mut next = 0;
    for (class, count) in entries {
        varint::write(bytes, u64::from(*class - next));
        varint::write(bytes, count.cast_unsigned());
        next = class + 1;
    }
}

/// Reads a leaf; returns what it counts.
pub(crate) fn read_leaf(reader: &mut Reader<'_>, kind: Kind, entries: &mut Vec<Entry>) -> Result<u64> {
    let Kind::Classes(classes) = kind else {
        let rows = reader.number_in(0, MOST, "the rows of a leaf")?;
        let sum = reader.signed()?;
        if sum.unsigned_abs() > rows * LARGEST_LABEL {
            return Err(Error::Forest(format!("a leaf has {rows} rows with a sum of {sum}")));
        }
        let both = [(0, rows.cast_signed()), (1, sum)];
        entries.extend(both.into_iter().filter(|(_, value)| *value != 0));
        return Ok(rows);
    };
    let count = reader.number_in(0, classes.into(), "the number of classes of a leaf")?;
    let (mut next, mut counted) = (0, 0);
    for _ in 0..count {
        let class = next + reader.number_in(0, classes.into(), "the gap between classes")?;
        if class >= classes.into() {
            return Err(Error::Forest(format!("a leaf has class {class} of {classes}")));
        }
        let rows = reader.number_in(1, MOST, "the rows of a class")?;
        entries.push((u16::try_from(class).expect("below a number of 16 bits"), rows.cast_signed()));
        counted += rows;
        next = class + 1;
    }
    Ok(counted)
}

fn narrow(value: u64) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::Forest(format!("{value} does not fit 32 bits")))
}

fn length(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}
