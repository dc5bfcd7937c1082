//! How the values of a feature are distributed, in few numbers that add up: seats agree on bins by it without showing rows.
//!
//! A value counts in the bucket of its leading bits, in the order of the real numbers. A sketch keeps as many leading bits as
//! it can with at most [`MOST_BUCKETS`] buckets: resolution goes where values lie, be they far from 0 or spread over many
//! magnitudes. With few distinct values it is exact. Of several sketches the coarsest decides and the sum keeps as many
//! bits as it can, so that it is the sketch of all rows together, however they are dealt to seats.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        bins::{Bins, canonical, is_canonical},
        varint::{self, Reader},
    },
    table::Table,
};

/// Most buckets of a feature: eight for each of 255 bins.
const MOST_BUCKETS: usize = 2048;

/// Values of a feature by their leading bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sketch {
    /// Trailing bits that were dropped.
    dropped: u32,
    /// Leading bits and rows, ascending.
    buckets: Vec<(u32, u64)>,
}

impl Sketch {
    /// The sketch of every feature.
    pub(crate) fn of(table: &Table) -> Vec<Self> {
        let of = |feature: usize| {
            let mut keys: Vec<u32> =
                table.x.iter().skip(feature).step_by(table.features).map(|value| key(*value)).collect();
            keys.sort_unstable();
            let mut buckets: Vec<(u32, u64)> = Vec::new();
            for key in keys {
                match buckets.last_mut() {
                    Some((last, rows)) if *last == key => *rows += 1,
                    _ => buckets.push((key, 1)),
                }
            }
            Self { dropped: 0, buckets }.shortened()
        };
        (0..table.features).into_par_iter().map(of).collect()
    }

    /// The sketch of all rows of these sketches.
    pub(crate) fn sum(sketches: &[Self]) -> Self {
        let dropped = sketches.iter().map(|sketch| sketch.dropped).max().unwrap_or(0);
        let mut buckets = BTreeMap::new();
        for sketch in sketches {
            for (bits, rows) in &sketch.buckets {
                *buckets.entry(bits >> (dropped - sketch.dropped)).or_default() += rows;
            }
        }
        Self { dropped, buckets: buckets.into_iter().collect() }.shortened()
    }

    /// Drops bits until few enough buckets are left.
    fn shortened(mut self) -> Self {
        while self.buckets.len() > MOST_BUCKETS {
            self.dropped += 1;
            self.buckets.iter_mut().for_each(|(bits, _)| *bits >>= 1);
            self.buckets.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 += if same { next.1 } else { 0 };
                same
            });
        }
        self
    }

    /// At most `limit` representatives: the values of all buckets, or where those are more, the quantiles
    /// `(i + 1/2) / limit`.
    fn representatives(&self, limit: u64) -> Vec<f32> {
        let value = |bits: u32| value(bits, self.dropped);
        if u64::try_from(self.buckets.len()).is_ok_and(|buckets| buckets <= limit) {
            return self.buckets.iter().map(|(bits, _)| value(*bits)).collect();
        }
        let total: u64 = self.buckets.iter().map(|(_, rows)| rows).sum();
        let (mut values, mut below, mut next) = (Vec::new(), 0, 0);
        for (bits, rows) in &self.buckets {
            below += rows;
            if next < limit && (2 * next + 1) * total / (2 * limit) < below {
                values.push(value(*bits));
            }
            while next < limit && (2 * next + 1) * total / (2 * limit) < below {
                next += 1;
            }
        }
        values
    }

    /// Bins from the sketch of every feature.
    pub(crate) fn bins(sketches: &[Self], limit: u8) -> Bins {
        let values = sketches.iter().map(|sketch| sketch.representatives(limit.max(2).into()));
        Bins::new(values.collect()).expect("buckets ascend, and so do their values")
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        varint::write(bytes, self.dropped.into());
        varint::write(bytes, u64::try_from(self.buckets.len()).expect("a length fits 64 bits"));
        let mut next = 0;
        for (bits, rows) in &self.buckets {
            varint::write(bytes, u64::from(*bits) - next);
            varint::write(bytes, *rows);
            next = u64::from(*bits) + 1;
        }
    }

    /// Reads a sketch of so many rows.
    pub(crate) fn read(reader: &mut Reader<'_>, rows: u64) -> Result<Self> {
        let dropped = u32::try_from(reader.number_in(0, 31, "the bits that a sketch drops")?).expect("below 32");
        let most = u64::try_from(MOST_BUCKETS).expect("a small number");
        let count = reader.number_in(0, most, "the number of buckets")?;
        let (mut buckets, mut next, mut counted) = (Vec::new(), 0_u64, 0_u64);
        for _ in 0..count {
            let gap = reader.number_in(0, u64::from(u32::MAX), "the gap between buckets")?;
            let bits = u32::try_from(next + gap).ok().filter(|bits| is_bucket(*bits, dropped));
            let bits = bits.ok_or_else(|| Error::Forest(format!("a gap of {gap} leaves the finite numbers")))?;
            next = u64::from(bits) + 1;
            let here = reader.number_in(1, u64::from(u32::MAX), "the rows of a bucket")?;
            buckets.push((bits, here));
            counted += here;
        }
        if counted != rows {
            return Err(Error::Forest(format!("a feature counts {counted} rows of {rows}")));
        }
        Ok(Self { dropped, buckets })
    }
}

