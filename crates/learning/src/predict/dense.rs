//! A dense layer in f32, packed for the registers. Every output adds up its inputs in order, so tiles change no bit.

/// Rows that are computed together: with [`COLUMNS`] their sums take half of the 16 registers of 128 bits.
const ROWS: usize = 4;
/// Outputs of a panel.
const COLUMNS: usize = 8;

/// `Wx + b`, packed in panels of [`COLUMNS`] outputs, the last one padded with zeros.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    inputs: usize,
    outputs: usize,
    /// `[panels, inputs]`: an input's weights to the outputs of a panel lie side by side.
    weight: Vec<[f32; COLUMNS]>,
    /// `[panels]`.
    bias: Vec<[f32; COLUMNS]>,
}

impl Dense {
    /// Packs a weight `[outputs, inputs]`.
    pub(super) fn new(inputs: usize, outputs: usize, weight: &[f32], bias: &[f32]) -> Self {
        let panels = outputs.div_ceil(COLUMNS);
        let (mut packed, mut padded) = (vec![[0.0; COLUMNS]; panels * inputs], vec![[0.0; COLUMNS]; panels]);
        for output in 0..outputs {
            let (panel, column) = (output / COLUMNS, output % COLUMNS);
            padded[panel][column] = bias[output];
            for input in 0..inputs {
                packed[panel * inputs + input][column] = weight[output * inputs + input];
            }
        }
        Self { inputs, outputs, weight: packed, bias: padded }
    }

    /// `Wx + b` for rows `[rows, inputs]`. Every output adds up its inputs in order, whatever the tiles.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let mut values = vec![0.0; x.len() / inputs * outputs];
        let whole = x.len() / inputs / ROWS * ROWS;
        let (x, x_rest) = x.split_at(whole * inputs);
        let (out, out_rest) = values.split_at_mut(whole * outputs);
        for (x, out) in x.chunks_exact(ROWS * inputs).zip(out.chunks_exact_mut(ROWS * outputs)) {
            self.rows::<ROWS>(x, out);
        }
        for (x, out) in x_rest.chunks_exact(inputs).zip(out_rest.chunks_exact_mut(outputs)) {
            self.rows::<1>(x, out);
        }
        values
    }

    /// The same for `R` rows: the sums of a panel stay in registers while its weights pass by.
    fn rows<const R: usize>(&self, x: &[f32], out: &mut [f32]) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let mut rows = [x; R];
        for (row, part) in rows.iter_mut().zip(x.chunks_exact(inputs)) {
            *row = part;
        }
        for (panel, (weight, bias)) in self.weight.chunks_exact(inputs).zip(&self.bias).enumerate() {
            let mut sums = [*bias; R];
            for (input, weight) in weight.iter().enumerate() {
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let value = row[input];
                    for (sum, weight) in sums.iter_mut().zip(weight) {
                        *sum += value * weight;
                    }
                }
            }
            let columns = panel * COLUMNS..outputs.min((panel + 1) * COLUMNS);
            for (sums, out) in sums.iter().zip(out.chunks_exact_mut(outputs)) {
                out[columns.clone()].copy_from_slice(&sums[..columns.len()]);
            }
        }
    }
}
