//! The open nodes of a tree, and the place of each.

use crate::forest::{
    draw::{Path, ROOT, children},
    tree::{Leaf, Node, Tree},
};

/// An open node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// Index of the leaf.
    pub(crate) node: usize,
    pub(crate) path: Path,
    /// How often it waited.
    pub(crate) waits: u8,
}

/// Open nodes in the order of the tree.
pub(crate) fn open_nodes(tree: &Tree) -> Vec<Open> {
    let mut open = Vec::new();
    let mut paths = vec![ROOT];
    for (node, at) in tree.nodes.iter().zip(0..) {
        let path = paths.pop().expect("a tree has one more leaf than splits");
        match node {
            Node::Split { .. } => {
                let (left, right) = children(path);
                paths.extend([right, left]);
            }
            Node::Leaf(Leaf { open: Some(waits), .. }) => open.push(Open { node: at, path, waits: *waits }),
            Node::Leaf(_) => {}
        }
    }
    open
}
