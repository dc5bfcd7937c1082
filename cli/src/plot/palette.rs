//! Colours that people with any kind of colour vision can tell apart.

use plotters::style::RGBColor;

/// Okabe and Ito 2008 ("Color Universal Design"), the darker ones first.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(240, 228, 66),
    RGBColor(64, 64, 64),
];

/// Different colours: the palette, then the same lighter, then darker.
pub(crate) const COUNT: usize = 3 * COLOURS.len();

/// The colour of the series with this index; they repeat after [`COUNT`].
pub(crate) fn colour(index: usize) -> RGBColor {
    let RGBColor(red, green, blue) = COLOURS[index % COLOURS.len()];
    let mixed = |part: u8| match index / COLOURS.len() % 3 {
        0 => part,
        1 => 128 + part / 2,
        _ => part / 2,
    };
    RGBColor(mixed(red), mixed(green), mixed(blue))
}

/// The same colour as style sheets write it.
pub(crate) fn css(index: usize) -> String {
    let RGBColor(red, green, blue) = colour(index);
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_colours_are_equal() {
        let colours: BTreeSet<_> = (0..COUNT).map(|i| (colour(i).0, colour(i).1, colour(i).2)).collect();
        assert_eq!(colours.len(), COUNT);
        assert_eq!(colour(COUNT), colour(0));
    }
}
