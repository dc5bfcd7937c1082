//! The shape of a forest that fits a session's rounds and seats.

use anyhow::bail;
use parity_protocol::forest::{ForestMethod, ForestShape, MAX_DEPTH};

use crate::args::forest::{ForestArgs, Method};

/// The default shape with what the flags say. A histogram forest is finished after the last round: the first one agrees on bins,
/// each of the others grows a level. A union needs two.
pub(super) fn shape(base: ForestShape, args: &ForestArgs, rounds: u16, seats: u16) -> anyhow::Result<ForestShape> {
    let method = match args.forest_method {
        None | Some(Method::Histogram) => ForestMethod::Histogram {},
        Some(Method::Union) => ForestMethod::Union { seats },
    };
    if rounds < 2 {
        let why = match method {
            ForestMethod::Histogram {} => "the first one agrees on bins, each other one grows a level",
            ForestMethod::Union { .. } => "in the first one seats grow trees, in the second one they fill the leaves",
        };
        bail!("{rounds} rounds are too few for a forest; use 2 or more: {why}");
    }
    let most = match method {
        ForestMethod::Histogram {} => u8::try_from(rounds - 1).unwrap_or(u8::MAX).min(MAX_DEPTH),
        ForestMethod::Union { .. } => MAX_DEPTH,
    };
    if let Some(depth) = args.max_depth.filter(|depth| *depth > most) {
        bail!("--max-depth {depth} is more than {rounds} rounds can grow ({most}); use more rounds or fewer levels");
    }
    Ok(ForestShape {
        trees: args.trees.unwrap_or(base.trees),
        max_depth: Some(args.max_depth.unwrap_or(most)),
        min_samples_split: args.min_samples_split.unwrap_or(base.min_samples_split),
        min_samples_leaf: args.min_samples_leaf.unwrap_or(base.min_samples_leaf),
        max_features: args.max_features.unwrap_or(base.max_features),
        bootstrap: args.bootstrap.unwrap_or(base.bootstrap),
        class_weight: args.class_weight.unwrap_or(base.class_weight),
        method,
        bins: base.bins,
    })
}
