//! Models on disk: the file in one of its formats, and the card beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use parity_learning::{card::ModelCard, export, weights::Weights};

use crate::args::ModelFormat;

/// Largest model file that is read.
const MAX_BYTES: usize = 1 << 32;

/// The card of a model file: `diagnosis.card.json` of `diagnosis.safetensors`, so that no format of a model is in its way.
pub(crate) fn card_path(model: &Path) -> PathBuf {
    model.with_extension("card.json")
}

/// Reads a model in the format of the network with its card.
pub(crate) fn read(file: &Path) -> anyhow::Result<(ModelCard, Weights)> {
    let beside = card_path(file);
    let card = fs::read_to_string(&beside)
        .with_context(|| format!("reading the model card {} (it lies beside the model)", beside.display()))?;
    let card = ModelCard::from_json(&card).with_context(|| format!("reading {}", beside.display()))?;
    let bytes = fs::read(file).with_context(|| format!("reading the model {}", file.display()))?;
    let weights = decode(&bytes, &card).with_context(|| format!("reading the model {}", file.display()))?;
    Ok((card, weights))
}

/// Reads the weights of a card.
pub(crate) fn decode(bytes: &[u8], card: &ModelCard) -> anyhow::Result<Weights> {
    Weights::from_bytes(bytes, &card.model, MAX_BYTES)
        .context("it is no model in the format of the network ('parity fl model' writes that to .safetensors files)")
}

/// Writes a model in a format, and its card.
pub(crate) fn write(file: &Path, format: ModelFormat, card: &ModelCard, weights: &Weights) -> anyhow::Result<()> {
    let bytes = match format {
        ModelFormat::Safetensors => weights.to_bytes(),
        ModelFormat::Onnx => export::onnx(card, weights)?,
        ModelFormat::Json => export::json(card, weights)?.into_bytes(),
    };
    fs::write(file, bytes).with_context(|| format!("writing the model {}", file.display()))?;
    write_card(file, card)
}

/// Writes the card of a model file.
pub(crate) fn write_card(model: &Path, card: &ModelCard) -> anyhow::Result<()> {
    let file = card_path(model);
    fs::write(&file, card.to_json()).with_context(|| format!("writing the model card {}", file.display()))
}
