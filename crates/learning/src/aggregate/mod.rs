//! From the models of a round to one: means, robust rules, and what comes before and after them.
//!
//! | rule | file | resists |
//! |---|---|---|
//! | [`fed_avg`], [`Mean`] | `mean` | nothing; exact in fixed point |
//! | [`median`], [`trimmed_mean`] | `order` | up to half, or the trimmed share, coordinate by coordinate |
//! | [`krum`], [`multi_krum`] | `krum` | `f` models far from the others |
//! | [`geometric_median`] | `geometric` | up to half, by weight of distance |
//! | [`centred_clipping`] | `clipping` | few that pull far |
//! | [`root_data`] | `root`, `evidence` | 3 of 10 seats whatever they do to the accuracy, and most backdoors |
//! | [`norm_bound`], [`nearest_neighbours`], [`normalise_steps`] | `clipping`, `mixing`, `steps` | steps before any rule |
//!
//! [`apply`] is the rule of a spec with what comes before it; [`follow`] (server optimisers) and [`control`] (SCAFFOLD) come after
//! it and keep a state from round to round, as does [`Evidence`] for the rule with root data.
//!
//! Invariants: a result depends on the set of inputs, not on their order, the number of threads or the processor; no input is
//! NaN or infinite. [`fed_avg`] has them from integer sums, the other rules from sorting their inputs first ([`Models`]).

mod clipping;
mod control;
mod evidence;
mod fixed;
mod fold;
mod geometric;
mod gram;
mod krum;
mod mean;
mod mixing;
mod models;
mod network;
mod order;
mod root;
mod rule;
mod server;
mod steps;
#[cfg(test)]
mod tests;

use crate::simd;

pub use clipping::{centred_clipping, norm_bound};
pub use control::{Contribution, control, correction};
pub use evidence::Evidence;
pub use geometric::geometric_median;
pub use krum::{krum, multi_krum};
pub use mean::{Mean, Weighted, fed_avg};
pub use mixing::nearest_neighbours;
pub use models::Models;
pub use order::{median, trimmed_mean};
pub use root::{Root, Trust, gains, root_data};
pub use rule::apply;
pub use server::follow;
pub use steps::{normalise_steps, path};

pub(crate) use fold::{distance, fold};
pub(crate) use mean::fits;
pub(crate) use models::{same_shape, shifted, zip};
