//! A convolution in f32: every pixel's neighbourhood becomes a row, and the rows go through a dense layer.

use parity_protocol::model::Volume;

use super::dense::Dense;

/// A convolution of stride 1 with zeros around the image.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    dense: Dense,
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
    kernel: usize,
}

impl Convolution {
    /// Packs a weight `[outputs, channels, kernel, kernel]`.
    pub(super) fn new(input: Volume, outputs: usize, kernel: usize, weight: &[f32], bias: &[f32]) -> Self {
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (channels, height, width) = (size(input.channels), size(input.height), size(input.width));
        let dense = Dense::new(channels * kernel * kernel, outputs, weight, bias);
        Self { dense, channels, height, width, outputs, kernel }
    }

    /// `[images, outputs, height, width]` of `[images, channels, height, width]`.
    pub(super) fn apply(&self, images: &[f32]) -> Vec<f32> {
        let pixels = self.height * self.width;
        let mut values = vec![0.0; images.len() / self.channels * self.outputs];
        let mut patches = vec![0.0; pixels * self.channels * self.kernel * self.kernel];
        let both = images.chunks_exact(self.channels * pixels).zip(values.chunks_exact_mut(self.outputs * pixels));
        for (image, values) in both {
            self.gather(image, &mut patches);
            for (pixel, outputs) in self.dense.apply(&patches).chunks_exact(self.outputs).enumerate() {
                for (output, value) in outputs.iter().enumerate() {
                    values[output * pixels + pixel] = *value;
                }
            }
        }
        values
    }

    /// Writes the neighbourhood `[channels, kernel, kernel]` of every pixel.
    fn gather(&self, image: &[f32], patches: &mut [f32]) {
        let reach = self.kernel / 2;
        let mut place = patches.iter_mut();
        for (y, x) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (y, x))) {
            for plane in image.chunks_exact(self.height * self.width) {
                for row in y..y + self.kernel {
                    for column in x..x + self.kernel {
                        let inside = (reach..self.height + reach).contains(&row)
                            && (reach..self.width + reach).contains(&column);
                        let value = if inside { plane[(row - reach) * self.width + column - reach] } else { 0.0 };
                        if let Some(place) = place.next() {
                            *place = value;
                        }
                    }
                }
            }
        }
    }

    /// The largest of every `pool x pool` pixels; rows and columns that fill no square are cut off.
    pub(super) fn pool(&self, values: &[f32], pool: usize) -> Vec<f32> {
        if pool == 1 {
            return values.to_vec();
        }
        let (height, width) = (self.height / pool, self.width / pool);
        let mut pooled = Vec::with_capacity(values.len() / (pool * pool));
        for plane in values.chunks_exact(self.height * self.width) {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let square = (y * pool..(y + 1) * pool)
                    .flat_map(|row| &plane[row * self.width + x * pool..row * self.width + (x + 1) * pool]);
                // NaN wins, so that a broken model shows.
                pooled.push(square.fold(f32::NEG_INFINITY, |most, value| if *value <= most { most } else { *value }));
            }
        }
        pooled
    }
}
