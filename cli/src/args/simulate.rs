//! `parity fl simulate`.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use parity_learning::attack::Attack;

use super::{file::FileArgs, learn::LearnArgs, partition::DealArgs, reward::RewardArgs};

/// Most seeds of one call.
const MAX_SEEDS: u64 = 10_000;

/// A session without chain and containers.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// CSV file with a label column, or folder of PNG files in one sub-folder per class
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: FileArgs,
    /// Seats
    #[arg(long, default_value_t = 10, visible_alias = "seats", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) clients: u16,
    #[command(flatten)]
    pub(crate) deal: DealArgs,
    /// Rounds
    #[arg(long, default_value_t = 10, visible_alias = "total-rounds", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// Seeds of splits, partitions, initial weights and shuffles: one, a range (0..4 is 0 to 4) or a list
    #[arg(long, default_value = "0", value_name = "SEEDS")]
    pub(crate) seeds: Seeds,
    /// Accuracy (R2 for numbers) on the held-out rows that ends a session early
    #[arg(long)]
    pub(crate) target: Option<f64>,
    /// What faulty seats do: sign-flip, gaussian, label-flip, alie, inner-product, min-max, model-replacement, backdoor, stealth,
    /// sleeper, turncoat, free-rider or mimic
    #[arg(long, requires = "faulty", value_name = "ATTACK")]
    pub(crate) attack: Option<Attack>,
    /// How many seats are faulty; the last ones
    #[arg(long, requires = "attack", value_name = "SEATS")]
    pub(crate) faulty: Option<u16>,
    /// Also print what each seat's updates were worth on the held-out rows, 0 to 10000, by the code that pays in sessions; takes time
    #[arg(long)]
    pub(crate) scores: bool,
    /// Trainers at work at the same time; one per core when absent. The result does not depend on it
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Binary of the trainer
    #[arg(long, env = "PARITY_TRAINER", default_value = "parity-trainer", value_name = "FILE")]
    pub(crate) trainer: PathBuf,
    /// Folder of the trainer's shared libraries
    #[arg(long, env = "PARITY_TRAINER_LIBRARIES", value_name = "DIR")]
    pub(crate) libraries: Option<PathBuf>,
    /// Draw the curve of every seed as an SVG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Write a report as one HTML page: curves of every seed, and all about the last one
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the model of the last seed, as a session would store it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) learn: LearnArgs,
    #[command(flatten)]
    pub(crate) reward: RewardArgs,
}

/// Seeds as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}': expected a seed, a range such as 0..4 (both ends included) or a list such as 1,5,7");
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let seeds: Vec<u64> = match text.split_once("..") {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
                if last < first || last - first >= MAX_SEEDS {
                    return Err(format!("'{text}': expected an ascending range of at most {MAX_SEEDS} seeds"));
                }
                (first..=last).collect()
            }
            None => text.split(',').map(number).collect::<Result<_, _>>()?,
        };
        Ok(Self(seeds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_as_one_a_range_or_a_list() {
        assert_eq!("3".parse(), Ok(Seeds(vec![3])));
        assert_eq!("0..4".parse(), Ok(Seeds(vec![0, 1, 2, 3, 4])));
        assert_eq!("7, 1".parse(), Ok(Seeds(vec![7, 1])));
        assert!("4..0".parse::<Seeds>().unwrap_err().contains("ascending"));
        assert!("0..99999999".parse::<Seeds>().is_err());
        assert!("many".parse::<Seeds>().unwrap_err().contains("'many'"));
    }
}
