//! The boundary between a simulation and a trainer that does many jobs: frames on standard input and output.
//!
//! A frame is the length of its JSON head (u32, little endian), the head, then the blobs whose lengths the head states. What stays the
//! same goes over once: the job with [`Request::Session`], a seat's rows with [`Request::Data`], a round's model with
//! [`Request::Train`]. The trainer answers every turn of a round with one [`Answer`], in order, and ends when its input ends. It also ends,
//! with a word on standard error, when a session or its rows cannot be used. Only for models and data of one's own machine: nothing is
//! isolated.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::job::Job;

/// The argument that makes the trainer serve frames.
pub const SERVE: &str = "--serve";
/// Most bytes of a head: thousands of features with their statistics.
const MAX_HEAD: u32 = 64 << 20;
/// Most bytes of a blob.
const MAX_BLOB: u64 = 8 << 30;

/// What a simulation asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What all jobs until the next session have in common. The trainer forgets all rows.
    Session {
        /// A training job; round and seat of its kind are those of each turn.
        job: Box<Job>,
    },
    /// The rows of a seat. One blob: a table as safetensors.
    Data {
        /// Whose rows.
        seat: u16,
        /// Length of the blob.
        table: u64,
    },
    /// Trains seats on their rows, one after the other. Blobs: the starting model as safetensors; then, when the answers to all turns
    /// before were read, the correction of each turn that has one.
    Train {
        /// Round, 1-based.
        round: u16,
        /// Length of the model.
        model: u64,
        /// Who trains.
        turns: Vec<Turn>,
    },
}

/// One seat's training in a round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Whose rows.
    pub seat: u16,
    /// Length of the correction, as safetensors; 0 for none.
    pub correction: u64,
}

/// What the trainer answers. One blob: the new weights as safetensors, empty after an error.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// On how many rows the seat trained, or why it did not.
    pub samples: Result<u64, String>,
    /// Length of the blob.
    pub update: u64,
}

/// Writes a head and its blobs.
///
/// # Errors
/// What the writer says; [`io::ErrorKind::InvalidInput`] for a head of more than 64 MiB.
pub fn write_frame<T: Serialize>(mut to: impl Write, head: &T, blobs: &[&[u8]]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).ok().filter(|length| *length <= MAX_HEAD);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the head of a frame is too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&head)?;
    for blob in blobs {
        to.write_all(blob)?;
    }
    to.flush()
}

/// Reads a head; none at the end of the input.
///
/// # Errors
/// What the reader says; [`io::ErrorKind::InvalidData`] when the bytes are no head.
pub fn read_head<T: DeserializeOwned>(mut from: impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_HEAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a head of {length} bytes")));
    }
    Ok(Some(serde_json::from_slice(&read_blob(from, length.into())?)?))
}

/// Reads a blob of a stated length.
///
/// # Errors
/// What the reader says; [`io::ErrorKind::InvalidData`] above 8 GiB, [`io::ErrorKind::UnexpectedEof`] when bytes are missing.
pub fn read_blob(from: impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > MAX_BLOB {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a blob of {length} bytes")));
    }
    let mut blob = Vec::new();
    let read = from.take(length).read_to_end(&mut blob)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        Ok(blob)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &Request::Data { seat: 3, table: 4 }, &[b"rows"]).unwrap();
        let mut rest = &bytes[..];
        let Some(Request::Data { seat: 3, table }) = read_head(&mut rest).unwrap() else { panic!("another head") };
        assert_eq!(read_blob(&mut rest, table).unwrap(), b"rows");
        assert!(read_head::<Request>(rest).unwrap().is_none());
    }

    #[test]
    fn broken_frames_are_refused() {
        assert!(read_head::<Request>(&[255; 8][..]).is_err());
        assert!(read_head::<Request>(&[4, 0, 0, 0, b'{'][..]).is_err());
        assert!(read_blob(&b"abc"[..], 4).is_err());
        assert!(read_blob(&b"abc"[..], u64::MAX).is_err());
    }
}
