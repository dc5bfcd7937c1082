//! Reproducible bytes: byte `i` is bits 13 to 20 of `i * 2654435761`.

use std::io;

use bytes::Bytes;
use parity_content::ReadAt;

/// The bits used repeat when `i` grows by this much, because the factor is odd.
const PERIOD: usize = 1 << 21;

/// A file of any size that lies nowhere.
pub(crate) struct Pattern(Vec<u8>);

impl Pattern {
    pub(crate) fn new() -> Self {
        Self((0..PERIOD as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect())
    }

    pub(crate) fn bytes(&self, length: usize) -> Bytes {
        self.0.iter().copied().cycle().take(length).collect::<Vec<_>>().into()
    }
}

impl ReadAt for Pattern {
    fn read_exact_at(&self, mut buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut start = usize::try_from(offset % PERIOD as u64).unwrap();
        while !buffer.is_empty() {
            let take = buffer.len().min(PERIOD - start);
            let (now, later) = buffer.split_at_mut(take);
            now.copy_from_slice(&self.0[start..start + take]);
            buffer = later;
            start = 0;
        }
        Ok(())
    }
}
