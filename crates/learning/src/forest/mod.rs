//! Random forests (Breiman 2001) and extra trees (Geurts, Ernst and Wehenkel 2006), grown by one party or by many.
//!
//! A forest is a pure function of its [`Recipe`] and the multiset of rows: rows are drawn by their content, features by tree and
//! node, and whatever decides bins or splits is a sum of whole numbers. Hence two ways to the same bytes: [`fit()`] grows tree
//! by tree from rows; [`grow`] grows all trees from the summed [`Histograms`] of seats that keep their rows to themselves,
//! agreeing on bins in the first round and growing one level in each of the others.
//!
//! The other way to grow together is the union of trees that each seat grows alone ([`share`], [`unite`]), with leaves that
//! all seats fill ([`leaf_counts`], [`refit`]).
//!
//! Labels are classes, or numbers in units of 2^-20 standard deviations, so that sums are exact in any order. What a row of
//! a class counts (class weights) is a whole number as well.
//!
//! Terms: a node is *open* while it may still be split. A node all of whose candidate features are constant *waits*: it
//! looks at the next candidates one level later. `max_depth` therefore counts levels of growth.

mod bins;
mod bytes;
mod cells;
mod draw;
mod fit;
mod frontier;
mod grow;
mod grower;
mod histogram;
mod importance;
mod leaves;
mod level;
mod out_of_bag;
mod predict;
mod recipe;
mod scan;
mod score;
mod search;
pub mod session;
mod sketch;
mod split;
mod tree;
mod union;
mod varint;
mod vote;

pub use fit::fit;
pub use grow::{grow, start};
pub use histogram::{Histograms, histograms};
pub use importance::impurity_importances;
pub(crate) use leaves::LeafTable;
pub use out_of_bag::{OutOfBag, out_of_bag};
pub(crate) use predict::mean_label;
pub use recipe::Recipe;
pub(crate) use tree::Kind;
pub use tree::{Forest, Leaf, Node, Tree};
pub use union::{LeafCounts, leaf_counts, refit, share, unite};
