//! Where a model goes, and in which format.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

/// Formats of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelFormat {
    /// As the network has it: safetensors, or a forest's own format; what `fl predict` reads
    Safetensors,
    /// For onnxruntime and other runtimes
    Onnx,
    /// Card and weights in one readable document
    Json,
}

impl ModelFormat {
    /// The ending of its files.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Onnx => "onnx",
            Self::Json => "json",
        }
    }

    fn of(file: &Path) -> Self {
        let is = |format: &Self| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(format.extension()));
        [Self::Onnx, Self::Json].into_iter().find(is).unwrap_or(Self::Safetensors)
    }
}

/// Where a model goes.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where to write the model; its card lies beside it as NAME.card.json
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Format of the file; when absent, what its ending says, safetensors for any other than .onnx and .json
    #[arg(long, value_enum)]
    pub(crate) format: Option<ModelFormat>,
}

impl ExportArgs {
    /// File and format; without a file it is `default` with the ending of the format.
    pub(crate) fn resolve(self, default: &Path) -> (PathBuf, ModelFormat) {
        let named = || self.output.as_deref().map_or(ModelFormat::Safetensors, ModelFormat::of);
        let format = self.format.unwrap_or_else(named);
        (self.output.unwrap_or_else(|| default.with_extension(format.extension())), format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(output: Option<&str>, format: Option<ModelFormat>) -> (String, ModelFormat) {
        let args = ExportArgs { output: output.map(PathBuf::from), format };
        let (file, format) = args.resolve(Path::new("model"));
        (file.display().to_string(), format)
    }

    #[test]
    fn the_ending_says_the_format_unless_it_is_named() {
        assert_eq!(resolved(Some("a/b.onnx"), None), ("a/b.onnx".into(), ModelFormat::Onnx));
        assert_eq!(resolved(Some("b.JSON"), None), ("b.JSON".into(), ModelFormat::Json));
        assert_eq!(resolved(Some("b"), None), ("b".into(), ModelFormat::Safetensors));
        assert_eq!(resolved(Some("b.onnx"), Some(ModelFormat::Json)), ("b.onnx".into(), ModelFormat::Json));
    }

    #[test]
    fn without_a_file_the_format_says_the_ending() {
        assert_eq!(resolved(None, None), ("model.safetensors".into(), ModelFormat::Safetensors));
        assert_eq!(resolved(None, Some(ModelFormat::Onnx)), ("model.onnx".into(), ModelFormat::Onnx));
    }
}
