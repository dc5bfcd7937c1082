//! One round of local training: from the global model, over shuffled batches, to new weights.
//!
//! The same job gives the same bytes: batches follow from (seed, round, seat), and every operation has a fixed order; libtorch, where
//! a model needs it, runs on one thread with its instruction set pinned before it loads.

use anyhow::Result;
use parity_learning::{
    perceptron::Examples,
    random::{Purpose, Stream},
    tensors::Tensors,
};
use parity_protocol::{job::Job, training::Training};

use crate::{device, drift::Drift, input::Refused, network::Network, optimizer::Optimizer};

/// What a seat starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// Model and sizes; its kind does not matter.
    pub(crate) job: &'a Job,
    /// The rows.
    pub(crate) examples: &'a Examples,
    /// The global model, with the shapes that the job says.
    pub(crate) model: &'a Tensors,
    /// Added to every gradient, where the aggregation asks for it (SCAFFOLD); same shapes.
    pub(crate) correction: Option<&'a Tensors>,
}

/// Trains and returns the new weights.
pub(crate) fn train(start: &Start<'_>, training: &Training, round: u16, seat: u16) -> Result<Tensors> {
    let Start { job, examples, model, correction } = *start;
    let layers = job.model.layers(job.features, job.outputs);
    let stream = |purpose| Stream::new(purpose, training.seed, u64::from(round), u64::from(seat));
    let size = usize::try_from(training.batch_size)?.min(examples.rows());
    let mut network = Network::new(&layers, model, size, stream(Purpose::Dropout), device::of_job(job)?)?;
    let factor = training.schedule.factor(round);
    let mut optimizer = Optimizer::new(&training.optimizer, factor, network.parameters.len())?;
    let drift = Drift::new(correction, &layers, training.proximal, &network.parameters)?;
    let mut shuffle = stream(Purpose::Shuffle);
    let mut order: Vec<usize> = (0..examples.rows()).collect();
    for _ in 0..training.epochs {
        shuffle.shuffle(&mut order);
        for batch in order.chunks(size) {
            network.differentiate(examples, batch)?;
            drift.correct(&mut network.gradients, &network.parameters);
            optimizer.step(&mut network.parameters, &network.gradients);
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
