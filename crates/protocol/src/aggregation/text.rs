//! Aggregation as people type it: parts joined by `+`, each a name with its numbers, such as `nnm:4+trimmed-mean:0.2+fedyogi`.

use std::{fmt, str::FromStr};

use super::{Adaptive, Aggregation, Control, Rule, Server};
use crate::{Error, Result};

/// What can be typed, for messages and help.
pub const KNOWN_RULES: &str = "fedavg, fedavgm[:momentum,rate], fedadam[:rate,beta1,beta2,tau], fedyogi[:…], fedadagrad[:…], \
    fednova, scaffold[:clip], median, trimmed-mean[:share], krum:faulty, multi-krum:faulty[,keep], geometric-median, \
    centred-clipping[:radius], root-data[:rows], norm-bound:norm, nnm:faulty, sample:share; join several with +";

/// Which part of an aggregation a name sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Rule,
    Server,
    Steps,
    Control,
    Bound,
    Mixing,
    Participation,
}

impl FromStr for Aggregation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut aggregation = Self::default();
        let mut seen: Vec<(Part, &str)> = Vec::new();
        for word in text.split('+') {
            let (name, numbers) = word.split_once(':').unwrap_or((word, ""));
            let numbers = Numbers { text, name, values: split(text, numbers)? };
            let part = set(&mut aggregation, &numbers)?;
            if let Some((_, other)) = seen.iter().find(|(earlier, _)| *earlier == part) {
                return Err(refuse(text, format!("'{other}' and '{name}' exclude each other")));
            }
            seen.push((part, name));
        }
        aggregation.validate(None)?;
        Ok(aggregation)
    }
}

fn set(aggregation: &mut Aggregation, numbers: &Numbers<'_>) -> Result<Part> {
    let part = match numbers.name {
        "fedavg" | "mean" | "median" | "trimmed-mean" | "krum" | "multi-krum" | "geometric-median"
        | "centred-clipping" | "centered-clipping" | "root-data" => {
            aggregation.rule = rule(numbers)?;
            Part::Rule
        }
        "fedavgm" | "fedadam" | "fedyogi" | "fedadagrad" => {
            aggregation.server = server(numbers)?;
            Part::Server
        }
        "fednova" => {
            numbers.at_most(0)?;
            aggregation.normalise_steps = true;
            Part::Steps
        }
        "scaffold" => {
            numbers.at_most(1)?;
            aggregation.control = Some(Control { clip: numbers.get(0, DEFAULT_CLIP) });
            Part::Control
        }
        "norm-bound" => {
            numbers.at_most(1)?;
            aggregation.norm_bound = Some(numbers.must("the largest norm")?);
            Part::Bound
        }
        "nnm" => {
            numbers.at_most(1)?;
            aggregation.mixing = Some(numbers.count(0)?.ok_or_else(|| numbers.missing("the number of faulty seats"))?);
            Part::Mixing
        }
        "sample" => {
            numbers.at_most(1)?;
            aggregation.participation = numbers.must("the share of seats")?;
            Part::Participation
        }
        "fedprox" => {
            return Err(refuse(numbers.text, "FedProx is a way of training; set the proximal term there".into()));
        }
        other => return Err(refuse(numbers.text, format!("'{other}' is not known; known are {KNOWN_RULES}"))),
    };
    Ok(part)
}

/// Largest norm of a control variate where none is given: gradients of a standardised task are rarely longer than 1.
const DEFAULT_CLIP: f64 = 10.0;

fn rule(numbers: &Numbers<'_>) -> Result<Rule> {
    let faulty = || numbers.count(0)?.ok_or_else(|| numbers.missing("the number of faulty seats"));
    let (rule, most) = match numbers.name {
        "median" => (Rule::Median {}, 0),
        "trimmed-mean" => (Rule::TrimmedMean { share: numbers.get(0, 0.2) }, 1),
        "krum" => (Rule::Krum { faulty: faulty()? }, 1),
        "multi-krum" => (Rule::MultiKrum { faulty: faulty()?, keep: numbers.count(1)? }, 2),
        "geometric-median" => (Rule::GeometricMedian {}, 0),
        "centred-clipping" | "centered-clipping" => (Rule::CentredClipping { radius: numbers.get(0, 1.0) }, 1),
        "root-data" => (Rule::RootData { rows: numbers.count(0)?.unwrap_or(50) }, 1),
        _ => (Rule::Mean {}, 0),
    };
    numbers.at_most(most)?;
    Ok(rule)
}

