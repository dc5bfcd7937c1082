//! What a CSV file or a folder of images holds.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use parity_learning::{csv::TaskKind, images::Target};
use parity_protocol::model::{MAX_SIDE, Volume};

/// What a CSV file or a folder of images holds, where it can be read in two ways.
#[derive(Clone, Debug, Args)]
pub(crate) struct FileArgs {
    /// Label column, by name or 1-based position; a well-known name or the last column when absent
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// classification or regression; decided from the label column when absent
    #[arg(long)]
    pub(crate) task: Option<TaskKind>,
    /// Whether the first line is a header
    #[arg(long, value_enum)]
    pub(crate) header: Option<YesNo>,
    /// Delimiter
    #[arg(long)]
    pub(crate) delimiter: Option<char>,
    /// HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH. PNG files: scale all to this size, which they must have in common when absent. Rows of
    /// a CSV file for a convolutional network: their shape; when absent that of the column names (pixel_0_0, ...) or a square of one
    /// channel
    #[arg(long, value_name = "SHAPE")]
    pub(crate) image: Option<ImageShape>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// It is
    Yes,
    /// It is not
    No,
}

/// The shape of images as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageShape {
    channels: Option<u32>,
    height: u32,
    width: u32,
}

impl ImageShape {
    /// Shape of the rows of a CSV file: one channel where none is named.
    pub(crate) fn volume(self) -> Volume {
        Volume { channels: self.channels.unwrap_or(1), height: self.height, width: self.width }
    }
}

impl FileArgs {
    /// What PNG files should become.
    pub(crate) fn target(&self) -> Target {
        self.image.map_or_else(Target::default, |image| Target {
            channels: image.channels,
            size: Some((image.height, image.width)),
        })
    }
}

impl FromStr for ImageShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=MAX_SIDE).contains(side));
        let sides: Option<Vec<u32>> = text.split('x').map(side).collect();
        match sides.as_deref() {
            Some(&[height, width]) => Ok(Self { channels: None, height, width }),
            Some(&[channels, height, width]) => Ok(Self { channels: Some(channels), height, width }),
            _ => Err(format!(
                "expected HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH, each from 1 to {MAX_SIDE}, for example 28x28"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_as_typed() {
        let shape = |text: &str| text.parse::<ImageShape>().unwrap().volume();
        assert_eq!(shape("8x9"), Volume { channels: 1, height: 8, width: 9 });
        assert_eq!(shape("3x8x9"), Volume { channels: 3, height: 8, width: 9 });
        for wrong in ["8", "0x8", "8x9x", "1x2x3x4", "8x99999"] {
            assert!(wrong.parse::<ImageShape>().unwrap_err().contains("HEIGHTxWIDTH"), "{wrong}");
        }
    }
}
