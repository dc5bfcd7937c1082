//! Exact sums of weighted f32 values in fixed point, the same in whatever order the values come.
//!
//! A sum is kept in two 64-bit integers, `high * 2^-4 + low * 2^-56`. A term `p = weight * value` (exact in f64 for weights
//! below 2^29) is split by the rounding of f64 itself: adding `1.5 * 2^52 * u` to `p` leaves `p / u`, rounded to even, in the
//! low bits of the sum's mantissa (Knuth, TAOCP 4.2.2; Demmel and Nguyen 2015 sum reproducibly in the same way). What the
//! high part leaves over is exact and goes to the low part. Integer addition is associative, so the order never matters.
//!
//! Error: none for values of magnitude 2^-32 or more; below, at most 2^-57 for each term. Terms reach to 2^42 in magnitude
//! and there may be 2^16 of them.

/// Largest magnitude of `weight * value`.
pub(super) const MAX_TERM: f64 = 4_398_046_511_104.0;
/// Most terms of one sum: 2^16 terms of 2^46 high units each stay within 63 bits.
pub(super) const MAX_TERMS: usize = 1 << 16;
/// Sources that are added in one pass over the sums: more than 8 need more registers than AVX2 has.
pub(super) const GROUP: usize = 8;

/// 1.5 * 2^52 high units of 2^-4.
const HIGH_MAGIC: f64 = 6_755_399_441_055_744.0 / 16.0;
/// 1.5 * 2^52 low units of 2^-56.
const LOW_MAGIC: f64 = 1.5 / 16.0;
/// Low units in one high unit, as a power of two.
const CARRY_BITS: u32 = 52;
/// Value of a high unit.
const HIGH_UNIT: f64 = 1.0 / 16.0;
/// Value of a low unit, 2^-56.
const LOW_UNIT: f64 = 1.0 / 72_057_594_037_927_936.0;

/// The largest magnitude among the values; above the largest finite one where a value is NaN or infinite.
#[inline(always)]
pub(super) fn magnitude(values: &[f32]) -> f32 {
    // Bit patterns of non-negative floats are in the order of the floats, and integers have a maximum that vectorises.
    let largest = values.iter().fold(0, |largest: u32, value| largest.max(value.to_bits() & 0x7fff_ffff));
    let value = f32::from_bits(largest);
    if value.is_nan() { f32::INFINITY } else { value }
}

/// Adds `weights[k] * sources[k][i]` to sum `i`. Each term's magnitude is at most [`MAX_TERM`].
#[inline(always)]
pub(super) fn add(high: &mut [i64], low: &mut [i64], sources: &[&[f32]], weights: &[f64]) {
    let (groups, rest) = sources.as_chunks::<GROUP>();
    let (group_weights, rest_weights) = weights.as_chunks::<GROUP>();
    for (sources, weights) in groups.iter().zip(group_weights) {
        add_group(high, low, sources, weights);
    }
    for (source, weight) in rest.iter().zip(rest_weights) {
        add_group(high, low, &[source], &[*weight]);
    }
}

#[inline(always)]
fn add_group<const N: usize>(high: &mut [i64], low: &mut [i64], sources: &[&[f32]; N], weights: &[f64; N]) {
    let length = high.len();
    let low = &mut low[..length];
    let sources = sources.map(|source| &source[..length]);
    let high_bits = weights.iter().fold(0_i64, |sum, _| sum.wrapping_add(HIGH_MAGIC.to_bits().cast_signed()));
    let low_bits = weights.iter().fold(0_i64, |sum, _| sum.wrapping_add(LOW_MAGIC.to_bits().cast_signed()));
    for index in 0..length {
        // Every term adds the bits of a magic number, too; they go in advance.
        let (mut upper, mut lower) = (high[index].wrapping_sub(high_bits), low[index].wrapping_sub(low_bits));
        for (source, weight) in sources.iter().zip(weights) {
            let term = f64::from(source[index]) * weight;
            let shifted = term + HIGH_MAGIC;
            let rest = term - (shifted - HIGH_MAGIC);
            upper = upper.wrapping_add(shifted.to_bits().cast_signed());
            let shifted = rest + LOW_MAGIC;
            lower = lower.wrapping_add(shifted.to_bits().cast_signed());
        }
        // The low sum has room for 2^11 terms; it is emptied after each group.
        let carry = lower.wrapping_add(1 << (CARRY_BITS - 1)) >> CARRY_BITS;
        high[index] = upper.wrapping_add(carry);
        low[index] = lower.wrapping_sub(carry << CARRY_BITS);
    }
}