fn server(numbers: &Numbers<'_>) -> Result<Server> {
    if numbers.name == "fedavgm" {
        numbers.at_most(2)?;
        return Ok(Server::Momentum { momentum: numbers.get(0, 0.9), rate: numbers.get(1, 1.0) });
    }
    numbers.at_most(4)?;
    let usual = Adaptive::default();
    let adaptive = Adaptive {
        rate: numbers.get(0, usual.rate),
        beta1: numbers.get(1, usual.beta1),
        beta2: numbers.get(2, usual.beta2),
        tau: numbers.get(3, usual.tau),
    };
    Ok(match numbers.name {
        "fedadam" => Server::Adam(adaptive),
        "fedyogi" => Server::Yogi(adaptive),
        _ => Server::Adagrad(adaptive),
    })
}

/// The numbers after a name.
struct Numbers<'a> {
    text: &'a str,
    name: &'a str,
    values: Vec<(&'a str, f64)>,
}

impl Numbers<'_> {
    fn get(&self, place: usize, usual: f64) -> f64 {
        self.values.get(place).map_or(usual, |(_, value)| *value)
    }

    fn must(&self, what: &str) -> Result<f64> {
        self.values.first().map(|(_, value)| *value).ok_or_else(|| self.missing(what))
    }

    fn count(&self, place: usize) -> Result<Option<u16>> {
        let Some((typed, _)) = self.values.get(place) else { return Ok(None) };
        let count = typed.parse();
        count.map(Some).map_err(|_| refuse(self.text, format!("'{typed}' is not a whole number from 0 to 65535")))
    }

    fn missing(&self, what: &str) -> Error {
        refuse(self.text, format!("{} needs {what}, as in {}:2", self.name, self.name))
    }

    fn at_most(&self, count: usize) -> Result<()> {
        if self.values.len() <= count {
            return Ok(());
        }
        Err(refuse(self.text, format!("{} takes at most {count} numbers, not {}", self.name, self.values.len())))
    }
}

fn split<'a>(text: &str, numbers: &'a str) -> Result<Vec<(&'a str, f64)>> {
    let number = |typed: &'a str| match typed.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((typed, value)),
        _ => Err(refuse(text, format!("'{typed}' is not a number"))),
    };
    if numbers.is_empty() { Ok(Vec::new()) } else { numbers.split(',').map(number).collect() }
}

fn refuse(text: &str, reason: String) -> Error {
    Error::Aggregation { text: text.to_owned(), reason }
}

