//! Named f32 tensors and their one canonical file form.
//!
//! The file is safetensors: an 8-byte little-endian header length, a JSON header, the data. Canonical means: names in byte
//! order, data in the same order without gaps, no metadata, no spaces in the JSON but the padding to a multiple of 8 bytes.
//! The reader refuses everything else, so equal tensors have equal bytes and one content id.

use std::{collections::BTreeMap, fmt::Write as _};

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};

use crate::{Error, Result, simd};

/// Most bytes of the JSON header: enough for 10,000 tensors.
const MAX_HEADER: usize = 1 << 20;
/// Values per task.
const CHUNK: usize = 1 << 15;
/// The bits of infinity.
const INFINITE: u32 = f32::INFINITY.to_bits();

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Values; as many as the product of the sizes.
    pub data: Vec<f32>,
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] }
    }
}

/// Tensors by name: the weights of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// Number of values in all tensors.
    pub fn values(&self) -> usize {
        self.0.values().map(|tensor| tensor.data.len()).sum()
    }

    /// Name of the first tensor with NaN or infinity.
    pub fn not_finite(&self) -> Option<&str> {
        // A small tensor is looked through before another thread would have begun.
        let finite = |tensor: &Tensor| match &tensor.data[..] {
            small if small.len() <= CHUNK => finite(small),
            large => large.par_chunks(CHUNK).all(finite),
        };
        self.0.iter().find(|(_, tensor)| !finite(tensor)).map(|(name, _)| name.as_str())
    }

    /// The canonical safetensors file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = self.header();
        let mut bytes = Vec::with_capacity(8 + header.len() + 4 * self.values());
        bytes.extend_from_slice(&u64::try_from(header.len()).expect("a length fits 64 bits").to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        for tensor in self.0.values() {
            let start = bytes.len();
            bytes.resize(start + 4 * tensor.data.len(), 0);
            let places = bytes[start..].as_chunks_mut::<4>().0;
            places.iter_mut().zip(&tensor.data).for_each(|(place, value)| *place = value.to_le_bytes());
        }
        bytes
    }

    /// Reads a canonical file of at most `limit` bytes. Values may be NaN: see [`Tensors::not_finite`].
    ///
    /// # Errors
    /// [`Error::Tensors`] when the bytes are too many, not safetensors, not f32 or not canonical.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self> {
        let refuse = |reason: String| Error::Tensors(reason);
        let file = open(bytes, limit)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(refuse(format!("'{name}' is {:?}, expected F32", view.dtype())));
            }
            tensors.insert(name.to_owned(), Tensor { shape: view.shape().to_vec(), data: floats(view.data()) });
        }
        let tensors = Self(tensors);
        let header = tensors.header();
        let canonical = bytes.get(8..8 + header.len()) == Some(header.as_bytes())
            && bytes.len() == 8 + header.len() + 4 * tensors.values();
        if !canonical {
            return Err(refuse("the header is not canonical (names sorted, no metadata, no gaps)".into()));
        }
        Ok(tensors)
    }

    /// The JSON header with its padding.
    fn header(&self) -> String {
        let mut header = String::from("{");
        let mut offset = 0;
        for (name, tensor) in &self.0 {
            let end = offset + 4 * tensor.data.len();
            let name = serde_json::Value::from(name.as_str());
            let shape = tensor.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            let comma = if offset == 0 && header.len() == 1 { "" } else { "," };
            write!(header, r#"{comma}{name}:{{"dtype":"F32","shape":[{shape}],"data_offsets":[{offset},{end}]}}"#)
                .expect("writing to a string cannot fail");
            offset = end;
        }
        header.push('}');
        while !header.len().is_multiple_of(8) {
            header.push(' ');
        }
        header
    }
}

/// Whether no value is NaN or infinite: as integers, the bits of a float without its sign are in the order of the floats, and integers have
/// a maximum that vectorises.
fn finite(values: &[f32]) -> bool {
    simd::widest(
        #[inline(always)]
        || values.iter().fold(0, |largest: u32, value| largest.max(value.to_bits() & 0x7fff_ffff)) < INFINITE,
    )
}

/// Opens a safetensors file after checking its sizes.
pub(crate) fn open(bytes: &[u8], limit: usize) -> Result<SafeTensors<'_>> {
    if bytes.len() > limit {
        return Err(Error::Tensors(format!("{} bytes, at most {limit} are allowed", bytes.len())));
    }
    let length = bytes.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk));
    if length.is_some_and(|length| length > MAX_HEADER as u64) {
        return Err(Error::Tensors(format!("the header claims more than {MAX_HEADER} bytes")));
    }
    SafeTensors::deserialize(bytes).map_err(|e| Error::Tensors(e.to_string()))
}

/// Little-endian bytes as numbers.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    fn sample() -> Tensors {
        let tensor = |shape: &[usize], start: f32| Tensor {
            shape: shape.to_vec(),
            data: (0_u8..).take(shape.iter().product()).map(|i| start + f32::from(i)).collect(),
        };
        Tensors(BTreeMap::from([
            ("layers.0.weight".into(), tensor(&[3, 2], 0.5)),
            ("layers.0.bias".into(), tensor(&[3], -1.0)),
        ]))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let tensors = sample();
        assert_eq!(Tensors::from_bytes(&tensors.to_bytes(), 1 << 20).unwrap(), tensors);
    }

    #[test]
    fn the_bytes_are_those_of_the_safetensors_crate() {
        let tensors = sample();
        let data: Vec<_> = (tensors.0.iter())
            .map(|(n, t)| (n, &t.shape, t.data.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()))
            .collect();
        let views = data.iter().map(|(n, s, d)| (n.as_str(), TensorView::new(Dtype::F32, s.to_vec(), d).unwrap()));
        assert_eq!(tensors.to_bytes(), safetensors::serialize(views, None).unwrap());
    }

    #[test]
    fn anything_not_canonical_is_refused() {
        let bytes = sample().to_bytes();
        let refused = |bytes: &[u8]| matches!(Tensors::from_bytes(bytes, 1 << 20), Err(Error::Tensors(_)));
        assert!(refused(&[]));
        assert!(refused(&bytes[..bytes.len() - 1]));
        assert!(refused(&[&bytes[..], &[0]].concat()));
        assert!(matches!(Tensors::from_bytes(&bytes, bytes.len() - 1), Err(Error::Tensors(_))));
        // A huge header length must not allocate.
        assert!(refused(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat()));
        let with_metadata = {
            let data = [0_u8; 4];
            let view = TensorView::new(Dtype::F32, vec![1], &data).unwrap();
            let metadata = std::collections::HashMap::from([("a".to_owned(), "b".to_owned())]);
            safetensors::serialize([("w", view)], Some(metadata)).unwrap()
        };
        assert!(refused(&with_metadata));
        let integers = {
            let data = [0_u8; 8];
            let view = TensorView::new(Dtype::I64, vec![1], &data).unwrap();
            safetensors::serialize([("w", view)], None).unwrap()
        };
        assert!(refused(&integers));
    }

    #[test]
    fn nan_and_infinity_are_found() {
        let mut tensors = sample();
        assert_eq!(tensors.not_finite(), None);
        tensors.0.get_mut("layers.0.weight").unwrap().data[4] = f32::NAN;
        assert_eq!(tensors.not_finite(), Some("layers.0.weight"));
        tensors.0.get_mut("layers.0.bias").unwrap().data[0] = f32::INFINITY;
        assert_eq!(tensors.not_finite(), Some("layers.0.bias"));
    }
}
