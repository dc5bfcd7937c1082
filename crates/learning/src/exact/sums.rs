//! What a seat tells of its rows, and what all seats tell together: integers in units of 2^-60.
//!
//! The file is `PRSU`, the version, the number of the method, and every sum as 16 little-endian bytes. The problem says how many there
//! are, so that nothing else has to be read, and equal sums have equal bytes.

use super::{
    double::Double,
    fixed,
    problem::{Method, Problem},
};
use crate::{Error, Result};

const MAGIC: [u8; 5] = *b"PRSU\x01";
const HEAD: usize = MAGIC.len() + 1;
const ENTRY: usize = 16;

/// Sums over rows, in the places that the [`Problem`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums(pub(super) Vec<i128>);

impl Sums {
    /// Of no rows.
    pub(super) fn none(problem: &Problem) -> Self {
        Self(vec![0; problem.entries()])
    }

    /// Length of the file.
    pub fn bytes_of(problem: &Problem) -> usize {
        problem.entries().saturating_mul(ENTRY).saturating_add(HEAD)
    }

    /// The file.
    pub fn to_bytes(&self, problem: &Problem) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + ENTRY * self.0.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.push(number(problem.method));
        bytes.extend(self.0.iter().flat_map(|sum| sum.to_le_bytes()));
        bytes
    }

    /// Reads a file and checks that rows with such sums may exist: whole rows, no negative squares, nothing out of range.
    ///
    /// # Errors
    /// [`Error::Exact`].
    pub fn from_bytes(bytes: &[u8], problem: &Problem) -> Result<Self> {
        let refuse = |reason: String| Err(Error::Exact(reason));
        let expected = Self::bytes_of(problem);
        if bytes.len() != expected {
            return refuse(format!("{} bytes of sums, expected {expected}", bytes.len()));
        }
        let (head, body) = bytes.split_at(HEAD);
        if head != [&MAGIC[..], &[number(problem.method)]].concat() {
            return refuse("the file does not begin as sums of this method do".to_owned());
        }
        let sums = Self(body.as_chunks::<ENTRY>().0.iter().map(|chunk| i128::from_le_bytes(*chunk)).collect());
        if let Some(at) = sums.0.iter().position(|sum| !(-fixed::MAX_SUM..=fixed::MAX_SUM).contains(sum)) {
            return refuse(format!("sum {at} is out of range"));
        }
        if let Some(at) = problem.squares().into_iter().find(|&at| sums.0[at] < 0) {
            return refuse(format!("sum {at} is one of squares and negative"));
        }
        if fixed::of_count(sums.samples(problem)) != sums.0[problem.rows()] {
            return refuse("the number of rows is not a whole one".to_owned());
        }
        Ok(sums)
    }

    /// How many rows were summed.
    pub fn samples(&self, problem: &Problem) -> u64 {
        u64::try_from(self.0[problem.rows()] >> fixed::UNIT_BITS).unwrap_or(0)
    }

    /// Adds what another seat told.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, other)| *sum += other);
    }

    /// The sums as if there were `to` rows of the same kind instead of `from`, rounded down. `to` is not more than `from`,
    /// and that at most 2^50.
    pub(super) fn scale(&mut self, from: u64, to: u64) {
        let (from, to) = (i128::from(from), i128::from(to));
        self.0.iter_mut().for_each(|sum| *sum = sum.div_euclid(from) * to + sum.rem_euclid(from) * to / from);
    }

    /// The sum at a place.
    pub(super) fn at(&self, place: usize) -> Double {
        double(self.0[place])
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers within 127 bits")]
#[expect(clippy::cast_precision_loss, reason = "what the first rounding loses is the second part")]
fn double(sum: i128) -> Double {
    const UNIT: f64 = 1.0 / 1_152_921_504_606_846_976.0;
    let high = sum as f64;
    let low = sum - high as i128;
    Double::of_sum(high * UNIT, low as f64 * UNIT)
}

const fn number(method: Method) -> u8 {
    match method {
        Method::LeastSquares => 0,
        Method::Newton => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_numbers_without_loss() {
        let sum = (1_i128 << 110) + 12_345;
        let rest = double(sum) - Double::of(2_f64.powi(50));
        assert_eq!(rest.value().to_bits(), (12_345.0 * 2_f64.powi(-60)).to_bits());
        assert_eq!(double(-sum).value().to_bits(), (-double(sum).value()).to_bits());
    }

    #[test]
    fn scaled_sums_are_those_of_fewer_rows() {
        let mut sums = Sums(vec![fixed::of_count(100), -7, (1 << 110) - 1]);
        sums.scale(100, 25);
        assert_eq!(sums.0, [fixed::of_count(25), -2, (1 << 108) - 1]);
    }
}
