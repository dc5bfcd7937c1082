//! Which updates of a round count: the same order and the same reasons for every kind of model.

use parity_protocol::{
    manifest::{RejectedUpdate, Rejection},
    spec::SessionSpec,
};
use rayon::prelude::*;

use super::{UpdateInput, sampled, seats::seats};

/// By operator, then seat: the order in which everyone sees them.
pub(crate) fn sorted(mut inputs: Vec<UpdateInput>) -> Vec<UpdateInput> {
    inputs.sort_by_key(|input| (input.operator, input.seat));
    inputs
}

/// Updates that pass every check, with what the check made of them, and the others with the reason.
pub(crate) fn sift<'a, T: Send>(
    spec: &SessionSpec,
    round: u16,
    inputs: &'a [UpdateInput],
    check: impl Fn(&UpdateInput) -> Result<T, Rejection> + Sync,
) -> (Vec<(&'a UpdateInput, T)>, Vec<RejectedUpdate>) {
    let taking_part = seats(spec).map(|seats| sampled(spec, round, seats));
    let checked: Vec<Result<T, Rejection>> = inputs
        .par_iter()
        .map(|input| match &taking_part {
            Some(seats) if seats.get(usize::from(input.seat)) == Some(&false) => Err(Rejection::NotSampled),
            _ => check(input),
        })
        .collect();
    let (mut good, mut rejected) = (Vec::new(), Vec::new());
    for (input, checked) in inputs.iter().zip(checked) {
        let UpdateInput { operator, seat, digest, .. } = *input;
        match checked {
            Ok(checked) => good.push((input, checked)),
            Err(reason) => rejected.push(RejectedUpdate { operator, seat, digest, reason }),
        }
    }
    (good, rejected)
}
