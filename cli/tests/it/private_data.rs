//! Private mode: runners train on files of their own, and nothing of those files leaves.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use parity_learning::{
    csv::{self, InferOptions},
    table::Table,
};

use crate::{
    devnet::{Devnet, Layout},
    files,
    settlement::{self, Purses},
};

/// Rows of each runner's file.
const ROWS: u32 = 90;
/// Bytes in a row that must not be found elsewhere: three numbers as text, six as a trainer gets them.
const WINDOW: usize = 24;

/// What is in the runners' files alone: every window of their lines (without the header, which is no secret) and of their
/// rows as a trainer gets them, each with the file it is from.
struct Secrets(HashMap<Vec<u8>, PathBuf>);

impl Secrets {
    fn of(files: &[PathBuf]) -> Self {
        let mut windows = HashMap::new();
        for file in files {
            let mut add = |bytes: &[u8]| windows.extend(bytes.windows(WINDOW).map(|w| (w.to_vec(), file.clone())));
            fs::read_to_string(file).unwrap().lines().skip(1).for_each(|line| add(line.as_bytes()));
            add(&encoded(file).x.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        }
        Self(windows)
    }

    /// Whose secret is in some bytes.
    fn found_in(&self, bytes: &[u8]) -> Option<&Path> {
        bytes.windows(WINDOW).find_map(|window| self.0.get(window)).map(PathBuf::as_path)
    }
}

fn encoded(file: &Path) -> Table {
    let schema = csv::infer(file, &InferOptions::default()).unwrap().schema;
    csv::encode(file, &schema).unwrap().table
}

/// The search finds a line of a file, and a row in a trainer's input, wherever they lie.
fn check_the_search(secrets: &Secrets, file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().nth(40).unwrap();
    assert_eq!(secrets.found_in(format!("before{line}after").as_bytes()), Some(file));
    let job = encoded(file).select(&[ROWS as usize / 2]).to_safetensors();
    assert_eq!(secrets.found_in(&[&[7; 3], &job[..]].concat()), Some(file));
    assert_eq!(secrets.found_in(text.lines().next().unwrap().as_bytes()), None);
}

#[test]
fn three_private_files_train_one_model_and_no_byte_of_them_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let data: Vec<PathBuf> = (0..3)
        .map(|n| files::write(folder.path(), &format!("clinic-{n}.csv"), &files::wide_flowers(1000 + n * ROWS, ROWS)))
        .collect();
    let secrets = Secrets::of(&data);
    check_the_search(&secrets, &data[1]);

    let devnet = Devnet::start_as(&Layout { data: data.clone(), ..Layout::default() });
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let sample = files::write(devnet.home().path(), "sample.csv", &files::wide_flowers(0, 60));
    let created = devnet.json(&[
        "fl",
        "create-session",
        "--schema",
        sample.to_str().unwrap(),
        "--model-type",
        "neural_network",
        "--total-rounds",
        "3",
    ]);
    let session = created["session"].as_u64().unwrap();
    let (rounds, ended) = devnet.watch(session);
    assert_eq!((ended["state"].as_str(), rounds.len()), (Some("Completed"), 3));
    assert!(rounds.iter().all(|round| round["accepted"] == 3), "{rounds:?}");
    // Every runner evaluates on rows of its own that it did not train on, and reports the figures alone.
    let evaluation = &rounds[2]["evaluation"];
    assert!(evaluation["accuracy"].as_f64().unwrap() >= 0.9, "{evaluation}");
    let details = settlement::check(&devnet, &chain, session);
    assert_eq!(details["payouts"].as_array().unwrap().iter().filter(|payout| payout["role"] == "runner").count(), 3);
    settlement::verify(&devnet, &chain, session);
    purses.check(&chain);

    let stored = files::below(&devnet.folder().join("content"));
    assert!(stored.len() > 3 * 3, "three updates of three rounds are stored, found {} files", stored.len());
    for file in stored {
        assert_eq!(secrets.found_in(&fs::read(&file).unwrap()), None, "in {}", file.display());
    }
}
