//! Partitions by shares from a Dirichlet distribution: of every class, or of all rows.

use super::{
    counts::{Counts, Holders},
    groups::groups,
    shares::{apportion, dirichlet},
};
use crate::{
    random::{Purpose, Stream},
    table::Labels,
};

/// Distribution-based label skew: for every class `k` shares `p_k ~ Dir(alpha)` over the seats are drawn, and seat `j` gets
/// `p_kj` of its rows. As in Yurochkin et al. 2019 and Li et al. 2022 (NIID-Bench), so both the mixture and the sizes of
/// the seats vary; Hsu et al. 2019 draw the mixture of each seat instead and keep the sizes equal.
pub(super) fn by_class(labels: &Labels, alpha: f64, seats: usize, least: usize, seed: u64) -> Vec<Vec<usize>> {
    deal(groups(labels), alpha, seats, least, seed)
}

/// Quantity skew: shares `q ~ Dir(beta)` over the seats are drawn, and seat `j` gets `q_j` of all rows, shuffled (Li et al.
/// 2022).
pub(super) fn by_size(labels: &Labels, beta: f64, seats: usize, least: usize, seed: u64) -> Vec<Vec<usize>> {
    deal(vec![(0..labels.len()).collect()], beta, seats, least, seed)
}

fn deal(groups: Vec<Vec<usize>>, concentration: f64, seats: usize, least: usize, seed: u64) -> Vec<Vec<usize>> {
    let draw = |attempt| {
        let rows_of = |(index, group): (u64, &Vec<usize>)| {
            let mut stream = Stream::new(Purpose::Shares, seed, index, attempt);
            apportion(&dirichlet(concentration, seats, &mut stream), group.len())
        };
        Counts((0..).zip(&groups).map(rows_of).collect())
    };
    let counts = Counts::draw(least, Holders::All, draw);
    counts.expect("there are enough rows for every seat, and any row may be moved").deal(groups, seed)
}
