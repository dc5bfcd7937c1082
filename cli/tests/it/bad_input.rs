//! Input that cannot be used: a clear error with the value and the remedy, nothing signed, nobody else hurt.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy::hex;
use parity_protocol::Link;

use crate::{
    devnet::{Devnet, Layout},
    files::{self, noise},
    settlement::{self, Purses},
};

fn good_rows(rows: u32) -> String {
    let line = |row: u32| format!("{:.4},{:.4},{}\n", noise(row, 0), noise(row, 1), ["no", "yes"][row as usize % 2]);
    format!("a,b,label\n{}", (0..rows).map(line).collect::<String>())
}

/// Files that no session can be made from, and what is said about each.
fn unusable() -> Vec<(&'static str, String, &'static [&'static str])> {
    let with = |line: &str| format!("{}{line}\n", good_rows(30));
    vec![
        ("empty.csv", String::new(), &["empty.csv", "the file is empty"]),
        ("header.csv", "a,b,label\n".into(), &["header.csv", "no row below"]),
        ("words.csv", "one column\nof words\nalone\n".into(), &["words.csv", "only one column"]),
        ("ragged.csv", with("1,yes"), &["ragged.csv, line 32", "2 cells, the first line has 3"]),
        ("infinite.csv", with("inf,1,yes"), &["infinite.csv, line 32", "'inf' in column 'a'"]),
        ("huge.csv", with("1e39,1,yes"), &["huge.csv, line 32", "'1e39' in column 'a'"]),
        ("text.csv", with("oops,1,yes"), &["text.csv, line 32", "'oops' in column 'a' is not a number"]),
        ("one_class.csv", "a,b,label\n1,2.5,x\n2,3.5,x\n3,4.5,x\n".into(), &["one class only ('x')", "--label"]),
        ("no_label.csv", "a,b,label\n1,2,NaN\n2,3,\n".into(), &["the label column 'label' has no value", "--label"]),
        ("two_labels.csv", "label,x,target\n1,2,0\n0,3,1\n".into(), &["several columns", "--label label|target"]),
        ("constant.csv", "a,b\n1.5,2.5\n2,2.5\n3.5,2.5\n".into(), &["'b' is", "in every row", "--label"]),
        ("utf16.csv", "a\0,\0b\0\n\0".into(), &["utf16.csv", "UTF-16", "UTF-8"]),
    ]
}

#[test]
fn unusable_input_is_refused_before_anything_is_signed() {
    let devnet = Devnet::start_as(&Layout { runners: 2, ..Layout::default() });
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let nonce = chain.nonce(purses.requester());
    let home = devnet.home().path();
    let create = |file: &Path, more: &[&str]| {
        devnet.parity(&[&["fl", "create-session-with-data", file.to_str().unwrap()], more].concat())
    };

    for (name, text, words) in unusable() {
        create(&files::write(home, name, &text), &[]).refused_with(words);
    }
    create(Path::new("nowhere.csv"), &[]).refused_with(&["nowhere.csv", "No such file"]);

    let good = files::write(home, "good.csv", &good_rows(30));
    let refusals: [(&[&str], &[&str]); 13] = [
        (&["--seats", "50"], &["50 seats", "24 training rows", "use at most 24 seats"]),
        (&["--privacy-level", "medium"], &["'medium' is not yet available", "'none'", "'low'"]),
        (&["--privacy-level", "high"], &["'high' is not yet available", "'none'", "'low'"]),
        (&["--label", "outcome"], &["no column 'outcome' for --label", "'a'"]),
        (&["--task", "regression"], &["good.csv, line 2", "the label is 'no'", "--task classification"]),
        (&["--holdout", "1.5"], &["--holdout 1.5 must lie between 0 and 1"]),
        (&["--quorum", "9"], &["--quorum 9", "3 seats"]),
        (&["--hidden", "8", "--model-type", "logistic_regression"], &["--hidden", "neural_network"]),
        (&["--reward", "1000000"], &["costs up to", "the wallet holds", "--reward"]),
        (&["--reward", "300000000000000000000"], &["larger than any balance", "--reward"]),
        (&["--learning-rate", "nan"], &["learning_rate", "NaN"]),
        (&["--wallet", "nobody"], &["no wallet 'nobody'", "parity wallet new nobody"]),
        (&["--epochs", "0"], &["training.epochs", "0", "1 to 1000"]),
    ];
    for (flags, words) in refusals {
        create(&good, flags).refused_with(words);
    }
    for (arguments, words) in [
        (&["fl", "get", "7"][..], &["there is no session 7"][..]),
        (&["fl", "watch"], &["has created no session"]),
        (&["fl", "model"], &["has created no session"]),
        (&["wallet", "withdraw"], &["no refunds wait"]),
        (&["wallet", "transfer", "0x00000000000000000000000000000000000000aa", "100001"], &["holds 100000 USDFC"]),
        (&["stake", "deposit", "100001"], &["100000"]),
    ] {
        devnet.parity(arguments).refused_with(words);
    }
    // What the command line itself refuses, with usage and exit code 2.
    for flags in [&["--reward", "-1"][..], &["--total-rounds", "0"], &["--model-type", "oracle"], &["--no-such-flag"]] {
        create(&good, flags).misused();
    }
    wrong_network(&devnet);

    assert_eq!(chain.nonce(purses.requester()), nonce, "something was signed");
    assert_eq!(chain.session_count(), 0);
    session_with_damaged_content(&devnet, &good);
    purses.check(&chain);
}

/// A node on another chain than the contracts; contracts that are not there.
fn wrong_network(devnet: &Devnet) {
    let home = devnet.home().path();
    let rpc = devnet.descriptor_text("rpc");
    let deployments = fs::read_to_string(devnet.descriptor_text("deployments")).unwrap();
    let other = files::write(home, "other-chain.json", &deployments.replace("314159", "314"));
    let list = |file: &Path| devnet.parity(&["--rpc", &rpc, "--deployments", file.to_str().unwrap(), "fl", "list"]);
    list(&other).refused_with(&["is on chain 314159", "deployed on chain 314;"]);
    let damaged = files::write(home, "damaged.json", &deployments[..deployments.len() / 2]);
    list(&damaged).refused_with(&["damaged.json"]);
}

/// Content that is gone or damaged is refused by name; the session itself goes on.
fn session_with_damaged_content(devnet: &Devnet, file: &Path) {
    let chain = devnet.chain();
    let flags = ["--seats", "2", "--total-rounds", "1"];
    devnet.json(&[&["fl", "create-session-with-data", file.to_str().unwrap()], &flags[..]].concat());
    assert_eq!(devnet.watch(1).1["state"], "Completed");
    settlement::check(devnet, &chain, 1);
    let model = devnet.json(&["fl", "model", "1", "-o", "model.safetensors"]);
    let model = model["model_cid"].as_str().unwrap();

    let copy = devnet.home().path().join("copy");
    copy_folder(&devnet.folder().join("content"), &copy);
    let store = format!("folder:{}", copy.display());
    let block = find(&copy, model);
    let download = || devnet.parity(&["--store", &store, "fl", "model", "1", "-o", "again.safetensors"]);
    let mut bytes = fs::read(&block).unwrap();
    bytes[0] ^= 1;
    fs::write(&block, bytes).unwrap();
    download().refused_with(&[model, "damaged or forged"]);
    fs::remove_file(&block).unwrap();
    download().refused_with(&[model, "is not in"]);
    assert!(!devnet.home().path().join("again.safetensors").exists());
    devnet.parity(&["--store", &store, "fl", "verify", "1"]).succeeded();
    let nothing = format!("folder:{}", devnet.home().path().join("nothing").display());
    devnet.parity(&["--store", &nothing, "fl", "verify", "1"]).refused_with(&["is not in"]);
    settlement::verify(devnet, &chain, 1);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The file of a folder store that holds a block.
fn find(store: &Path, cid: &str) -> PathBuf {
    let digest = hex::encode(cid.parse::<Link>().unwrap().digest());
    let held = files::below(store).into_iter().find(|path| path.file_name().unwrap().to_str() == Some(&digest));
    held.unwrap_or_else(|| panic!("{cid} is not in {}", store.display()))
}
