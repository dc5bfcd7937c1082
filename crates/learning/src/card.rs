//! The model card: the JSON file beside downloaded weights, with all that is needed to use them on a CSV file.

use parity_protocol::{
    metrics::Metrics,
    model::Model,
    schema::{Scaling, Schema},
    spec::SessionSpec,
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    weights::{AnyPredictor, Weights},
};

/// Version of the format.
pub const VERSION: u32 = 1;

/// How to use a model, how good it is and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// [`VERSION`].
    pub version: u32,
    /// Name of the session.
    pub name: String,
    /// The architecture.
    pub model: Model,
    /// Columns, label and classes.
    pub schema: Schema,
    /// Standardisation of the features.
    pub scaling: Scaling,
    /// Metrics on the session's holdout, where there is one.
    pub metrics: Option<Metrics>,
    /// Where the model comes from.
    pub origin: Origin,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Chain id.
    pub chain_id: u64,
    /// Address of the sessions contract.
    pub contract: String,
    /// Session id.
    pub session: u64,
    /// Round that made the model, 1-based.
    pub round: u16,
    /// CID of the session spec.
    pub spec: String,
    /// CID of the aggregate manifest.
    pub aggregate: String,
    /// CID of the weights.
    pub model: String,
}

impl ModelCard {
    /// The card of a session's model.
    pub fn new(spec: &SessionSpec, metrics: Option<Metrics>, origin: Origin) -> Self {
        Self {
            version: VERSION,
            name: spec.name.clone(),
            model: spec.model.clone(),
            schema: spec.schema.clone(),
            scaling: spec.scaling.clone(),
            metrics,
            origin,
        }
    }

    /// The card as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("names and finite numbers are JSON")
    }

    /// Reads a card and checks it.
    ///
    /// # Errors
    /// [`Error::Card`] when it is not a card of this version or a field is out of range.
    pub fn from_json(json: &str) -> Result<Self> {
        let card: Self = serde_json::from_str(json).map_err(|e| Error::Card(e.to_string()))?;
        if card.version != VERSION {
            return Err(Error::Card(format!("version {}, this program reads version {VERSION}", card.version)));
        }
        let valid = card.schema.validate().and_then(|()| card.scaling.validate(card.schema.features()));
        valid.and_then(|()| card.model.validate()).map_err(|e| Error::Card(e.to_string()))?;
        Ok(card)
    }

    /// The model with its weights, ready to use.
    ///
    /// # Errors
    /// As [`AnyPredictor::new`].
    pub fn predictor(&self, weights: &Weights) -> Result<AnyPredictor> {
        AnyPredictor::new(&self.model, self.schema.features(), &self.schema.label.task, &self.scaling, weights)
    }
}

#[cfg(test)]
mod tests {
    use parity_protocol::schema::{Column, ColumnKind, Label, Task};

    use super::*;

    fn card() -> ModelCard {
        ModelCard {
            version: VERSION,
            name: "A session".into(),
            model: Model::LogisticRegression {},
            schema: Schema {
                columns: vec![Column { name: "age".into(), kind: ColumnKind::Numeric { fill: 0.1 } }],
                label: Label {
                    name: "ill".into(),
                    task: Task::Classification { classes: vec!["no".into(), "yes".into()] },
                },
            },
            scaling: Scaling { mean: vec![0.1], deviation: vec![1.0 / 3.0], limit: None },
            metrics: Some(Metrics { samples: 3, loss: 0.25, accuracy: Some(2.0 / 3.0), ..Metrics::default() }),
            origin: Origin {
                chain_id: 314_159,
                contract: "0x00".into(),
                session: 1,
                round: 10,
                spec: "bafyspec".into(),
                aggregate: "bafyaggregate".into(),
                model: "bafymodel".into(),
            },
        }
    }

    #[test]
    fn a_card_survives_json_to_the_last_bit() {
        assert_eq!(ModelCard::from_json(&card().to_json()).unwrap(), card());
    }

    #[test]
    fn unknown_versions_fields_and_broken_values_are_refused() {
        let json = card().to_json();
        for (from, to) in [
            (r#""version": 1"#, r#""version": 2"#),
            (r#""name": "A"#, r#""nickname": "A"#),
            ("0.3333333333333333", "0.0"),
        ] {
            assert!(json.contains(from));
            assert!(matches!(ModelCard::from_json(&json.replacen(from, to, 1)), Err(Error::Card(_))), "{to}");
        }
    }
}
