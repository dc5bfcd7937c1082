//! The shape of a random forest or of extra trees. Names follow scikit-learn's.

use clap::{Args, ValueEnum};
use parity_protocol::forest::{Bootstrap, ClassWeight, MaxFeatures};

/// How seats grow a forest together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// All grow every tree, a level a round: the same forest whatever the partition
    Histogram,
    /// Each grows its share of the trees in the first round; all fill the leaves in the second
    Union,
}

/// Flags of forests.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Forests")]
pub(crate) struct ForestArgs {
    /// Trees; 100 when absent
    #[arg(long)]
    pub(crate) trees: Option<u16>,
    /// How seats grow the forest together; histogram when absent
    #[arg(long, value_enum)]
    pub(crate) forest_method: Option<Method>,
    /// Levels of splits; as many as the rounds allow when absent (histogram: rounds - 1)
    #[arg(long, value_name = "LEVELS")]
    pub(crate) max_depth: Option<u8>,
    /// Rows that a node needs to be split; 2 when absent
    #[arg(long, value_name = "ROWS")]
    pub(crate) min_samples_split: Option<u32>,
    /// Rows that each side of a split keeps; 1 when absent
    #[arg(long, value_name = "ROWS")]
    pub(crate) min_samples_leaf: Option<u32>,
    /// Features that a node chooses from: sqrt, log2, all or a number; sqrt for classes, all for numbers when absent
    #[arg(long, value_parser = max_features, value_name = "FEATURES")]
    pub(crate) max_features: Option<MaxFeatures>,
    /// Rows that a tree sees: none (all of them), replace:SHARE or without:SHARE; replace:1 for random forests, none for extra
    /// trees when absent
    #[arg(long, value_parser = bootstrap, value_name = "HOW")]
    pub(crate) bootstrap: Option<Bootstrap>,
    /// What a row of a class counts: none (1) or balanced; none when absent
    #[arg(long, value_parser = class_weight, value_name = "WEIGHT")]
    pub(crate) class_weight: Option<ClassWeight>,
}

impl ForestArgs {
    /// Whether none of them is given.
    pub(crate) fn is_empty(&self) -> bool {
        let none = Self {
            trees: None,
            forest_method: None,
            max_depth: None,
            min_samples_split: None,
            min_samples_leaf: None,
            max_features: None,
            bootstrap: None,
            class_weight: None,
        };
        *self == none
    }
}

fn max_features(text: &str) -> Result<MaxFeatures, String> {
    match text {
        "sqrt" => Ok(MaxFeatures::Sqrt {}),
        "log2" => Ok(MaxFeatures::Log2 {}),
        "all" => Ok(MaxFeatures::All {}),
        number => number
            .parse()
            .map(|features| MaxFeatures::Number { features })
            .map_err(|_| "expected sqrt, log2, all or a number".to_owned()),
    }
}

fn bootstrap(text: &str) -> Result<Bootstrap, String> {
    let wrong = || "expected none, replace:SHARE or without:SHARE, for example without:0.6".to_owned();
    let share = |text: &str| text.parse::<f64>().map_err(|_| wrong());
    match text.split_once(':') {
        None if text == "none" => Ok(Bootstrap::None {}),
        Some(("replace", text)) => Ok(Bootstrap::WithReplacement { share: share(text)? }),
        Some(("without", text)) => Ok(Bootstrap::WithoutReplacement { share: share(text)? }),
        _ => Err(wrong()),
    }
}

fn class_weight(text: &str) -> Result<ClassWeight, String> {
    match text {
        "none" => Ok(ClassWeight::None),
        "balanced" => Ok(ClassWeight::Balanced),
        _ => Err("expected none or balanced".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forests_are_read_as_typed() {
        assert_eq!(max_features("log2").unwrap(), MaxFeatures::Log2 {});
        assert_eq!(max_features("7").unwrap(), MaxFeatures::Number { features: 7 });
        assert_eq!(bootstrap("none").unwrap(), Bootstrap::None {});
        assert_eq!(bootstrap("without:0.6").unwrap(), Bootstrap::WithoutReplacement { share: 0.6 });
        assert_eq!(class_weight("balanced").unwrap(), ClassWeight::Balanced);
    }

    #[test]
    fn anything_else_says_what_is_expected() {
        assert!(max_features("half").unwrap_err().contains("sqrt"));
        assert!(bootstrap("replace").unwrap_err().contains("replace:SHARE"));
        assert!(class_weight("heavy").unwrap_err().contains("balanced"));
    }
}
