//! Scaling an image to another size by area: a new pixel is the mean of what it covers of the old ones.
//!
//! Whole numbers only. In units where the image is `old * new` long, old pixel `i` covers `[i * new, (i + 1) * new)` and new
//! pixel `j` covers `[j * old, (j + 1) * old)`; their common length is the weight, which sums to `old`.

use super::decode::Pixels;

/// The image with this height and width; sides are scaled apart from each other.
pub(super) fn resize(image: Pixels, height: usize, width: usize) -> Pixels {
    if (image.height, image.width) == (height, width) {
        return image;
    }
    let (rows, columns) = (spans(image.height, height), spans(image.width, width));
    let area = wide(image.height) * wide(image.width);
    let mut values = Vec::with_capacity(image.channels * height * width);
    let mut line = vec![0_u64; image.width];
    for channel in image.values.chunks_exact((image.height * image.width).max(1)) {
        for row in &rows {
            line.fill(0);
            for (at, weight) in row {
                let old = &channel[at * image.width..(at + 1) * image.width];
                for (sum, value) in line.iter_mut().zip(old) {
                    *sum += weight * u64::from(*value);
                }
            }
            for column in &columns {
                let sum: u64 = column.iter().map(|(at, weight)| weight * line[*at]).sum();
                // A mean of bytes is a byte; halves are rounded up.
                values.push(u8::try_from((2 * sum + area) / (2 * area)).unwrap_or(u8::MAX));
            }
        }
    }
    Pixels { height, width, values, ..image }
}

/// For every new pixel the old ones that it covers, and how much of each.
fn spans(old: usize, new: usize) -> Vec<Vec<(usize, u64)>> {
    let span = |pixel: usize| {
        let (start, end) = (pixel * old, (pixel + 1) * old);
        let covered = start / new..end.div_ceil(new);
        covered.map(|at| (at, wide((at + 1) * new).min(wide(end)) - wide(at * new).max(wide(start)))).collect()
    };
    (0..new).map(span).collect()
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize, values: &[u8]) -> Pixels {
        Pixels { channels: 1, height, width, values: values.to_vec(), transparent: false, deep: false }
    }

    #[test]
    fn a_smaller_image_has_the_means_of_what_its_pixels_cover() {
        assert_eq!(resize(grey(2, 4, &[0, 10, 100, 200, 20, 30, 100, 201]), 1, 2).values, [15, 150]);
        // Thirds: 0 and half of 90, half of 90 and 255.
        assert_eq!(resize(grey(1, 3, &[0, 90, 255]), 1, 2).values, [30, 200]);
    }

    #[test]
    fn a_larger_image_repeats_pixels() {
        assert_eq!(resize(grey(1, 2, &[7, 9]), 2, 4).values, [7, 7, 9, 9, 7, 7, 9, 9]);
        assert_eq!(resize(grey(1, 2, &[0, 90]), 1, 3).values, [0, 45, 90]);
    }

    #[test]
    fn an_even_image_stays_even_at_any_size() {
        for (height, width) in [(1, 1), (3, 5), (17, 2), (64, 64)] {
            let image = resize(grey(7, 11, &[213; 77]), height, width);
            assert_eq!((image.values.len(), image.height, image.width), (height * width, height, width));
            assert!(image.values.iter().all(|value| *value == 213));
        }
    }
}
