//! Layered configuration: flag > environment > TOML file > default. Unknown keys are errors if the type says
//! `#[serde(deny_unknown_fields)]`.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Serialize, de::DeserializeOwned};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file does not exist.
    #[error("there is no configuration file {0}")]
    Missing(PathBuf),
    /// A value is missing, unknown or of the wrong type; the message names key and source.
    #[error("configuration: {0}")]
    Invalid(Box<figment::Error>),
}

/// Reads a configuration. `defaults` and `flags` are any serialisable values; in `flags`, absent options must be skipped.
/// Environment variables are `<PREFIX>_<KEY>` in capitals.
///
/// # Errors
/// [`ConfigError`] naming the key, the value and where it came from.
pub fn load_config<T: DeserializeOwned>(
    defaults: impl Serialize,
    file: Option<&Path>,
    env_prefix: &str,
    flags: impl Serialize,
) -> Result<T, ConfigError> {
    let mut layers = Figment::from(Serialized::defaults(defaults));
    if let Some(file) = file {
        if !file.exists() {
            return Err(ConfigError::Missing(file.to_owned()));
        }
        layers = layers.merge(Toml::file_exact(file));
    }
    layers
        .merge(Env::prefixed(&format!("{env_prefix}_")))
        .merge(Serialized::globals(flags))
        .extract()
        .map_err(|error| ConfigError::Invalid(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        rpc: String,
        limit: u32,
    }

    fn read(text: &str, flags: serde_json::Value) -> Result<Sample, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        load_config(serde_json::json!({"rpc": "default", "limit": 1}), Some(file.path()), "PARITY_SERVICE_TEST", flags)
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let config = read("rpc = 'file'\nlimit = 2", serde_json::json!({"limit": 3})).unwrap();
        assert_eq!(config, Sample { rpc: "file".into(), limit: 3 });
    }

    #[test]
    #[allow(clippy::result_large_err, reason = "the jail's closure returns figment's own error")]
    fn the_environment_beats_the_file_and_a_flag_beats_the_environment() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("parity.toml", "rpc = 'file'\nlimit = 2")?;
            jail.set_env("PARITY_SERVICE_LAYERS_RPC", "environment");
            jail.set_env("PARITY_SERVICE_LAYERS_LIMIT", "7");
            let (defaults, file) = (serde_json::json!({}), Path::new("parity.toml"));
            let flags = serde_json::json!({"limit": 9});
            let config: Sample = load_config(&defaults, Some(file), "PARITY_SERVICE_LAYERS", &flags).unwrap();
            assert_eq!(config, Sample { rpc: "environment".into(), limit: 9 });
            jail.set_env("PARITY_SERVICE_LAYERS_LIMITS", "7");
            let error = load_config::<Sample>(&defaults, Some(file), "PARITY_SERVICE_LAYERS", &flags).unwrap_err();
            assert!(error.to_string().contains("limits"), "{error}");
            Ok(())
        });
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = read("limits = 2", serde_json::json!({})).unwrap_err().to_string();
        assert!(error.contains("limits"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("/nonexistent/parity.toml");
        let error =
            load_config::<Sample>(serde_json::json!({}), Some(missing), "X", serde_json::json!({})).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/parity.toml"));
    }
}
