//! Shares of seats, drawn from a Dirichlet distribution, and what they mean in rows.
//!
//! Identical on every machine: the logarithm and the exponential are those of the `libm` crate (compiled from source, so no
//! system library has a say), everything else is addition, multiplication, division and square root, which IEEE 754 fixes to
//! the last bit.

use crate::random::Stream;

/// Shares of `seats` seats, `(p_1 … p_n) ~ Dirichlet(a, …, a)`: normalised independent draws from Gamma(a, 1) (Devroye 1986,
/// chapter XI.4). They are normalised as logarithms, because for small `a` most draws are below the smallest float.
pub(super) fn dirichlet(concentration: f64, seats: usize, stream: &mut Stream) -> Vec<f64> {
    let logarithms: Vec<f64> = (0..seats).map(|_| ln_gamma_draw(concentration, stream)).collect();
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut shares: Vec<f64> = logarithms.iter().map(|logarithm| libm::exp(logarithm - largest)).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The logarithm of a draw from Gamma(a, 1), `a > 0`.
///
/// Marsaglia and Tsang 2000 ("A simple method for generating gamma variables"): with `d = a - 1/3`,
/// `c = 1 / sqrt(9 d)`, `x` normal, `v = (1 + c x)^3` and `u` uniform, `d v` is accepted where `v > 0` and
/// `ln u < x^2 / 2 + d - d v + d ln v`. For `a < 1` `G(a) = G(a + 1) u^(1/a)`, here
/// `ln G(a) = ln G(a + 1) + ln(u) / a`.
fn ln_gamma_draw(shape: f64, stream: &mut Stream) -> f64 {
    if shape < 1.0 {
        let boosted = ln_gamma_draw(shape + 1.0, stream);
        return boosted + libm::log(stream.open_unit()) / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let ln_v = 3.0 * libm::log(root);
        if libm::log(stream.open_unit()) < 0.5 * x * x + d - d * v + d * ln_v {
            return libm::log(d) + ln_v;
        }
    }
}

/// Rows of each seat for its share of `rows`: the differences of `round((p_1 + … + p_i) rows)`, so the sum is exact and no
/// seat is more than one row away from its share.
pub(super) fn apportion(shares: &[f64], rows: usize) -> Vec<usize> {
    let mut sum = 0.0;
    let mut before = 0;
    let last = shares.len().saturating_sub(1);
    let cut = |(seat, share): (usize, &f64)| {
        sum += share;
        let end = if seat == last { rows } else { portion(rows, sum).clamp(before, rows) };
        let count = end - before;
        before = end;
        count
    };
    shares.iter().enumerate().map(cut).collect()
}

/// `round(rows * share)`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "row counts are far below 2^53 and the share is not negative"
)]
pub(super) fn portion(rows: usize, share: f64) -> usize {
    (rows as f64 * share).round() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::Purpose;

    const DRAWS: u32 = 20_000;

    fn stream(position: u64) -> Stream {
        Stream::new(Purpose::Shares, 11, position, 0)
    }

    #[test]
    fn gamma_draws_have_mean_and_variance_of_their_shape() {
        for shape in [0.3, 1.0, 2.5, 50.0] {
            let mut stream = stream(0);
            let draws: Vec<f64> = (0..DRAWS).map(|_| ln_gamma_draw(shape, &mut stream).exp()).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(DRAWS);
            let variance = draws.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / f64::from(DRAWS);
            // Both are the shape. Standard errors: sqrt(a / n), and sqrt((2 a^2 + 6 a) / n) for the variance (kurtosis 6/a).
            let n = f64::from(DRAWS);
            assert!((mean - shape).abs() < 4.0 * (shape / n).sqrt(), "shape {shape}: mean {mean}");
            let error = ((2.0 * shape * shape + 6.0 * shape) / n).sqrt();
            assert!((variance - shape).abs() < 4.0 * error, "shape {shape}: variance {variance}");
        }
    }

    #[test]
    fn gamma_draws_of_shape_one_are_exponential() {
        // Kolmogorov and Smirnov against 1 - exp(-x); 1.95 / sqrt(n) is exceeded once in a thousand.
        let mut stream = stream(1);
        let mut draws: Vec<f64> = (0..DRAWS).map(|_| ln_gamma_draw(1.0, &mut stream).exp()).collect();
        draws.sort_by(f64::total_cmp);
        let n = f64::from(DRAWS);
        let distance =
            (0..DRAWS).zip(&draws).map(|(i, x)| (1.0 - (-x).exp() - f64::from(i) / n).abs()).fold(0.0, f64::max);
        assert!(distance < 1.95 / n.sqrt(), "{distance}");
    }

    #[test]
    fn shares_have_the_variance_of_their_concentration() {
        // Var(p) = (1/n)(1 - 1/n) / (n a + 1) for n seats, that of Beta(a, (n - 1) a); checked to 4 standard errors estimated
        // from the draws.
        for (concentration, seats) in [(0.05, 10), (0.1, 3), (0.5, 10), (1.0, 4), (20.0, 5)] {
            let mut stream = stream(2);
            let n = f64::from(u32::try_from(seats).unwrap());
            let squares: Vec<f64> =
                (0..DRAWS).map(|_| (dirichlet(concentration, seats, &mut stream)[0] - 1.0 / n).powi(2)).collect();
            let variance = squares.iter().sum::<f64>() / f64::from(DRAWS);
            let spread = squares.iter().map(|s| (s - variance).powi(2)).sum::<f64>() / f64::from(DRAWS);
            let expected = (1.0 / n) * (1.0 - 1.0 / n) / (n * concentration + 1.0);
            let error = (spread / f64::from(DRAWS)).sqrt();
            assert!((variance - expected).abs() < 4.0 * error, "{concentration}, {seats}: {variance} for {expected}");
        }
    }

    #[test]
    fn the_least_concentration_still_gives_shares() {
        for concentration in [1e-6, 1e6] {
            let shares = dirichlet(concentration, 10, &mut stream(3));
            assert!(shares.iter().all(|share| share.is_finite()), "{shares:?}");
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn rows_add_up_and_follow_the_shares(concentration in 0.01_f64..100.0, seats in 1_usize..30, rows in 0_usize..5_000, seed: u64) {
            let shares = dirichlet(concentration, seats, &mut Stream::new(Purpose::Shares, seed, 0, 0));
            let counts = apportion(&shares, rows);
            prop_assert_eq!(counts.iter().sum::<usize>(), rows);
            for (count, share) in counts.iter().zip(&shares) {
                let exact = share * f64::from(u32::try_from(rows).unwrap());
                prop_assert!((f64::from(u32::try_from(*count).unwrap()) - exact).abs() <= 1.0 + 1e-9);
            }
        }
    }
}
