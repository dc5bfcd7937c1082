//! A session whose content lies in a real Kubo node.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use parity_testkit::child::{TiedChild, tied_command};

use crate::{
    devnet::{Devnet, Layout},
    files,
    settlement::{self, Purses},
    wait,
};

/// An offline node on free ports, in a repository of its own.
struct Node {
    daemon: TiedChild,
    repository: tempfile::TempDir,
    rpc: String,
}

impl Node {
    fn start() -> Self {
        let repository = tempfile::tempdir().unwrap();
        let path = repository.path();
        ipfs(path, &["init", "--empty-repo"]);
        ipfs(path, &["config", "profile", "apply", "unixfs-v1-2025"]);
        for address in ["Addresses.API", "Addresses.Gateway"] {
            ipfs(path, &["config", address, "/ip4/127.0.0.1/tcp/0"]);
        }
        for (setting, value) in [
            ("Addresses.Swarm", "[]"),
            ("AutoConf.Enabled", "false"),
            ("Bootstrap", "[]"),
            ("DNS.Resolvers", "{}"),
            ("Routing.DelegatedRouters", "[]"),
            ("Ipns.DelegatedPublishers", "[]"),
        ] {
            ipfs(path, &["config", "--json", setting, value]);
        }
        let mut command = tied_command(&program());
        command.args(["daemon", "--offline"]).env("IPFS_PATH", path);
        let log = path.join("daemon.log");
        let mut daemon = TiedChild::spawn("ipfs", command, &log).unwrap();
        // The file holds a multiaddress, /ip4/127.0.0.1/tcp/5001.
        let address = wait::until("Kubo's RPC listens", Duration::from_secs(60), || {
            daemon.check(&log).unwrap();
            fs::read_to_string(path.join("api")).ok().filter(|text| !text.is_empty())
        });
        let rpc = address.trim().replacen("/ip4/", "http://", 1).replacen("/tcp/", ":", 1);
        Self { daemon, repository, rpc }
    }

    /// Asks the running node.
    fn ask(&self, arguments: &[&str]) -> Vec<u8> {
        ipfs(self.repository.path(), arguments)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.daemon.stop(Duration::from_secs(10));
    }
}

fn program() -> String {
    std::env::var("PARITY_IPFS").expect("PARITY_IPFS must name Kubo's `ipfs`; `source script/lib/env.sh` sets it")
}

fn ipfs(repository: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program()).env("IPFS_PATH", repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "ipfs {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_session_runs_with_a_kubo_node_as_the_store() {
    let node = Node::start();
    let devnet = Devnet::start_as(&Layout { store: Some(format!("kubo:{}", node.rpc)), ..Layout::default() });
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let created = devnet.json_in(
        &files::examples(),
        &["fl", "create-session-with-data", "iris_data.csv", "--model-type", "neural_network", "--total-rounds", "3"],
    );
    let session = created["session"].as_u64().unwrap();
    let (rounds, ended) = devnet.watch(session);
    assert_eq!((ended["state"].as_str(), rounds.len()), (Some("Completed"), 3));
    settlement::check(&devnet, &chain, session);
    settlement::verify(&devnet, &chain, session);
    purses.check(&chain);

    let file: PathBuf = devnet.home().path().join("model.safetensors");
    let model = devnet.json(&["fl", "model", &session.to_string(), "-o", file.to_str().unwrap()]);
    let cid = model["model_cid"].as_str().unwrap();
    assert_eq!(
        node.ask(&["cat", cid]),
        fs::read(&file).unwrap(),
        "Kubo has the model under the name that the chain has"
    );
    let named = node.ask(&["add", "-Q", "--only-hash", file.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&named).trim(), cid, "and gives the file the same name");
    assert!(!devnet.folder().join("content").exists(), "no other store was used");
}
