//! Server optimisers: the model follows the aggregate of a round with memory of earlier rounds.
//!
//! Reddi et al. 2021, algorithm 2, with `delta = target - previous` as the negative gradient; FedAvgM is Hsu et al. 2019. The
//! moments are f32 tensors `server.momentum.*` and `server.second.*` of the round's state; they start at 0 and `tau^2`.

use parity_protocol::aggregation::{Adaptive, Server};

use super::{
    fixed::round,
    models::{same_shape, zip},
};
use crate::{
    Result,
    tensors::{Tensor, Tensors},
};

/// Where the moments stand in a state.
const MOMENTUM: &str = "server.momentum.";
const SECOND: &str = "server.second.";

/// The next model, and the moments for the next round.
///
/// # Errors
/// [`Error::Aggregate`](crate::Error::Aggregate) when the moments in `state` or the target do not have the shapes of the model.
pub fn follow(
    server: &Server,
    previous: &Tensors,
    target: &Tensors,
    state: Option<&Tensors>,
) -> Result<(Tensors, Tensors)> {
    same_shape(previous, target)?;
    let delta = zip(previous, target, |from, to| to - from);
    let moment = |prefix, start| moment(state, prefix, previous, start);
    match server {
        Server::None {} => Ok((target.clone(), Tensors::default())),
        Server::Momentum { momentum, rate } => {
            let first = zip(&moment(MOMENTUM, 0.0)?, &delta, |m, d| momentum * m + d);
            let model = zip(previous, &first, |x, m| x + rate * m);
            Ok((model, named(MOMENTUM, first)))
        }
        Server::Adagrad(p) => adaptive(p, previous, &delta, moment, |v, square| v + square),
        Server::Adam(p) => adaptive(p, previous, &delta, moment, |v, square| p.beta2 * v + (1.0 - p.beta2) * square),
        Server::Yogi(p) => adaptive(p, previous, &delta, moment, |v, square| {
            let sign = if v > square {
                1.0
            } else if v < square {
                -1.0
            } else {
                0.0
            };
            v - (1.0 - p.beta2) * square * sign
        }),
    }
}

fn adaptive(
    parameters: &Adaptive,
    previous: &Tensors,
    delta: &Tensors,
    moment: impl Fn(&'static str, f64) -> Result<Tensors>,
    second: impl Fn(f64, f64) -> f64 + Sync,
) -> Result<(Tensors, Tensors)> {
    let Adaptive { rate, beta1, tau, .. } = *parameters;
    let first = zip(&moment(MOMENTUM, 0.0)?, delta, |m, d| beta1 * m + (1.0 - beta1) * d);
    let second = zip(&moment(SECOND, tau * tau)?, delta, |v, d| second(v, d * d));
    let step = zip(&first, &second, |m, v| rate * m / (v.sqrt() + tau));
    let model = zip(previous, &step, |x, step| x + step);
    let mut state = named(MOMENTUM, first);
    state.0.extend(named(SECOND, second).0);
    Ok((model, state))
}

/// A moment of the last round, or its start.
fn moment(state: Option<&Tensors>, prefix: &str, model: &Tensors, start: f64) -> Result<Tensors> {
    let Some(found) = state.and_then(|state| section(state, prefix)) else {
        let flat =
            |tensor: &Tensor| Tensor { shape: tensor.shape.clone(), data: vec![round(start); tensor.data.len()] };
        return Ok(Tensors(model.0.iter().map(|(name, tensor)| (name.clone(), flat(tensor))).collect()));
    };
    same_shape(model, &found)?;
    Ok(found)
}

/// The tensors of a state under a prefix, without it; none when there are none.
pub(super) fn section(state: &Tensors, prefix: &str) -> Option<Tensors> {
    let found =
        state.0.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone())));
    let found = Tensors(found.collect());
    (!found.0.is_empty()).then_some(found)
}

/// Tensors under a prefix.
pub(super) fn named(prefix: &str, tensors: Tensors) -> Tensors {
    Tensors(tensors.0.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(values: &[f32]) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![values.len()], data: values.to_vec() })].into())
    }

    /// Follows the same targets round after round, as the server and by the scalar formula.
    fn check(server: Server, formula: impl Fn(&mut [f64; 3], f64)) {
        let deltas = [[0.5_f32, -0.01], [0.25, 0.0], [-1.0, 0.02], [0.0, 1e-4]];
        let (mut actual, mut state) = (model(&[1.0, -1.0]), None);
        let tau = 1e-3;
        let mut expected = [[1.0, 0.0, tau * tau], [-1.0, 0.0, tau * tau]];
        for delta in deltas {
            let target = zip(&actual, &model(&delta), |x, d| x + d);
            let (next, kept) = follow(&server, &actual, &target, state.as_ref()).unwrap();
            (actual, state) = (next, Some(kept));
            expected.iter_mut().zip(delta).for_each(|(place, d)| formula(place, f64::from(d)));
        }
        for (value, place) in actual.0["w"].data.iter().zip(expected) {
            assert!((f64::from(*value) - place[0]).abs() < 2e-6, "{server:?} {value} {place:?}");
        }
    }

    #[test]
    fn momentum_follows_its_formula() {
        check(Server::Momentum { momentum: 0.9, rate: 0.5 }, |[x, m, _], d| {
            *m = 0.9 * *m + d;
            *x += 0.5 * *m;
        });
    }

    #[test]
    fn adaptive_servers_follow_their_formulas() {
        let p = Adaptive { rate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 };
        let step = move |x: &mut f64, m: &mut f64, v: f64, d: f64| {
            *m = 0.9 * *m + 0.1 * d;
            *x += 0.01 * *m / (v.sqrt() + 1e-3);
        };
        check(Server::Adagrad(p), move |[x, m, v], d| {
            *v += d * d;
            step(x, m, *v, d);
        });
        check(Server::Adam(p), move |[x, m, v], d| {
            *v = 0.99 * *v + 0.01 * d * d;
            step(x, m, *v, d);
        });
        check(Server::Yogi(p), move |[x, m, v], d| {
            *v -= 0.01 * d * d * (*v - d * d).signum();
            step(x, m, *v, d);
        });
    }

    #[test]
    fn a_state_of_another_shape_is_refused() {
        let start = model(&[1.0]);
        let server = Server::Momentum { momentum: 0.9, rate: 1.0 };
        let state = named(MOMENTUM, model(&[0.0, 0.0]));
        assert!(follow(&server, &start, &start, Some(&state)).is_err());
        assert!(follow(&server, &start, &model(&[0.0, 0.0]), None).is_err());
    }
}
