//! How good a split is. All sums are whole numbers, so that they are the same however rows are ordered or dealt to seats;
//! only the last step rounds.
//!
//! Classes: the Gini impurity falls most where `Σ l_c² / Σ l_c + Σ r_c² / Σ r_c` is largest, with `l_c` and `r_c` what class
//! `c` counts left and right (Breiman et al. 1984, section 4.3). Numbers: the variance falls most where
//! `L² / l + R² / r` is largest, with sums `L`, `R` of labels and `l`, `r` rows (same, section 8.3).

/// Rows moving from the right side of a cut to its left side.
pub(crate) trait Balance {
    /// Everything lies right.
    fn start(&mut self, sums: &[i64]);
    /// One row, drawn this often, moves left.
    fn shift(&mut self, target: i32, draws: i64);
    /// All rows of a bin, added up, move left.
    fn shift_bin(&mut self, sums: &[i64]);
    /// Draws on both sides.
    fn draws(&self) -> (i64, i64);
    /// The part of the impurity decrease that depends on the cut.
    fn gain(&self) -> f64;
}

/// Adds a row to sums.
pub(crate) trait Tally {
    /// Sums of no row.
    fn zeros(&self) -> Vec<i64>;
    /// Adds a row that was drawn this often.
    fn add(&self, sums: &mut [i64], target: i32, draws: i64);
    /// Draws in these sums.
    fn draws(&self, sums: &[i64]) -> i64;
    /// What a leaf keeps of these sums.
    fn leaf(&self, sums: &mut [i64]);
    /// The state of a search.
    fn balance(&self) -> impl Balance;
}

/// Sums of rows with classes: draws per class.
#[derive(Clone, Debug)]
pub(crate) struct Gini {
    /// What a row of each class counts.
    pub(crate) weights: Vec<u32>,
}

/// Sums of rows with numbers: draws, and draws times label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variance;

impl Tally for Gini {
    fn zeros(&self) -> Vec<i64> {
        vec![0; self.weights.len()]
    }

    #[inline]
    fn add(&self, sums: &mut [i64], target: i32, draws: i64) {
        sums[class(target)] += draws;
    }

    fn draws(&self, sums: &[i64]) -> i64 {
        sums.iter().sum()
    }

    fn leaf(&self, sums: &mut [i64]) {
        sums.iter_mut().zip(&self.weights).for_each(|(sum, weight)| *sum *= i64::from(*weight));
    }

    fn balance(&self) -> impl Balance {
        let sides = vec![[0; 2]; self.weights.len()];
        ClassBalance { weights: &self.weights, sides, draws: [0; 2], counts: [0; 2], squares: [0; 2] }
    }
}

impl Tally for Variance {
    fn zeros(&self) -> Vec<i64> {
        vec![0; 2]
    }

    #[inline]
    fn add(&self, sums: &mut [i64], target: i32, draws: i64) {
        sums[0] += draws;
        sums[1] += draws * i64::from(target);
    }

    fn draws(&self, sums: &[i64]) -> i64 {
        sums[0]
    }

    fn leaf(&self, _: &mut [i64]) {}

    fn balance(&self) -> impl Balance {
        NumberBalance { draws: [0; 2], sums: [0; 2] }
    }
}

/// Left is 0, right is 1.
struct ClassBalance<'a> {
    weights: &'a [u32],
    /// What each class counts on either side.
    sides: Vec<[u64; 2]>,
    draws: [i64; 2],
    /// What all classes count on either side, below 2^32.
    counts: [u64; 2],
    /// Sums of squares of `sides`.
    squares: [u64; 2],
}

impl Balance for ClassBalance<'_> {
    fn start(&mut self, sums: &[i64]) {
        (self.draws, self.counts, self.squares) = ([0; 2], [0; 2], [0; 2]);
        for ((side, sum), weight) in self.sides.iter_mut().zip(sums).zip(self.weights) {
            let count = sum.cast_unsigned() * u64::from(*weight);
            *side = [0, count];
            self.draws[1] += sum;
            self.counts[1] += count;
            self.squares[1] += count * count;
        }
    }

    #[inline]
    fn shift(&mut self, target: i32, draws: i64) {
        let class = class(target);
        let count = draws.cast_unsigned() * u64::from(self.weights[class]);
        let [left, right] = &mut self.sides[class];
        // (a + b)² - a² = b (2a + b)
        self.squares[0] += count * (2 * *left + count);
        self.squares[1] -= count * (2 * *right - count);
        *left += count;
        *right -= count;
        self.counts[0] += count;
        self.counts[1] -= count;
        self.draws[0] += draws;
        self.draws[1] -= draws;
    }

    #[inline]
    fn shift_bin(&mut self, sums: &[i64]) {
        for (class, sum) in (0..).zip(sums) {
            if *sum != 0 {
                self.shift(class, *sum);
            }
        }
    }

    fn draws(&self) -> (i64, i64) {
        self.draws.into()
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "the one rounding; the same on every machine")]
    fn gain(&self) -> f64 {
        self.squares[0] as f64 / self.counts[0] as f64 + self.squares[1] as f64 / self.counts[1] as f64
    }
}

/// Left is 0, right is 1.
struct NumberBalance {
    draws: [i64; 2],
    sums: [i64; 2],
}

impl Balance for NumberBalance {
    fn start(&mut self, sums: &[i64]) {
        (self.draws, self.sums) = ([0, sums[0]], [0, sums[1]]);
    }

    #[inline]
    fn shift(&mut self, target: i32, draws: i64) {
        self.shift_bin(&[draws, draws * i64::from(target)]);
    }

    #[inline]
    fn shift_bin(&mut self, sums: &[i64]) {
        self.draws[0] += sums[0];
        self.draws[1] -= sums[0];
        self.sums[0] += sums[1];
        self.sums[1] -= sums[1];
    }

    fn draws(&self) -> (i64, i64) {
        self.draws.into()
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "the one rounding; the same on every machine")]
    fn gain(&self) -> f64 {
        let side = |side: usize| self.sums[side] as f64 * self.sums[side] as f64 / self.draws[side] as f64;
        side(0) + side(1)
    }
}

#[inline]
fn class(target: i32) -> usize {
    usize::try_from(target).expect("a class is not negative")
}
