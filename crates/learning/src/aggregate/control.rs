//! Control variates of SCAFFOLD (Karimireddy et al. 2020, algorithm 1, option II), computed by the aggregator alone.
//!
//! With `x` the round's starting model, `y_i` the update of seat `i` and `p_i` its path ([`path`](super::path)):
//! `c_i <- c_i - c + (x - y_i) / (eta p_i)`, and `c <- sum_i (n_i / n) c_i` over all seats. In the next round seat `i` adds
//! `c - c_i` to its gradients. Everything here follows from what is public, so runners post nothing but their updates.
//!
//! Two changes keep it stable where data differ much: a seat's variate is scaled down to a largest norm, so that one strange
//! update cannot push all later rounds; and `c` weighs seats as the model does, so that the corrections cancel in the mean.
//!
//! The state has `control.global.*`, `control.seat.00007.*` and `control.weight.00007` (one value).

use super::{
    fold::distance,
    models::{same_shape, zip},
    server::{named, section},
};
use crate::{
    Result,
    tensors::{Tensor, Tensors},
};

const GLOBAL: &str = "control.global.";
const SEAT: &str = "control.seat.";
const WEIGHT: &str = "control.weight.";

/// An accepted update, as the variates see it.
#[derive(Clone, Copy, Debug)]
pub struct Contribution<'a> {
    /// Seat.
    pub seat: u16,
    /// Its weight in the mean.
    pub weight: f32,
    /// Its model.
    pub update: &'a Tensors,
    /// Learning rate times path.
    pub distance: f64,
}

