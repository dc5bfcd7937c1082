//! How a node's sums of one feature are written: see [`histogram`](super::histogram).

use crate::{
    Error, Result,
    forest::{
        scan::BinSums,
        tree::Kind,
        varint::{self, Reader},
    },
};

/// Appends the sums of a feature that are not 0.
pub(crate) fn write_cells(bytes: &mut Vec<u8>, kind: Kind, sums: &BinSums) {
    let width = u64::try_from(kind.width()).expect("at most 1000");
    let mut cells: u64 = 0;
    let mut body = Vec::new();
    let mut next = 0;
    for bin in sums.bins() {
        let values = sums.bin(bin);
        if kind == Kind::Numbers {
            varint::write(&mut body, u64::from(bin) - next);
            varint::write(&mut body, values[0].cast_unsigned());
            varint::write_signed(&mut body, values[1]);
            next = u64::from(bin) + 1;
            cells += 1;
            continue;
        }
        for (class, draws) in (0..).zip(values).filter(|(_, draws)| **draws != 0) {
            let cell = u64::from(bin) * width + class;
            varint::write(&mut body, 2 * (cell - next) + u64::from(*draws != 1));
            if *draws != 1 {
                varint::write(&mut body, draws.cast_unsigned());
            }
            next = cell + 1;
            cells += 1;
        }
    }
    varint::write(bytes, cells);
    bytes.append(&mut body);
}

/// The head of a node: none without rows, else the smallest and the largest label (0 for classes).
pub(crate) fn read_head(reader: &mut Reader<'_>, kind: Kind) -> Result<Option<(i64, i64)>> {
    if reader.number_in(0, 1, "the head of a node")? == 0 {
        return Ok(None);
    }
    if kind != Kind::Numbers {
        return Ok(Some((0, 0)));
    }
    let least = reader.signed()?;
    let range = reader.number_in(0, u64::from(u32::MAX), "the range of labels")?.cast_signed();
    if i32::try_from(least).is_err() || i32::try_from(least + range).is_err() {
        return Err(Error::Forest(format!("labels from {least} over {range} leave 32 bits")));
    }
    Ok(Some((least, least + range)))
}

/// Adds the cells of a feature with so many bins to `sums`.
pub(crate) fn read_cells(reader: &mut Reader<'_>, kind: Kind, bins: usize, sums: &mut BinSums) -> Result<()> {
    let width = if kind == Kind::Numbers { 1 } else { kind.width() };
    let room = u64::try_from(bins * width).expect("at most 255,000");
    let cells = reader.number_in(1, room, "the number of cells")?;
    let mut next = 0;
    for _ in 0..cells {
        let (gap, many) = match (kind, reader.number()?) {
            (Kind::Numbers, gap) => (gap, true),
            (Kind::Classes(_), folded) => (folded >> 1, folded & 1 == 1),
        };
        let cell = gap
            .checked_add(next)
            .filter(|cell| *cell < room)
            .ok_or_else(|| Error::Forest(format!("a gap of {gap} leaves the {room} cells of a feature")))?;
        next = cell + 1;
        let place = usize::try_from(cell).expect("below the number of cells");
        let least = if kind == Kind::Numbers { 1 } else { 2 };
        let draws = if many { reader.number_in(least, u64::from(u32::MAX), "draws")?.cast_signed() } else { 1 };
        let values = sums.bin_mut(u8::try_from(place / width).expect("at most 255 bins"));
        if kind == Kind::Numbers {
            let sum = reader.signed()?;
            if sum.unsigned_abs() > draws.unsigned_abs() << 31 {
                return Err(Error::Forest(format!("{draws} draws add up to {sum}")));
            }
            values[0] += draws;
            values[1] += sum;
        } else {
            values[place % width] += draws;
        }
    }
    Ok(())
}