/// The sums divided by `divisor`, rounded to f64 twice and then to f32.
#[inline(always)]
pub(super) fn divide(high: &[i64], low: &[i64], divisor: f64, means: &mut [f32]) {
    for ((mean, high), low) in means.iter_mut().zip(high).zip(low) {
        *mean = round((float(*high) * HIGH_UNIT + float(*low) * LOW_UNIT) / divisor);
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
pub(super) fn round(value: f64) -> f32 {
    value as f32
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "sums above 2^53 units are rounded to 53 bits")]
fn float(sum: i64) -> f64 {
    sum as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(terms: &[(f32, u32)]) -> (i64, i64) {
        let (mut high, mut low) = ([0], [0]);
        let values: Vec<[f32; 1]> = terms.iter().map(|(value, _)| [*value]).collect();
        let sources: Vec<&[f32]> = values.iter().map(|value| &value[..]).collect();
        let weights: Vec<f64> = terms.iter().map(|(_, weight)| f64::from(*weight)).collect();
        add(&mut high, &mut low, &sources, &weights);
        (high[0], low[0])
    }

    /// The sum in units of 2^-56 by integer arithmetic on the parts of the floats.
    fn exact(terms: &[(f32, u32)]) -> i128 {
        let one = |(value, weight): &(f32, u32)| {
            let scaled = f64::from(*value) * 2_f64.powi(56);
            assert!(scaled.fract() == 0.0 && scaled.abs() < 2_f64.powi(120));
            format!("{scaled:.0}").parse::<i128>().unwrap() * i128::from(*weight)
        };
        terms.iter().map(one).sum()
    }

    proptest! {
        #[test]
        fn sums_of_ordinary_values_are_exact_and_in_any_order(
            terms in prop::collection::vec((-1e6_f32..1e6, 1_u32..100_000), 1..40),
            turn in 0_usize..40,
        ) {
            // Multiples of 2^-32 lie on the grid whatever their size.
            let terms: Vec<_> = terms.iter().map(|(v, w)| ((*v * 65_536.0).round() / 65_536.0, *w)).collect();
            let (high, low) = total(&terms);
            prop_assert_eq!((i128::from(high) << 52) + i128::from(low), exact(&terms));
            prop_assert!(low.abs() <= 1 << 51);
            let mut turned = terms.clone();
            turned.rotate_left(turn % terms.len());
            prop_assert_eq!(total(&turned), (high, low));
        }

        #[test]
        fn magnitude_is_the_largest_absolute_value(values in prop::collection::vec(-1e30_f32..1e30, 1..100)) {
            let expected = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            prop_assert_eq!(magnitude(&values).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn the_largest_terms_still_fit() {
        let terms = vec![(1_073_741_824.0_f32, 4096_u32); 100];
        assert!(f64::from(terms[0].0) * f64::from(terms[0].1) >= MAX_TERM);
        let (high, low) = total(&terms);
        assert_eq!((i128::from(high) << 52) + i128::from(low), exact(&terms));
    }

    #[test]
    fn tiny_values_are_rounded_to_the_unit() {
        assert_eq!(total(&[(1e-30, 1)]), (0, 0));
        assert_eq!(total(&[(2.0_f32.powi(-56), 3)]), (0, 3));
    }

    #[test]
    fn what_is_not_finite_has_infinite_magnitude() {
        assert_eq!(magnitude(&[1.0, f32::NAN]).to_bits(), f32::INFINITY.to_bits());
        assert_eq!(magnitude(&[1.0, f32::NEG_INFINITY]).to_bits(), f32::INFINITY.to_bits());
    }
}