/// A number as an integer in the same order.
fn key(value: f32) -> u32 {
    let bits = canonical(value).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The number of a key.
fn number(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key ^ 1 << 31 } else { !key })
}

/// Whether a bucket has a finite number.
fn is_bucket(bits: u32, dropped: u32) -> bool {
    if dropped == 0 {
        return is_canonical(number(bits));
    }
    let (least, most) = (key(f32::MIN) >> dropped, key(f32::MAX) >> dropped);
    (least..=most).contains(&bits)
}

/// The number in the middle of a bucket.
fn value(bits: u32, dropped: u32) -> f32 {
    let middle = if dropped == 0 { 0 } else { 1 << (dropped - 1) };
    canonical(number(bits << dropped | middle).clamp(f32::MIN, f32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::Labels;

    fn sketch(x: &[f32]) -> Sketch {
        let table = Table { features: 1, x: x.to_vec(), labels: Labels::Classes(vec![0; x.len()]) };
        Sketch::of(&table).remove(0)
    }

    #[test]
    fn keys_are_in_the_order_of_the_numbers() {
        let numbers = [f32::MIN, -1.5, -1.0, -1e-40, 0.0, 1e-40, 1.0, 1.5, f32::MAX];
        assert!(numbers.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(numbers.iter().all(|value| number(key(*value)).to_bits() == value.to_bits()));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn quantiles_are_right_far_from_zero_and_over_magnitudes() {
        let far: Vec<f32> = (0_u16..20_000).map(|i| 1000.0 + f32::from(i) / 10_000.0).collect();
        let wide: Vec<f32> = (0_u16..20_000).map(|i| (f32::from(i) / 1000.0).exp()).collect();
        for (x, tolerance) in [(far, 1e-5), (wide, 2e-2)] {
            let sketch = sketch(&x);
            assert!((MOST_BUCKETS / 4..=MOST_BUCKETS).contains(&sketch.buckets.len()));
            let values = sketch.representatives(4);
            for (value, row) in values.iter().zip([2500, 7500, 12_500, 17_500]) {
                assert!((value - x[row]).abs() < tolerance * x[row], "{value} against {}", x[row]);
            }
        }
    }

    #[test]
    fn the_largest_numbers_have_bins_too() {
        let x: Vec<f32> = (0..5000).map(|i| f32::from_bits(f32::MAX.to_bits() - i * 1000)).collect();
        assert!(Sketch::bins(&[sketch(&x)], 255).values(0).iter().all(|value| value.is_finite()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_sum_is_the_sketch_of_all_rows(x in prop::collection::vec(prop_oneof![any::<f32>().prop_filter("finite", |x| x.is_finite()), (0_u8..9).prop_map(f32::from)], 1..5000), parts in 1_usize..5) {
            let whole = sketch(&x);
            let size = x.len().div_ceil(parts);
            let mut of_parts: Vec<Sketch> = x.chunks(size).map(sketch).collect();
            prop_assert_eq!(&Sketch::sum(&of_parts), &whole);
            of_parts.reverse();
            prop_assert_eq!(&Sketch::sum(&of_parts), &whole);
            let mut bytes = Vec::new();
            whole.write(&mut bytes);
            let mut reader = Reader(&bytes);
            let rows = u64::try_from(x.len()).unwrap();
            prop_assert_eq!(&Sketch::read(&mut reader, rows).unwrap(), &whole);
            reader.end().unwrap();
            prop_assert!(Sketch::read(&mut Reader(&bytes), rows + 1).is_err());
            let bins = Sketch::bins(&[whole], 255);
            prop_assert!(bins.values(0).len() <= 255);
        }
    }
}
