//! Column names of pixels: they carry the shape of the image.

use parity_protocol::{model::Volume, schema::Schema};

/// Prefixes of the channels of a grey image and of a coloured one.
const GREY: [&str; 1] = ["pixel"];
const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// `pixel_0_0`, `pixel_0_1`, … for a grey image, row and column of the pixel; `red_0_0`, …, `green_0_0`, …, `blue_0_0`, … for
/// three channels. Other numbers of channels are called `channel0_0_0` and so on.
pub fn names(shape: Volume) -> Vec<String> {
    let channel = |channel: u32| match (shape.channels, usize::try_from(channel)) {
        (1, Ok(at)) => GREY[at].to_owned(),
        (3, Ok(at)) => COLOURS[at].to_owned(),
        _ => format!("channel{channel}"),
    };
    let mut all = Vec::with_capacity(shape.values());
    for prefix in (0..shape.channels).map(channel) {
        for row in 0..shape.height {
            all.extend((0..shape.width).map(|column| format!("{prefix}_{row}_{column}")));
        }
    }
    all
}

/// The shape that column names speak of, where all of them are [`names`] of one.
pub fn shape_of(schema: &Schema) -> Option<Volume> {
    let last = schema.columns.last()?;
    let mut parts = last.name.split('_');
    let (prefix, row, column) = (parts.next()?, parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
    let channels = match prefix {
        "pixel" => 1,
        "blue" => 3,
        other => other.strip_prefix("channel")?.parse::<u32>().ok()?.checked_add(1)?,
    };
    let shape = Volume { channels, height: row.checked_add(1)?, width: column.checked_add(1)? };
    let fits = shape.values() == schema.columns.len()
        && names(shape).iter().zip(&schema.columns).all(|(name, column)| *name == column.name);
    fits.then_some(shape)
}
