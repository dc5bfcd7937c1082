//! Numbers of a file: LEB128, least significant seven bits first, in the fewest bytes. Signed numbers are folded to
//! `0, -1, 1, -2, …` first. Reading never allocates and refuses every other form.

use crate::{Error, Result};

/// Appends a number.
pub(crate) fn write(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(low_seven(value) | 0x80);
        value >>= 7;
    }
    bytes.push(low_seven(value));
}

/// Appends a signed number.
pub(crate) fn write_signed(bytes: &mut Vec<u8>, value: i64) {
    write(bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn low_seven(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// What is left of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(ended)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next bytes, as many as `N`.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(ended)?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                // A last byte of 0 says nothing, so the number has a shorter form.
                return if byte == 0 && shift > 0 {
                    Err(refuse("is not written in the fewest bytes"))
                } else {
                    Ok(value)
                };
            }
        }
        Err(refuse("has more than 64 bits"))
    }

    /// The next number, which must be in this range.
    pub(crate) fn number_in(&mut self, least: u64, most: u64, what: &str) -> Result<u64> {
        let value = self.number()?;
        if !(least..=most).contains(&value) {
            return Err(Error::Forest(format!("{what} is {value}, expected {least} to {most}")));
        }
        Ok(value)
    }

    /// The next signed number.
    pub(crate) fn signed(&mut self) -> Result<i64> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// Checks that everything has been read.
    pub(crate) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(refuse(&format!("is followed by {} bytes too many", self.0.len()))) }
    }
}

fn ended() -> Error {
    Error::Forest("the bytes end too early".into())
}

fn refuse(reason: &str) -> Error {
    Error::Forest(format!("a number {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn longer_forms_and_larger_numbers_are_refused() {
        for bytes in
            [&[][..], &[0x80], &[0x80, 0], &[0xff; 10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
        {
            assert!(Reader(bytes).number().is_err(), "{bytes:?}");
        }
        let mut largest = Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(largest.number().unwrap(), u64::MAX);
        assert!(Reader(&[5]).number_in(1, 4, "it").is_err());
    }

    proptest! {
        #[test]
        fn numbers_survive_their_bytes(value: u64, signed: i64, small in 0_u64..300) {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            write_signed(&mut bytes, signed);
            write(&mut bytes, small);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.number().unwrap(), value);
            prop_assert_eq!(reader.signed().unwrap(), signed);
            prop_assert_eq!(reader.number().unwrap(), small);
            reader.end().unwrap();
        }
    }
}
