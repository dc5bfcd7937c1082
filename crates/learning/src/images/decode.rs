//! One PNG file as bytes, channel by channel.

use std::{fs, io::Cursor, path::Path};

use png::{ColorType, Decoder, Limits, Transformations};

use crate::{Error, Result};

/// Largest file: a photograph of 100 million pixels fits.
const MAX_FILE: u64 = 256 << 20;
/// Most pixels of one file; more is a mistake or an attempt to exhaust memory.
const MAX_PIXELS: u64 = 1 << 27;
/// Most bytes that the decoder may take beside the pixels (text and colour profiles).
const MAX_DECODER: usize = 64 << 20;

/// A decoded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// `[channels, height, width]`.
    pub(super) values: Vec<u8>,
    /// Whether there was transparency, which is dropped.
    pub(super) transparent: bool,
    /// Whether there were 16 bits, of which the upper 8 are kept.
    pub(super) deep: bool,
}

/// Reads a PNG file. Palettes become colours, fewer than 8 bits are stretched to 0 to 255.
///
/// # Errors
/// [`Error::Read`], and [`Error::File`] when it is no PNG, broken or too large.
pub(super) fn decode(path: &Path) -> Result<Pixels> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let refuse = |reason: String| Error::File { path: path.to_owned(), reason };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > MAX_FILE {
        return Err(refuse(format!("{bytes} bytes, at most {MAX_FILE} are read; use a smaller image")));
    }
    let broken = |error: png::DecodingError| refuse(format!("no readable PNG file ({error}); convert it or remove it"));
    let file = Cursor::new(fs::read(path).map_err(failed)?);
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: MAX_DECODER });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let (height, width) = (reader.info().height, reader.info().width);
    if u64::from(height) * u64::from(width) > MAX_PIXELS {
        return Err(refuse(format!("{height} x {width} pixels, at most {MAX_PIXELS} are read; use a smaller image")));
    }
    let deep = reader.info().bit_depth == png::BitDepth::Sixteen;
    let size = reader.output_buffer_size().ok_or_else(|| refuse(format!("{height} x {width} pixels are too many")))?;
    let mut buffer = vec![0; size];
    let info = reader.next_frame(&mut buffer).map_err(broken)?;
    let (stored, channels) = match info.color_type {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (2, 1),
        ColorType::Rgb => (3, 3),
        ColorType::Rgba => (4, 3),
        ColorType::Indexed => return Err(refuse("its palette cannot be read; convert it to grey or RGB".to_owned())),
    };
    let size = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
    let pixels = &buffer[..info.buffer_size()];
    let values = (0..channels).flat_map(|channel| pixels.iter().skip(channel).step_by(stored).copied()).collect();
    let transparent = stored != channels;
    Ok(Pixels { channels, height: size(height), width: size(width), values, transparent, deep })
}
