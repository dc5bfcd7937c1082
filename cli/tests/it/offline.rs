//! What works without a network, and what is said where one is needed.

use std::fs;

use parity_testkit::port::free_port;

use crate::{command::Home, files};

/// Addresses of the contracts on local networks; only their chain id matters here.
const DEPLOYMENTS: &str = include_str!("../../../abi/devnet/deployments.json");

#[test]
fn without_a_network_commands_say_how_to_get_one() {
    let home = Home::new();
    home.parity(&["fl", "list"]).refused_with(&["no network", "parity devnet", "--rpc URL --deployments FILE"]);
    home.parity(&["wallet", "balance"]).refused_with(&["no network"]);
}

#[test]
fn a_node_that_is_down_is_named_with_the_remedy() {
    let home = Home::new();
    let file = files::write(home.path(), "deployments.json", DEPLOYMENTS);
    let rpc = format!("http://127.0.0.1:{}", free_port().unwrap());
    home.parity(&["--rpc", &rpc, "fl", "list"]).refused_with(&["--rpc", &rpc, "needs --deployments FILE"]);
    let there = ["--rpc", &rpc, "--deployments", file.to_str().unwrap(), "fl", "list"];
    home.parity(&there).refused_with(&[&rpc, "cannot be reached", "check that it runs"]);
    let wrong = ["--rpc", "not an address", "--deployments", file.to_str().unwrap(), "fl", "list"];
    home.parity(&wrong).refused_with(&["'not an address' is not an RPC address"]);
    let missing = ["--rpc", &rpc, "--deployments", "nowhere.json", "fl", "list"];
    home.parity(&missing).refused_with(&["nowhere.json"]);
}

#[test]
fn wallets_are_made_listed_and_never_overwritten() {
    let home = Home::new();
    let password = files::write(home.path(), "password", "correct horse\n");
    let password = password.to_str().unwrap();
    let made = home.parity(&["--json", "wallet", "new", "mine", "--password-file", password]).document();
    let keystore = home.path().join("wallets/mine");
    let first = fs::read(&keystore).unwrap();
    home.parity(&["wallet", "new", "mine", "--password-file", password]).refused_with(&["'mine' exists already"]);
    assert_eq!(fs::read(&keystore).unwrap(), first);
    home.parity(&["wallet", "new", "../mine", "--password-file", password]).refused_with(&["is no wallet name"]);
    home.parity(&["wallet", "new", "other"]).refused_with(&["no terminal", "--password-file"]);

    let key = files::write(home.path(), "key", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let import =
        ["--json", "wallet", "import", "known", "--key-file", key.to_str().unwrap(), "--password-file", password];
    let known = home.parity(&import).document();
    assert_eq!(known["address"].as_str().unwrap().to_lowercase(), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    files::write(home.path(), "key", "no key");
    home.parity(&["wallet", "import", "bad", "--key-file", key.to_str().unwrap(), "--password-file", password])
        .refusal();

    let list = home.parity(&["--json", "wallet", "list"]).document();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["known", "mine"]);
    assert!(made["address"].is_string());
}

#[test]
fn files_are_named_stored_and_fetched_without_a_network() {
    let home = Home::new();
    let file = files::write(home.path(), "notes.txt", &"a line of text\n".repeat(200_000));
    let file = file.to_str().unwrap();
    let named = home.parity(&["--json", "content", "cid", file]).document();
    assert_eq!(home.parity(&["--json", "content", "add", file]).document(), named);
    let cid = named["cid"].as_str().unwrap();
    let back = home.path().join("back.txt");
    home.parity(&["content", "get", cid, "-o", back.to_str().unwrap()]).succeeded();
    assert_eq!(fs::read(&back).unwrap(), fs::read(file).unwrap());

    let empty = format!("folder:{}", home.path().join("empty").display());
    home.parity(&["--store", &empty, "content", "get", cid, "-o", "x"]).refused_with(&[cid, "is not in"]);
    home.parity(&["content", "get", "not-a-cid", "-o", "x"]).refused_with(&["not-a-cid"]);
    home.parity(&["content", "cid", "nothing.txt"]).refused_with(&["nothing.txt", "No such file"]);
    assert!(!home.path().join("x").exists());
}

#[test]
fn a_schema_is_inferred_written_and_honoured_without_a_network() {
    let home = Home::new();
    let sample = files::write(home.path(), "sample.csv", &files::flowers(0, 30));
    let sample = sample.to_str().unwrap();
    home.parity(&["fl", "create-session", "--schema", sample, "--write-schema", "flowers.json"]).succeeded();
    let own = files::write(home.path(), "own.csv", &files::flowers(30, 30));
    let own = own.to_str().unwrap();
    let added = home.parity(&["--json", "runner", "data", "add", own, "--schema", "flowers.json"]).document();
    assert_eq!((&added[0]["rows"], &added[0]["label"]), (&30.into(), &"species".into()));
    home.parity(&["runner", "data", "add", own, "--schema", "flowers.json"])
        .refused_with(&["'own' is already registered"]);

    let other = files::write(home.path(), "other.csv", "a,b\n1,2\n3,4\n5,6\n");
    let refused = home.parity(&["runner", "data", "add", other.to_str().unwrap(), "--schema", "flowers.json"]);
    refused.refused_with(&["other.csv", "does not fit the schema"]);
    let broken = files::write(home.path(), "broken.json", r#"{"schema": 1}"#);
    let refused = home.parity(&["runner", "data", "add", own, "--schema", broken.to_str().unwrap()]);
    refused.refused_with(&["broken.json", "no schema", "--write-schema"]);
    assert_eq!(home.parity(&["--json", "runner", "data", "list"]).document().as_array().unwrap().len(), 1);
}

#[test]
fn the_doctor_and_the_completions_need_nothing() {
    let home = Home::new();
    let checks = home.parity(&["--json", "doctor"]).document();
    let parts: Vec<&str> = checks.as_array().unwrap().iter().map(|check| check["part"].as_str().unwrap()).collect();
    assert!(parts.contains(&"anvil") && parts.contains(&"Postgres"), "{parts:?}");
    assert!(checks.as_array().unwrap().iter().all(|check| !check["remedy"].as_str().unwrap().is_empty()));
    for shell in ["bash", "zsh", "fish"] {
        let script = home.parity(&["completions", shell]).succeeded().stdout;
        assert!(script.contains("create-session-with-data"));
    }
}
