//! The balanced tree over the leaves of a file, built while leaves arrive.
//!
//! Every node takes [`WIDTH`] children, left to right; a level holds at most that many before they become one node of the
//! level above, so memory is `WIDTH` links per level whatever the size of the file.

use bytes::Bytes;
use parity_protocol::{Link, link};

use crate::dagpb::{Child, encode};

/// Bytes of a leaf (profile `unixfs-v1-2025`).
pub(crate) const LEAF_BYTES: u64 = 1 << 20;
/// Most links of a node (profile `unixfs-v1-2025`).
pub(crate) const WIDTH: usize = 1024;

/// Leaves in, nodes and in the end the root out.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Children that wait for their node; the leaves first.
    levels: Vec<Vec<Child>>,
}

impl Tree {
    /// Takes the next leaf; answers the nodes that are complete with it, lowest first.
    pub(crate) fn push(&mut self, leaf: Child) -> Vec<Bytes> {
        let mut nodes = Vec::new();
        self.add(0, leaf, &mut nodes);
        nodes
    }

    /// The root, and the nodes that were still open, lowest first.
    ///
    /// # Panics
    /// When no leaf was pushed: an empty file has one empty leaf.
    pub(crate) fn finish(mut self) -> (Child, Vec<Bytes>) {
        let mut nodes = Vec::new();
        let mut level = 0;
        loop {
            let top = level + 1 == self.levels.len();
            match self.levels[level].as_slice() {
                [root] if top => return (*root, nodes),
                [] => {}
                _ => self.close(level, &mut nodes),
            }
            level += 1;
        }
    }

    fn add(&mut self, level: usize, child: Child, nodes: &mut Vec<Bytes>) {
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(child);
        if self.levels[level].len() == WIDTH {
            self.close(level, nodes);
        }
    }

    fn close(&mut self, level: usize, nodes: &mut Vec<Bytes>) {
        let children = std::mem::take(&mut self.levels[level]);
        let block = Bytes::from(encode(&children));
        let child = Child {
            link: Link::of_block(link::DAG_PB, &block),
            bytes: children.iter().map(|child| child.bytes).sum(),
            stored: block.len() as u64 + children.iter().map(|child| child.stored).sum::<u64>(),
        };
        nodes.push(block);
        self.add(level + 1, child, nodes);
    }
}

/// The leaf with this link and this many bytes.
pub(crate) fn leaf(link: Link, bytes: u64) -> Child {
    Child { link, bytes, stored: bytes }
}

/// How many leaves a file of `bytes` has; an empty one has one.
pub(crate) fn leaf_count(bytes: u64) -> u64 {
    bytes.div_ceil(LEAF_BYTES).max(1)
}

/// Where leaf `index` of a file of `bytes` starts, and how long it is.
pub(crate) fn leaf_range(index: u64, bytes: u64) -> (u64, u64) {
    let start = index * LEAF_BYTES;
    (start, LEAF_BYTES.min(bytes - start))
}
