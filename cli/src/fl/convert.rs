//! `parity fl convert`: a downloaded model in another format. Needs no network.

use anyhow::bail;
use serde::Serialize;

use super::export;
use crate::{
    args::{ConvertArgs, GlobalArgs},
    output::Output,
};

#[derive(Serialize)]
struct Converted {
    format: &'static str,
    file: String,
    card: String,
}

/// Runs the command.
pub(crate) fn run(args: ConvertArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let (file, format) = args.export.resolve(&args.model);
    if file == args.model {
        bail!("{} would be overwritten; name another file with -o, or a format with --format", file.display());
    }
    let (card, weights) = export::read(&args.model)?;
    export::write(&file, format, &card, &weights)?;
    let card = export::card_path(&file);
    let document =
        Converted { format: format.extension(), file: file.display().to_string(), card: card.display().to_string() };
    Output::new(global.json).result(&document, |d| format!("the model is in {}, its card in {}", d.file, d.card))
}
