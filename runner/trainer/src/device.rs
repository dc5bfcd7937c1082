//! The device that libtorch computes on, and what that means for whoever wants to make the same bytes.

use parity_protocol::{
    device::{Determinism, Device},
    job::Job,
    model::{Layer, LayerKind},
};

use crate::input::Refused;

/// The device of a job.
pub(crate) fn of_job(job: &Job) -> Result<tch::Device, Refused> {
    match job.device {
        Device::Cpu => Ok(tch::Device::Cpu),
        Device::Cuda if tch::Cuda::is_available() => Ok(tch::Device::Cuda(0)),
        Device::Cuda => Err(Refused(
            "job.json: device: cuda, but this trainer sees no CUDA device, or its libtorch has no CUDA".to_owned(),
        )),
    }
}

/// On which machines a job gives the same bytes: only convolutions are left to libtorch.
pub(crate) fn determinism(job: &Job) -> Determinism {
    let convolutions = |layer: &Layer| matches!(layer.kind, LayerKind::Convolution { .. });
    match (job.model.layers(job.features, job.outputs).iter().any(convolutions), job.device) {
        (false, _) => Determinism::Everywhere,
        (true, Device::Cpu) => Determinism::Processor,
        (true, Device::Cuda) => Determinism::Device,
    }
}
