//! One round of local training: from the global model, over shuffled batches, to new weights.
//!
//! The same job gives the same bytes: batches follow from (seed, round, seat), every operation writes to fixed buffers in a fixed
//! order, and the instruction set is pinned before libtorch loads.

use anyhow::{Context, Result};
use parity_learning::{
    random::{Purpose, Stream},
    scaling,
    table::Labels,
    tensors::Tensors,
};
use parity_protocol::{schema::Task, training::Training};
use tch::Tensor;

use crate::{
    drift::Drift,
    input::{Input, Refused},
    network::{Network, Target, write},
    optimizer::Optimizer,
};

/// Trains and returns the new weights.
pub(crate) fn train(input: &Input, training: &Training, round: u16, seat: u16) -> Result<Tensors> {
    let _guard = tch::no_grad_guard();
    let rows = input.table.rows();
    let layers = input.job.model.layers(input.job.features, input.job.outputs);
    let stream = |purpose| Stream::new(purpose, training.seed, u64::from(round), u64::from(seat));
    let mut network = Network::new(&layers, &input.model, stream(Purpose::Dropout))?;
    let factor = training.schedule.factor(round);
    let mut optimizer = Optimizer::new(&training.optimizer, factor, &network.parameters)?;
    let mut drift = Drift::new(input, &layers, training.proximal, &network.parameters)?;
    let data = Data::new(input)?;
    let size = usize::try_from(training.batch_size)?.min(rows);
    let mut batches = data.batches(size)?;
    let mut full = network.batches(size)?;
    let mut rest = match rows % size {
        0 => None,
        remaining => Some(network.batches(remaining)?),
    };
    let mut shuffle = stream(Purpose::Shuffle);
    let mut order: Vec<i64> = (0..i64::try_from(rows)?).collect();
    for _ in 0..training.epochs {
        shuffle.shuffle(&mut order);
        data.arrange(&order)?;
        for batch in &mut batches {
            let space = if batch.rows == size { &mut full } else { rest.as_mut().context("a last batch")? };
            network.differentiate(space, &batch.x, &batch.target)?;
            drift.correct(&mut network.gradients, &network.parameters)?;
            optimizer.step(&mut network.parameters, &network.gradients)?;
        }
    }
    let weights = network.to_tensors()?;
    match weights.not_finite() {
        None => Ok(weights),
        Some(name) => {
            let reason = format!("training diverged: {name} is no longer finite; use a smaller learning rate");
            Err(Refused(reason).into())
        }
    }
}

/// The rows in file order, and buffers that hold them in the order of the current epoch.
struct Data {
    x: Tensor,
    y: Tensor,
    arranged_x: Tensor,
    arranged_y: Tensor,
    rows: usize,
    classes: bool,
}

/// A view of the arranged rows.
struct Batch {
    x: Tensor,
    target: Target,
    rows: usize,
}

impl Data {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
    fn new(input: &Input) -> Result<Self> {
        let rows = input.table.rows();
        let count = i64::try_from(rows)?;
        let scaled = scaling::apply(&input.job.scaling, &input.table.x)?;
        let x = Tensor::f_from_slice(&scaled)?.f_view([count, i64::try_from(input.job.features)?])?;
        let (y, classes) = match (&input.table.labels, &input.job.task) {
            (Labels::Numbers(numbers), Task::Regression { mean, deviation }) => {
                let standard = |value: &f32| ((f64::from(*value) - mean) / deviation) as f32;
                (Tensor::f_from_slice(&numbers.iter().map(standard).collect::<Vec<_>>())?, false)
            }
            (Labels::Classes(classes), Task::Classification { .. }) => (Tensor::f_from_slice(classes)?, true),
            _ => return Err(Refused("the labels do not fit the task".to_owned()).into()),
        };
        let y = y.f_view([count, 1])?;
        Ok(Self { arranged_x: x.f_zeros_like()?, arranged_y: y.f_zeros_like()?, x, y, rows, classes })
    }

    /// Brings the rows into this order.
    fn arrange(&self, order: &[i64]) -> Result<()> {
        let index = Tensor::f_from_slice(order)?;
        write(self.x.f_index_select_out(&self.arranged_x, 0, &index))?;
        write(self.y.f_index_select_out(&self.arranged_y, 0, &index))?;
        Ok(())
    }

    /// Views of all batches; the last one may be smaller.
    fn batches(&self, size: usize) -> Result<Vec<Batch>> {
        let batch = |start: usize| -> Result<Batch> {
            let rows = size.min(self.rows - start);
            let view = |of: &Tensor| {
                of.f_narrow(0, i64::try_from(start).unwrap_or(i64::MAX), i64::try_from(rows).unwrap_or(0))
            };
            let y = view(&self.arranged_y)?;
            let target = if self.classes { Target::Classes(y) } else { Target::Numbers(y) };
            Ok(Batch { x: view(&self.arranged_x)?, target, rows })
        };
        (0..self.rows).step_by(size).map(batch).collect()
    }
}