impl fmt::Display for Aggregation {
    /// Text that reads back as the same aggregation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.participation < 1.0 {
            parts.push(format!("sample:{}", self.participation));
        }
        if self.normalise_steps {
            parts.push("fednova".to_owned());
        }
        parts.extend(self.norm_bound.map(|bound| format!("norm-bound:{bound}")));
        parts.extend(self.mixing.map(|faulty| format!("nnm:{faulty}")));
        match self.rule {
            Rule::Mean {} => {}
            Rule::Median {} => parts.push("median".into()),
            Rule::TrimmedMean { share } => parts.push(format!("trimmed-mean:{share}")),
            Rule::Krum { faulty } => parts.push(format!("krum:{faulty}")),
            Rule::MultiKrum { faulty, keep: None } => parts.push(format!("multi-krum:{faulty}")),
            Rule::MultiKrum { faulty, keep: Some(keep) } => parts.push(format!("multi-krum:{faulty},{keep}")),
            Rule::GeometricMedian {} => parts.push("geometric-median".into()),
            Rule::CentredClipping { radius } => parts.push(format!("centred-clipping:{radius}")),
            Rule::RootData { rows } => parts.push(format!("root-data:{rows}")),
        }
        let adaptive = |name: &str, a: &Adaptive| format!("{name}:{},{},{},{}", a.rate, a.beta1, a.beta2, a.tau);
        match &self.server {
            Server::None {} => {}
            Server::Momentum { momentum, rate } => parts.push(format!("fedavgm:{momentum},{rate}")),
            Server::Adam(parameters) => parts.push(adaptive("fedadam", parameters)),
            Server::Yogi(parameters) => parts.push(adaptive("fedyogi", parameters)),
            Server::Adagrad(parameters) => parts.push(adaptive("fedadagrad", parameters)),
        }
        parts.extend(self.control.map(|control| format!("scaffold:{}", control.clip)));
        if parts.is_empty() {
            parts.push("fedavg".into());
        }
        f.write_str(&parts.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Aggregation {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Aggregation>().unwrap_err().to_string()
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in [
            "fedavg",
            "fedavgm:0.9,1",
            "fedadam:0.02,0.9,0.99,0.001",
            "fedyogi",
            "fedadagrad:0.1",
            "fednova",
            "scaffold",
            "median",
            "trimmed-mean:0.1",
            "krum:4",
            "multi-krum:4",
            "multi-krum:4,3",
            "geometric-median",
            "centered-clipping:2.5",
            "root-data",
            "sample:0.5+fednova+norm-bound:3+nnm:2+trimmed-mean:0.2+fedyogi:0.01+scaffold:5",
        ] {
            let aggregation = parse(text);
            assert_eq!(parse(&aggregation.to_string()), aggregation, "{text}");
        }
        assert_eq!(parse("fedavg"), Aggregation::default());
        assert_eq!(parse("mean+fedavgm").server, Server::Momentum { momentum: 0.9, rate: 1.0 });
        assert_eq!(Aggregation::default().to_string(), "fedavg");
    }

    #[test]
    fn what_is_not_known_is_answered_with_what_is() {
        assert!(refusal("fedbest").contains("'fedbest' is not known; known are fedavg, fedavgm"));
        assert!(refusal("fedprox").contains("way of training"));
        assert!(refusal("").contains("'' is not known"));
    }

    #[test]
    fn numbers_that_do_not_fit_are_named() {
        assert!(refusal("krum").contains("krum needs the number of faulty seats, as in krum:2"));
        assert!(refusal("krum:1.5").contains("'1.5' is not a whole number"));
        assert!(refusal("krum:-1").contains("'-1' is not a whole number"));
        assert!(refusal("trimmed-mean:x").contains("'x' is not a number"));
        assert!(refusal("trimmed-mean:0.5").contains("0 to below 0.5"));
        assert!(refusal("trimmed-mean:nan").contains("'nan' is not a number"));
        assert!(refusal("median:1").contains("at most 0 numbers"));
        assert!(refusal("norm-bound").contains("norm-bound needs the largest norm"));
        assert!(refusal("norm-bound:0").contains("above 0"));
        assert!(refusal("sample:0").contains("aggregation.participation is 0"));
        assert!(refusal("fedadam:20").contains("aggregation.server.rate is 20"));
        assert!(refusal("multi-krum:1,0").contains("aggregation.rule.keep"));
        assert!(refusal("root-data:0").contains("1 to 1000"));
    }

    #[test]
    fn two_of_a_kind_exclude_each_other() {
        assert!(refusal("median+krum:1").contains("'median' and 'krum' exclude each other"));
        assert!(refusal("fedadam+fedyogi").contains("exclude each other"));
    }

    #[test]
    fn more_faulty_seats_than_a_rule_withstands_are_refused() {
        let with = |text: &str, seats| parse(text).validate(Some(seats)).map_err(|e| e.to_string());
        assert_eq!(with("krum:4", 11), Ok(()));
        assert!(with("krum:4", 10).unwrap_err().contains("at most 3 with 10 seats"));
        assert_eq!(with("nnm:4", 9), Ok(()));
        assert!(with("nnm:5", 9).unwrap_err().contains("aggregation.mixing is 5"));
    }
}
