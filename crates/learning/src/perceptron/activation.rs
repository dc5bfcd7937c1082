//! Functions between layers with their slopes, and the exponential function they need: written out, because that of a platform may
//! differ from the next in the last bit and has no vectors.

use parity_protocol::model::Activation;

use crate::simd;

/// Applies a function to all values and writes its slope at each.
pub(super) fn activate(activation: Activation, values: &mut [f32], slopes: &mut [f32]) {
    simd::widest(
        #[inline(always)]
        || match activation {
            Activation::Relu => each(values, slopes, |x| (if x < 0.0 { 0.0 } else { x }, step(x, 0.0))),
            Activation::LeakyRelu => {
                each(values, slopes, |x| (if x < 0.0 { x * Activation::LEAK } else { x }, step(x, Activation::LEAK)));
            }
            Activation::Tanh => each(values, slopes, |x| {
                let y = tanh(x);
                (y, (-y).mul_add(y, 1.0))
            }),
            Activation::Sigmoid => each(values, slopes, |x| {
                let y = 1.0 / (1.0 + exp(-x));
                (y, (-y).mul_add(y, y))
            }),
        },
    );
}

#[inline(always)]
fn each(values: &mut [f32], slopes: &mut [f32], function: impl Fn(f32) -> (f32, f32)) {
    for (value, slope) in values.iter_mut().zip(slopes) {
        (*value, *slope) = function(*value);
    }
}

/// 1 above 0, else `below`.
#[inline(always)]
fn step(x: f32, below: f32) -> f32 {
    if x > 0.0 { 1.0 } else { below }
}

/// Absolute error up to 2e-7: `(1 - t) / (1 + t)` with `t = exp(-2 |x|)`, which cancels near 0.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let t = exp(-2.0 * x.abs());
    ((1.0 - t) / (1.0 + t)).copysign(x)
}

/// `e^x` with a relative error up to 2e-7, for `x` from -87 to 88 and that of the next end beyond; NaN stays NaN.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; the polynomial for `e^r` is that of `expf` in Moshier's Cephes library.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to an integer, which is then in the lowest bits.
    const MAGIC: f32 = 12_582_912.0;
    /// `ln 2` in two parts, the first with few bits so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 5e-1];
    /// The exponent of 1 in the bits of a float.
    const ONE: u32 = 127 << 23;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = (-n).mul_add(LN_2[1], (-n).mul_add(LN_2[0], x));
    let p = POLYNOMIAL.iter().fold(0.0, |p: f32, c| p.mul_add(r, *c));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(ONE));
    (p * r).mul_add(r, r + 1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> impl Iterator<Item = f32> {
        (-8_700_i16..=8_700).map(|i| f32::from(i) / 100.0 + 1e-3 * f32::from(i % 7))
    }

    #[test]
    fn the_exponential_is_that_of_the_mathematics_library() {
        for x in grid().filter(|x| x.abs() < 87.0) {
            let expected = libm::exp(x.into());
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2e-7, "{x}");
        }
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert!(exp(f32::NAN).is_nan() && exp(-1e9) < 1e-37 && exp(1e9).is_finite());
    }

    #[test]
    fn activations_are_those_of_the_predictor_and_slopes_their_differences() {
        let double = |activation, x: f64| match activation {
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu => x.max(x * f64::from(Activation::LEAK)),
            Activation::Tanh => libm::tanh(x),
            Activation::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
        };
        for (name, activation) in Activation::NAMES {
            let mut values: Vec<f32> = grid().collect();
            let mut slopes = vec![0.0; values.len()];
            activate(activation, &mut values, &mut slopes);
            for ((x, y), slope) in grid().zip(values).zip(slopes) {
                let x = f64::from(x);
                assert!((f64::from(y) - double(activation, x)).abs() <= 2e-7 * x.abs().max(1.0), "{name} at {x}: {y}");
                let measured = (double(activation, x + 1e-5) - double(activation, x - 1e-5)) / 2e-5;
                assert!(x.abs() < 1e-4 || (f64::from(slope) - measured).abs() < 1e-5, "{name} at {x}: {slope}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for (name, activation) in Activation::NAMES {
            let mut value = [f32::NAN];
            activate(activation, &mut value, &mut [0.0]);
            assert!(value[0].is_nan(), "{name}");
        }
    }
}