/// The variates after a round.
///
/// # Errors
/// [`Error::Aggregate`](crate::Error::Aggregate) when shapes in the state or the updates are not those of the model.
pub fn control(
    state: Option<&Tensors>,
    previous: &Tensors,
    contributions: &[Contribution<'_>],
    clip: f64,
) -> Result<Tensors> {
    let zero = zip(previous, previous, |_, _| 0.0);
    let part = |prefix: &str| state.and_then(|state| section(state, prefix));
    let global = part(GLOBAL).unwrap_or_else(|| zero.clone());
    same_shape(previous, &global)?;
    let mut next = Tensors::default();
    for prefix in [SEAT, WEIGHT] {
        next.0.extend(part(prefix).map(|kept| named(prefix, kept)).unwrap_or_default().0);
    }
    for contribution in contributions {
        let prefix = format!("{SEAT}{:05}.", contribution.seat);
        let own = part(&prefix).unwrap_or_else(|| zero.clone());
        same_shape(previous, &own)?;
        same_shape(previous, contribution.update)?;
        let gradient = zip(previous, contribution.update, |x, y| (x - y) / contribution.distance);
        let own = zip(&zip(&own, &global, |own, global| own - global), &gradient, |rest, gradient| rest + gradient);
        let length = distance(&zero, &own);
        let own = if length > clip { zip(&zero, &own, |_, value| value * (clip / length)) } else { own };
        next.0.extend(named(&prefix, own).0);
        let weight = Tensor { shape: vec![1], data: vec![contribution.weight] };
        next.0.insert(format!("{WEIGHT}{:05}", contribution.seat), weight);
    }
    let global = mean(&next, &zero);
    next.0.extend(named(GLOBAL, global).0);
    Ok(next)
}

/// The mean of all seats' variates, by their weights, in the order of the seats.
fn mean(state: &Tensors, zero: &Tensors) -> Tensors {
    let seats: Vec<(&str, f64)> = (state.0.iter())
        .filter_map(|(name, tensor)| Some((name.strip_prefix(WEIGHT)?, f64::from(*tensor.data.first()?))))
        .collect();
    let total: f64 = seats.iter().map(|(_, weight)| weight).sum();
    let mut mean = zero.clone();
    for (name, tensor) in &mut mean.0 {
        let mut sums = vec![0.0_f64; tensor.data.len()];
        for (seat, weight) in &seats {
            let Some(own) = state.0.get(&format!("{SEAT}{seat}.{name}")) else { continue };
            sums.iter_mut().zip(&own.data).for_each(|(sum, value)| *sum += weight * f64::from(*value));
        }
        tensor.data.iter_mut().zip(sums).for_each(|(value, sum)| *value = super::fixed::round(sum / total));
    }
    mean
}

/// What a seat adds to its gradients in the next round: `c - c_i`; a seat without a variate adds `c`. None where the state has no
/// variates.
pub fn correction(state: &Tensors, seat: u16) -> Option<Tensors> {
    let global = section(state, GLOBAL)?;
    match section(state, &format!("{SEAT}{seat:05}.")) {
        Some(own) if same_shape(&global, &own).is_ok() => Some(zip(&global, &own, |global, own| global - own)),
        _ => Some(global),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(values: &[f32]) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![values.len()], data: values.to_vec() })].into())
    }

    fn contribution(seat: u16, weight: f32, update: &Tensors) -> Contribution<'_> {
        Contribution { seat, weight, update, distance: 0.5 }
    }

    #[test]
    fn the_first_variates_are_mean_gradients() {
        let (x, a, b) = (model(&[1.0, 0.0]), model(&[0.5, 0.0]), model(&[1.0, 1.0]));
        let state = control(None, &x, &[contribution(0, 1.0, &a), contribution(1, 3.0, &b)], 100.0).unwrap();
        assert_eq!(state.0["control.seat.00000.w"].data, [1.0, 0.0]);
        assert_eq!(state.0["control.seat.00001.w"].data, [0.0, -2.0]);
        assert_eq!(state.0["control.global.w"].data, [0.25, -1.5]);
        assert_eq!(correction(&state, 0).unwrap().0["w"].data, [-0.75, -1.5]);
        assert_eq!(correction(&state, 9).unwrap().0["w"].data, [0.25, -1.5]);
    }

    #[test]
    fn later_variates_follow_option_two() {
        let (x, a) = (model(&[1.0]), model(&[0.5]));
        let first = control(None, &x, &[contribution(0, 1.0, &a), contribution(1, 1.0, &x)], 100.0).unwrap();
        // c_0 = 1, c_1 = 0, c = 0.5; seat 1 is silent and keeps its own.
        let second = control(Some(&first), &x, &[contribution(0, 1.0, &a)], 100.0).unwrap();
        assert_eq!(second.0["control.seat.00000.w"].data, [1.0 - 0.5 + 1.0]);
        assert_eq!(second.0["control.seat.00001.w"].data, [0.0]);
        assert_eq!(second.0["control.global.w"].data, [0.75]);
    }

    #[test]
    fn weighted_corrections_cancel() {
        let x = model(&[0.25, -0.5, 1.0]);
        let updates = [model(&[1.0, 2.0, -1.0]), model(&[-3.0, 0.5, 0.25]), model(&[0.0, 0.0, 9.0])];
        let parts: Vec<_> =
            updates.iter().zip([10.0, 20.0, 30.0]).zip(0..).map(|((u, w), seat)| contribution(seat, w, u)).collect();
        let state = control(None, &x, &parts, 1e9).unwrap();
        for place in 0..3 {
            let sum: f32 =
                parts.iter().map(|part| part.weight * correction(&state, part.seat).unwrap().0["w"].data[place]).sum();
            assert!(sum.abs() < 1e-4, "{sum}");
        }
    }

    #[test]
    fn a_strange_update_is_clipped() {
        let (x, far) = (model(&[0.0, 0.0]), model(&[-3e6, 4e6]));
        let state = control(None, &x, &[contribution(0, 1.0, &far)], 5.0).unwrap();
        assert_eq!(state.0["control.seat.00000.w"].data, [3.0, -4.0]);
        assert!(control(Some(&state), &model(&[0.0]), &[], 5.0).is_err());
        assert_eq!(correction(&model(&[1.0]), 0), None);
    }
}
