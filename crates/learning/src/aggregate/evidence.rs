//! What root rows have said about each seat so far: hostile seats stay hostile, and few rows say more in many rounds than in one.
//!
//! A seat's evidence is the sum, over the rounds that it took part in, of how far its update alone lowered the loss on the root rows
//! ([`gains`](super::gains)). It is kept by the aggregator in the state of the round, like control variates, so nobody says it about
//! itself. It does not fade: rounds in which much is learned tell seats apart, later ones are mostly noise, and forgetting the first at 5 %
//! a round let five times as many backdoors through. Whoever earns trust first and turns then meets the steps that do not
//! depend on trust: what seats agree on, and the length of the step.
//!
//! The state has `root.evidence`: `[seats]` f32, by seat, 0 for a seat that has not been seen.

use super::fixed::round;
use crate::tensors::{Tensor, Tensors};

const NAME: &str = "root.evidence";

/// Evidence by seat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence(Vec<f32>);

impl Evidence {
    /// What a state holds, nothing where it holds none.
    pub fn of_state(state: Option<&Tensors>) -> Self {
        Self(state.and_then(|state| state.0.get(NAME)).map(|tensor| tensor.data.clone()).unwrap_or_default())
    }

    /// Adds the gain of a seat's update in this round.
    pub fn observe(&mut self, seat: u16, gain: f64) {
        let place = usize::from(seat);
        if self.0.len() <= place {
            self.0.resize(place + 1, 0.0);
        }
        self.0[place] = round(f64::from(self.0[place]) + gain);
    }

    /// For a seat; the larger, the better.
    pub fn of_seat(&self, seat: u16) -> f64 {
        self.0.get(usize::from(seat)).copied().map_or(0.0, f64::from)
    }

    /// As part of a state.
    pub fn to_state(&self) -> Tensors {
        if self.0.is_empty() {
            return Tensors::default();
        }
        Tensors([(NAME.to_owned(), Tensor { shape: vec![self.0.len()], data: self.0.clone() })].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_adds_up_by_seat() {
        let mut evidence = Evidence::default();
        evidence.observe(2, 1.0);
        evidence.observe(2, -0.25);
        assert_eq!([2, 0, 9].map(|seat| evidence.of_seat(seat).to_bits()), [0.75_f64, 0.0, 0.0].map(f64::to_bits));
        let state = evidence.to_state();
        assert_eq!(Evidence::of_state(Some(&state)), evidence);
        assert_eq!(Evidence::of_state(None).to_state(), Tensors::default());
    }
}
