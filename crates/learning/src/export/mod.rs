//! Models out of the network, in forms that other programs read: [`onnx()`] for runtimes, [`json()`] for eyes and scripts.
//! Both are pure functions of a card and its weights; neither is read back.

mod json;
mod lines;
mod onnx;

pub use json::json;
pub use onnx::onnx;

use crate::{Error, Result, tensors::Tensors};

fn check_finite(tensors: &Tensors) -> Result<()> {
    match tensors.not_finite() {
        None => Ok(()),
        Some(name) => Err(Error::Export(format!("{name} has NaN or infinity; take the model of another round"))),
    }
}
