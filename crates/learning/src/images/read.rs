//! All files of a folder as rows of one shape.

use std::sync::atomic::{AtomicUsize, Ordering};

use parity_protocol::{model::Volume, schema::MAX_COLUMNS};
use rayon::prelude::*;

use super::{
    Target,
    decode::{Pixels, decode},
    folder::Folder,
    resize::resize,
};
use crate::{Error, Result};

/// Most pixel values of all files together: 8 GiB of rows.
pub const MAX_VALUES: usize = 1 << 31;

/// Rows of pixels.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) shape: Volume,
    /// `[files, channels, height, width]`, 0 to 255.
    pub(super) x: Vec<f32>,
    pub(super) notes: Vec<String>,
}

/// Reads all files. Without a size to scale to, all must have that of the first.
pub(super) fn read(folder: &Folder, target: Target, progress: &(dyn Fn() + Sync)) -> Result<Images> {
    let files = folder.files();
    let refuse = |reason: String| Error::File { path: folder.path().to_owned(), reason };
    let Some(first) = files.first() else { return Err(refuse("there is no PNG file".to_owned())) };
    let size = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
    let (height, width) = match target.size {
        Some((height, width)) => (size(height), size(width)),
        None => {
            let image = decode(first)?;
            (image.height, image.width)
        }
    };
    let most = files.len().saturating_mul(height).saturating_mul(width);
    if height.saturating_mul(width) > MAX_COLUMNS || most > MAX_VALUES {
        return Err(refuse(format!(
            "{} files of {height} x {width} pixels, but at most {MAX_COLUMNS} values make a row and {MAX_VALUES} all rows; scale them down with --image {}",
            files.len(),
            if height.saturating_mul(width) > MAX_COLUMNS { "64x64, for example" } else { "HEIGHTxWIDTH" }
        )));
    }
    let (transparent, deep, scaled) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let one = |file: &std::path::PathBuf| -> Result<Pixels> {
        let image = decode(file)?;
        let count = |counter: &AtomicUsize, is: bool| counter.fetch_add(usize::from(is), Ordering::Relaxed);
        count(&transparent, image.transparent);
        count(&deep, image.deep);
        let other = (image.height, image.width) != (height, width);
        if other && target.size.is_none() {
            let reason = format!(
                "{} x {} pixels, but {} has {height} x {width}; add --image HEIGHTxWIDTH, for example --image \
                 {height}x{width}, to scale all images to one size",
                image.height,
                image.width,
                first.display()
            );
            return Err(Error::File { path: file.clone(), reason });
        }
        count(&scaled, other);
        let image = resize(image, height, width);
        progress();
        Ok(image)
    };
    let images: Vec<Result<Pixels>> = files.par_iter().map(one).collect();
    // The first file that fails is named, whatever thread met it.
    let images: Vec<Pixels> = images.into_iter().collect::<Result<_>>()?;
    let coloured = images.iter().position(|image| image.channels == 3);
    let channels = match (target.channels, coloured) {
        (None, None) | (Some(1), None) => 1,
        (None, Some(_)) | (Some(3), _) => 3,
        (Some(1), Some(at)) => {
            let reason = "it has colours, expected grey; convert it, or use a model of three channels".to_owned();
            return Err(Error::File { path: files[at].clone(), reason });
        }
        (Some(channels), _) => {
            return Err(refuse(format!("PNG files have 1 channel or 3, not {channels}")));
        }
    };
    let shape = Volume { channels, height: side(height), width: side(width) };
    if shape.values() > MAX_COLUMNS || shape.values().saturating_mul(files.len()) > MAX_VALUES {
        return Err(refuse(format!(
            "three channels of {height} x {width} pixels, but at most {MAX_COLUMNS} values make a row and {MAX_VALUES} all rows; scale the images down, for example with --image 32x32"
        )));
    }
    let grey = images.iter().filter(|image| image.channels == 1).count();
    let mut x = vec![0.0_f32; shape.values() * images.len()];
    x.par_chunks_mut(shape.values()).zip(&images).for_each(|(row, image)| {
        for (at, value) in row.iter_mut().enumerate() {
            *value = f32::from(image.values[at % image.values.len()]);
        }
    });
    let mut notes = vec![format!(
        "{} PNG files of {height} x {width} pixels, {}",
        files.len(),
        if channels == 1 { "grey" } else { "three colours" }
    )];
    let mut note = |count: usize, what: &str| {
        if count > 0 {
            notes.push(format!("{count} files {what}"));
        }
    };
    note(scaled.into_inner(), &format!("had another size and were scaled to {height} x {width}"));
    note(if channels == 3 { grey } else { 0 }, "are grey and count as colours");
    note(transparent.into_inner(), "have transparency, which is dropped");
    note(deep.into_inner(), "have 16 bits, of which the upper 8 are used");
    Ok(Images { shape, x, notes })
}

/// Sides of read images are at most those of PNG files or of a target.
fn side(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
