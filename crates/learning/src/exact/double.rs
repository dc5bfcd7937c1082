//! Numbers of twice the precision: the unevaluated sum of two f64, of which the second is at most half a unit in the last place of
//! the first (Dekker 1971; algorithms as in Hida, Li and Bailey 2001). Relative error of an operation: below 2^-100.

use std::ops::{Add, Div, Mul, Sub};

/// 2^27 + 1 parts a mantissa into two halves whose products are exact (Dekker 1971, section 5).
const SPLITTER: f64 = 134_217_729.0;

/// A number of about 106 bits. Magnitudes must stay below 2^900.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Double {
    high: f64,
    low: f64,
}

impl Double {
    /// The same number.
    pub(super) const fn of(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    /// The two parts of an exact sum, in any order.
    pub(super) fn of_sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let shared = high - a;
        Self { high, low: (a - (high - shared)) + (b - shared) }
    }

    /// The nearest f64.
    pub(super) const fn value(self) -> f64 {
        self.high
    }

    fn of_product(a: f64, b: f64) -> Self {
        let high = a * b;
        let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
        let low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
        Self { high, low }
    }

    /// Restores the invariant where `low` is not larger than `high`.
    fn normal(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }
}

fn split(value: f64) -> (f64, f64) {
    let scaled = SPLITTER * value;
    let high = scaled - (scaled - value);
    (high, value - high)
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (highs, lows) = (Self::of_sum(self.high, other.high), Self::of_sum(self.low, other.low));
        let sum = Self::normal(highs.high, highs.low + lows.high);
        Self::normal(sum.high, sum.low + lows.low)
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { high: -other.high, low: -other.low }
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = Self::of_product(self.high, other.high);
        Self::normal(product.high, product.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div<f64> for Double {
    type Output = Self;

    fn div(self, divisor: f64) -> Self {
        let mut rest = self;
        let mut quotient = Self::default();
        // Every step gains 53 bits.
        for _ in 0..3 {
            let part = rest.high / divisor;
            rest = rest - Self::of_product(part, divisor);
            quotient = quotient + Self::of(part);
        }
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_f64_rounds_away_is_kept() {
        let tiny = 2_f64.powi(-80);
        let sum = Double::of(1.0) + Double::of(tiny);
        assert_eq!((sum - Double::of(1.0)).value().to_bits(), tiny.to_bits());
        let square = Double::of(1.0 + 2_f64.powi(-30)) * Double::of(1.0 + 2_f64.powi(-30));
        let rest = square - Double::of(1.0) - Double::of(2_f64.powi(-29));
        assert_eq!(rest.value().to_bits(), 2_f64.powi(-60).to_bits());
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_dividend() {
        for (value, divisor) in [(1.0, 3.0), (-7.5e20, 11.0), (1e-20, 569.0)] {
            let back = Double::of(value) / divisor * Double::of(divisor);
            assert!((back - Double::of(value)).value().abs() <= value.abs() * 2_f64.powi(-100));
        }
    }
}
