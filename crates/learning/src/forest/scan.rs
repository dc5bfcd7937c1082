//! Looks through the cuts of one feature in one node, given what the node's rows add up to per bin.

use crate::forest::{bins::Bins, search::Search, split::Balance, tree::index};

/// Sums per bin of one feature in one node.
#[derive(Clone, Debug)]
pub(crate) struct BinSums {
    width: usize,
    sums: Vec<i64>,
    /// One bit for every bin that has a row.
    occupied: [u64; 4],
}

impl BinSums {
    /// Room for 256 bins of `width` numbers.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, sums: vec![0; 256 * width], occupied: [0; 4] }
    }

    /// The numbers of a bin, to add a row to.
    #[inline]
    pub(crate) fn bin_mut(&mut self, bin: u8) -> &mut [i64] {
        let bin = usize::from(bin);
        self.occupied[bin / 64] |= 1 << (bin % 64);
        &mut self.sums[bin * self.width..(bin + 1) * self.width]
    }

    /// The numbers of a bin.
    pub(crate) fn bin(&self, bin: u8) -> &[i64] {
        let bin = usize::from(bin);
        &self.sums[bin * self.width..(bin + 1) * self.width]
    }

    /// Bins with rows, ascending.
    pub(crate) fn bins(&self) -> impl Iterator<Item = u8> + use<> {
        let words = self.occupied;
        (0_u8..4).flat_map(move |word| {
            let mut bits = words[usize::from(word)];
            std::iter::from_fn(move || {
                (bits != 0).then(|| {
                    let bit = bits.trailing_zeros();
                    bits &= bits - 1;
                    word * 64 + u8::try_from(bit).expect("below 64")
                })
            })
        })
    }

    /// The sum of all bins.
    pub(crate) fn total(&self) -> Vec<i64> {
        self.up_to(u8::MAX)
    }

    /// The sum of the bins up to this one.
    pub(crate) fn up_to(&self, last: u8) -> Vec<i64> {
        let mut total = vec![0; self.width];
        for bin in self.bins().take_while(|bin| *bin <= last) {
            total.iter_mut().zip(self.bin(bin)).for_each(|(total, value)| *total += value);
        }
        total
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        for bin in self.bins() {
            self.bin_mut(bin).fill(0);
        }
        self.occupied = [0; 4];
    }
}

/// Considers every cut between bins with rows. `total` is the sum of all bins.
pub(crate) fn every_cut(feature: u32, bins: &BinSums, total: &[i64], balance: &mut impl Balance, search: &mut Search) {
    let mut occupied = bins.bins();
    let Some(mut low) = occupied.next() else { return };
    balance.start(total);
    for high in occupied {
        search.note_varies();
        balance.shift_bin(bins.bin(low));
        search.consider(feature, low, high, balance);
        low = high;
    }
}

/// Considers the one cut at this share of the way from the smallest to the largest value.
pub(crate) fn one_cut(
    (feature, share): (u32, f64),
    sums: &BinSums,
    bins: &Bins,
    total: &[i64],
    balance: &mut impl Balance,
    search: &mut Search,
) {
    let (Some(low), Some(high)) = (sums.bins().next(), sums.bins().last()) else { return };
    if low == high {
        return;
    }
    search.note_varies();
    let last_left = place(bins, feature, share, low, high);
    balance.start(total);
    for bin in sums.bins().take_while(|bin| *bin <= last_left) {
        balance.shift_bin(sums.bin(bin));
    }
    search.consider(feature, last_left, last_left + 1, balance);
}

/// The last bin left of a cut at this share of the way from the value of bin `low` to that of bin `high`.
pub(crate) fn place(bins: &Bins, feature: u32, share: f64, low: u8, high: u8) -> u8 {
    let value = |bin: u8| f64::from(bins.values(index(feature))[usize::from(bin)]);
    bins.last_below(index(feature), value(low) + share * (value(high) - value(low)), low, high)
}
